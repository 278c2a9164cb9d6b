import Foundation
import Testing
import TestSupport

/// Deltas through pipes, files and directories, and between repositories on this host.
@Suite struct ShippingTests {
    /// A store, its repository with three snapshots, and an empty repository "other".
    private static let prepare = """
        set -u
        RANDOM=${VARVE_SEED:-21}
        mkdir -p store/sub
        for i in $(seq 12); do head -c $((RANDOM * 2)) /dev/urandom | base64 >store/sub/$i; done
        "$varve" init -q -r repo --chunk-average 64K || exit 70
        "$varve" init -q -r other --chunk-average 64K || exit 71
        for night in 1 2 3; do
            echo "night $night" >>store/sub/$night
            echo "night $night" >store/new$night
            "$varve" snapshot -q -r repo store --time 2026-11-0${night}T03:00Z || exit 72
        done
        ids() { "$varve" list -r "$1" | tail -n +2 | cut -d' ' -f1; }
        restores() {
            rm -rf out
            "$varve" restore -q latest -r "$1" --target out --verify && diff -r store out
        }

        """

    @discardableResult
    private static func run(_ script: String) throws -> Finished {
        let finished = try Workshop().shell(prepare + script)
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
        return finished
    }

    @Test func `A pipe carries a snapshot, and then what the nights changed`() throws {
        try Self.run(
            """
            set -o pipefail
            "$varve" send latest~2 -r repo | "$varve" receive -r other >told || exit 80
            grep -q "^received $(ids repo | head -n 1)" told || exit 81
            "$varve" send latest --from latest~2 -r repo >stream 2>told || exit 82
            grep -q 'what turns .* into ' told || exit 83
            "$varve" receive -r other <stream || exit 84
            restores other || exit 85
            (($(stat -c %s stream) < 20000)) || exit 86
            "$varve" receive -r other stream | grep -q 'was there already' || exit 87
            "$varve" check -q -r other --read-data || exit 88
            "$varve" receive -q -r other <(cat stream) || exit 89
            """
        )
    }

    @Test func `A directory carries streams, applied in the order that they need`() throws {
        try Self.run(
            """
            mkdir disk
            "$varve" send latest --from latest~1 -r repo -o disk/ || exit 80
            "$varve" send latest~1 --from latest~2 -r repo -o disk || exit 81
            "$varve" receive disk -r other 2>message; [[ $? == 3 ]] || exit 82
            (($(grep -c 'left out .* it needs the snapshot' message) == 2)) || exit 83
            [[ -z $(ids other) ]] || exit 84
            "$varve" send latest~2 -r repo -o disk || exit 85
            set -- $(ids repo)
            for name in "start-$1" "$1-$2" "$2-$3"; do
                [[ -s disk/$name.varve ]] || exit 86
            done
            "$varve" receive disk -r other >told || exit 87
            (($(grep -c ^received told) == 3)) || exit 88
            grep -q '^3 streams applied, 0 there already$' told || exit 89
            [[ $(ids other) == "$(ids repo)" ]] || exit 90
            restores other || exit 91
            "$varve" receive disk -r other >told || exit 92
            [[ $(cat told) == '0 streams applied, 3 there already' ]] || exit 93
            # What is no stream is told, and the rest applied.
            "$varve" init -q -r third || exit 94
            head -c 100 disk/start-*.varve >disk/torn.varve
            mkdir disk/directory.varve
            mkfifo disk/fifo.varve
            "$varve" receive disk -r third 2>message >told; [[ $? == 3 ]] || exit 95
            (($(grep -c 'left out' message) == 3)) || exit 96
            restores third || exit 97
            """
        )
    }

    @Test func `A stream that is damaged does not keep a directory's others from use`() throws {
        try Self.run(
            """
            mkdir disk
            "$varve" send latest~2 -r repo -q -o disk || exit 80
            "$varve" send latest -r repo -q -o disk || exit 81
            set -- $(ids repo)
            size=$(stat -c %s "disk/start-$1.varve")
            truncate -s $((size / 2)) "disk/start-$1.varve"
            "$varve" receive disk -r other 2>message; [[ $? == 3 ]] || exit 82
            grep -q "start-$1.varve.*cut short" message || exit 83
            [[ $(ids other) == "$3" ]] || exit 84
            restores other || exit 85
            """
        )
    }

