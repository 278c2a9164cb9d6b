internal import Parquet

/// Sorts the rows of a batch by some of its columns, nulls first, rows that are equal as they came.
enum RowSorting {
    /// The places of the rows in their order.
    static func order(_ batch: RecordBatch, by columns: [Int]) -> [Int] {
        guard let first = columns.first else { return Array(0..<batch.rowCount) }
        let rows = Array(0..<batch.rowCount)
        if columns.count == 1, batch.columns[first].nullCount == 0,
            case .int64(let values) = batch.columns[first].values
        {
            return rows.sorted { (values[$0], $0) < (values[$1], $1) }
        }
        let keys = columns.map { batch.columns[$0] }
        return rows.sorted { one, other in
            for key in keys {
                let order = compare(key, one, other)
                if order != 0 { return order < 0 }
            }
            return one < other
        }
    }

    static func compare(_ column: Column, _ one: Int, _ other: Int) -> Int {
        let (isNull, otherIsNull) = (column.isNull(one), column.isNull(other))
        if isNull || otherIsNull { return isNull == otherIsNull ? 0 : isNull ? -1 : 1 }
        switch column.values {
        case .boolean(let bits): return sign(bits[one] ? 1 : 0, bits[other] ? 1 : 0)
        case .int32(let values): return sign(values[one], values[other])
        case .int64(let values): return sign(values[one], values[other])
        case .int128(let values): return sign(values[one], values[other])
        case .float(let values):
            return sign(TotalDouble(Double(values[one])), TotalDouble(Double(values[other])))
        case .double(let values):
            return sign(TotalDouble(values[one]), TotalDouble(values[other]))
        case .bytes(let offsets, let data):
            return ByteOrder.compare(
                data, Int(offsets[one])..<Int(offsets[one + 1]), data,
                Int(offsets[other])..<Int(offsets[other + 1]))
        case .fixed, .structure, .list, .map: return 0
        }
    }

    @inline(__always)
    private static func sign<Value: Comparable>(_ one: Value, _ other: Value) -> Int {
        one < other ? -1 : one == other ? 0 : 1
    }
}

extension RecordBatch {
    /// Puts batches with the same columns one behind the other.
    static func joined(_ batches: [RecordBatch]) -> RecordBatch {
        guard let first = batches.first else { return RecordBatch(rowCount: 0, columns: []) }
        return RecordBatch(
            rowCount: batches.reduce(0) { $0 + $1.rowCount },
            columns: first.columns.indices.map { index in
                Column.joined(batches.map { $0.columns[index] })
            })
    }

    /// Bytes in memory, about.
    var byteCount: Int { columns.reduce(0) { $0 + $1.byteCount } }
}

extension Column {
    /// Bytes in memory, about.
    var byteCount: Int {
        switch values {
        case .boolean: count / 8
        case .int32, .float: 4 * count
        case .int64, .double: 8 * count
        case .int128: 16 * count
        case .bytes(_, let data): 4 * count + data.count
        case .fixed(_, let data): data.count
        case .structure, .list, .map: 64 * count
        }
    }
}
