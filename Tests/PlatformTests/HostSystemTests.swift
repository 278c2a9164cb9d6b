import Bytes
import Platform
import Testing
import TestSupport

struct HostSystemTests {
    @Test(arguments: [0, 1, 255, 256, 257, 5_000])
    func `Random bytes come in any number and are not the same twice`(count: Int) {
        let (one, other) = (HostSystem.randomBytes(count), HostSystem.randomBytes(count))
        #expect(one.count == count && other.count == count)
        if count > 16 { #expect(one != other) }
    }

    @Test func `Symlinks and dots are resolved`() throws {
        let directory = try TemporaryDirectory()
        try directory.makeDirectories(Array("a/b".utf8))
        let top = try Descriptor.open(directory.path, [.readOnly, .directory])
        try FileOperations.makeSymlink(Array("link".utf8), to: Array("a/b".utf8), at: top.raw)
        let resolved = try HostSystem.resolve(directory.path("link/../b/."))
        #expect(resolved == (try HostSystem.resolve(directory.path("a/b"))))
        #expect(throws: PlatformError.self) { _ = try HostSystem.resolve(directory.path("gone")) }
    }

    @Test func `Ids without a name have none`() {
        #expect(HostSystem.userName(0) == "root")
        #expect(HostSystem.userName(4_000_000_001) == nil)
        #expect(HostSystem.groupName(4_000_000_001) == nil)
    }
}

/// The flag belongs to the process, so each test has one of its own.
struct InterruptionTests {
    @Test(arguments: [2, 15] as [Int32])
    func `A signal is told at the next check and the process goes on`(signal: Int32) async throws {
        await #expect(processExitsWith: .exitCode(7)) { [signal] in
            Interruption.install()
            guard !Interruption.isRequested else { HostSystem.exit(1) }
            try sendSignal(signal)
            guard Interruption.isRequested else { HostSystem.exit(2) }
            do throws(Interrupted) {
                try Interruption.check()
            } catch {
                HostSystem.exit(error.signal == signal ? 7 : 3)
            }
        }
    }

    @Test func `A second signal ends the process at once`() async throws {
        await #expect(processExitsWith: .exitCode(130)) {
            Interruption.install()
            try sendSignal(2)
            try sendSignal(2)
        }
    }

    @Test func `Writing to a pipe that nobody reads is an error and not the end`() async throws {
        await #expect(processExitsWith: .exitCode(7)) {
            Interruption.install()
            try sendSignal(13)
            guard !Interruption.isRequested else { HostSystem.exit(1) }
            HostSystem.exit(7)
        }
    }
}

/// Sends a signal to this process and waits until it arrived.
private func sendSignal(_ signal: Int32) throws {
    _ = try ExternalTool("sh").run(["-c", "kill -\(signal) \(HostSystem.processID)"])
    HostSystem.sleep(.milliseconds(20))
}
