import Foundation
import Platform
import Testing
import TestSupport

/// `varve watch`, as users run it.
@Suite(.serialized) struct WatchTests {
    private static let setup = """
        set -eu
        mkdir -p store/deep/er
        echo text >store/a
        "$varve" init -q -r repo
        export VARVE_REPO="$PWD/repo"
        trap 'kill $child 2>/dev/null || true' EXIT
        same() { diff -r --exclude=.varve-replica store live >/dev/null 2>&1; }
        await() {
            for try in $(seq 300); do "$@" && return; sleep 0.1; done
            echo "$* in vain"; exit 1
        }

        """

    private func run(_ script: String) throws -> Finished {
        try Workshop().shell(Self.setup + script)
    }

    @Test(arguments: ["", "--poll 1"])
    func `Changes are snapshotted and shipped, and monitors are told`(way: String) throws {
        let finished = try run(
            """
            "$varve" watch store --replicate live --metrics prom --health health --json \(way) \
                >out 2>errors & child=$!
            await same
            echo more >store/deep/er/b
            await same
            mkdir store/new; sleep 0.3; echo inside >store/new/c
            await same
            rm -r store/deep
            await same
            await grep -q '"status":"ok"' health
            grep -q '^varve_watch_failures_total 0$' prom
            grep -q '^varve_watch_lag_seconds{quantile="0.5"}' prom
            kill -TERM $child
            wait $child
            grep -q '"type":"summary"' out
            [[ $("$varve" list -q | wc -l) -ge 4 ]]
            """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }

    @Test func `What fails is told and tried again`() throws {
        let finished = try run(
            """
            "$varve" watch store --replicate nowhere/live --health health 2>errors >out & child=$!
            await grep -q '"status":"failing"' health
            grep -q 'tried again in' errors
            mkdir nowhere
            await test -e nowhere/live/a
            await grep -q '"status":"ok"' health
            # The store is moved away, and is back after a while.
            mv store away
            await grep -q '"status":"failing"' health
            [[ $(cat nowhere/live/a) == text ]]
            mv away store
            await grep -q '"status":"ok"' health
            echo later >store/z
            await test -e nowhere/live/z
            kill -TERM $child
            wait $child
            """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }

    @Test func `A service manager is told that it is ready`() throws {
        let finished = try run(
            """
            python3 - "$varve" <<'END'
            import os, socket, subprocess, sys
            server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            server.bind("notify")
            server.settimeout(30)
            environment = dict(os.environ, NOTIFY_SOCKET=os.getcwd() + "/notify")
            child = subprocess.Popen([sys.argv[1], "watch", "store", "-q"], env=environment)
            assert server.recv(1000) == b"READY=1"
            assert server.recv(1000).startswith(b"STATUS=ok")
            child.terminate()
            assert child.wait(30) == 0
            END
            child=
            """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }

    @Test func `A store that is suddenly empty does not empty its replica`() throws {
        let finished = try run(
            """
            child=
            "$varve" replicate store live -q
            mv store kept; mkdir store
            status=0
            "$varve" replicate store live 2>message || status=$?
            [[ $status == 1 && -e live/a ]]
            grep -q 'is empty' message
            "$varve" replicate store live -q --overwrite
            [[ ! -e live/a ]]
            """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }

    @Test func `A round that finds nothing changed adds no snapshot`() throws {
        let finished = try run(
            """
            "$varve" watch store --replicate live --poll 1 --json >out 2>errors & child=$!
            await same
            count() { "$varve" list -q --json | grep -o '"snapshot_id"' | wc -l; }
            rounds() { [[ $(grep -c '"type":"round"' out) -ge $1 ]]; }
            before=$(count)
            # Changed and put back, down to the time: a round, and nothing new.
            touch -r store/a kept; touch -r store keptTop
            mv store/a store/b; await rounds 2
            mv store/b store/a; touch -r keptTop store; await rounds 3
            after=$(count)
            kill -TERM $child; wait $child
            grep -q '"new":true' out
            [[ $((after - before)) -le 2 ]] || { echo "$before $after"; cat out; exit 1; }
            # Begun anew on a store that is as the newest snapshot has it.
            "$varve" watch store --replicate live --rounds 1 --json >again
            grep -q '"new":false' again
            [[ $(count) == "$after" ]]
            """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }

    // MARK: Faults

    @Test(
        .enabled(
            if: HostSystem.isRoot && ExternalTool("mount").isPresentOrRequired,
            "needs root and mount"
        )
    )
    func `A full target disk is told, loses nothing, and is made up for`() throws {
        let finished = try run(
            """
            mkdir disk
            mount -t tmpfs -o size=8m tmpfs disk
            trap 'kill $child 2>/dev/null || true; wait; umount disk' EXIT
            head -c 2000000 /dev/urandom >store/large
            "$varve" watch store --replicate disk/live --health health --metrics prom \
                >out 2>errors & child=$!
            there() { diff -r --exclude=.varve-replica store disk/live >/dev/null 2>&1; }
            await there
            cp -r store before
            head -c 4500000 /dev/urandom >disk/filler
            head -c 3000000 /dev/urandom >store/larger
            await grep -q '"status":"failing"' health
            grep -qi 'space' errors
            await grep -q '^varve_watch_failures_total [1-9]' prom
            grep -q '^varve_watch_consecutive_failures [1-9]' prom
            # What was there is there, whole.
            diff -r --exclude=.varve-replica before disk/live
            rm disk/filler
            await there
            await grep -q '"status":"ok"' health
            await grep -q '^varve_watch_consecutive_failures 0$' prom
            kill -TERM $child
            wait $child
            """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }

    @Test(
        .enabled(if: ExternalTool("unshare").isPresentOrRequired, "needs unshare"),
        arguments: ["max_inotify_watches", "max_inotify_instances"]
    )
    func `Where the system watches no more, changes are looked for, and this is told`(
        limit: String
    ) throws {
        let finished = try run(
            """
            unshare -Ur bash -c 'echo \(limit == "max_inotify_watches" ? 2 : 0) \
                >/proc/sys/user/\(limit) && exec "$varve" watch store --replicate live \
                --health health --metrics prom' >out 2>errors & child=$!
            await same
            grep -q 'changes are looked for: the system' errors
            await grep -q '"polling":true' health
            grep -q '^varve_watch_polling 1$' prom
            echo more >store/deep/er/b
            await same
            kill -TERM $child
            wait $child
            """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }

    @Test func `More changes than the system tells of are told, and none is missed`() throws {
        let finished = try run(
            """
            "$varve" watch store --replicate live --health health >out 2>errors & child=$!
            await same
            # While it is held up, more happens than its queue takes, and then a directory is made.
            kill -STOP $child
            python3 - $(cat /proc/sys/fs/inotify/max_queued_events) <<'END'
            import os, sys
            for number in range(int(sys.argv[1]) // 2 + 100):
                with open(f"store/deep/{number % 50}", "w") as file:
                    file.write(str(number))
            END
            mkdir -p store/late/inner
            kill -CONT $child
            await same
            await grep -q 'more changed at once' errors
            # That directory is watched as well.
            echo more >store/late/inner/c
            await same
            grep -q '"polling":false' health
            kill -TERM $child
            wait $child
            """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }

    @Test(.needsSSHServer) func `A network that vanishes and comes back is got over`() throws {
        let workshop = try Workshop()
        let server = try SSHServer(workshop)
        let finished = try workshop.shell(
            Self.setup + server.setup + """
                "$varve" watch store --replicate $remote/live --health health --metrics prom \
                    >out 2>errors & child=$!
                await same
                ssh=$(pgrep -P $child -x ssh)
                mv key hidden
                kill -9 $ssh
                echo more >store/b
                await grep -q '"status":"failing"' health
                await grep -q '^varve_watch_failures_total [2-9]' prom
                grep -q 'tried again in' errors
                [[ ! -e live/b ]]
                mv hidden key
                await same
                await grep -q '"status":"ok"' health
                await grep -q '^varve_watch_consecutive_failures 0$' prom
                grep -q '^varve_watch_failures_total [2-9]' prom
                # Once it follows again, it does so by one connection.
                echo last >store/c
                await same
                kill -TERM $child
                wait $child
                """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }

    @Test(.needs(.python))
    func `Logs that are rotated and tables that are moved and replaced are followed`() throws {
        let python =
            String(decoding: Fixtures.project, as: UTF8.self)
            + "/.build-python/bin/python3"
        let finished = try run(
            """
            printf 'id,name\\n1,one\\n2,two\\n' >rows.csv
            "$varve" table import store/orders rows.csv -q
            echo line >store/app.log
            "$varve" watch store --replicate live >out 2>errors & child=$!
            await same
            # The log of a table: a checkpoint, and what lies before it goes.
            for round in 1 2 3; do "$varve" table append store/orders rows.csv -q; done
            '\(python)' - <<'END'
            import glob, os
            from deltalake import DeltaTable
            table = DeltaTable("store/orders")
            table.alter.set_table_properties({"delta.logRetentionDuration": "interval 0 seconds"})
            table.update_incremental()
            table.create_checkpoint()
            for path in glob.glob("store/orders/_delta_log/*.json"):
                os.utime(path, (1_000_000_000, 1_000_000_000))
            table.cleanup_metadata()
            assert not os.path.exists("store/orders/_delta_log/" + "0" * 20 + ".json")
            END
            await same
            "$varve" table verify live/orders -q
            # A log of a program.
            for round in 1 2 3; do
                mv store/app.log store/app.log.$round
                echo line $round >store/app.log
                sleep 0.2
            done
            await same
            # A table that is moved, and another in its place.
            mv store/orders store/old
            "$varve" table import store/orders rows.csv -q
            await same
            "$varve" table append store/orders rows.csv -q
            "$varve" table append store/old rows.csv -q
            await same
            "$varve" table verify live/orders -q
            "$varve" table verify live/old -q
            # Replaced in one step.
            cp -r store/old spare
            mv store/orders gone; mv spare store/orders
            await same
            "$varve" table append store/orders rows.csv -q
            await same
            "$varve" table verify live/orders -q
            ! grep -q 'tried again' errors || { cat errors; exit 1; }
            kill -TERM $child
            wait $child
            """
        )
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }
}