    @Test func `What is estimated is what is sent`() throws {
        try Self.run(
            """
            for options in latest 'latest --from latest~2' 'latest~1 --from latest'; do
                "$varve" send $options -r repo --estimate --json >told || exit 80
                [[ $(grep -c . told) == 1 ]] || exit 81
                "$varve" send $options -r repo -q >stream || exit 82
                size=$(stat -c %s stream)
                grep -q "\\"bytes_shipped\\": *$size[,}]" told || exit 83
                grep -q '"dry_run": *true' told || exit 84
            done
            "$varve" send latest -r repo --estimate -o file; [[ $? == 2 ]] || exit 85
            [[ ! -e file ]] || exit 86
            """
        )
    }

    @Test(.needs("script"))
    func `A terminal neither gets nor gives a stream`() throws {
        try Self.run(
            """
            script -qec '"$varve" send latest -r repo' typed >/dev/null </dev/null
            [[ $? == 2 ]] || exit 80
            grep -q 'a stream is nothing for a terminal' typed || exit 81
            (($(stat -c %s typed) < 2000)) || exit 82
            script -qec '"$varve" receive -r other' typed >/dev/null </dev/null
            [[ $? == 2 ]] || exit 83
            grep -q 'a terminal sends no stream' typed || exit 84
            """
        )
    }

    @Test func `A file that is there is never replaced`() throws {
        try Self.run(
            """
            mkdir disk
            echo mine >disk/file
            "$varve" send latest -r repo -o disk/file 2>message; [[ $? == 1 ]] || exit 80
            grep -q 'disk/file' message || exit 81
            [[ $(cat disk/file) == mine ]] || exit 82
            "$varve" send latest -q -r repo -o disk || exit 83
            "$varve" send latest -q -r repo -o disk; [[ $? == 1 ]] || exit 84
            "$varve" send latest -q -r repo -o nowhere/file; [[ $? == 1 ]] || exit 85
            [[ $(ls -A disk | wc -l) == 2 ]] || exit 86
            """
        )
    }

    @Test func `A receiver that lacks what is needed names it and writes nothing`() throws {
        try Self.run(
            """
            find other | sort >before
            "$varve" send latest --from latest~1 -r repo -q >stream || exit 80
            "$varve" receive -r other stream 2>message; [[ $? == 1 ]] || exit 81
            grep -q "the receiver lacks the snapshot $(ids repo | sed -n 2p)" message || exit 82
            grep -q 'Nothing was written' message || exit 83
            find other | sort | diff before - || exit 84
            for bad in store/new1 /dev/null; do
                "$varve" receive -r other $bad 2>message; [[ $? == 1 ]] || exit 85
            done
            "$varve" receive -r other nowhere; [[ $? == 1 ]] || exit 86
            "$varve" receive -r nowhere stream; [[ $? == 10 ]] || exit 87
            find other | sort | diff before - || exit 88
            """
        )
    }

    @Test func `Repositories on this host push, pull and synchronise`() throws {
        try Self.run(
            """
            "$varve" push latest~2 -r repo --to other || exit 80
            "$varve" push -r repo --to other >told || exit 81
            grep -q '^2 snapshots to other, 1 there already$' told || exit 82
            [[ $(ids other) == "$(ids repo)" ]] || exit 83
            restores other || exit 84
            find other | sort >before
            "$varve" push -r repo --to other | grep -q '^0 snapshots to other, 3' || exit 85
            find other | sort | diff before - || exit 86
            echo more >>store/sub/1
            "$varve" snapshot -q -r other store --tag monthly --time 2026-11-09T03:00Z || exit 87
            "$varve" pull -r repo --from other --tag weekly | grep -q '^0 snap' || exit 88
            "$varve" pull -r repo --from other --tag monthly | grep -q '^1 snap' || exit 89
            echo more >>store/sub/2
            "$varve" snapshot -q -r repo store --time 2026-11-10T03:00Z || exit 90
            "$varve" init -q -r third || exit 91
            "$varve" sync -r third --with other -q || exit 92
            "$varve" sync -r third --with repo --since 2026-11-10 -q || exit 93
            for round in 1 2; do
                "$varve" sync -r repo --with other -q || exit 94
                for place in repo other third; do
                    (($(ids $place | wc -l) == 5)) || exit 95
                    restores $place || exit 96
                    "$varve" check -q -r $place --read-data || exit 97
                done
            done
            """
        )
    }

