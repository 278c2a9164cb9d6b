internal import Bytes
internal import Parquet
internal import TableLog

/// What is to be read of one data file; several threads may do so at a time.
struct SegmentSource: Sendable {
    let table: StoredTable
    let add: AddFile
    let file: ParquetFile
    /// Columns of the table, by their places, in the order in which batches have them.
    let columns: [Int]
    let predicate: Predicate?
    private let deleted: RowSelection?
    /// For the columns that are read, their places and the fields of the file.
    private let stored: [(column: Int, field: Field)]
    /// The first row of each row group.
    private let starts: [Int64]

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
        deleted = try table.deletedRows(of: add, file)
        var stored: [(column: Int, field: Field)] = []
        for column in Set(columns + (predicate?.columns ?? [])).sorted()
        where !table.partitionColumns.contains(column) {
            let there = try parqueted(add.path.string) { () throws(ParquetError) in
                try file.schema.field(of: table.schema.fields[column])
            }
            if let there { stored.append((column, there)) }
        }
        self.stored = stored
        var (starts, start): ([Int64], Int64) = ([], 0)
        for group in file.footer.rowGroups {
            starts.append(start)
            start &+= group.rowCount
        }
        self.starts = starts
    }

    /// The fields of the file that hold some columns, as far as it has them.
    func fields(_ columns: [Int]) -> [(column: Int, field: Field)] {
        stored.filter { columns.contains($0.column) }
    }
}

// MARK: - Which rows
extension SegmentSource {
    /// The rows of a row group that may match; nil when it has none.
    func selection(_ group: Int) throws(TableStoreError) -> RowSelection? {
        guard predicate?.judge({ range($0, group) }) != Verdict.none else { return nil }
        let (count, start) = (file.footer.rowGroups[group].rowCount, starts[group])
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
        return rows.isEmpty ? nil : rows
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
}

/// Finds the pages of a row group that may have matching rows.
private struct PageSkipping {
    private let segment: SegmentSource
    private let group: Int
    private let whole: RowSelection

    init(_ segment: SegmentSource, _ group: Int, _ count: Int64) {
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
            let pages = try parqueted(segment.add.path.string) { () throws(ParquetError) in
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
