internal import Parquet
internal import TableLog

extension Column {
    /// The rows at these places, in their order; columns made of others are taken apart slowly.
    func taking(_ rows: [Int]) -> Column {
        if rows.count == count, rows.first == 0, rows.last == count - 1,
            zip(rows, rows.dropFirst()).allSatisfy({ $0 < $1 })
        {
            return self
        }
        var bits: Bitmap?
        if let validity {
            var taken = Bitmap()
            for row in rows { taken.append(validity[row], count: 1) }
            bits = taken
        }
        return Column(count: rows.count, validity: bits, values: values.taking(rows))
    }

    /// A column that says the same in each of its rows.
    static func repeating(_ value: Scalar?, _ type: TableType, count: Int) -> Column {
        guard let value else { return nulls(type, count: count) }
        let values: ColumnValues
        switch (value, type) {
        case (.boolean(let flag), _): values = .boolean(Bitmap(repeating: flag, count: count))
        case (.wide(let number), _): values = .int128(Array(repeating: number, count: count))
        case (.floating(let number), .float):
            values = .float(Array(repeating: Float(number), count: count))
        case (.floating(let number), _):
            values = .double(Array(repeating: number, count: count))
        case (.integer(let number), .byte), (.integer(let number), .short),
            (.integer(let number), .integer), (.integer(let number), .date):
            values = .int32(Array(repeating: Int32(truncatingIfNeeded: number), count: count))
        case (.integer(let number), _): values = .int64(Array(repeating: number, count: count))
        case (.unsigned(let number), _):
            values = .int64(Array(repeating: Int64(truncatingIfNeeded: number), count: count))
        case (.bytes(let bytes), _):
            return .bytes(Array(repeating: bytes, count: count))
        }
        return Column(count: count, values: values)
    }

    static func nulls(_ type: TableType, count: Int) -> Column {
        Column(
            count: count, validity: Bitmap(repeating: false, count: count),
            values: empty(type, count))
    }

    private static func empty(_ type: TableType, _ count: Int) -> ColumnValues {
        switch type {
        case .boolean: .boolean(Bitmap(repeating: false, count: count))
        case .byte, .short, .integer, .date: .int32(Array(repeating: 0, count: count))
        case .long, .timestamp, .timestampWithoutZone: .int64(Array(repeating: 0, count: count))
        case .decimal(let precision, _):
            precision <= 18
                ? .int64(Array(repeating: 0, count: count))
                : .int128(Array(repeating: 0, count: count))
        case .float: .float(Array(repeating: 0, count: count))
        case .double: .double(Array(repeating: 0, count: count))
        case .string, .binary:
            .bytes(offsets: Array(repeating: 0, count: count + 1), data: [])
        case .structure(let fields):
            .structure(fields.map { nulls($0.type, count: count) })
        case .array(let element, _):
            .list(
                offsets: Array(repeating: 0, count: count + 1),
                element: nulls(element, count: 0))
        case .map(let key, let value, _):
            .map(
                offsets: Array(repeating: 0, count: count + 1), key: nulls(key, count: 0),
                value: nulls(value, count: 0))
        }
    }

    /// The value in a row of a simple type; nil for null.
    func scalar(_ row: Int) -> Scalar? {
        guard !isNull(row) else { return nil }
        return switch values {
        case .boolean(let bits): .boolean(bits[row])
        case .int32(let values): .integer(Int64(values[row]))
        case .int64(let values): .integer(values[row])
        case .int128(let values): .wide(values[row])
        case .float(let values): .floating(Double(values[row]))
        case .double(let values): .floating(values[row])
        case .bytes, .fixed: bytes(row).map { .bytes(Array($0)) }
        case .structure, .list, .map: nil
        }
    }
}

extension ColumnValues {
    fileprivate func taking(_ rows: [Int]) -> ColumnValues {
        switch self {
        case .boolean(let bits):
            var taken = Bitmap()
            for row in rows { taken.append(bits[row], count: 1) }
            return .boolean(taken)
        case .int32(let values): return .int32(rows.map { values[$0] })
        case .int64(let values): return .int64(rows.map { values[$0] })
        case .int128(let values): return .int128(rows.map { values[$0] })
        case .float(let values): return .float(rows.map { values[$0] })
        case .double(let values): return .double(rows.map { values[$0] })
        case .bytes(let offsets, let data):
            var (ends, taken): ([Int32], [UInt8]) = ([0], [])
            ends.reserveCapacity(rows.count + 1)
            for row in rows {
                taken += data[Int(offsets[row])..<Int(offsets[row + 1])]
                ends.append(Int32(clamping: taken.count))
            }
            return .bytes(offsets: ends, data: taken)
        case .fixed(let width, let data):
            return .fixed(
                width: width, data: rows.flatMap { data[$0 * width..<($0 + 1) * width] })
        case .structure(let fields): return .structure(fields.map { $0.taking(rows) })
        case .list(let offsets, let element):
            let (ends, inner) = Self.elements(offsets, rows)
            return .list(offsets: ends, element: element.taking(inner))
        case .map(let offsets, let key, let value):
            let (ends, inner) = Self.elements(offsets, rows)
            return .map(offsets: ends, key: key.taking(inner), value: value?.taking(inner))
        }
    }

    private static func elements(_ offsets: [Int32], _ rows: [Int]) -> ([Int32], [Int]) {
        var (ends, inner): ([Int32], [Int]) = ([0], [])
        for row in rows {
            inner += Int(offsets[row])..<Int(offsets[row + 1])
            ends.append(Int32(clamping: inner.count))
        }
        return (ends, inner)
    }
}

extension RecordBatch {
    func taking(_ rows: [Int]) -> RecordBatch {
        RecordBatch(rowCount: rows.count, columns: columns.map { $0.taking(rows) })
    }

    func slice(_ range: Range<Int>) -> RecordBatch {
        RecordBatch(rowCount: range.count, columns: columns.map { $0.slice(range) })
    }
}
