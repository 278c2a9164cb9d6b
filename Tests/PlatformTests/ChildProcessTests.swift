import Bytes
import Platform
import SystemPackage
import Testing

private func start(_ script: String) throws -> ChildProcess {
    try ChildProcess(["/bin/sh", "-c", script].map { Array($0.utf8) })
}

struct ChildProcessTests {
    private func readAll(_ child: ChildProcess) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while case .bytes(let more) = try child.pipes.read(4096, within: .seconds(10)) {
            bytes += more
        }
        return bytes
    }

    @Test func `What is written to a program comes back through it`() throws {
        let child = try start("cat")
        let bytes = [UInt8](repeating: 7, count: 10_000)
        try child.pipes.write(bytes, within: .seconds(10))
        child.pipes.closeOutput()
        #expect(try readAll(child) == bytes)
        #expect(child.finish(within: .seconds(10)) == .exited(0))
    }

    @Test(arguments: [0, 1, 127, 255])
    func `The status of a program is told`(status: Int32) throws {
        let child = try start("echo one >&2; echo two >&2; exit \(status)")
        #expect(child.finish(within: .seconds(10)) == .exited(status))
        #expect(child.lastErrors() == Array("one\ntwo\n".utf8))
    }

    @Test func `A program that does not end is killed, also one that takes no hint`() throws {
        let child = try start("exec sleep 1000")
        #expect(child.finish(within: .milliseconds(50)) == .killed(signal: 15))
        let stubborn = try start("trap '' TERM; echo ready; while :; do sleep 0.1; done")
        #expect(try stubborn.pipes.read(100, within: .seconds(10)) == .bytes(Array("ready\n".utf8)))
        #expect(stubborn.finish(within: .zero) == .killed(signal: 9))
    }

    @Test func `A program ends with its last reference and leaves no zombie`() throws {
        var child: ChildProcess? = try start("exec sleep 1000")
        let process = try #require(child?.processID)
        child = nil
        let path = Array("/proc/\(process)".utf8)
        #expect(throws: PlatformError.self) { try FileStatus.of(path) }
    }

    @Test func `A program that is not there is told`() {
        #expect(throws: PlatformError.self) { try ChildProcess([Array("/no/such/program".utf8)]) }
        #expect(throws: PlatformError.self) { try ChildProcess([]) }
        #expect(throws: PlatformError.self) { try ChildProcess([Array("sh".utf8), [1, 0, 2]]) }
    }

    @Test func `A program inherits three descriptors and no blocked signals`() throws {
        let child = try start("ls /proc/self/fd; grep -E '^Sig(Blk|Ign)' /proc/self/status")
        let text = String(decoding: try readAll(child), as: UTF8.self)
        // The fourth is that of ls on the directory.
        #expect(text.hasPrefix("0\n1\n2\n3\nSigBlk:\t0000000000000000\n"), "\(text)")
    }

    @Test func `Standard error without end does not stop a program`() throws {
        let child = try start("head -c 3000000 /dev/zero >&2; echo last >&2")
        #expect(child.finish(within: .seconds(20)) == .exited(0))
        let errors = child.lastErrors()
        #expect(errors.count <= 8 << 10 && errors.suffix(5) == Array("last\n".utf8))
    }

    @Test func `Waits end at their deadlines and when they are stopped`() throws {
        let (here, there) = try PipePair.joined()
        #expect(try here.read(10, within: .milliseconds(50)) == .timeout)
        let failure = #expect(throws: PlatformError.self) {
            try here.write([UInt8](repeating: 0, count: 4 << 20), within: .milliseconds(50))
        }
        #expect(failure?.errno == .timedOut)
        there.stop()
        #expect(try there.read(10, within: .seconds(60)) == .stopped)
        here.closeOutput()
        #expect(throws: PlatformError.self) { try here.write([1], within: .seconds(1)) }
    }

    @Test func `A pipe that the other side closed is an end and an error`() throws {
        let (here, there) = try PipePair.joined()
        try there.write([1, 2], within: .seconds(1))
        there.closeOutput()
        #expect(try here.read(10, within: .seconds(1)) == .bytes([1, 2]))
        #expect(try here.read(10, within: .seconds(1)) == .end)
    }
}
