import Capturing
@testable import Snapshots
import Bytes
import Platform
import TableLog
import Testing
import TestSupport

/// Tables in the source of a vault, with segments that only look like Parquet files.
struct CapturedStore {
    let vault: Vault

    init() throws { vault = try Vault() }

    static let schema = TableSchema([TableField("id", .long)])

    /// A table at `name` below the source, with its log.
    struct Table {
        let vault: Vault
        let name: String
        let log: CommitLog

        var path: String { "source/" + name }

        func file(_ name: String) -> [UInt8] { vault.directory.path(path + "/" + name) }

        func commit(_ actions: [LogAction], _ operation: ExactText = "WRITE") throws {
            _ = try log.commit(TableChange(operation, actions), to: try log.snapshot())
        }

        /// What a segment holds.
        func content(_ name: String, rows: Int = 1) -> [UInt8] {
            Array("PAR1 \(self.name)/\(name) \(rows) PAR1".utf8)
        }

        /// Writes a segment that no log tells of.
        @discardableResult
        func segment(_ name: String, rows: Int = 1) throws -> AddFile {
            let bytes = content(name, rows: rows)
            try vault.directory.write(bytes, path + "/" + name)
            return AddFile(
                path: DataPath.encode(ExactText(name)), size: Int64(bytes.count),
                modificationTime: 1_700_000_000_000,
                statistics: "{\"numRecords\":\(rows)}")
        }

        /// Adds segments as one version.
        func append(_ names: String..., rows: Int = 1) throws {
            try commit(try names.map { .add(try segment($0, rows: rows)) })
        }

        func remove(_ names: String...) throws {
            let files = try log.snapshot().files.values
            let now = Timestamp.now().milliseconds
            let wanted = Set(names.map { DataPath.encode(ExactText($0)) })
            try commit(
                files.filter { wanted.contains($0.path) }.map { .remove($0.removed(at: now)) },
                "DELETE")
        }

        /// Takes a file away, as a vacuum does.
        func lose(_ name: String) throws { try FileOperations.remove(file(name)) }

        func log(_ version: Int64, _ suffix: String = ".json") -> String {
            "_delta_log/" + LogListing.name(version, suffix)
        }
    }

    func table(
        _ name: String, partitionColumns: [ExactText] = [],
        protocolVersion: ProtocolAction = ProtocolAction(readerVersion: 1, writerVersion: 2)
    ) throws -> Table {
        try vault.directory.makeDirectories(Array("source/\(name)".utf8))
        let log = CommitLog(try TableDirectory(vault.directory.path("source/" + name)))
        let id = "5fba94ed-9794-4965-ba6e-\(Hex.encode(HostSystem.randomBytes(6)))"
        try log.create(
            protocolVersion,
            TableMetadata(
                id: ExactText(id), schemaText: Self.schema.text, partitionColumns: partitionColumns)
        )
        return Table(vault: vault, name: name, log: log)
    }

    /// Paths of the snapshot below a table.
    func paths(_ table: Table, _ record: SnapshotRecord) throws -> Set<String> {
        let prefix = table.name + "/"
        return Set(
            try vault.entries(record.root).map { String(decoding: $0.path, as: UTF8.self) }
                .filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) })
    }

    /// Expects the files of a snapshot below a table to hold what those of the source hold.
    func expectContents(
        _ table: Table, _ record: SnapshotRecord, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try vault.restore(record, to: "contents")
        defer { try? TemporaryDirectory.remove(vault.directory.path("contents")) }
        let top = vault.directory.path("contents/" + table.name)
        let files = try Fixtures.files(below: top)
        #expect(!files.isEmpty, sourceLocation: sourceLocation)
        for file in files {
            let name = String(decoding: file.dropFirst(top.count + 1), as: UTF8.self)
            let isSame = try Fixtures.read(file) == Fixtures.read(table.file(name))
            #expect(isSame, "\(name)", sourceLocation: sourceLocation)
        }
    }

    /// Captures, and counts as if it had begun later, so that nothing is too young to be trusted.
    func captureSettled() throws -> SnapshotRecord {
        try vault.settle(try vault.capture().record)
    }
}