    @Test func `Each command prints one document as JSON`() throws {
        let finished = try Self.run(
            """
            exec 2>&1
            "$varve" send latest~2 -r repo -o whole --json
            "$varve" receive -r other whole --json
            "$varve" push -r repo --to other --json
            "$varve" pull -r repo --from other --json
            "$varve" send latest -r repo --json | "$varve" receive -r other --json
            """
        )
        let objects = try finished.text.split(separator: "\n").map { line in
            let parsed = try JSONSerialization.jsonObject(with: Data(line.utf8))
            return try #require(parsed as? [String: Any])
        }
        let types = objects.map { $0["type"] as? String }
        #expect(types.allSatisfy { $0 == "summary" || $0 == "status" })
        let summaries = objects.filter { $0["type"] as? String == "summary" }
        #expect(summaries.count == 6)
        #expect(summaries[0]["from_id"] is NSNull)
        #expect((summaries[1]["snapshot_ids"] as? [String])?.count == 1)
        #expect((summaries[2]["snapshot_ids"] as? [String])?.count == 2)
        #expect(summaries[2]["snapshots_known"] as? Int == 1)
        #expect((summaries[3]["snapshot_ids"] as? [String])?.isEmpty == true)
        // The stream has standard output, so what is told of it is on standard error.
        let last = summaries.suffix(2)
        #expect(last.contains { ($0["known_ids"] as? [String])?.count == 1 })
        #expect(last.contains { $0["dry_run"] as? Bool == false })
    }
}

/// Senders and receivers that were killed.
@Suite(.serialized) struct ShippingCrashTests {
    @Test(arguments: ["sender", "receiver"])
    func `Ten kills leave a repository that is whole, and the next run succeeds`(
        victim: String
    ) throws {
        let script = """
            set -u
            RANDOM=${VARVE_SEED:-23}
            mkdir store
            for i in $(seq 8); do head -c 200000 /dev/urandom >store/$i; done
            "$varve" init -q -r repo --chunk-average 64K || exit 70
            "$varve" init -q -r other --chunk-average 64K || exit 71
            "$varve" snapshot -q -r repo store || exit 72
            "$varve" send -q latest -r repo | "$varve" receive -q -r other || exit 73
            mkfifo pipe
            from=latest
            for round in $(seq 10); do
                for i in 1 2 3; do
                    head -c $((100000 + RANDOM * 4)) /dev/urandom >store/$((RANDOM % 8 + 1))
                done
                "$varve" snapshot -q -r repo store || exit 74
                from=$("$varve" list -r other | tail -n 1 | cut -d' ' -f1)
                "$varve" send -q latest --from $from -r repo --limit-rate 4M >pipe 2>/dev/null &
                sender=$!
                "$varve" receive -q -r other <pipe 2>/dev/null & receiver=$!
                sleep 0.$((RANDOM % 20 + 10))
                kill -9 $\(victim) 2>/dev/null
                wait $sender
                wait $receiver
                "$varve" check -q -r other --read-data || exit 75
                if ((round % 3 == 0)); then
                    "$varve" send -q latest --from $from -r repo | "$varve" receive -q -r other \\
                        || exit 76
                    rm -rf out
                    "$varve" restore -q -r other latest --target out --verify || exit 77
                    diff -r store out || exit 78
                fi
            done
            """
        let finished = try Workshop().shell(script)
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }

    @Test func `A file that was being written when the sender was killed has no name`() throws {
        let script = """
            set -u
            mkdir store disk
            head -c 2000000 /dev/urandom >store/file
            "$varve" init -q -r repo --chunk-average 64K || exit 70
            "$varve" snapshot -q -r repo store || exit 71
            "$varve" send -q latest -r repo -o disk --limit-rate 2M & child=$!
            sleep 0.4
            kill -9 $child
            wait $child
            ls disk | grep -q varve && exit 72
            "$varve" send -q latest -r repo -o disk --limit-rate 2M & child=$!
            sleep 0.4
            kill -TERM $child
            wait $child; [[ $? == 143 ]] || exit 73
            # What a signal could be told of left nothing behind.
            (($(ls -A disk | wc -l) <= 1)) || exit 74
            "$varve" send -q latest -r repo -o disk || exit 75
            "$varve" init -q -r other && "$varve" receive -q disk -r other || exit 76
            """
        let finished = try Workshop().shell(script)
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }
}
