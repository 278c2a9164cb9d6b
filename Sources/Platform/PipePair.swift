internal import CLinux
internal import Glibc
internal import Synchronization
internal import SystemPackage

/// What a read with a deadline came to.
package enum PipeRead: Equatable, Sendable {
    case bytes([UInt8])
    /// The other side has closed.
    case end
    case timeout
    /// `stop` was called.
    case stopped
}

/// A pipe to read from and a pipe to write to, both with deadlines.
///
/// One thread reads and one writes at a time; `stop` and `closeOutput` may come from any. Both
/// descriptors are made non-blocking, or a peer that stops in the middle of a write would hold
/// its writer for ever.
package final class PipePair: Sendable {
    private let input: Descriptor
    /// The descriptor to write to; nil once it is closed.
    private let output: Monitor<CInt?>
    private let isStopped = Atomic<Bool>(false)

    /// How long a wait may overlook `stop`.
    private static let slice: Duration = .milliseconds(250)
    private static let capacity: CInt = 1 << 20
    /// A peer that closed is an error to throw, and not the end of this process.
    private static let ignoringSignal: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

    package init(
        input: consuming Descriptor, output: consuming Descriptor
    ) throws(PlatformError) {
        Self.ignoringSignal
        for raw in [input.raw, output.raw] {
            _ = try retrying("set up pipe", []) { varve_set_nonblocking(raw) }
            _ = varve_pipe_capacity(raw, Self.capacity)
        }
        self.input = input
        self.output = Monitor(output.raw)
        output.release()
    }

    deinit { closeOutput() }

    /// Standard input and output of this process.
    package static func standard() throws(PlatformError) -> PipePair {
        // Copies, so that a stray print can be sent elsewhere.
        let input = Descriptor(owning: try retrying("open", []) { varve_duplicate(0, 3) })
        let output = Descriptor(owning: try retrying("open", []) { varve_duplicate(1, 3) })
        return try PipePair(input: input, output: output)
    }

    /// Two sides that are joined: what one writes the other reads.
    package static func joined() throws(PlatformError) -> (PipePair, PipePair) {
        let (hereInput, thereOutput) = try makePipe()
        let (thereInput, hereOutput) = try makePipe()
        let here = try PipePair(
            input: Descriptor(owning: hereInput), output: Descriptor(owning: hereOutput))
        let there = try PipePair(
            input: Descriptor(owning: thereInput), output: Descriptor(owning: thereOutput))
        return (here, there)
    }

    /// The ends of a new pipe, to read from and to write to, both closed on exec.
    static func makePipe() throws(PlatformError) -> (CInt, CInt) {
        var ends: [CInt] = [-1, -1]
        _ = try retrying("make a pipe", []) { unsafe varve_pipe(&ends) }
        return (ends[0], ends[1])
    }

    /// Makes every wait, now and later, end soon.
    package func stop() { isStopped.store(true, ordering: .relaxed) }

    /// Tells the other side that no more will come.
    package func closeOutput() {
        output.update { raw in
            if let raw { _ = Glibc.close(raw) }
            raw = nil
        }
    }

    /// Reads what is there, at most `limit` bytes, waiting for the first.
    package func read(_ limit: Int, within wait: Duration) throws(PlatformError) -> PipeRead {
        let deadline = ContinuousClock.now + wait
        while true {
            if isStopped.load(ordering: .relaxed) { return .stopped }
            var count = 0
            let block = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
                count = unsafe Glibc.read(input.raw, buffer.baseAddress, limit)
                filled = max(count, 0)
            }
            if count == 0 { return .end }
            if count > 0 { return .bytes(block) }
            guard Glibc.errno == EAGAIN || Glibc.errno == EINTR else {
                throw PlatformError.last("read from the pipe", [])
            }
            guard ContinuousClock.now < deadline else { return .timeout }
            Self.poll(input.raw, POLLIN, until: deadline)
        }
    }

    /// Writes all of `bytes`; fails with `timedOut` when the other side takes nothing for `wait`.
    package func write(_ bytes: [UInt8], within wait: Duration) throws(PlatformError) {
        let result: Result<Void, PlatformError> = output.withState { raw in
            guard let raw else {
                return .failure(PlatformError("write to the pipe", [], .brokenPipe))
            }
            do throws(PlatformError) {
                return .success(try write(bytes.span, to: raw, within: wait))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    private func write(
        _ bytes: Span<UInt8>, to raw: CInt, within wait: Duration
    ) throws(PlatformError) {
        var written = 0
        var deadline = ContinuousClock.now + wait
        while written < bytes.count {
            if isStopped.load(ordering: .relaxed) {
                throw PlatformError("write to the pipe", [], .brokenPipe)
            }
            let rest = bytes.extracting(written..<bytes.count)
            let count = unsafe rest.withUnsafeBytes { buffer in
                unsafe Glibc.write(raw, buffer.baseAddress, buffer.count)
            }
            if count > 0 {
                written += count
                deadline = ContinuousClock.now + wait
                continue
            }
            guard Glibc.errno == EAGAIN || Glibc.errno == EINTR else {
                throw PlatformError.last("write to the pipe", [])
            }
            guard ContinuousClock.now < deadline else {
                throw PlatformError("write to the pipe", [], .timedOut)
            }
            Self.poll(raw, POLLOUT, until: deadline)
        }
    }

    private static func poll(_ raw: CInt, _ events: CInt, until deadline: ContinuousClock.Instant) {
        let (seconds, attoseconds) = min(deadline - .now, slice).components
        let milliseconds = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        var wanted = pollfd(fd: raw, events: Int16(truncatingIfNeeded: events), revents: 0)
        _ = unsafe Glibc.poll(&wanted, 1, CInt(clamping: max(milliseconds, 1)))
    }
}
