internal import CLinux
internal import Glibc
internal import SystemPackage

/// How a process ended.
package enum ProcessEnd: Equatable, Sendable {
    case exited(CInt)
    case killed(signal: CInt)
}

/// A program that this process started, its standard input and output being pipes held here.
///
/// Its standard error is read by a thread, so that it never waits for us, and the end of it kept.
/// Dropping the last reference kills the program; none is left as a zombie.
package final class ChildProcess: Sendable {
    private struct State {
        let process: pid_t
        var end: ProcessEnd?
    }

    package let pipes: PipePair
    private let state: Monitor<State>
    private let errors: ErrorTail

    /// Starts `arguments[0]`, looked for in PATH, without a shell.
    package init(_ arguments: [[UInt8]]) throws(PlatformError) {
        let name = arguments.first ?? []
        let (childInput, ourOutput) = try PipePair.makePipe()
        let input = Descriptor(owning: childInput)
        let output = Descriptor(owning: ourOutput)
        let (ourInput, childOutput) = try PipePair.makePipe()
        let back = Descriptor(owning: ourInput)
        let answers = Descriptor(owning: childOutput)
        let (ourErrors, childErrors) = try PipePair.makePipe()
        let told = Descriptor(owning: ourErrors)
        let complaints = Descriptor(owning: childErrors)
        let process = try Self.spawn(
            name, arguments, input: input.raw, output: answers.raw, errors: complaints.raw)
        state = Monitor(State(process: process))
        errors = ErrorTail(told)
        pipes = try PipePair(input: back, output: output)
    }

    deinit { _ = finish(within: .zero) }

    private static func spawn(
        _ name: [UInt8], _ arguments: [[UInt8]], input: CInt, output: CInt, errors: CInt
    ) throws(PlatformError) -> pid_t {
        guard !name.isEmpty, !arguments.contains(where: { $0.contains(0) }) else {
            throw PlatformError("start", name, .invalidArgument)
        }
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { argument in
            unsafe strdup((argument + [0]).map(CChar.init(bitPattern:)))
        }
        unsafe pointers.append(nil)
        defer { unsafe pointers.forEach { unsafe free($0) } }
        var process: pid_t = 0
        let failure = unsafe varve_spawn(&process, pointers, input, output, errors)
        guard failure == 0 else { throw PlatformError("start", name, Errno(rawValue: failure)) }
        return process
    }

    /// How it ended; nil while it runs.
    package var end: ProcessEnd? {
        state.withState { state in
            if state.end == nil { state.end = Self.reap(state.process) }
            return state.end
        }
    }

    private static func reap(_ process: pid_t) -> ProcessEnd? {
        var status: CInt = 0
        while true {
            let found = unsafe waitpid(process, &status, WNOHANG)
            if found == 0 { return nil }
            if found == process {
                let signal = status & 0x7f
                return signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: signal)
            }
            // Not ours to wait for any more: somebody else has.
            guard Glibc.errno == EINTR else { return .exited(0) }
        }
    }

    /// Closes its input, waits at most `patience` for it to end by itself, then kills it; returns
    /// only when it is gone.
    @discardableResult
    package func finish(within patience: Duration) -> ProcessEnd {
        pipes.closeOutput()
        if let end = wait(patience) { return end }
        kill(SIGTERM)
        if let end = wait(.seconds(1)) { return end }
        kill(SIGKILL)
        while true { if let end = wait(.seconds(1)) { return end } }
    }

    private func kill(_ signal: CInt) {
        state.withState { state in
            if state.end == nil { _ = Glibc.kill(state.process, signal) }
        }
    }

    private func wait(_ patience: Duration) -> ProcessEnd? {
        let deadline = ContinuousClock.now + patience
        while true {
            if let end { return end }
            guard ContinuousClock.now < deadline else { return nil }
            HostSystem.sleep(.milliseconds(2))
        }
    }

    /// The last lines of its standard error, waiting a moment for those still on their way.
    package func lastErrors() -> [UInt8] { errors.text(end == nil ? .zero : .milliseconds(500)) }

    /// The process id, for tests that kill it.
    package var processID: CInt { state.withState { $0.process } }
}

/// Reads standard error of a child to its end and keeps the last of it.
private final class ErrorTail: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var isAtEnd = false
    }

    private static let limit = 8 << 10
    private let state = Monitor(State())

    init(_ descriptor: consuming Descriptor) {
        // The thread ends when the child, and whoever inherited its standard error, is gone. It
        // is not waited for: a ControlMaster that ssh left behind may hold the pipe for hours.
        let raw = descriptor.raw
        descriptor.release()
        let state = self.state
        WorkerThreads(count: 1) { _ in Self.drain(raw, state) }.detach()
    }

    private static func drain(_ raw: CInt, _ state: Monitor<State>) {
        let descriptor = Descriptor(owning: raw)
        var block = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe block.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor.raw, buffer.baseAddress, buffer.count)
            }
            if count < 0, Glibc.errno == EINTR { continue }
            guard count > 0 else { break }
            state.update { state in
                state.bytes += block[..<count]
                if state.bytes.count > limit {
                    state.bytes.removeFirst(state.bytes.count - limit)
                }
            }
        }
        state.update { $0.isAtEnd = true }
    }

    func text(_ patience: Duration) -> [UInt8] {
        let deadline = ContinuousClock.now + patience
        while !state.withState({ $0.isAtEnd }), ContinuousClock.now < deadline {
            HostSystem.sleep(.milliseconds(5))
        }
        return state.withState { $0.bytes }
    }
}

extension HostSystem {
    /// Whether the processor has instructions for AES.
    package static var hasAES: Bool { varve_has_aes() != 0 }
}
