import Foundation
import Testing

@Suite struct InterruptionTests {
    @Test(arguments: [("INT", Int32(130)), ("TERM", 143)])
    func `A signal during a snapshot leaves no temporary files, and the next one succeeds`(
        signal: String,
        status: Int32
    ) throws {
        let workshop = try Workshop()
        _ = try workshop.shell(
            "mkdir store; head -c 100M /dev/urandom > store/large; $varve init -r repo"
        )
        let running = try workshop.start(
            Workshop.program,
            ["snapshot", "store", "-r", "repo", "--limit-rate", "20M"]
        )
        try waitForTemporaryFile(workshop)
        _ = try workshop.shell("kill -\(signal) \(running.process.processIdentifier)")
        let result = try running.finish()
        #expect(result.status == status)
        #expect(result.text == "")
        #expect(
            result.errorText == """
                varve: interrupted
                  No snapshot was made; those in the repository are as they were.
                  Run it again; what was stored already is not stored twice.

                """
        )
        #expect(try workshop.shell("find repo -name '.tmp*'").text == "")
        #expect(try workshop.varve("check", "-r", "repo").status == 0)
        #expect(try workshop.varve("snapshot", "store", "-r", "repo").status == 0)
    }

    private func waitForTemporaryFile(_ workshop: Workshop) throws {
        for _ in 0..<200 {
            if try !workshop.shell("find repo -name '.tmp*'").text.isEmpty { return }
            Thread.sleep(forTimeInterval: 0.02)
        }
        Issue.record("the snapshot wrote nothing within some seconds")
    }

    @Test func `A reader that goes away ends a listing quietly`() throws {
        let workshop = try Workshop()
        let made = try workshop.shell(
            """
            mkdir store; cd store; seq -f 'a-name-that-takes-some-room-%06.0f' 20000 | xargs touch
            cd ..; $varve init -q -r repo; $varve snapshot store -q -r repo
            """
        )
        #expect(made.status == 0)
        let result = try workshop.shell(
            "$varve ls latest -r repo | head -n 1; echo ${PIPESTATUS[0]}"
        )
        #expect(result.text == "a-name-that-takes-some-room-000001\n0\n")
        #expect(result.errors == [])
    }

    @Test func `A reader that goes away does not hide how a snapshot went`() throws {
        let workshop = try Workshop()
        let result = try workshop.shell(
            """
            mkdir store; $varve init -q -r repo
            $varve snapshot store -r repo --rescan | true; echo ${PIPESTATUS[0]}
            $varve list -r repo --json | grep -c id
            """
        )
        #expect(result.text == "0\n1\n")
        #expect(result.errors == [])
    }
}
