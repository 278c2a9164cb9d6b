package import Platform
internal import SystemPackage

/// Sends the frames of one side, from any thread, each whole.
package final class FrameWriter: Sendable {
    private struct State {
        var encoder = FrameEncoder()
        var failure: PlatformError?
    }

    private let pipes: PipePair
    private let state = Monitor(State())
    private let writers = Monitor(0)
    private let stall: Duration

    package init(_ pipes: PipePair, stall: Duration) {
        self.pipes = pipes
        self.stall = stall
    }

    /// Whether a thread is writing, or waiting to.
    package var isBusy: Bool { writers.withState { $0 > 0 } }

    package func setSalt(_ salt: UInt64) { state.withState { $0.encoder.salt = salt } }

    /// Sends the bytes that `make` encodes, or nothing when it returns nil.
    ///
    /// It runs alone, so frames leave in the order in which they were numbered.
    package func send(
        _ make: (inout FrameEncoder) -> [UInt8]?
    ) throws(PlatformError) {
        try send(isLast: false, make)
    }

    /// Sends the last frame: whatever another thread has to say comes too late.
    package func sendLast(_ make: (inout FrameEncoder) -> [UInt8]?) throws(PlatformError) {
        try send(isLast: true, make)
    }

    private func send(
        isLast: Bool, _ make: (inout FrameEncoder) -> [UInt8]?
    ) throws(PlatformError) {
        writers.withState { $0 += 1 }
        defer { writers.withState { $0 -= 1 } }
        let result: Result<Void, PlatformError> = state.withState { state in
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
