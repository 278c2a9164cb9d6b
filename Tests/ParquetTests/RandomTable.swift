import Bytes
import Parquet
import TestSupport

/// Rows of all kinds of fields that are written, made from a seed.
struct RandomTable {
    let schema: Schema
    let batch: RecordBatch

    /// Fields of every kind, nullable and not.
    static let flatFields: [SchemaElement] = [
        .leaf("flag", .boolean), .leaf("flag_there", .boolean, nullable: false),
        .leaf("byte", .int32, .integer(bitWidth: 8, isSigned: true)),
        .leaf("short", .int32, .integer(bitWidth: 16, isSigned: true)),
        .leaf("int", .int32), .leaf("int_there", .int32, nullable: false),
        .leaf("long", .int64), .leaf("sequence", .int64, nullable: false),
        .leaf("day", .int32, .date),
        .leaf("instant", .int64, .timestamp(.microseconds, isUTC: true)),
        .leaf("local", .int64, .timestamp(.microseconds, isUTC: false)),
        .decimal("small", precision: 5, scale: 2), .decimal("middle", precision: 15, scale: 2),
        .decimal("large", precision: 38, scale: 10), .decimal("twenty", precision: 20, scale: 0),
        .leaf("float", .float), .leaf("double", .double, nullable: false),
        .leaf("word", .byteArray, .string), .leaf("text", .byteArray, .string),
        .leaf("key", .byteArray, .string, nullable: false), .leaf("binary", .byteArray),
        .leaf("nothing", .byteArray, .string),
    ]

    /// A list, a map, and structures of them.
    static let nestedFields: [SchemaElement] = [
        .leaf("id", .int64, nullable: false),
        .group("numbers", 1, .list), .group("list", 1, nil, .repeated), .leaf("element", .int32),
        .group("properties", 1, .map), .group("key_value", 2, nil, .repeated),
        .leaf("key", .byteArray, .string, nullable: false), .leaf("value", .byteArray, .string),
        .group("point", 3), .leaf("x", .double), .leaf("label", .byteArray, .string),
        .group("tags", 1, .list), .group("list", 1, nil, .repeated),
        .group("element", 2), .leaf("name", .byteArray, .string), .leaf("weight", .int64),
    ]

    static func flat(_ seed: Seed, rows: Int) throws -> RandomTable {
        try RandomTable(flatFields, seed, rows: rows)
    }

    static func nested(_ seed: Seed, rows: Int) throws -> RandomTable {
        try RandomTable(nestedFields, seed, rows: rows)
    }

    init(_ fields: [SchemaElement], _ seed: Seed, rows: Int) throws {
        schema = try Schema(writing: fields)
        var random = SplitMix64(seed)
        var columns: [Column] = []
        for field in schema.fields {
            columns.append(Self.column(field, schema, rows, &random))
        }
        batch = RecordBatch(rowCount: rows, columns: columns)
    }

    private static func validity(_ field: Field, _ rows: Int, _ random: inout SplitMix64) -> Bitmap?
    {
        guard field.isNullable else { return nil }
        if field.name == "nothing" { return Bitmap(repeating: false, count: rows) }
        let share = [0, 0, 3, 10, 90][random.below(5)]
        guard share > 0 else { return nil }
        return Bitmap((0..<rows).map { _ in random.below(100) >= share })
    }

    private static func column(
        _ field: Field, _ schema: Schema, _ rows: Int, _ random: inout SplitMix64
    ) -> Column {
        let validity = validity(field, rows, &random)
        switch field.content {
        case .leaf(let index):
            return Column(
                count: rows, validity: validity,
                values: values(schema.leaves[index], rows, &random))
        case .structure(let fields):
            return Column(
                count: rows, validity: validity,
                values: .structure(fields.map { column($0, schema, rows, &random) }))
        case .list(let element):
            let offsets = offsets(rows, validity, &random)
            return Column(
                count: rows, validity: validity,
                values: .list(
                    offsets: offsets,
                    element: column(element, schema, Int(offsets[rows]), &random)))
        case .map(let key, let value):
            let offsets = offsets(rows, validity, &random)
            let count = Int(offsets[rows])
            return Column(
                count: rows, validity: validity,
                values: .map(
                    offsets: offsets, key: column(key, schema, count, &random),
                    value: value.map { column($0, schema, count, &random) }))
        }
    }

    /// Lists of few elements; a null list has none.
    private static func offsets(
        _ rows: Int, _ validity: Bitmap?, _ random: inout SplitMix64
    ) -> [Int32] {
        var offsets: [Int32] = [0]
        for row in 0..<rows {
            let isThere = validity.map { $0[row] } ?? true
            offsets.append(offsets[row] + (isThere ? Int32(random.below(4)) : 0))
        }
        return offsets
    }

