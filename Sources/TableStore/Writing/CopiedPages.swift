internal import Parquet
internal import Platform

/// Pages that were copied from one data file to another, read again where they are now.
///
/// A row group that is spliced is not decoded. What is published was checked all the same: every
/// page of the new file is compared with its checksum, wherever the bytes went wrong.
final class CopiedPages: Sendable {
    private struct State {
        /// The next column chunk, of all row groups one after the other.
        var next = 0
        var failure: ParquetError?
    }

    private let file: ParquetFile
    private let columns: Int
    private let state = Monitor(State())

    private init(_ file: ParquetFile) {
        self.file = file
        columns = max(1, file.schema.leaves.count)
    }

    /// Checks all pages on all processors; throws when one is not what it should be.
    static func check(_ file: ParquetFile) throws(ParquetError) {
        let pages = CopiedPages(file)
        WorkerThreads(count: Processors.count) { _ in pages.work() }.join()
        if let failure = pages.state.withState({ $0.failure }) { throw failure }
    }

    private func work() {
        let count = file.footer.rowGroups.count * columns
        while let chunk = state.withState({ state -> Int? in
            guard state.next < count, state.failure == nil else { return nil }
            state.next += 1
            return state.next - 1
        }) {
            do throws(ParquetError) {
                try file.checkPages(rowGroup: chunk / columns, leaf: chunk % columns)
            } catch {
                state.withState { $0.failure = error }
            }
        }
    }
}
