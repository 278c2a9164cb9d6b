package import Parquet
package import TableLog

/// What is to be read of a table.
package struct ScanRequest: Sendable {
    /// Names of columns, in the order in which they are wanted; nil for all.
    package var columns: [String]?
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
    private let columns: [Int]
    private let predicate: Predicate?
    private var files: [AddFile]
    private var reader: SegmentReader?
    private var left: Int64
    /// Data files that were not opened, because none of their rows can match.
    package private(set) var skippedFiles = 0
    package private(set) var openedFiles = 0

    /// Rows of one batch at most.
    static let batchRows = 16 << 10

    package init(
        _ table: StoredTable, _ request: ScanRequest = ScanRequest()
    ) throws(TableStoreError) {
        self.table = table
        var columns = Array(table.schema.fields.indices)
        if let names = request.columns {
            columns = []
            for name in names { columns.append(try table.schema.index(of: name)) }
        }
        self.columns = columns
        fields = columns.map { table.schema.fields[$0] }
        var predicate: Predicate?
        if let filter = request.filter { predicate = try Predicate(filter, table.schema) }
        self.predicate = predicate
        files = table.files.reversed()
        left = request.limit ?? .max
    }

    /// The next rows; nil at the end.
    ///
    /// No batch is empty.
    package mutating func next() throws(TableStoreError) -> RecordBatch? {
        while left > 0 {
            try checkInterruption()
            if let batch = try reader?.next(limit: Self.batchRows) {
                let taken = batch.rowCount <= left ? batch : batch.slice(0..<Int(left))
                left -= Int64(taken.rowCount)
                return taken
            }
            reader = nil
            guard let add = files.popLast() else { return nil }
            if let predicate {
                let ranges = FileRanges(table, add)
                if predicate.judge({ ranges.range($0) }) == .none {
                    skippedFiles += 1
                    continue
                }
            }
            openedFiles += 1
            reader = try SegmentReader(table, add, columns: columns, predicate)
        }
        return nil
    }
}
