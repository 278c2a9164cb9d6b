internal import Bytes
internal import Parquet
internal import TableLog

/// Reads the rows of one row group that match, batch by batch.
///
/// Columns that the filter compares are read first; the others only for batches in which a row
/// matches, so that pages of theirs between are not decoded.
struct GroupReader {
    private let segment: SegmentSource
    /// The columns that are read first and, where there is a filter, those that are read later.
    private let first: [(column: Int, field: Field)]
    private let later: [(column: Int, field: Field)]
    private var firstReader: RowGroupReader
    private var laterReader: RowGroupReader?

    /// Reads what is in `rows` of a row group.
    init(
        _ segment: SegmentSource, _ group: Int, _ rows: RowSelection
    ) throws(TableStoreError) {
        self.segment = segment
        let compared = segment.predicate?.columns
        let first = segment.fields(compared ?? segment.columns)
        let later =
            compared.map { compared in
                segment.fields(segment.columns.filter { !compared.contains($0) })
            } ?? []
        (self.first, self.later) = (first, later)
        let path = segment.add.path.string
        firstReader = try parqueted(path) { () throws(ParquetError) in
            try RowGroupReader(
                segment.file, rowGroup: group, fields: first.map(\.field), rows: rows)
        }
        guard !later.isEmpty else { return }
        laterReader = try parqueted(path) { () throws(ParquetError) in
            try RowGroupReader(
                segment.file, rowGroup: group, fields: later.map(\.field), rows: rows)
        }
    }

    /// The rows that match among the next `limit`, maybe none; nil at the end.
    mutating func next(limit: Int) throws(TableStoreError) -> RecordBatch? {
        let raw = try parqueted(segment.add.path.string) { () throws(ParquetError) in
            try firstReader.next(limit: limit)
        }
        guard let raw else { return nil }
        var columns = try conform(raw, first)
        guard let predicate = segment.predicate else { return try batch(columns, raw.rowCount) }
        for column in predicate.columns where columns[column] == nil {
            columns[column] = try missing(column, raw.rowCount)
        }
        let mask = predicate.matches(columns, rowCount: raw.rowCount)
        var rows: [Int] = []
        for row in mask.indices where mask[row] { rows.append(row) }
        guard !rows.isEmpty else {
            laterReader?.skip(raw.rowCount)
            return RecordBatch(rowCount: 0, columns: [])
        }
        let others = try parqueted(segment.add.path.string) { () throws(ParquetError) in
            try laterReader?.next(limit: raw.rowCount)
        }
        if let others { columns.merge(try conform(others, later)) { old, _ in old } }
        let all = try batch(columns, raw.rowCount)
        return rows.count == raw.rowCount ? all : all.taking(rows)
    }

    private func conform(
        _ raw: RecordBatch, _ fields: [(column: Int, field: Field)]
    ) throws(TableStoreError) -> [Int: Column] {
        var columns: [Int: Column] = [:]
        for (index, (column, field)) in fields.enumerated() {
            columns[column] = try parqueted(segment.add.path.string) { () throws(ParquetError) in
                try ColumnConforming.conform(
                    raw.columns[index], field, segment.table.schema.fields[column].type,
                    segment.file.schema)
            }
        }
        return columns
    }

    /// A column that the file has not: the value of its partition, or nulls.
    private func missing(
        _ column: Int, _ count: Int
    ) throws(TableStoreError) -> Column {
        let field = segment.table.schema.fields[column]
        let value: Scalar? =
            segment.table.partitionColumns.contains(column)
            ? try FileRanges.partitionValue(field, segment.add) : nil
        return .repeating(value, field.type, count: count)
    }

    /// The wanted columns in their order.
    private func batch(
        _ columns: [Int: Column], _ count: Int
    ) throws(TableStoreError) -> RecordBatch {
        var wanted: [Column] = []
        for column in segment.columns {
            if let known = columns[column] {
                wanted.append(known)
            } else {
                wanted.append(try missing(column, count))
            }
        }
        return RecordBatch(rowCount: count, columns: wanted)
    }
}
