internal import Parquet
internal import TableLog

/// Reads the rows of one data file that match, batch by batch, in the order of the file.
struct SegmentReader {
    let table: StoredTable
    let add: AddFile
    let file: ParquetFile
    /// Columns of the table, by their places, in the order in which batches have them.
    private let columns: [Int]
    private let predicate: Predicate?
    private let deleted: RowSelection?
    private var nextGroup = 0
    private var groupStart: Int64 = 0
    private var reader: RowGroupReader?
    /// For the columns that are read, their places and the fields of the file.
    private var stored: [(column: Int, field: Field)] = []

    /// `columns` are places in the schema of the table.
    init(
        _ table: StoredTable, _ add: AddFile, columns: [Int], _ predicate: Predicate?
    ) throws(TableStoreError) {
        self.table = table
        self.add = add
        self.columns = columns
        self.predicate = predicate
        let file = try table.open(add)
        self.file = file
        deleted = try logged { () throws(TableLogError) in
            try table.log.deletedRows(of: add, rowCount: file.footer.rowCount)
        }
        for column in Set(columns + (predicate?.columns ?? [])).sorted()
        where !table.partitionColumns.contains(column) {
            let field = table.schema.fields[column]
            if let there = file.schema.field(named: field.physicalName) {
                stored.append((column, there))
            } else if let there = Self.inAnotherCase(field, file) {
                stored.append((column, there))
            }
        }
    }

    private static func inAnotherCase(_ field: TableField, _ file: ParquetFile) -> Field? {
        let name = field.physicalName.lowercased()
        return file.schema.fields.first { $0.name.lowercased() == name }
    }

    /// The next rows that match; nil at the end.
    mutating func next(limit: Int) throws(TableStoreError) -> RecordBatch? {
        while true {
            if let batch = try read(limit) {
                if batch.rowCount > 0 { return batch }
                continue
            }
            guard try openGroup() else { return nil }
        }
    }

    private mutating func read(_ limit: Int) throws(TableStoreError) -> RecordBatch? {
        guard reader != nil else { return nil }
        let raw = try parqueted(add.path) { () throws(ParquetError) in
            try reader?.next(limit: limit)
        }
        guard let raw else {
            reader = nil
            return nil
        }
        return try conform(raw)
    }

    /// Opens the next row group that may have matching rows; false at the end.
    private mutating func openGroup() throws(TableStoreError) -> Bool {
        while nextGroup < file.footer.rowGroups.count {
            let group = nextGroup
            let count = file.footer.rowGroups[group].rowCount
            let start = groupStart
            nextGroup += 1
            groupStart += count
            guard let rows = try selection(group, count, start), !rows.isEmpty else { continue }
            reader = try parqueted(add.path) { () throws(ParquetError) in
                try RowGroupReader(
                    file, rowGroup: group, fields: stored.map(\.field), rows: rows)
            }
            return true
        }
        return false
    }

    private func selection(
        _ group: Int, _ count: Int64, _ start: Int64
    ) throws(TableStoreError) -> RowSelection? {
        guard predicate?.judge({ range($0, group) }) != Verdict.none else { return nil }
        var rows = RowSelection(0..<count)
        if let deleted {
            var hidden = RowSelection()
            for range in deleted.ranges {
                let part = range.clamped(to: start..<start + count)
                hidden.add(part.lowerBound - start..<part.upperBound - start)
            }
            rows = rows.subtracting(hidden)
        }
        if let predicate {
            rows = rows.intersection(try PageSkipping(self, group, count).rows(predicate))
        }
        return rows
    }

    /// What the footer says of a column in a row group.
    private func range(_ column: Int, _ group: Int) -> ValueRange? {
        if table.partitionColumns.contains(column) {
            return FileRanges(table, add).range(column)
        }
        guard let leaf = prunable(column) else { return nil }
        return file.range(rowGroup: group, leaf: leaf)
    }

    /// The leaf of a column whose bounds mean in the file what they mean in the table.
    func prunable(_ column: Int) -> Int? {
        guard let field = stored.first(where: { $0.column == column })?.field,
            case .leaf(let index) = field.content
        else { return nil }
        let (leaf, type) = (file.schema.leaves[index], table.schema.fields[column].type)
        switch (leaf.logicalType, type) {
        case (.timestamp(.microseconds, _), .timestamp),
            (.timestamp(.microseconds, _), .timestampWithoutZone):
            return index
        case (_, .timestamp), (_, .timestampWithoutZone), (.integer(_, isSigned: false), _):
            return nil
        case (.decimal(let precision, let scale), .decimal(let wanted, let other)):
            guard scale == other else { return nil }
            return precision <= 18 && wanted <= 18 || precision > 18 && wanted > 18 ? index : nil
        case (_, .decimal): return nil
        default: return index
        }
    }

    /// Columns as the table has them, rows that do not match left out.
    private func conform(_ raw: RecordBatch) throws(TableStoreError) -> RecordBatch {
        var byPlace: [Int: Column] = [:]
        for (index, (column, field)) in stored.enumerated() {
            byPlace[column] = try parqueted(add.path) { () throws(ParquetError) in
                try ColumnConforming.conform(
                    raw.columns[index], field, table.schema.fields[column].type, file.schema)
            }
        }
        for column in Set(columns + (predicate?.columns ?? [])) where byPlace[column] == nil {
            let field = table.schema.fields[column]
            let value: Scalar? =
                table.partitionColumns.contains(column)
                ? try FileRanges.partitionValue(field, add) : nil
            byPlace[column] = .repeating(value, field.type, count: raw.rowCount)
        }
        let batch = RecordBatch(
            rowCount: raw.rowCount, columns: columns.compactMap { byPlace[$0] })
        guard let predicate else { return batch }
        let mask = predicate.matches(byPlace, rowCount: raw.rowCount)
        let rows = mask.indices.filter { mask[$0] }
        return rows.count == raw.rowCount ? batch : batch.taking(rows)
    }
}

/// Finds the pages of a row group that may have matching rows.
private struct PageSkipping {
    private let segment: SegmentReader
    private let group: Int
    private let whole: RowSelection

    init(_ segment: SegmentReader, _ group: Int, _ count: Int64) {
        self.segment = segment
        self.group = group
        whole = RowSelection(0..<count)
    }

    func rows(_ predicate: Predicate) throws(TableStoreError) -> RowSelection {
        switch predicate {
        case .never: return RowSelection()
        case .and(let parts):
            var rows = whole
            for part in parts { rows = rows.intersection(try self.rows(part)) }
            return rows
        case .or(let parts):
            var rows = RowSelection()
            for part in parts { rows = rows.union(try self.rows(part)) }
            return rows
        case .compare(let column, _, _), .isNull(let column, _):
            guard let leaf = segment.prunable(column) else { return whole }
            let pages = try parqueted(segment.add.path) { () throws(ParquetError) in
                try segment.file.pageRanges(rowGroup: group, leaf: leaf)
            }
            guard let pages else { return whole }
            var rows = RowSelection()
            for page in pages where predicate.judge({ _ in page.values }) != .none {
                rows.add(page.rows)
            }
            return rows
        }
    }
}
