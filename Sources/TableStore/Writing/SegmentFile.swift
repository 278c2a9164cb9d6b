internal import Bytes
internal import Parquet
internal import Platform
internal import SystemPackage
internal import TableLog

/// A data file that is being written, under the name that it will have: nothing names it before
/// the commit does.
///
/// For one thread at a time, except for syncing.
final class SegmentFile: ByteSink, Sendable {
    private struct State {
        /// Where the next bytes go.
        var offset: UInt64 = 0
        /// Up to where the system has been asked to write.
        var begun: UInt64 = 0
    }

    /// Below the table.
    let path: [UInt8]
    private let descriptor: Descriptor
    private let state = Monitor(State())

    /// Bytes that gather before the system is asked to write them.
    private static let writeBehind: UInt64 = 8 << 20

    /// Makes a file that is not there yet.
    init(_ path: [UInt8], in root: borrowing PinnedDirectory) throws(PlatformError) {
        self.path = path
        descriptor = try root.open(path, [.writeOnly, .create, .exclusive], mode: 0o666)
    }

    func write(_ bytes: [UInt8]) throws(ParquetError) {
        let offset = state.withState { $0.offset }
        do throws(PlatformError) {
            try descriptor.write(bytes.span, at: offset, path)
        } catch {
            throw ParquetError(
                .inputOutput, at: Int64(clamping: offset), "\(error)",
                systemNumber: error.errno.rawValue)
        }
        advance(UInt64(bytes.count))
    }

    /// Copies from another data file without a way through this process, where that is possible.
    func copy(
        _ count: Int64, at offset: Int64, of source: any ByteSource
    ) throws(ParquetError) {
        var done: Int64 = 0
        if let file = source as? FileSource {
            let place = state.withState { $0.offset }
            do throws(PlatformError) {
                done = try file.copy(count, at: offset, to: descriptor, at: place)
            } catch {
                throw ParquetError(
                    .inputOutput, at: Int64(clamping: place), "\(error)",
                    systemNumber: error.errno.rawValue)
            }
            advance(UInt64(clamping: done))
        }
        var sink = self
        try sink.copyPieces(count - done, at: offset + done, of: source)
    }

    private func advance(_ count: UInt64) {
        let due = state.withState { state -> Range<UInt64>? in
            state.offset += count
            guard state.offset - state.begun >= Self.writeBehind else { return nil }
            defer { state.begun = state.offset }
            return state.begun..<state.offset
        }
        guard let due else { return }
        descriptor.beginWriting(Int64(clamping: due.count), at: due.lowerBound)
    }

    func sync() throws(PlatformError) { try descriptor.sync(path) }

    /// Syncs on a thread of its own while `body` runs; what `body` throws comes first.
    func sync(
        while body: () throws(TableStoreError) -> Void
    ) throws(TableStoreError) {
        let outcome = Monitor<PlatformError?>(nil)
        let threads = WorkerThreads(count: 1) { [self] _ in
            do throws(PlatformError) {
                try sync()
            } catch {
                outcome.withState { $0 = error }
            }
        }
        var failure: TableStoreError?
        do throws(TableStoreError) {
            try body()
        } catch {
            failure = error
        }
        threads.join()
        if let failure { throw failure }
        if let error = outcome.withState({ $0 }) { throw TableStoreError(error) }
    }
}
