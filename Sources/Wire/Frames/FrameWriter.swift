package import Platform

/// Why a frame was not sent.
package enum FrameFault: Error, Equatable {
    /// The pipe did not take it; nothing can follow.
    case pipe(PlatformError)
    /// The last frame was sent before.
    case ended
}

/// Sends the frames of one side, from any thread, each whole.
package final class FrameWriter: Sendable {
    private struct State {
        var encoder = FrameEncoder()
        var fault: FrameFault?
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
    ) throws(FrameFault) {
        try send(isLast: false, make)
    }

    /// Sends the last frame: whatever another thread has to say comes too late.
    package func sendLast(_ make: (inout FrameEncoder) -> [UInt8]?) throws(FrameFault) {
        try send(isLast: true, make)
    }

    private func send(
        isLast: Bool, _ make: (inout FrameEncoder) -> [UInt8]?
    ) throws(FrameFault) {
        writers.withState { $0 += 1 }
        defer { writers.withState { $0 -= 1 } }
        try state.withState { state throws(FrameFault) in
            if let fault = state.fault { throw fault }
            guard let bytes = make(&state.encoder) else { return }
            do throws(PlatformError) {
                try pipes.write(bytes, within: stall)
            } catch {
                // Half a frame may have left.
                state.fault = .pipe(error)
                throw .pipe(error)
            }
            if isLast { state.fault = .ended }
        }
    }
}
