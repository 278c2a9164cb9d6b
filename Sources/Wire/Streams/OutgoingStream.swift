internal import Bytes
internal import Platform
internal import Repository

/// Sends the bytes of an upload or download, as far as the receiver grants.
///
/// One thread writes. Bytes gather until they fill a frame; nothing is answered frame by frame.
package final class OutgoingStream: Sendable {
    private struct State {
        var credit: Int
        var failure: ConnectionError?
    }

    private let state: Monitor<State>
    private let gathered = Monitor<[UInt8]>([])
    private let total = Monitor<UInt64>(0)
    private let send: @Sendable (ArraySlice<UInt8>) -> Result<Void, ConnectionError>

    /// Large enough that headers and system calls cost little, small enough that both sides work at
    /// the same time.
    package static let frameSize = 256 << 10

    package init(
        credit: Int,
        _ send: @escaping @Sendable (ArraySlice<UInt8>) -> Result<Void, ConnectionError>
    ) {
        state = Monitor(State(credit: credit))
        self.send = send
    }

    /// Bytes written so far.
    package var byteCount: UInt64 { total.withState { $0 } }

    /// Adds bytes; waits where the receiver is slow.
    package func write(_ bytes: Span<UInt8>) throws(ConnectionError) {
        total.withState { $0 += UInt64(bytes.count) }
        var offset = 0
        while offset < bytes.count {
            let start = offset
            let (taken, full): (Int, [UInt8]?) = gathered.withState { gathered in
                let count = min(Self.frameSize - gathered.count, bytes.count - start)
                gathered.append(copying: bytes.extracting(start..<start + count))
                guard gathered.count == Self.frameSize else { return (count, nil) }
                defer { gathered = [] }
                return (count, gathered)
            }
            offset += taken
            if let full { try sendWhole(full[...]) }
        }
    }

    /// Adds bytes; waits where the receiver is slow.
    ///
    /// Of many, most go without being gathered.
    package func write(_ bytes: [UInt8]) throws(ConnectionError) {
        guard bytes.count >= 2 * Self.frameSize else { return try write(bytes.span) }
        try flush()
        let whole = bytes.count - bytes.count % Self.frameSize
        total.withState { $0 += UInt64(whole) }
        for start in stride(from: 0, to: whole, by: Self.frameSize) {
            try sendWhole(bytes[start..<start + Self.frameSize])
        }
        try write(bytes.span.extracting(whole..<bytes.count))
    }

    /// Sends what has gathered.
    package func flush() throws(ConnectionError) {
        let rest = gathered.withState { gathered in
            defer { gathered = [] }
            return gathered
        }
        if !rest.isEmpty { try sendWhole(rest[...]) }
    }

    private func sendWhole(_ bytes: ArraySlice<UInt8>) throws(ConnectionError) {
        var rest = bytes
        while !rest.isEmpty {
            let most = rest.count
            let granted: Result<Int, ConnectionError> = state.wait { state in
                if let failure = state.failure { return .failure(failure) }
                guard state.credit > 0 else { return nil }
                let count = min(state.credit, most)
                state.credit -= count
                return .success(count)
            }
            let count = try granted.get()
            try send(rest.prefix(count)).get()
            rest = rest.dropFirst(count)
        }
    }

    package func grant(_ count: Int) {
        state.update { state in
            let (sum, overflow) = state.credit.addingReportingOverflow(count)
            state.credit = overflow ? .max : sum
        }
    }

    /// Makes every write, now and later, fail.
    package func fail(_ error: ConnectionError) {
        state.update { state in
            if state.failure == nil { state.failure = error }
        }
    }
}
