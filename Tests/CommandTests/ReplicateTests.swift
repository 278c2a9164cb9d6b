import Foundation
import Platform
import Testing
import TestSupport

/// `varve replicate`, as users run it.
@Suite(.serialized) struct ReplicateTests {
    /// A store with a table of two appends, and a repository.
    private static let setup = """
        set -eu
        mkdir -p store/notes
        echo text >store/notes/a
        printf 'id,name\\n1,one\\n2,two\\n' >rows.csv
        "$varve" table import store/orders rows.csv -q
        "$varve" table append store/orders rows.csv -q
        "$varve" init -q -r repo
        export VARVE_REPO="$PWD/repo"
        same() { diff -r --exclude=.varve-replica store "$1"; }

        """

    private func run(_ script: String) throws -> Finished {
        try Workshop().shell(Self.setup + script)
    }

    @Test func `A directory follows a store, and others' changes stop it`() throws {
        let finished = try run(
            """
            "$varve" replicate store live -q
            same live
            "$varve" replicate store live --json | grep -q '"paths_removed":0'
            "$varve" table append store/orders rows.csv -q
            rm store/notes/a
            "$varve" replicate store live --dry-run | grep 'nothing was changed there'
            "$varve" replicate store live -q
            same live
            "$varve" table verify live/orders -q
            echo mine >live/notes/b
            status=0
            "$varve" replicate store live 2>message || status=$?
            grep -q 'added  notes/b' message
            grep -q 'Nothing was changed' message
            [[ $status == 1 ]]
            "$varve" replicate store live -q --overwrite
            [[ $(cat live/notes/b) == mine ]]
            """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }

    @Test func `What makes no sense is refused with its own status`() throws {
        let finished = try run(
            """
            expect() { wanted=$1; shift; status=0; "$@" 2>>messages || status=$?
                [[ $status == $wanted ]] || { echo "$* gave $status"; exit 1; }; }
            expect 2 "$varve" replicate store store
            expect 2 "$varve" replicate store store/inside
            expect 2 "$varve" replicate store repo/inside
            expect 2 "$varve" replicate store .
            expect 2 "$varve" replicate store live --limit-rate 0
            expect 10 "$varve" replicate store live -r nowhere
            expect 1 "$varve" replicate nothing live
            expect 1 "$varve" replicate store no/where/live
            expect 2 "$varve" serve --stdio --replica --read-only </dev/null
            mkdir other; echo x >other/file
            expect 1 "$varve" replicate store other
            [[ $(cat other/file) == x && ! -e other/orders ]]
            """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }

    @Test(.needsSSHServer) func `A replica on another host is kept through ssh`() throws {
        let workshop = try Workshop()
        let server = try SSHServer(workshop)
        let finished = try workshop.shell(
            Self.setup + server.setup + """
                "$varve" replicate store $remote/live -q
                same live
                "$varve" table append store/orders rows.csv -q
                "$varve" replicate store $remote/live --once -q
                same live
                "$varve" table verify live/orders -q
                """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
        try server.authorize(
            "command=\"\(Workshop.program) serve --stdio --path \(workshop.path)/live --replica\","
                + "restrict"
        )
        let forced = try workshop.shell(
            server.setup + """
                set -eu
                echo more >store/notes/c
                "$varve" replicate store $remote/live -r repo -q
                cmp store/notes/c live/notes/c
                ! "$varve" replicate store $remote/other -r repo 2>message
                grep -q 'outside what is served' message
                ! "$varve" init -r $remote/live 2>message
                grep -q -e --replica message
                """
        )
        #expect(forced.status == 0, "\(forced.text) \(forced.errorText)")
        try server.authorize(
            "command=\"\(Workshop.program) serve --stdio --path \(workshop.path) --append-only\""
        )
        let refused = try workshop.shell(
            server.setup + """
                ! "$varve" replicate store $remote/live -r repo 2>message
                grep -q -e --append-only message
                """
        )
        #expect(refused.status == 0, "\(refused.text) \(refused.errorText)")
    }

    private static let rounds = Workshop.soakRounds

    /// Appends, deletes and compacts; every fifth night removes old files.
    private static let night = """
        night() {
            "$varve" table append store/orders rows.csv -q
            head -c $((RANDOM * 20)) /dev/urandom >store/notes/$((RANDOM % 9))
            if ((round % 3 == 0)); then "$varve" table compact store/orders -q; fi
            if ((round % 5 == 0)); then
                "$varve" table vacuum store/orders -q --retention 0h --force
            fi
        }

        """

    @Test(.needsSSHServer, arguments: ["here", "there"])
    func `Killed at random moments a replica is whole, and the next run goes on`(
        side: String
    ) throws {
        let workshop = try Workshop()
        let server = try SSHServer(workshop)
        let script =
            Self.setup + server.setup + Self.night + """
                RANDOM=${VARVE_SEED:-17}
                \(Workshop.strikes)
                serving
                "$varve" replicate store $remote/live -q
                for round in $(seq \(Self.rounds)); do
                    night
                    : >pid
                    "$varve" replicate store $remote/live -q 2>/dev/null & child=$!
                    strike \(side)
                    "$varve" table verify live/orders -q
                    for try in 1 2 3 4 5 6 7 8 9; do
                        status=0
                        begin
                        "$varve" replicate store $remote/live -q 2>message || status=$?
                        end
                        # The side that was not killed may still hold the target for a moment.
                        [[ $status == 11 ]] || break
                        sleep 0.3
                    done
                    [[ $status == 0 ]] || { cat message; exit 1; }
                    same live
                done
                echo "$hits of \(Self.rounds) kills hit the side that is \(side)"
                [[ $hits -ge $((\(Self.rounds) / 3)) ]]
                """
        let finished = try workshop.shell(script)
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
        print(finished.text, terminator: "")
    }

    @Test func `A reader finds whole versions while the replica is written`() throws {
        let finished = try run(
            Self.night + """
                RANDOM=5
                "$varve" replicate store live -q
                touch reading
                (while [[ -e reading ]]; do
                    "$varve" table verify live/orders -q || { echo broken >broken; exit; }
                 done) & reader=$!
                for round in 1 2 3 4 6 7 8 9; do
                    night
                    "$varve" replicate store live -q
                done
                rm reading
                wait $reader
                [[ ! -e broken ]]
                same live
                """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }
}