    private static func values(
        _ leaf: Leaf, _ rows: Int, _ random: inout SplitMix64
    ) -> ColumnValues {
        switch leaf.storage {
        case .boolean: return .boolean(Bitmap((0..<rows).map { _ in random.below(2) == 1 }))
        case .int32: return .int32((0..<rows).map { _ in int32(leaf, &random) })
        case .int64: return .int64((0..<rows).map { int64(leaf, $0, &random) })
        case .int128:
            return .int128(
                (0..<rows).map { _ in
                    let wide = Int128(Int64(bitPattern: random.next()))
                    return leaf.path[0] == "twenty" ? wide / 2 : wide * 1_000_000_007
                })
        case .float:
            return .float(
                (0..<rows).map { _ in
                    [Float.nan, -0.0, .infinity, 1.5, Float(random.below(1000)) / 7][
                        random.below(5)]
                })
        case .double:
            return .double((0..<rows).map { _ in Double(random.below(1_000_000)) / 100 })
        case .bytes: return bytes(leaf, rows, &random)
        case .fixed(let width): return .fixed(width: width, data: random.bytes(rows * width))
        }
    }

    private static func int32(_ leaf: Leaf, _ random: inout SplitMix64) -> Int32 {
        switch leaf.logicalType {
        case .integer(bitWidth: 8, _): Int32(random.below(256) - 128)
        case .integer(bitWidth: 16, _): Int32(random.below(65_536) - 32_768)
        case .date: Int32(random.below(40_000) - 20_000)
        default: Int32(truncatingIfNeeded: random.next())
        }
    }

    private static func int64(_ leaf: Leaf, _ row: Int, _ random: inout SplitMix64) -> Int64 {
        switch leaf.logicalType {
        case .decimal(precision: 5, _): return Int64(random.below(199_999)) - 99_999
        case .decimal: return Int64(random.below(1_999_999_999)) - 999_999_999
        case .timestamp: return Int64(random.below(4_000_000_000)) * 1_000_003 - 1_000_000_000
        default:
            let isSequence = leaf.path[0] == "sequence" || leaf.path[0] == "id"
            return isSequence
                ? Int64(row * 3 + random.below(3)) : Int64(bitPattern: random.next())
        }
    }

    private static func bytes(
        _ leaf: Leaf, _ rows: Int, _ random: inout SplitMix64
    ) -> ColumnValues {
        let words = ["", "Oslo", "Bergen", "Tromsø", "Zürich", "東京"]
        var offsets: [Int32] = [0]
        var data: [UInt8] = []
        for row in 0..<rows {
            switch leaf.path[leaf.path.count - 1] {
            case "word": data += words[random.below(words.count)].utf8
            case "key": data += "customer-\(1_000_000 + row)".utf8
            case "binary": data += random.bytes(random.below(40))
            default: data += random.text(random.below(120))
            }
            offsets.append(Int32(data.count))
        }
        return .bytes(offsets: offsets, data: data)
    }
}

/// Files in memory, whole.
enum TestFiles {
    /// Writes rows in batches of `step`.
    static func write(
        _ table: RandomTable, _ options: WriterOptions = WriterOptions(), step: Int = 10_000
    ) throws -> [UInt8] {
        var writer = try ParquetWriter(MemoryFile(), table.schema, options)
        var start = 0
        while start < table.batch.rowCount {
            let end = min(start + step, table.batch.rowCount)
            try writer.write(
                RecordBatch(
                    rowCount: end - start,
                    columns: table.batch.columns.map { $0.slice(start..<end) }))
            start = end
        }
        _ = try writer.finish(keyValues: [KeyValue("made by", "a test")])
        return writer.sink.bytes
    }

    /// The texts of all rows, read in batches of `limit`.
    static func rows(
        _ bytes: [UInt8], limit: Int = 1 << 20, limits: ReaderLimits = ReaderLimits()
    ) throws -> [String] {
        let file = try ParquetFile(MemoryFile(bytes), limits: limits)
        var rows: [String] = []
        for group in file.footer.rowGroups.indices {
            var reader = try RowGroupReader(file, rowGroup: group, fields: file.schema.fields)
            while let batch = try reader.next(limit: limit) { rows += ColumnText.rows(batch) }
        }
        return rows
    }

    /// Small sizes, so that little data has many pages and row groups.
    static var smallPieces: WriterOptions {
        var options = WriterOptions()
        options.pageBytes = CutSizes(minimum: 256, average: 512, maximum: 1024)
        options.groupRows = CutSizes(minimum: 200, average: 400, maximum: 800)
        return options
    }
}
