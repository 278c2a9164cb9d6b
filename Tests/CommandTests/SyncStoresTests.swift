import Foundation
import Platform
import Testing
import TestSupport

/// `varve sync` of two stores, as users run it.
@Suite(.serialized) struct SyncStoresTests {
    /// A store with a table of two appends, and ways to look at tables.
    private static let setup = """
        set -eu
        mkdir -p store/notes
        echo text >store/notes/a
        printf 'id,name\\n1,one\\n2,two\\n' >rows.csv
        "$varve" table import store/orders rows.csv -q
        "$varve" table append store/orders rows.csv -q
        rows() { "$varve" table scan "$1" | sort; }
        same() {
            diff -r --exclude=.varve-replica --exclude=_delta_log store "$1"
            "$varve" table verify store/orders -q
            "$varve" table verify "$1/orders" -q
            diff <(rows store/orders) <(rows "$1/orders")
        }

        """

    private func run(_ script: String) throws -> Finished {
        try Workshop().shell(Self.setup + script)
    }

    @Test func `Two stores take over what the other one got, and then are equal`() throws {
        let finished = try run(
            """
            "$varve" sync store live --dry-run | grep 'nothing was changed'
            [[ ! -e live/orders ]]
            "$varve" sync store live | grep 'orders: the table as it is, at version 2'
            same live
            "$varve" sync store live | grep 'store and live are equal'
            "$varve" table append store/orders rows.csv -q
            "$varve" table append live/orders rows.csv -q
            "$varve" table append live/orders rows.csv -q
            echo more >live/notes/b
            rm store/notes/a
            "$varve" sync store live >report
            grep 'orders: 2 commits, version 5 now' report
            grep 'orders: 1 commit, version 5 now' report
            same live
            [[ ! -e live/notes/a && $(cat store/notes/b) == more ]]
            [[ $("$varve" table scan live/orders | wc -l) == 11 ]]
            "$varve" table delete live/orders --where 'id = 1' -q
            "$varve" table compact live/orders -q
            "$varve" sync live store --json >json
            grep -q '"complete":true' json
            same live
            """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }

    @Test func `A conflict is told, and everything else is synced`() throws {
        let finished = try run(
            """
            "$varve" sync store live -q
            "$varve" table delete store/orders --where 'id = 1' -q
            "$varve" table append live/orders rows.csv -q
            echo 1 >store/notes/a
            echo 2 >live/notes/a
            echo 3 >live/notes/c
            for try in 1 2; do
                status=0
                "$varve" sync store live 2>message || status=$?
                [[ $status == 3 ]]
                grep -q 'version 3 (DELETE) in store removes rows' message
                grep -q 'notes/a changed on both sides' message
                grep -q 'Nothing was changed in it, on either side' message
            done
            status=0
            "$varve" sync store live --json >json 2>/dev/null || status=$?
            [[ $status == 3 ]]
            grep -q '"kind":"changes","side":"here","version":3,"operation":"DELETE"' json
            cmp store/notes/c live/notes/c
            [[ $(cat store/notes/a) == 1 && $(cat live/notes/a) == 2 ]]
            [[ $("$varve" table scan live/orders | wc -l) == 7 ]]
            [[ $("$varve" table scan store/orders | wc -l) == 3 ]]
            """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }

    @Test func `What makes no sense is refused with its own status`() throws {
        let finished = try run(
            """
            expect() { wanted=$1; shift; status=0; "$@" 2>>messages || status=$?
                [[ $status == $wanted ]] || { echo "$* gave $status"; exit 1; }; }
            expect 2 "$varve" sync
            expect 2 "$varve" sync store
            expect 2 "$varve" sync store store
            expect 2 "$varve" sync store store/inside
            expect 2 "$varve" sync store live --repo repo
            expect 2 "$varve" sync store live --with repo
            expect 2 "$varve" sync store live --tag x
            expect 2 "$varve" sync store live --limit-rate 0
            expect 2 "$varve" sync --with repo --dry-run
            expect 2 "$varve" sync --with repo
            expect 1 "$varve" sync nothing live
            expect 1 "$varve" sync store no/where/live
            expect 2 "$varve" serve --stdio --sync --replica </dev/null
            grep -q 'name one pair or the other' messages
            VARVE_REPO=nowhere "$varve" sync store live -q
            mkdir empty
            "$varve" sync store empty -q
            rm -r empty/notes empty/orders
            expect 1 "$varve" sync store empty
            [[ -e store/orders ]]
            """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }

    @Test(.needsSSHServer) func `Stores on two hosts are synced through ssh`() throws {
        let workshop = try Workshop()
        let server = try SSHServer(workshop)
        let finished = try workshop.shell(
            Self.setup + server.setup + """
                "$varve" sync store $remote/live -q
                same live
                "$varve" table append store/orders rows.csv -q
                "$varve" table append live/orders rows.csv -q
                "$varve" sync store $remote/live --limit-rate 5M -q
                same live
                sent() { grep -o '"bytes_shipped":[0-9]*' "$1" | cut -d: -f2; }
                seq 60000 | awk 'BEGIN { print "id,name" } { print $1 "," rand() }' >many.csv
                for number in 1 2 3; do "$varve" table append store/orders many.csv -q; done
                "$varve" sync store $remote/live --json >json
                [[ $(sent json) -gt 500000 ]] || { cat json; exit 1; }
                "$varve" table compact live/orders -q
                "$varve" sync store $remote/live --json >json
                [[ $(sent json) -lt 100000 ]] || { cat json; exit 1; }
                same live
                """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
        try server.authorize(
            "command=\"\(Workshop.program) serve --stdio --path \(workshop.path)/live --sync\","
                + "restrict"
        )
        let forced = try workshop.shell(
            server.setup + """
                set -eu
                echo more >store/notes/c
                echo less >live/notes/d
                "$varve" sync store $remote/live -q
                cmp store/notes/c live/notes/c
                cmp store/notes/d live/notes/d
                ! "$varve" sync store $remote/other 2>message
                grep -q 'outside what is served' message
                ! "$varve" init -r $remote/live 2>message
                grep -q -e --sync message
                "$varve" init -r repo -q
                ! "$varve" replicate store $remote/live -r repo 2>message
                grep -q -e --sync message
                """
        )
        #expect(forced.status == 0, "\(forced.text) \(forced.errorText)")
        for option in ["--append-only", "--read-only", "--replica"] {
            try server.authorize(
                "command=\"\(Workshop.program) serve --stdio --path \(workshop.path) \(option)\""
            )
            let refused = try workshop.shell(
                server.setup + """
                    ! "$varve" sync store $remote/live -q 2>message
                    grep -q -e \(option) message
                    """
            )
            #expect(refused.status == 0, "\(refused.text) \(refused.errorText)")
        }
    }

    /// So many rounds of each; the long form is `make soak`.
    private static let rounds = Workshop.soakRounds

    @Test(.needsSSHServer, arguments: ["here", "there"])
    func `Killed at random moments both stores are whole, and no row is there twice`(
        side: String
    ) throws {
        let workshop = try Workshop()
        let server = try SSHServer(workshop)
        let script =
            Self.setup + server.setup + """
                RANDOM=${VARVE_SEED:-23}
                \(Workshop.strikes)
                serving
                "$varve" sync store $remote/live -q
                count=$(rows store/orders | wc -l)
                for round in $(seq \(Self.rounds)); do
                    for number in 1 2 3; do
                        "$varve" table append store/orders rows.csv -q
                        "$varve" table append live/orders rows.csv -q
                    done
                    count=$((count + 12))
                    if ((round % 3 == 0)); then "$varve" table compact store/orders -q; fi
                    head -c $((RANDOM * 20)) /dev/urandom >store/notes/s$((RANDOM % 9))
                    head -c $((RANDOM * 20)) /dev/urandom >live/notes/l$((RANDOM % 9))
                    : >pid
                    "$varve" sync store $remote/live -q 2>/dev/null & child=$!
                    strike \(side)
                    "$varve" table verify store/orders -q
                    "$varve" table verify live/orders -q
                    for try in 1 2 3 4 5 6 7 8 9; do
                        status=0
                        begin
                        "$varve" sync store $remote/live -q 2>message || status=$?
                        end
                        # The side that was not killed may still hold its store for a moment.
                        [[ $status == 11 ]] || break
                        sleep 0.3
                    done
                    [[ $status == 0 ]] || { cat message; exit 1; }
                    same live
                    [[ $(rows live/orders | wc -l) == $count ]] || { echo "round $round"; exit 1; }
                done
                echo "$hits of \(Self.rounds) kills hit the side that is \(side)"
                [[ $hits -ge $((\(Self.rounds) / 3)) ]]
                """
        let finished = try workshop.shell(script)
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
        print(finished.text, terminator: "")
    }

    @Test func `Readers find whole versions and writers go on while stores are synced`() throws {
        let finished = try run(
            """
            "$varve" sync store live -q
            count=$(rows store/orders | wc -l)
            touch busy
            (while [[ -e busy ]]; do
                "$varve" table verify live/orders -q || { echo broken >broken; exit; }
                "$varve" table verify store/orders -q || { echo broken >broken; exit; }
             done) & reader=$!
            writer() {
                for number in 1 2 3 4 5 6 7 8 9; do
                    "$varve" table append $1/orders rows.csv -q || echo failed >broken
                done
            }
            writer store & one=$!
            writer live & other=$!
            while kill -0 $one 2>/dev/null || kill -0 $other 2>/dev/null; do
                "$varve" sync store live -q || { echo "sync failed" >broken; break; }
            done
            wait $one $other
            rm busy
            wait $reader
            [[ ! -e broken ]] || { cat broken; exit 1; }
            "$varve" sync store live -q
            same live
            [[ $(rows live/orders | wc -l) == $((count + 36)) ]]
            """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }
}
