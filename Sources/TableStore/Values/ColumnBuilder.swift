internal import Bytes
internal import JSON
internal import Parquet
internal import TableLog

/// A value that does not fit its column.
struct ValueProblem: Error, Equatable {
    /// What the column holds, as a noun.
    let expected: String
}

/// Gathers the values of a column of a simple type.
struct ColumnBuilder {
    let type: TableType
    let isNullable: Bool
    /// Whether the table is partitioned by the column: not every text can stand there.
    var isPartition = false
    /// What stands for null in CSV besides nothing at all.
    var nullWords: Set<ExactText> = []
    var count = 0
    var nullCount = 0
    var validity = Bitmap()
    private var booleans = Bitmap()
    var int32s: [Int32] = []
    var int64s: [Int64] = []
    private var int128s: [Int128] = []
    private var floats: [Float] = []
    private var doubles: [Double] = []
    var offsets: [Int32] = [0]
    var data: [UInt8] = []

    init(_ type: TableType, isNullable: Bool) {
        self.type = type
        self.isNullable = isNullable
    }

    /// Bytes of strings and binary values so far.
    var dataSize: Int { data.count }

    private func problem(_ expected: String? = nil) -> ValueProblem {
        ValueProblem(expected: expected ?? TypeWords.describe(type))
    }

    private mutating func addPresent() {
        count += 1
        if nullCount > 0 { validity.append(true, count: 1) }
    }

    mutating func appendNull() throws(ValueProblem) {
        guard isNullable else { throw problem("a value: the column is not null") }
        appendPlaceholder()
    }

    /// Appends a null whatever the column allows, for a row that will be left out.
    mutating func appendPlaceholder() {
        if nullCount == 0 { validity = Bitmap(repeating: true, count: count) }
        nullCount += 1
        count += 1
        validity.append(false, count: 1)
        switch type {
        case .boolean: booleans.append(false, count: 1)
        case .byte, .short, .integer, .date: int32s.append(0)
        case .long, .timestamp, .timestampWithoutZone: int64s.append(0)
        case .decimal(let precision, _):
            if precision <= 18 { int64s.append(0) } else { int128s.append(0) }
        case .float: floats.append(0)
        case .double: doubles.append(0)
        default: offsets.append(Int32(truncatingIfNeeded: data.count))
        }
    }

    /// Appends a value as it stands in CSV.
    mutating func append(text: ArraySlice<UInt8>) throws(ValueProblem) {
        switch type {
        case .string: try append(string: text)
        case .binary:
            guard let bytes = Base64.decode(text) else { throw problem() }
            try append(bytes: bytes[...])
        case .boolean:
            guard let flag = Self.boolean(text) else { throw problem() }
            booleans.append(flag, count: 1)
            addPresent()
        case .float:
            guard let value = FloatText.parseFloat(text) else { throw problem() }
            floats.append(value)
            addPresent()
        case .double:
            guard let value = FloatText.parse(text) else { throw problem() }
            doubles.append(value)
            addPresent()
        case .decimal(let precision, let scale):
            guard let value = DecimalText.parse(text, precision: precision, scale: scale) else {
                throw problem()
            }
            append(decimal: value)
        default: try append(integer: try integer(text))
        }
    }

    /// Whole numbers, dates and times as the numbers that they are stored as.
    private func integer(_ text: ArraySlice<UInt8>) throws(ValueProblem) -> Int64 {
        switch type {
        case .date:
            guard let days = TimeText.parseDate(text) else { throw problem() }
            return Int64(days)
        case .timestamp, .timestampWithoutZone:
            guard let (moment, hasZone) = TimeText.parseTimestamp(text),
                type == .timestamp || !hasZone
            else { throw problem() }
            return moment
        default:
            guard let value = IntegerText.parse(text) else { throw problem() }
            return value
        }
    }

    private mutating func append(integer value: Int64) throws(ValueProblem) {
        switch type {
        case .long, .timestamp, .timestampWithoutZone: int64s.append(value)
        default:
            let isInside: Bool =
                switch type {
                case .byte: Int8(exactly: value) != nil
                case .short: Int16(exactly: value) != nil
                default: true
                }
            guard isInside, let value = Int32(exactly: value) else { throw problem() }
            int32s.append(value)
        }
        addPresent()
    }

