import Parquet

/// The text of rows that `Scripts/parquet-peer.py` makes of them too: the common language in which
/// readers are compared.
enum ColumnText {
    /// A line for each row, with tabs between the columns.
    static func rows(_ batch: RecordBatch) -> [String] {
        let columns = batch.columns.map(texts)
        return (0..<batch.rowCount).map { row in
            columns.map { $0[row] }.joined(separator: "\t")
        }
    }

    static func texts(_ column: Column) -> [String] {
        let plain = plainTexts(column.values, column.count)
        return plain.enumerated().map { column.isNull($0.offset) ? "-" : $0.element }
    }

    private static func plainTexts(_ values: ColumnValues, _ count: Int) -> [String] {
        switch values {
        case .boolean(let values): (0..<count).map { values[$0] ? "1" : "0" }
        case .int32(let values): values.map { String($0) }
        case .int64(let values): values.map { String($0) }
        case .int128(let values): values.map { String($0) }
        case .float(let values):
            values.map { $0.isNaN ? "nan" : hex(UInt64($0.bitPattern), digits: 8) }
        case .double(let values): values.map { $0.isNaN ? "nan" : hex($0.bitPattern, digits: 16) }
        case .bytes(let offsets, let data):
            (0..<count).map { octets(data[Int(offsets[$0])..<Int(offsets[$0 + 1])]) }
        case .fixed(let width, let data):
            (0..<count).map { octets(data[$0 * width..<($0 + 1) * width]) }
        case .structure(let fields):
            transpose(fields.map(texts), count)
        case .list(let offsets, let element): lists(offsets, texts(element))
        case .map(let offsets, let key, let value):
            lists(
                offsets,
                transpose(
                    [texts(key), value.map(texts) ?? .init(repeating: "-", count: key.count)],
                    key.count))
        }
    }

    private static func transpose(_ fields: [[String]], _ count: Int) -> [String] {
        (0..<count).map { row in "[" + fields.map { $0[row] }.joined(separator: " ") + "]" }
    }

    private static func lists(_ offsets: [Int32], _ elements: [String]) -> [String] {
        zip(offsets, offsets.dropFirst()).map {
            "[" + elements[Int($0)..<Int($1)].joined(separator: " ") + "]"
        }
    }

    private static func hex(_ value: UInt64, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: digits - text.count) + text
    }

    private static func octets(_ bytes: ArraySlice<UInt8>) -> String {
        "x" + bytes.map { hex(UInt64($0), digits: 2) }.joined()
    }

    /// Says where two lists of rows differ first; nil when they are equal.
    static func difference(_ found: [String], _ expected: [String]) -> String? {
        if found == expected { return nil }
        let row = zip(found, expected).prefix { $0 == $1 }.count
        let shown = [found, expected].map { row < $0.count ? $0[row] : "nothing" }
        return "\(found.count) and \(expected.count) rows; row \(row): \(shown[0]), not \(shown[1])"
    }
}
