internal import Parquet
internal import TableLog

/// Reads the rows of one data file that match, batch by batch, in the order of the file.
struct SegmentReader {
    private let source: SegmentSource
    private var nextGroup = 0
    private var reader: GroupReader?

    /// `columns` are places in the schema of the table.
    init(
        _ table: StoredTable, _ add: AddFile, columns: [Int], _ predicate: Predicate?
    ) throws(TableStoreError) {
        source = try SegmentSource(table, add, columns: columns, predicate)
    }

    var file: ParquetFile { source.file }

    /// The next rows that match; nil at the end.
    mutating func next(limit: Int) throws(TableStoreError) -> RecordBatch? {
        while true {
            if let batch = try reader?.next(limit: limit) {
                if batch.rowCount > 0 { return batch }
                continue
            }
            reader = nil
            guard nextGroup < file.footer.rowGroups.count else { return nil }
            let group = nextGroup
            nextGroup += 1
            if let rows = try source.selection(group) {
                reader = try GroupReader(source, group, rows)
            }
        }
    }
}
