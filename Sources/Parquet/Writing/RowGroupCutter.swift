/// Gathers rows to row groups that end at places which follow from the rows themselves.
///
/// From the minimum on, a row whose hash falls below a threshold is the last of its group. The
/// threshold grows with the bytes of a row, so groups have about the same size whatever the rows.
/// A row decides alone: so after an insert or a merge the groups come out the same again from the
/// next such row on, and can be shared with files that had them before.
package struct RowGroupCutter {
    private let options: WriterOptions
    private let schema: Schema
    /// Fields whose values decide: the first three that are no lists or structures.
    private let keys: [Int]
    private var pieces: [[Column]] = []
    private var rows = 0
    private var bytes = 0

    package init(_ schema: Schema, _ options: WriterOptions) {
        self.schema = schema
        self.options = options
        let flat = schema.fields.indices.filter {
            if case .leaf = schema.fields[$0].content { true } else { false }
        }
        keys = Array(flat.prefix(3))
    }

    /// Adds rows; returns the groups that are complete now.
    package mutating func add(_ batch: RecordBatch) throws(ParquetError) -> [RecordBatch] {
        guard batch.columns.count == schema.fields.count,
            batch.columns.allSatisfy({ $0.count == batch.rowCount })
        else {
            throw ParquetError(.invalid, at: -1, "\(schema.fields.count) columns of equal length")
        }
        var hashes = [UInt32](repeating: 0, count: batch.rowCount)
        for key in keys {
            let column = RowHashes.of(batch.columns[key])
            for row in column.indices { hashes[row] = hashes[row] &* 31 &+ column[row] }
        }
        let sizes = RowHashes.sizes(batch)
        var groups: [RecordBatch] = []
        var start = 0
        for row in 0..<batch.rowCount {
            rows += 1
            bytes += sizes[row]
            guard isEnd(ValueHashes.mix(UInt64(hashes[row])), sizes[row]) else { continue }
            pieces.append(batch.columns.map { $0.slice(start..<row + 1) })
            start = row + 1
            if let group = take() { groups.append(group) }
        }
        if start < batch.rowCount {
            pieces.append(batch.columns.map { $0.slice(start..<batch.rowCount) })
        }
        return groups
    }

    /// The rows that are left.
    package mutating func finish() -> RecordBatch? { take() }

    private func isEnd(_ hash: UInt32, _ size: Int) -> Bool {
        let (byRows, byBytes) = (options.groupRows, options.groupBytes)
        guard rows >= byRows.minimum || bytes >= byBytes.minimum else { return false }
        if rows >= byRows.maximum || bytes >= byBytes.maximum { return true }
        let limit =
            (1 << 32) / (byRows.average - byRows.minimum)
            + (size << 32) / (byBytes.average - byBytes.minimum)
        return Int(hash) < limit
    }

    private mutating func take() -> RecordBatch? {
        guard rows > 0 else { return nil }
        let columns = schema.fields.indices.map { index in
            Column.joined(pieces.map { $0[index] })
        }
        let group = RecordBatch(rowCount: rows, columns: columns)
        pieces.removeAll()
        (rows, bytes) = (0, 0)
        return group
    }
}

/// Numbers that follow from single rows.
private enum RowHashes {
    /// A hash for each value of a column without fields, nulls included.
    static func of(_ column: Column) -> [UInt32] {
        var values = DenseValues(.boolean, byteLimit: .max)
        switch column.values {
        case .boolean(let flags): values.booleans = flags.unpacked()
        case .int32(let numbers):
            values = DenseValues(.int32, byteLimit: .max)
            values.int32s = numbers
        case .int64(let numbers):
            values = DenseValues(.int64, byteLimit: .max)
            values.int64s = numbers
        case .int128(let numbers):
            values = DenseValues(.int128, byteLimit: .max)
            values.int128s = numbers
        case .float(let numbers):
            values = DenseValues(.float, byteLimit: .max)
            values.floats = numbers
        case .double(let numbers):
            values = DenseValues(.double, byteLimit: .max)
            values.doubles = numbers
        case .bytes(let offsets, let data):
            values = DenseValues(.bytes, byteLimit: .max)
            (values.offsets, values.data) = (offsets, data)
        case .fixed(let width, let data):
            values = DenseValues(.fixed(width), byteLimit: .max)
            values.data = data
        case .structure, .list, .map: return []
        }
        var hashes = ValueHashes.of(values)
        if let validity = column.validity {
            for row in hashes.indices where !validity[row] { hashes[row] = ValueHashes.null }
        }
        return hashes
    }

    /// Bytes of each row as it is in memory; lists and structures count as some.
    static func sizes(_ batch: RecordBatch) -> [Int] {
        var fixed = 0
        var various: [(Column, [Int32])] = []
        for column in batch.columns {
            switch column.values {
            case .boolean: fixed += 1
            case .int32, .float: fixed += 4
            case .int64, .double: fixed += 8
            case .int128: fixed += 16
            case .fixed(let width, _): fixed += width
            case .bytes(let offsets, _):
                fixed += 4
                various.append((column, offsets))
            case .structure, .list, .map: fixed += 64
            }
        }
        var sizes = [Int](repeating: fixed, count: batch.rowCount)
        for (column, offsets) in various {
            for row in sizes.indices where !column.isNull(row) {
                sizes[row] += Int(offsets[row + 1] - offsets[row])
            }
        }
        return sizes
    }
}
