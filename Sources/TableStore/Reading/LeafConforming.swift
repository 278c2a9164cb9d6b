internal import Bytes
internal import Parquet
internal import TableLog

/// Makes of the values of a leaf those of a column of a table.
///
/// What the values mean is told by the logical type, not by how they are stored: 1.50 and 150 are
/// the same INT64, a day of 2022 and the number 19000 the same INT32. So a leaf of another meaning
/// is refused, and so is a value that the column cannot hold.
struct LeafConforming {
    private let column: Column
    private let leaf: Leaf
    private let type: TableType

    init(_ column: Column, _ leaf: Leaf, _ type: TableType) {
        self.column = column
        self.leaf = leaf
        self.type = type
    }

    private func error(_ expected: String) -> ParquetError {
        ParquetError(.invalid, at: -1, expected)
    }

    private var mismatch: ParquetError {
        error("\(SchemaGrammar.typeName(type)), not \(LeafWords.describe(leaf))")
    }

    private func with(_ values: ColumnValues) -> Column {
        Column(count: column.count, validity: column.validity, values: values)
    }

    func conformed() throws(ParquetError) -> Column {
        switch type {
        case .boolean, .float, .double: return try simple()
        case .byte, .short, .integer, .long: return try whole()
        case .string: return try text()
        case .binary: return try binary()
        case .date:
            guard leaf.logicalType == .date, case .int32 = column.values else { throw mismatch }
            return column
        case .timestamp, .timestampWithoutZone: return try time()
        case .decimal(let precision, let scale): return try decimal(precision, scale)
        case .structure, .array, .map: throw mismatch
        }
    }

    private func simple() throws(ParquetError) -> Column {
        guard leaf.logicalType == nil else { throw mismatch }
        switch (type, column.values) {
        case (.boolean, .boolean), (.float, .float), (.double, .double): return column
        case (.double, .float(let values)): return with(.double(values.map { Double($0) }))
        default: throw mismatch
        }
    }

    /// Whole numbers with a sign, of as many bits as the column or fewer; wider ones are not those
    /// of a table, whatever their values.
    private func whole() throws(ParquetError) -> Column {
        switch leaf.logicalType {
        case nil, .integer(_, isSigned: true): break
        default: throw mismatch
        }
        switch (type, column.values) {
        case (.integer, .int32), (.long, .int64): return column
        case (.long, .int32(let values)): return with(.int64(values.map { Int64($0) }))
        case (.byte, .int32(let values)):
            try check(values) { Int8(exactly: $0) != nil }
            return column
        case (.short, .int32(let values)):
            try check(values) { Int16(exactly: $0) != nil }
            return column
        default: throw mismatch
        }
    }

    /// Throws unless all values that are there pass.
    private func check<Value>(
        _ values: [Value], _ fits: (Value) -> Bool
    ) throws(ParquetError) {
        for (row, value) in values.enumerated() where !fits(value) && !column.isNull(row) {
            throw error("\(TypeWords.describe(type)), not \(value)")
        }
    }

    // MARK: Text

    private func text() throws(ParquetError) -> Column {
        switch leaf.logicalType {
        case nil, .string, .enumeration, .json: break
        default: throw mismatch
        }
        guard case .bytes(let offsets, let data) = column.values else { throw mismatch }
        guard UTF8Check.isText(data, offsets) else {
            throw error("text in UTF-8, not other bytes")
        }
        return column
    }

    private func binary() throws(ParquetError) -> Column {
        switch leaf.logicalType {
        case nil, .string, .enumeration, .json, .bson: break
        default: throw mismatch
        }
        switch column.values {
        case .bytes: return column
        case .fixed(let width, let data):
            let (size, overflow) = column.count.multipliedReportingOverflow(by: width)
            guard !overflow, size <= Int(Int32.max) else {
                throw error("at most 2 GiB of bytes in one batch")
            }
            let offsets = (0...column.count).map { Int32(clamping: $0 * width) }
            return with(.bytes(offsets: offsets, data: data))
        default: throw mismatch
        }
    }

    // MARK: Times

