internal import Compression

/// Rows of a batch: a column for each field that was asked for.
package struct RecordBatch: Equatable, Sendable {
    package let rowCount: Int
    package let columns: [Column]

    package init(rowCount: Int, columns: [Column]) {
        self.rowCount = rowCount
        self.columns = columns
    }
}

/// Reads fields of one row group, batch by batch.
///
/// Memory is bounded by the rows of a batch, a page and a dictionary of each leaf.
package struct RowGroupReader {
    private let fields: [Field]
    private let limits: ReaderLimits
    private var leaves: [LeafReader] = []
    private var selection: [Range<Int64>]
    /// The first row that was neither read nor skipped.
    private var row: Int64 = 0

    /// Reads `fields`, top-level fields of the schema, in the rows of `selection`; nil means all.
    package init(
        _ file: ParquetFile, rowGroup: Int, fields: [Field], rows selection: RowSelection? = nil
    ) throws(ParquetError) {
        precondition(file.footer.rowGroups.indices.contains(rowGroup))
        let group = file.footer.rowGroups[rowGroup]
        self.fields = fields
        limits = file.limits
        let whole = RowSelection(0..<group.rowCount)
        let wanted = selection.map { whole.intersection($0) } ?? whole
        self.selection = wanted.ranges.reversed()
        let isPartial = wanted != whole
        let decoder = PageDecoder()
        for field in fields {
            for index in field.leaves {
                let leaf = file.schema.leaves[index]
                let pages =
                    isPartial && leaf.maximumRepetition == 0
                    ? try file.offsetIndex(rowGroup: rowGroup, leaf: index) : nil
                leaves.append(
                    try LeafReader(
                        file, rowGroup: rowGroup, leaf: leaf, offsetIndex: pages, decoder))
            }
        }
    }

    /// Passes over the next `count` rows of the selection; pages that lie among them whole are
    /// not decoded.
    package mutating func skip(_ count: Int) {
        var left = count
        while left > 0, let range = selection.popLast() {
            let skipped = min(left, range.count)
            left -= skipped
            let next = range.lowerBound + Int64(skipped)
            if next < range.upperBound { selection.append(next..<range.upperBound) }
        }
    }

    /// Reads up to `limit` rows; nil at the end.
    package mutating func next(limit: Int) throws(ParquetError) -> RecordBatch? {
        precondition(limit > 0)
        var rows = 0
        for range in selection.reversed() where rows < limit {
            rows += min(limit - rows, range.count)
        }
        guard rows > 0 else { return nil }
        var batches = leaves.map { LeafBatch($0.leaf, limits) }
        var left = rows
        while left > 0, let range = selection.popLast() {
            let taken = min(Int64(left), Int64(range.count))
            for index in leaves.indices {
                try leaves[index].skip(range.lowerBound - row)
                try leaves[index].read(Int(taken), into: &batches[index])
            }
            row = range.lowerBound + taken
            left -= Int(taken)
            if row < range.upperBound { selection.append(row..<range.upperBound) }
        }
        var byLeaf: [Int: LeafBatch] = [:]
        for batch in batches { byLeaf[batch.leaf.index] = batch }
        let assembly = Assembly(byLeaf)
        var columns: [Column] = []
        for field in fields {
            let column = try assembly.column(field)
            guard column.count == rows else {
                throw ParquetError(.invalid, at: -1, "\(rows) rows of field \(field.name)")
            }
            columns.append(column)
        }
        return RecordBatch(rowCount: rows, columns: columns)
    }
}

extension ParquetFile {
    /// Rows of a row group that is to be read at once; throws when they are too many for that.
    package func rowCount(inMemory rowGroup: Int) throws(ParquetError) -> Int {
        guard let count = Int(exactly: footer.rowGroups[rowGroup].rowCount),
            count <= limits.batchValues
        else { throw ParquetError(.tooLarge, at: -1, "rows of row group \(rowGroup)") }
        return count
    }

    /// Reads all rows of one row group at once.
    package func read(rowGroup: Int, fields: [Field]? = nil) throws(ParquetError) -> RecordBatch {
        let fields = fields ?? schema.fields
        let count = try rowCount(inMemory: rowGroup)
        var reader = try RowGroupReader(self, rowGroup: rowGroup, fields: fields)
        guard count > 0, let batch = try reader.next(limit: count) else {
            let assembly = Assembly(
                Dictionary(
                    uniqueKeysWithValues: schema.leaves.map { ($0.index, LeafBatch($0, limits)) }))
            var columns: [Column] = []
            for field in fields { columns.append(try assembly.column(field)) }
            return RecordBatch(rowCount: 0, columns: columns)
        }
        return batch
    }
}
