import Bytes
import Parquet
import Platform
import TableLog
import TestSupport

/// A table in a directory of its own, with columns `id` and `name`.
struct TestTable: Sendable {
    let temporary: TemporaryDirectory
    let log: CommitLog

    static let schema = TableSchema([
        TableField("id", .long, isNullable: false), TableField("name", .string),
    ])

    var path: String { temporary.text }

    /// A directory without a table.
    init() throws {
        temporary = try TemporaryDirectory()
        log = CommitLog(try TableDirectory(temporary.path))
    }

    static func created() throws -> TestTable {
        let table = try TestTable()
        try table.log.create(
            ProtocolAction(readerVersion: 1, writerVersion: 2),
            TableMetadata(
                id: "5fba94ed-9794-4965-ba6e-6ee3c0d22af9", schemaText: schema.text))
        return table
    }

    /// The table while its directory is there.
    func snapshot() throws -> TableSnapshot { try log.snapshot() }

    /// Writes a data file with rows of these ids, and returns the action that adds it.
    func file(_ name: String, _ ids: [Int64]) throws -> AddFile {
        let schema = try Schema(writing: Self.schema.fields.compactMap(\.element))
        var writer = try ParquetWriter(MemoryFile(), schema)
        try writer.write(
            RecordBatch(
                rowCount: ids.count,
                columns: [.int64(ids), .strings(ids.map { "row \($0)" })]))
        _ = try writer.finish()
        try temporary.write(writer.sink.bytes, name)
        return AddFile(
            path: DataPath.encode(ExactText(name)), size: Int64(writer.sink.bytes.count),
            modificationTime: 1_700_000_000_000,
            statistics: "{\"numRecords\":\(ids.count)}")
    }

    /// Appends rows as a new version.
    @discardableResult
    func append(_ ids: [Int64]) throws -> Int64 {
        let base = try log.snapshot()
        let name = "seg-\(base.version + 1)-\(Hex.encode(HostSystem.randomBytes(4))).parquet"
        return try log.commit(TableChange("WRITE", [.add(try file(name, ids))]), to: base)
    }

    /// The ids of all rows, sorted.
    func ids(_ version: Int64? = nil) throws -> [Int64] {
        var ids: [Int64] = []
        for add in try log.snapshot(version: version).files.values {
            let file = try log.open(add)
            for group in file.footer.rowGroups.indices {
                let batch = try file.read(rowGroup: group)
                if case .int64(let values) = batch.columns[0].values { ids += values }
            }
        }
        return ids.sorted()
    }

    func logPath(_ name: String) -> [UInt8] { temporary.path("_delta_log/" + name) }

    func removeLog(_ name: String) throws { try FileOperations.remove(logPath(name)) }

    func writeLog(_ name: String, _ text: String) throws {
        try temporary.write(Array(text.utf8), "_delta_log/" + name)
    }

    static func name(_ version: Int64, _ suffix: String = ".json") -> String {
        let digits = String(version)
        return String(repeating: "0", count: 20 - digits.count) + digits + suffix
    }
}
