import Foundation
import Platform
import TestSupport
import Testing

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
}
