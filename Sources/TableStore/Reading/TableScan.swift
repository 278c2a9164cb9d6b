package import Bytes
package import Parquet
package import TableLog

internal import Platform

/// What is to be read of a table.
package struct ScanRequest: Sendable {
    /// Names of columns, in the order in which they are wanted; nil for all.
    package var columns: [ExactText]?
    package var filter: Filter?
    /// Rows at most; nil for all.
    package var limit: Int64?

    package init() {}
}

/// Reads rows of a table: only the files, row groups and pages that may have rows which match.
package struct TableScan {
    package let table: StoredTable
    /// The fields of the columns of batches.
    package let fields: [TableField]
    private var files: ScanFiles
    private var reader: SegmentReader?
    /// Nil when one thread does all.
    private let parallel: ParallelScan?
    private var left: Int64

    /// Rows of one batch at most.
    static let batchRows = 16 << 10
    /// For so few rows no row groups are read ahead.
    private static let fewRows: Int64 = 64 << 10

    /// Reads on `threads` threads; nil means as many as there are processors.
    package init(
        _ table: StoredTable, _ request: ScanRequest = ScanRequest(), threads: Int? = nil
    ) throws(TableStoreError) {
        self.table = table
        var columns = Array(table.schema.fields.indices)
        if let names = request.columns {
            columns = []
            for name in names { columns.append(try table.schema.index(of: name)) }
        }
        fields = columns.map { table.schema.fields[$0] }
        var predicate: Predicate?
        if let filter = request.filter { predicate = try Predicate(filter, table.schema) }
        files = ScanFiles(table, columns, predicate)
        left = request.limit ?? .max
        let threads = threads ?? Processors.count
        parallel =
            threads > 1 && left > Self.fewRows ? ParallelScan(files, threads: threads) : nil
    }

    /// Data files that were not opened, because none of their rows can match.
    package var skippedFiles: Int { parallel?.counts.skipped ?? files.skippedCount }
    package var openedFiles: Int { parallel?.counts.opened ?? files.openedCount }

    /// The next rows; nil at the end.
    ///
    /// No batch is empty.
    package mutating func next() throws(TableStoreError) -> RecordBatch? {
        guard left > 0 else { return nil }
        try checkInterruption()
        guard let batch = try nextBatch() else { return nil }
        let taken = batch.rowCount <= left ? batch : batch.slice(0..<Int(left))
        left -= Int64(taken.rowCount)
        return taken
    }

    private mutating func nextBatch() throws(TableStoreError) -> RecordBatch? {
        if let parallel { return try parallel.next() }
        while true {
            if let batch = try reader?.next(limit: Self.batchRows) { return batch }
            reader = nil
            guard let add = files.next() else { return nil }
            reader = try SegmentReader(
                table, add, columns: files.columns, files.predicate)
        }
    }
}
