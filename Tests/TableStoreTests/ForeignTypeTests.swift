import Bytes
import Parquet
import Platform
import TableLog
import TableStore
import Testing
import TestSupport

/// What a value means is told by its logical type, and a column takes no other meaning.
struct ForeignTypeTests {
    private static func file(
        _ store: TestStore, _ element: SchemaElement, _ column: Column, _ name: String
    ) throws -> [UInt8] {
        var writer = try ParquetWriter(MemoryFile(), try Schema(writing: [element]))
        try writer.write(RecordBatch(rowCount: column.count, columns: [column]))
        _ = try writer.finish()
        return try store.temporary.write(writer.sink.bytes, name)
    }

    private static let (utc, local) = (
        LogicalType.timestamp(.microseconds, isUTC: true),
        LogicalType.timestamp(.microseconds, isUTC: false)
    )

    @Test(
        arguments: [
            ("long", PhysicalType.int64, LogicalType.decimal(precision: 10, scale: 2)),
            ("long", .int32, .date), ("long", .int64, utc),
            ("long", .int64, .time(.microseconds, isUTC: true)),
            ("integer", .int32, .date),
            ("timestamp", .int64, nil), ("timestamp", .int64, .time(.microseconds, isUTC: true)),
            ("timestamp_ntz", .int64, utc), ("timestamp_ntz", .int64, nil), ("date", .int32, nil),
            ("date", .int32, .time(.milliseconds, isUTC: true)),
            ("date", .int32, .integer(bitWidth: 32, isSigned: true)),
            ("decimal(10,2)", .int64, nil),
            ("decimal(10,2)", .int64, .decimal(precision: 10, scale: 3)),
            ("double", .int64, nil), ("integer", .int64, nil),
            ("long", .int64, .integer(bitWidth: 64, isSigned: false)),
        ] as [(String, PhysicalType, LogicalType?)])
    func `A column takes no values of another meaning`(
        type: String, physical: PhysicalType, logical: LogicalType?
    ) throws {
        let store = try TestStore()
        try store.create("x \(type)")
        let column: Column = physical == .int32 ? .int32([5]) : .int64([5])
        let file = try Self.file(store, .leaf("x", physical, logical), column, "in.parquet")
        let error = #expect(throws: TableStoreError.self) {
            _ = try TableImport.append([file], to: try store.table())
        }
        #expect(error?.kind == .input && error?.detail.contains("column x as \(type)") == true)
        #expect(try store.lines().isEmpty)
    }

    @Test(
        arguments: [
            ("long", PhysicalType.int32, nil, "5"),
            ("long", .int64, .integer(bitWidth: 64, isSigned: true), "5"),
            ("timestamp", .int64, utc, "1970-01-01T00:00:00.000005Z"),
            ("timestamp", .int64, local, "1970-01-01T00:00:00.000005Z"),
            ("timestamp_ntz", .int64, local, "1970-01-01T00:00:00.000005"),
            (
                "timestamp", .int64, .timestamp(.milliseconds, isUTC: true),
                "1970-01-01T00:00:00.005Z"
            ),
            ("date", .int32, .date, "1970-01-06"),
            ("decimal(18,2)", .int64, .decimal(precision: 10, scale: 2), "0.05"),
            ("decimal(38,2)", .int64, .decimal(precision: 18, scale: 2), "0.05"),
        ] as [(String, PhysicalType, LogicalType?, String)])
    func `A column takes values that mean what it holds`(
        type: String, physical: PhysicalType, logical: LogicalType?, expected: String
    ) throws {
        let store = try TestStore()
        try store.create("x \(type)")
        let column: Column = physical == .int32 ? .int32([5]) : .int64([5])
        let file = try Self.file(store, .leaf("x", physical, logical), column, "in.parquet")
        _ = try TableImport.append([file], to: try store.table())
        #expect(try store.lines() == [expected])
    }

    /// The largest that fits, and the next.
    @Test(arguments: [
        ("decimal(4,2)", Int64(9_999), true), ("decimal(4,2)", 10_000, false),
        ("decimal(4,2)", -9_999, true), ("decimal(4,2)", -10_000, false),
    ])
    func `A decimal with more digits than its column is refused`(
        type: String, value: Int64, fits: Bool
    ) throws {
        let store = try TestStore()
        try store.create("x \(type)")
        let file = try Self.file(
            store, .leaf("x", .int64, .decimal(precision: 18, scale: 2)), .int64([value]),
            "in.parquet")
        if fits {
            _ = try TableImport.append([file], to: try store.table())
        } else {
            #expect(throws: TableStoreError.self) {
                _ = try TableImport.append([file], to: try store.table())
            }
        }
    }

    @Test func `A decimal of more than 64 bits does not become another number`() throws {
        let store = try TestStore()
        try store.create("x decimal(18,0)")
        var million: Int128 = 1
        for _ in 0..<30 { million *= 10 }
        let file = try Self.file(
            store, .decimal("x", precision: 38, scale: 0),
            Column(count: 1, values: .int128([million])), "in.parquet")
        #expect(throws: TableStoreError.self) {
            _ = try TableImport.append([file], to: try store.table())
        }
    }

    @Test func `Milliseconds beyond 64 bits of microseconds are refused, not clamped`() throws {
        let store = try TestStore()
        try store.create("x timestamp")
        let element = SchemaElement.leaf("x", .int64, .timestamp(.milliseconds, isUTC: true))
        let file = try Self.file(store, element, .int64([Int64.max / 1000 + 1]), "in.parquet")
        #expect(throws: TableStoreError.self) {
            _ = try TableImport.append([file], to: try store.table())
        }
    }

    @Test(
        arguments: [
            ([[0x4d, 0xfc], [0x6f]], false), ([[0x4d, 0xc3, 0xbc], [0x6f]], true),
            // Together they are a character, and neither is one.
            ([[0x6f, 0xc3], [0xbc]], false), ([[], []], true),
        ] as [([[UInt8]], Bool)])
    func `Bytes that are no UTF-8 do not become text`(values: [[UInt8]], isText: Bool) throws {
        let store = try TestStore()
        try store.create("x string")
        let file = try Self.file(store, .leaf("x", .byteArray), .bytes(values), "in.parquet")
        if isText {
            _ = try TableImport.append([file], to: try store.table())
            #expect(try store.table().rowDigest().rows == 2)
        } else {
            let error = #expect(throws: TableStoreError.self) {
                _ = try TableImport.append([file], to: try store.table())
            }
            #expect(error?.detail.contains("UTF-8") == true)
        }
    }

    @Test func `A data file of another meaning is refused when the table is read`() throws {
        let store = try TestStore()
        try store.create("x long")
        let element = SchemaElement.leaf("x", .int64, .decimal(precision: 10, scale: 2))
        let file = try Self.file(store, element, .int64([150]), "table/a.parquet")
        let size = Int64(try FileStatus.of(file).size)
        let log = CommitLog(try TableDirectory(store.path))
        let add = AddFile(path: "a.parquet", size: size, modificationTime: 0)
        _ = try log.commit(TableChange("WRITE", [.add(add)]), to: try log.snapshot())
        let error = #expect(throws: TableStoreError.self) { _ = try store.lines() }
        #expect(error?.detail.contains("DECIMAL(10,2)") == true)
    }
}