    private mutating func append(decimal value: Int128) {
        if case .decimal(let precision, _) = type, precision <= 18 {
            int64s.append(Int64(truncatingIfNeeded: value))
        } else {
            int128s.append(value)
        }
        addPresent()
    }

    private mutating func append(string text: ArraySlice<UInt8>) throws(ValueProblem) {
        // Most text is ASCII, which needs no closer look.
        if !text.allSatisfy({ $0 < 0x80 }) {
            guard String(validating: text, as: UTF8.self) != nil else { throw problem() }
        }
        try append(bytes: text)
    }

    private mutating func append(bytes: ArraySlice<UInt8>) throws(ValueProblem) {
        guard bytes.count <= Int(Int32.max) - data.count else {
            throw problem("at most 2 GiB of text in one batch")
        }
        if isPartition, let expected = Partition.expectation(bytes) {
            throw problem(expected)
        }
        data += bytes
        offsets.append(Int32(truncatingIfNeeded: data.count))
        addPresent()
    }

    static func boolean(_ text: ArraySlice<UInt8>) -> Bool? {
        switch String(decoding: text.prefix(6), as: UTF8.self).lowercased() {
        case "true", "t", "1": true
        case "false", "f", "0": false
        default: nil
        }
    }
}

extension ColumnBuilder {
    /// Appends a value of a JSON document: numbers keep all of their digits.
    mutating func append(json value: JSONValue) throws(ValueProblem) {
        switch value {
        case .null: try appendNull()
        case .bool(let flag):
            // Where texts and others are mixed, all of them are texts, as they stand there.
            guard type == .boolean || type == .string else { throw problem() }
            try append(text: Array((flag ? "true" : "false").utf8)[...])
        case .number(let text):
            switch type {
            case .byte, .short, .integer, .long:
                // 1.0 and 1e3 are whole numbers too.
                guard let number = ExactNumber(Array(text.utf8)[...]),
                    let (whole, isExact) = number.floor(scale: 0), isExact,
                    let value = Int64(exactly: whole)
                else { throw problem() }
                try append(integer: value)
            case .float, .double, .decimal, .string: try append(text: Array(text.utf8)[...])
            default: throw problem()
            }
        case .string(let text):
            switch type {
            case .string, .binary, .date, .timestamp, .timestampWithoutZone, .decimal:
                try append(text: Array(text.utf8)[...])
            case .float, .double:
                guard FloatText.words.contains(text) else { throw problem() }
                try append(text: Array(text.utf8)[...])
            default: throw problem()
            }
        case .array, .object: throw problem()
        }
    }

    /// Takes the column out and begins another.
    mutating func take() -> Column {
        let values: ColumnValues
        switch type {
        case .boolean: values = .boolean(booleans)
        case .byte, .short, .integer, .date: values = .int32(int32s)
        case .long, .timestamp, .timestampWithoutZone: values = .int64(int64s)
        case .decimal(let precision, _):
            values = precision <= 18 ? .int64(int64s) : .int128(int128s)
        case .float: values = .float(floats)
        case .double: values = .double(doubles)
        default: values = .bytes(offsets: offsets, data: data)
        }
        let column = Column(
            count: count, validity: nullCount > 0 ? validity : nil, values: values)
        let (wasPartition, words) = (isPartition, nullWords)
        self = ColumnBuilder(type, isNullable: isNullable)
        (isPartition, nullWords) = (wasPartition, words)
        return column
    }
}

/// Types in words, for messages.
enum TypeWords {
    static func describe(_ type: TableType) -> String {
        switch type {
        case .string: "text in UTF-8"
        case .long: "a whole number of 64 bits"
        case .integer: "a whole number of 32 bits"
        case .short: "a whole number from -32768 to 32767"
        case .byte: "a whole number from -128 to 127"
        case .float, .double: "a number"
        case .boolean: "true or false"
        case .binary: "Base64"
        case .date: "a date like 2026-11-20"
        case .timestamp: "a time like 2026-11-20T03:00:05Z"
        case .timestampWithoutZone: "a time without zone like 2026-11-20T03:00:05"
        case .decimal(let precision, let scale):
            "a number of at most \(precision) digits, \(scale) of them behind the point"
        case .structure, .array, .map: "a value of several parts"
        }
    }
}
