/// The parts that a second is counted in.
package enum TimeUnit: Sendable {
    case milliseconds
    case microseconds
    case nanoseconds
}

/// What the values of a column mean (parquet.thrift, `LogicalType` and `ConvertedType`).
package enum LogicalType: Equatable, Sendable {
    case string
    case map
    case list
    case enumeration
    case decimal(precision: Int, scale: Int)
    case date
    case time(TimeUnit, isUTC: Bool)
    case timestamp(TimeUnit, isUTC: Bool)
    case integer(bitWidth: Int, isSigned: Bool)
    /// Nothing but nulls.
    case unknown
    case json
    case bson
    case uuid
    case float16
    /// Months, days and milliseconds; known from `ConvertedType` only.
    case interval
    /// Values whose meaning is not known here, by the number of their type: variant, geometry.
    case other(Int16)
}

// MARK: - LogicalType as it is stored
extension LogicalType {
    static func read(_ reader: inout CompactReader) throws(ParquetError) -> LogicalType? {
        var type: LogicalType?
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            guard type == nil else { throw reader.error(.invalid, "one logical type") }
            try reader.structure(field)
            type = try read(&reader, field)
        }
        return type
    }

    private static let plain: [Int16: LogicalType] = [
        1: .string, 2: .map, 3: .list, 4: .enumeration, 6: .date, 11: .unknown, 12: .json,
        13: .bson, 14: .uuid, 15: .float16,
    ]

    private static func read(
        _ reader: inout CompactReader, _ field: CompactReader.Field
    ) throws(ParquetError) -> LogicalType {
        switch field.id {
        case 5: return try readDecimal(&reader)
        case 7:
            let (unit, isUTC) = try readTime(&reader)
            return .time(unit, isUTC: isUTC)
        case 8:
            let (unit, isUTC) = try readTime(&reader)
            return .timestamp(unit, isUTC: isUTC)
        case 10: return try readInteger(&reader)
        default:
            try reader.skip(field)
            return plain[field.id] ?? .other(field.id)
        }
    }

    private static func readDecimal(
        _ reader: inout CompactReader
    ) throws(ParquetError) -> LogicalType {
        var (scale, precision): (Int32?, Int32?) = (nil, nil)
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            switch field.id {
            case 1: scale = try reader.int32(field)
            case 2: precision = try reader.int32(field)
            default: try reader.skip(field)
            }
        }
        guard let scale, let precision else { throw reader.missing("scale and precision") }
        return .decimal(precision: Int(precision), scale: Int(scale))
    }

    private static func readTime(
        _ reader: inout CompactReader
    ) throws(ParquetError) -> (TimeUnit, Bool) {
        var (isUTC, unit): (Bool?, TimeUnit?) = (nil, nil)
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            switch field.id {
            case 1: isUTC = try reader.bool(field)
            case 2:
                try reader.structure(field)
                unit = try readUnit(&reader)
            default: try reader.skip(field)
            }
        }
        guard let isUTC, let unit else { throw reader.missing("unit and zone of a time") }
        return (unit, isUTC)
    }

    private static func readUnit(_ reader: inout CompactReader) throws(ParquetError) -> TimeUnit {
        var unit: TimeUnit?
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            try reader.structure(field)
            switch field.id {
            case 1: unit = .milliseconds
            case 2: unit = .microseconds
            case 3: unit = .nanoseconds
            default: throw reader.error(.unsupported, "unit of time \(field.id)")
            }
            try reader.skip(field)
        }
        guard let unit else { throw reader.missing("a unit of time") }
        return unit
    }

    private static func readInteger(
        _ reader: inout CompactReader
    ) throws(ParquetError) -> LogicalType {
        var (width, isSigned): (Int8?, Bool?) = (nil, nil)
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            switch field.id {
            case 1: width = try reader.int8(field)
            case 2: isSigned = try reader.bool(field)
            default: try reader.skip(field)
            }
        }
        guard let width, let isSigned else { throw reader.missing("width and sign") }
        return .integer(bitWidth: Int(width), isSigned: isSigned)
    }

    /// Writes the union; `.interval` has none.
    func write(_ id: Int16, to writer: inout CompactWriter) {
        if self == .interval { return }
        writer.begin(id)
        switch self {
        case .decimal(let precision, let scale):
            writer.begin(5)
            writer.field(1, Int32(clamping: scale))
            writer.field(2, Int32(clamping: precision))
            writer.end()
        case .time(let unit, let isUTC): Self.write(7, unit, isUTC, to: &writer)
        case .timestamp(let unit, let isUTC): Self.write(8, unit, isUTC, to: &writer)
        case .integer(let bitWidth, let isSigned):
            writer.begin(10)
            writer.field(1, Int8(clamping: bitWidth))
            writer.field(2, isSigned)
            writer.end()
        case .other(let id): writer.empty(id)
        default:
            if let id = Self.plain.first(where: { $0.value == self })?.key { writer.empty(id) }
        }
        writer.end()
    }

    private static func write(
        _ id: Int16, _ unit: TimeUnit, _ isUTC: Bool, to writer: inout CompactWriter
    ) {
        writer.begin(id)
        writer.field(1, isUTC)
        writer.begin(2)
        switch unit {
        case .milliseconds: writer.empty(1)
        case .microseconds: writer.empty(2)
        case .nanoseconds: writer.empty(3)
        }
        writer.end()
        writer.end()
    }
}

// MARK: - ConvertedType, the older name of the same
extension LogicalType {
    /// The logical type that an old annotation stands for; nil for numbers that mean nothing here.
    init?(converted: Int32, precision: Int32?, scale: Int32?) {
        switch converted {
        case 0: self = .string
        case 1, 2: self = .map
        case 3: self = .list
        case 4: self = .enumeration
        case 5: self = .decimal(precision: Int(precision ?? 0), scale: Int(scale ?? 0))
        case 6: self = .date
        case 7: self = .time(.milliseconds, isUTC: true)
        case 8: self = .time(.microseconds, isUTC: true)
        case 9: self = .timestamp(.milliseconds, isUTC: true)
        case 10: self = .timestamp(.microseconds, isUTC: true)
        case 11...14: self = .integer(bitWidth: 8 << Int(converted - 11), isSigned: false)
        case 15...18: self = .integer(bitWidth: 8 << Int(converted - 15), isSigned: true)
        case 19: self = .json
        case 20: self = .bson
        case 21: self = .interval
        default: return nil
        }
    }

    /// The old annotation, where there is one with the same meaning.
    var converted: Int32? {
        switch self {
        case .string: 0
        case .map: 1
        case .list: 3
        case .enumeration: 4
        case .decimal: 5
        case .date: 6
        case .time(.milliseconds, isUTC: true): 7
        case .time(.microseconds, isUTC: true): 8
        case .timestamp(.milliseconds, isUTC: true): 9
        case .timestamp(.microseconds, isUTC: true): 10
        case .integer(bitWidth: 8, let isSigned): isSigned ? 15 : 11
        case .integer(bitWidth: 16, let isSigned): isSigned ? 16 : 12
        case .integer(bitWidth: 32, let isSigned): isSigned ? 17 : 13
        case .integer(bitWidth: 64, let isSigned): isSigned ? 18 : 14
        case .json: 19
        case .bson: 20
        case .interval: 21
        default: nil
        }
    }
}
