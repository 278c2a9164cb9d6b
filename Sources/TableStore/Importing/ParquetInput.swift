internal import Bytes
internal import Parquet
internal import Platform
internal import TableLog

/// Parquet files from anywhere, as rows of a table.
enum ParquetInput {
    static func open(_ path: [UInt8]) throws(TableStoreError) -> ParquetFile {
        let directory = PathBytes.parent(path)
        let above: [UInt8] =
            directory.isEmpty ? [UInt8(ascii: path.first == 0x2f ? "/" : ".")] : directory
        let name = ExactText(String(decoding: PathBytes.name(path), as: UTF8.self))
        let source: FileSource
        do throws(TableLogError) {
            source = try TableDirectory(above).open(name)
        } catch {
            guard var cause = error.cause else { throw TableStoreError(error) }
            cause.path = path
            throw TableStoreError(outside: cause)
        }
        return try parqueted(PathBytes.printable(path)) { () throws(ParquetError) in
            try ParquetFile(source)
        }
    }

    /// The type of the column of a table that holds the values of a leaf; nil for types that
    /// tables do not have.
    static func type(_ leaf: Leaf) -> TableType? {
        switch leaf.logicalType {
        case .string, .enumeration, .json: return .string
        case .bson: return .binary
        case .date: return .date
        case .timestamp(_, let isUTC): return isUTC ? .timestamp : .timestampWithoutZone
        case .decimal(let precision, let scale):
            let isKnown = (1...38).contains(precision) && (0...precision).contains(scale)
            return isKnown ? .decimal(precision: precision, scale: scale) : nil
        case .integer(let width, let isSigned):
            switch (width, isSigned) {
            case (8, true): return .byte
            case (16, true), (8, false): return .short
            case (32, true), (16, false): return .integer
            case (64, true), (32, false): return .long
            case (64, false): return .decimal(precision: 20, scale: 0)
            default: return nil
            }
        case .time, .unknown, .uuid, .float16, .interval, .other, .map, .list: return nil
        case nil: break
        }
        switch leaf.type {
        case .boolean: return .boolean
        case .int32: return .integer
        case .int64: return .long
        case .int96: return .timestamp
        case .float: return .float
        case .double: return .double
        case .byteArray, .fixedLengthByteArray: return .binary
        }
    }

    /// The column of a file as the table has it; numbers without sign become wider ones.
    static func conform(
        _ column: Column, _ field: Field, _ type: TableType, _ schema: Schema
    ) throws(ParquetError) -> Column {
        guard case .leaf(let index) = field.content,
            case .integer(let width, isSigned: false) = schema.leaves[index].logicalType,
            let widened = widened(column, width, type)
        else { return try ColumnConforming.conform(column, field, type, schema) }
        return Column(count: column.count, validity: column.validity, values: widened)
    }

    private static func widened(
        _ column: Column, _ width: Int, _ type: TableType
    ) -> ColumnValues? {
        switch (column.values, type) {
        case (.int32(let values), .short) where width == 8: .int32(values)
        case (.int32(let values), .integer) where width <= 16: .int32(values)
        case (.int32(let values), .long):
            .int64(values.map { Int64(UInt32(bitPattern: $0)) })
        case (.int64(let values), .decimal(let precision, 0)) where precision >= 20:
            .int128(values.map { Int128(UInt64(bitPattern: $0)) })
        default: nil
        }
    }
}
