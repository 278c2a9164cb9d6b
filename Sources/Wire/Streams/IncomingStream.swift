internal import Platform

/// The bytes of an upload or download, as they come.
///
/// One thread takes them. What was taken is granted anew to the sender, so that at most a window of
/// bytes, 8 MiB, waits here.
package final class IncomingStream: Sendable {
    private struct State {
        var chunks: [ArraySlice<UInt8>] = []
        var first = 0
        var isEnded = false
        var failure: ConnectionError?
        /// The part of a chunk that `read` left.
        var rest: ArraySlice<UInt8> = []
        /// Taken and not yet granted anew.
        var taken = 0
        var total: UInt64 = 0
    }

    private let state = Monitor(State())
    private let grant: @Sendable (Int) -> Void

    /// Credit is given in steps of this, so that few frames carry it.
    private static let step = WireLimits.window / 8

    /// `grant` is called with the number of bytes that the sender may send again.
    package init(_ grant: @escaping @Sendable (Int) -> Void) { self.grant = grant }

    /// Bytes taken so far.
    package var byteCount: UInt64 { state.withState { $0.total } }

    /// The next bytes, in pieces as they were sent; nil at the end.
    package func next() throws(ConnectionError) -> ArraySlice<UInt8>? {
        let rest = state.withState { state in
            defer { state.rest = [] }
            return state.rest
        }
        if !rest.isEmpty { return rest }
        let chunk = try take()
        if let chunk { noteTaken(chunk.count) }
        return chunk
    }

    /// Exactly `count` bytes, or fewer where the stream ends.
    package func read(_ count: Int) throws(ConnectionError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count, let chunk = try next() {
            let wanted = count - bytes.count
            bytes += chunk.prefix(wanted)
            if chunk.count > wanted { state.withState { $0.rest = chunk.dropFirst(wanted) } }
        }
        return bytes
    }

    private func take() throws(ConnectionError) -> ArraySlice<UInt8>? {
        let result: Result<ArraySlice<UInt8>?, ConnectionError> = state.wait { state in
            if state.first < state.chunks.count {
                let chunk = state.chunks[state.first]
                state.chunks[state.first] = []
                state.first += 1
                if state.first == state.chunks.count {
                    state.chunks.removeAll(keepingCapacity: true)
                    state.first = 0
                }
                return .success(chunk)
            }
            if let failure = state.failure { return .failure(failure) }
            return state.isEnded ? .success(nil) : nil
        }
        return try result.get()
    }

    private func noteTaken(_ count: Int) {
        let due = state.withState { state in
            state.total += UInt64(count)
            state.taken += count
            guard state.taken >= Self.step else { return 0 }
            defer { state.taken = 0 }
            return state.taken
        }
        if due > 0 { grant(due) }
    }

    package func push(_ chunk: ArraySlice<UInt8>) {
        guard !chunk.isEmpty else { return }
        state.update { $0.chunks.append(chunk) }
    }

    package func finish() { state.update { $0.isEnded = true } }

    /// Lets the taker fail once it has what came before.
    package func fail(_ error: ConnectionError) {
        state.update { state in
            if !state.isEnded, state.failure == nil { state.failure = error }
        }
    }
}
