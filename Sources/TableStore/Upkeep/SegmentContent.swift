internal import Bytes
internal import Parquet
internal import TableLog

/// A data file that is written anew, row group by row group.
struct SegmentContent {
    let table: StoredTable
    let add: AddFile
    let file: ParquetFile
    private let deleted: RowSelection?
    private let starts: [Int64]

    /// What stays of a row group.
    enum Kept {
        case none
        case whole
        /// The places of the rows in the row group.
        case some([Int])
    }

    init(_ table: StoredTable, _ add: AddFile) throws(TableStoreError) {
        self.table = table
        self.add = add
        let file = try table.open(add)
        self.file = file
        deleted = try table.deletedRows(of: add, file)
        var (starts, row): ([Int64], Int64) = ([], 0)
        for group in file.footer.rowGroups {
            starts.append(row)
            row += group.rowCount
        }
        self.starts = starts
    }

    /// The rows of a row group that a deletion vector hides, counted from its beginning.
    private func hidden(_ group: Int) -> RowSelection {
        var hidden = RowSelection()
        let start = starts[group]
        let end = start + file.footer.rowGroups[group].rowCount
        for range in deleted?.ranges ?? [] {
            let part = range.clamped(to: start..<end)
            hidden.add(part.lowerBound - start..<part.upperBound - start)
        }
        return hidden
    }

    /// What stays when hidden rows are left out, and those that match, whose number is told.
    func rows(
        of group: Int, without predicate: Predicate? = nil
    ) throws(TableStoreError) -> (kept: Kept, droppedRows: Int64) {
        let hidden = hidden(group)
        if hidden.isEmpty, predicate == nil { return (.whole, 0) }
        let count = try parqueted(add.path.string) { () throws(ParquetError) in
            try file.rowCount(inMemory: group)
        }
        var keeps = [Bool](repeating: true, count: count)
        for range in hidden.ranges {
            for row in range { keeps[Int(row)] = false }
        }
        var dropped: Int64 = 0
        if let predicate {
            let columns = predicate.columns
            let batch = try columnsOf(group, columns)
            let places = Dictionary(uniqueKeysWithValues: zip(columns, batch))
            for (row, matches) in predicate.matches(places, rowCount: count).enumerated()
            where matches && keeps[row] {
                keeps[row] = false
                dropped += 1
            }
        }
        let rows = keeps.indices.filter { keeps[$0] }
        if rows.count == count { return (.whole, dropped) }
        return (rows.isEmpty ? .none : .some(rows), dropped)
    }

    /// Columns of the table, by their places, with all rows of a row group.
    private func columnsOf(
        _ group: Int, _ columns: [Int]
    ) throws(TableStoreError) -> [Column] {
        let count = Int(clamping: file.footer.rowGroups[group].rowCount)
        var found: [Column] = []
        for column in columns {
            let field = table.schema.fields[column]
            if table.partitionColumns.contains(column) {
                found.append(
                    .repeating(
                        try FileRanges.partitionValue(field, add), field.type, count: count))
                continue
            }
            let there = try parqueted(add.path.string) { () throws(ParquetError) in
                try file.schema.field(of: field)
            }
            guard let stored = there else {
                found.append(.nulls(field.type, count: count))
                continue
            }
            found.append(
                try parqueted(add.path.string) { () throws(ParquetError) in
                    try ColumnConforming.conform(
                        try file.read(rowGroup: group, fields: [stored]).columns[0], stored,
                        field.type, file.schema)
                })
        }
        return found
    }

    /// Whether a file with these fields says that the rows of all its row groups are sorted so.
    func isSorted(_ sorting: [SortingColumn], _ schema: Schema) -> Bool {
        file.schema.elements.dropFirst() == schema.elements.dropFirst()
            && file.footer.rowGroups.allSatisfy { $0.sorting == sorting }
    }

    /// The stored columns of a row group, all rows or some.
    func read(_ group: Int, _ rows: [Int]?) throws(TableStoreError) -> RecordBatch {
        let batch = RecordBatch(
            rowCount: Int(clamping: file.footer.rowGroups[group].rowCount),
            columns: try columnsOf(group, table.storedColumns))
        return rows.map(batch.taking) ?? batch
    }
}
