internal import Parquet
internal import Platform

/// Encodes the columns of a row group on several threads: the result is that of one.
final class GroupEncoding: Sendable {
    private struct State {
        /// Columns that nobody took yet, the largest last.
        var left: [Int]
        var chunks: [[EncodedChunk]]
        var failure: ParquetError?

        mutating func take() -> Int? {
            failure == nil ? left.popLast() : nil
        }
    }

    private let batch: RecordBatch
    private let schema: Schema
    private let options: WriterOptions
    private let state: Monitor<State>

    private init(_ batch: RecordBatch, _ schema: Schema, _ options: WriterOptions) {
        self.batch = batch
        self.schema = schema
        self.options = options
        // With the largest first all threads end at about the same time.
        let sizes = batch.columns.map(\.byteCount)
        state = Monitor(
            State(
                left: schema.fields.indices.sorted { sizes[$0] < sizes[$1] },
                chunks: Array(repeating: [], count: schema.fields.count)))
    }

    /// Few rows are not worth a thread.
    private static let smallest = 4096

    static func encode(
        _ batch: RecordBatch, _ schema: Schema, _ options: WriterOptions
    ) throws(ParquetError) -> EncodedRowGroup {
        let threads = min(Processors.count, schema.fields.count)
        guard threads > 1, batch.rowCount >= smallest else {
            return try RowGroupEncoder(schema, options).encode(batch)
        }
        let encoding = GroupEncoding(batch, schema, options)
        WorkerThreads(count: threads) { _ in encoding.work() }.join()
        return try encoding.result()
    }

    private func work() {
        let encoder = RowGroupEncoder(schema, options)
        while let index = state.withState({ $0.take() }) {
            do throws(ParquetError) {
                let chunks = try encoder.encode(batch.columns[index], of: schema.fields[index])
                state.withState { $0.chunks[index] = chunks }
            } catch {
                state.withState { $0.failure = error }
            }
        }
    }

    private func result() throws(ParquetError) -> EncodedRowGroup {
        let (chunks, failure) = state.withState { ($0.chunks, $0.failure) }
        if let failure { throw failure }
        return EncodedRowGroup(rowCount: Int64(batch.rowCount), chunks: chunks.flatMap { $0 })
    }
}
