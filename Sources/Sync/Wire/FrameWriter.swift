internal import Platform
internal import SystemPackage

/// Sends the frames of one side, from any thread, each whole.
final class FrameWriter: Sendable {
    private struct State {
        var encoder = FrameEncoder()
        var failure: PlatformError?
    }

    private let pipes: PipePair
    private let state = Monitor(State())
    private let writers = Monitor(0)
    private let stall: Duration

    init(_ pipes: PipePair, stall: Duration) {
        self.pipes = pipes
        self.stall = stall
    }

    /// Whether a thread is writing, or waiting to.
    var isBusy: Bool { writers.read { $0 > 0 } }

    func setSalt(_ salt: UInt64) { state.read { $0.encoder.salt = salt } }

    /// Sends the bytes that `make` encodes, or nothing when it returns nil.
    ///
    /// It runs alone, so frames leave in the order in which they were numbered.
    func send(
        _ make: (inout FrameEncoder) -> [UInt8]?
    ) throws(PlatformError) {
        try send(isLast: false, make)
    }

    /// Sends the last frame: whatever another thread has to say comes too late.
    func sendLast(_ make: (inout FrameEncoder) -> [UInt8]?) throws(PlatformError) {
        try send(isLast: true, make)
    }

    private func send(
        isLast: Bool, _ make: (inout FrameEncoder) -> [UInt8]?
    ) throws(PlatformError) {
        writers.read { $0 += 1 }
        defer { writers.read { $0 -= 1 } }
        let result: Result<Void, PlatformError> = state.read { state in
            if let failure = state.failure { return .failure(failure) }
            guard let bytes = make(&state.encoder) else { return .success(()) }
            do throws(PlatformError) {
                try pipes.write(bytes, within: stall)
                if isLast { state.failure = PlatformError("write to the pipe", [], .brokenPipe) }
                return .success(())
            } catch {
                // Half a frame may have left: nothing can follow.
                state.failure = error
                return .failure(error)
            }
        }
        try result.get()
    }
}