    private func time() throws(ParquetError) -> Column {
        guard case .int64(let values) = column.values else { throw mismatch }
        switch (leaf.logicalType, type) {
        case (.timestamp(let unit, isUTC: true), .timestamp),
            // Times without a zone are taken for UTC, as in CSV.
            (.timestamp(let unit, isUTC: false), .timestamp),
            (.timestamp(let unit, isUTC: false), .timestampWithoutZone):
            return try microseconds(values, unit)
        case (nil, _) where leaf.type == .int96: return column
        default: throw mismatch
        }
    }

    /// Nanoseconds are rounded down.
    private func microseconds(
        _ values: [Int64], _ unit: TimeUnit
    ) throws(ParquetError) -> Column {
        switch unit {
        case .microseconds: return column
        case .nanoseconds:
            return with(.int64(values.map { $0 / 1000 - ($0 % 1000 < 0 ? 1 : 0) }))
        case .milliseconds:
            try check(values) { !$0.multipliedReportingOverflow(by: 1000).overflow }
            return with(.int64(values.map { $0 &* 1000 }))
        }
    }

    // MARK: Decimals

    /// The scale must be the same; more digits than the column has are looked for value by value.
    private func decimal(_ precision: Int, _ scale: Int) throws(ParquetError) -> Column {
        guard case .decimal(_, scale) = leaf.logicalType else { throw mismatch }
        let limit = ExactNumber.powers[precision]
        switch column.values {
        case .int64(let values):
            if precision < 19 {
                let narrow = Int64(clamping: limit)
                try check(values) { $0 < narrow && $0 > -narrow }
                return column
            }
            return with(.int128(values.map { Int128($0) }))
        case .int128(let values):
            try check(values) { $0 < limit && $0 > -limit }
            return precision <= 18
                ? with(.int64(values.map { Int64(truncatingIfNeeded: $0) })) : column
        default: throw mismatch
        }
    }
}

/// Whether texts that lie behind one another are UTF-8, each by itself.
enum UTF8Check {
    static func isText(_ data: [UInt8], _ offsets: [Int32]) -> Bool {
        let start = Int(offsets.first ?? 0)
        let all = data[start..<Int(offsets.last ?? 0)]
        if all.count == data.count ? ByteScan.isASCII(data) : all.allSatisfy({ $0 < 0x80 }) {
            return true
        }
        guard String(validating: all, as: UTF8.self) != nil else { return false }
        // Together they are; none may begin in the middle of a character.
        return offsets.allSatisfy { offset in
            Int(offset) >= all.endIndex || data[Int(offset)] & 0xc0 != 0x80
        }
    }
}

/// What a leaf of a Parquet file holds, in the words of the format.
enum LeafWords {
    static func describe(_ leaf: Leaf) -> String {
        guard let logical = leaf.logicalType else { return physical(leaf.type) }
        return "\(Self.logical(logical)) (\(physical(leaf.type)))"
    }

    private static func physical(_ type: PhysicalType) -> String {
        switch type {
        case .boolean: "BOOLEAN"
        case .int32: "INT32"
        case .int64: "INT64"
        case .int96: "INT96"
        case .float: "FLOAT"
        case .double: "DOUBLE"
        case .byteArray: "BYTE_ARRAY"
        case .fixedLengthByteArray: "FIXED_LEN_BYTE_ARRAY"
        }
    }

    private static func logical(_ type: LogicalType) -> String {
        switch type {
        case .string: "STRING"
        case .map: "MAP"
        case .list: "LIST"
        case .enumeration: "ENUM"
        case .decimal(let precision, let scale): "DECIMAL(\(precision),\(scale))"
        case .date: "DATE"
        case .time(let unit, let isUTC): "TIME(\(unit)\(isUTC ? ", UTC" : ""))"
        case .timestamp(let unit, let isUTC): "TIMESTAMP(\(unit)\(isUTC ? ", UTC" : ""))"
        case .integer(let width, let isSigned): "\(isSigned ? "INT" : "UINT")_\(width)"
        case .unknown: "NULL"
        case .json: "JSON"
        case .bson: "BSON"
        case .uuid: "UUID"
        case .float16: "FLOAT16"
        case .interval: "INTERVAL"
        case .other(let number): "logical type \(number)"
        }
    }
}
