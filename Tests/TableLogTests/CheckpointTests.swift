import Bytes
import Parquet
import Platform
import TableLog
import Testing
import TestSupport

/// Checkpoints say what the commits before them said.
struct CheckpointTests {
    /// A table with everything that a checkpoint keeps.
    private static func busyTable() throws -> TestTable {
        let table = try TestTable.created()
        for id in Int64(1)...6 { try table.append([id]) }
        let base = try table.log.snapshot()
        let victim = try #require(base.files.values.first)
        let now = Timestamp.now().seconds * 1000
        var add = try table.file("odd name %.parquet", [77])
        add.tags = ["k": "v", "n": nil]
        add.partitionValues = ["p": "x y", "q": nil]
        var metadata = base.metadata
        metadata.name = "busy"
        metadata.createdTime = 12
        metadata.configuration["delta.logRetentionDuration"] = "interval 0 seconds"
        let actions: [LogAction] = [
            .remove(victim.removed(at: now)), .add(add), .metadata(metadata),
            .transaction(TransactionAction(application: "loader", version: 9, lastUpdated: 3)),
        ]
        _ = try table.log.commit(TableChange("WRITE", actions, reads: .everything), to: base)
        return table
    }

    /// What does not come from the commit, or is left out of checkpoints.
    private static func comparable(_ table: TableSnapshot) -> [String] {
        table.files.values.map {
            let texts = [$0.partitionValues, $0.tags ?? [:]].map { map in
                map.map { "\($0.key)=\($0.value ?? "null")" }.sorted()
            }
            return "\($0.path) \($0.size) \(texts)"
        }
        .sorted() + table.tombstones.keys.map(\.path.string).sorted()
            + ["\(table.metadata)", "\(table.protocolVersion)", "\(table.transactions)"]
    }

    @Test func `A checkpoint stands for all commits before it`() throws {
        let table = try Self.busyTable()
        let before = try table.log.snapshot()
        try table.log.writeCheckpoint(before)
        for version in Int64(0)..<before.version { try table.removeLog(TestTable.name(version)) }
        let after = try table.log.snapshot()
        #expect(Self.comparable(after) == Self.comparable(before))
        #expect(try table.append([8]) == before.version + 1)
        #expect(try table.ids().contains(8))
    }

    @Test func `A damaged checkpoint is passed over while the commits are there`() throws {
        let table = try Self.busyTable()
        let before = try table.log.snapshot()
        try table.log.writeCheckpoint(before)
        try table.writeLog(TestTable.name(before.version, ".checkpoint.parquet"), "PAR1 no more")
        #expect(try table.log.snapshot().files == before.files)
        for version in Int64(0)..<before.version { try table.removeLog(TestTable.name(version)) }
        let error = #expect(throws: TableLogError.self) { _ = try table.log.snapshot() }
        #expect(error?.kind == .damaged || error?.kind == .noSuchVersion)
    }

    @Test func `No commit is removed that only a damaged checkpoint stands for`() throws {
        let table = try Self.busyTable()
        let before = try table.log.snapshot()
        try table.log.writeCheckpoint(before)
        try table.writeLog(TestTable.name(before.version, ".checkpoint.parquet"), "PAR1 no more")
        HostSystem.sleep(.milliseconds(20))
        #expect(throws: TableLogError.self) {
            _ = try table.log.maintain(before.version, every: 1)
        }
        #expect(try table.log.snapshot(version: 1).version == 1)
        #expect(try table.log.snapshot().files == before.files)
    }

    @Test func `A checkpoint that lacks a part is none`() throws {
        let table = try TestTable.created()
        try table.append([1])
        let name = TestTable.name(1, ".checkpoint.0000000001.0000000002.parquet")
        try table.writeLog(name, "never read")
        #expect(try table.ids() == [1])
    }

    @Test(arguments: [false, true])
    func `A checkpoint with sidecars is read, and not without them`(isMissing: Bool) throws {
        let table = try Self.busyTable()
        let before = try table.log.snapshot()
        try table.log.writeCheckpoint(before)
        let classic = table.logPath(TestTable.name(before.version, ".checkpoint.parquet"))
        let bytes = try Fixtures.read(classic)
        try FileOperations.remove(classic)
        for version in Int64(0)..<before.version { try table.removeLog(TestTable.name(version)) }
        if !isMissing { try table.temporary.write(bytes, "_delta_log/_sidecars/some.parquet") }
        try table.writeLog(
            TestTable.name(before.version, ".checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json"),
            """
            {"checkpointMetadata":{"version":\(before.version)}}
            {"sidecar":{"path":"some.parquet","sizeInBytes":1,"modificationTime":1}}

            """)
        guard !isMissing else {
            let error = #expect(throws: TableLogError.self) { _ = try table.log.snapshot() }
            return #expect(error?.kind == .damaged)
        }
        #expect(try Self.comparable(table.log.snapshot()) == Self.comparable(before))
    }

    @Test func `A sidecar is not looked for outside of its directory`() throws {
        let table = try TestTable.created()
        try table.append([1])
        try table.removeLog(TestTable.name(0))
        try table.writeLog(
            TestTable.name(1, ".checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json"),
            "{\"sidecar\":{\"path\":\"../../../x.parquet\"}}")
        let error = #expect(throws: TableLogError.self) { _ = try table.log.snapshot() }
        #expect(error?.kind == .unsupported)
    }

    @Test func `The hint of the last checkpoint may say anything`() throws {
        let table = try Self.busyTable()
        let before = try table.log.snapshot()
        for text in ["", "{", "{\"version\":999999}", "{\"version\":-1}", "null"] {
            try table.writeLog("_last_checkpoint", text)
            #expect(try table.log.snapshot() == before)
        }
    }

    @Test func `Upkeep writes a checkpoint after ten versions and removes what is older`() throws {
        let table = try Self.busyTable()
        for id in Int64(100)...115 {
            let version = try table.append([id])
            _ = try table.log.maintain(version)
        }
        let history = try table.log.history().map(\.version)
        // The times of the files are those of the test, so only what is older than 0 s goes.
        #expect(history.contains(20) && history.first == 23)
        #expect(try table.ids().count == 22)
        #expect(try table.ids(20).count == 19)
    }

    @Test func `A checksum tells whether a version is read as it was written`() throws {
        let table = try Self.busyTable()
        let snapshot = try table.log.snapshot()
        #expect(try table.log.matchesChecksum(snapshot) == nil)
        try table.log.writeChecksum(snapshot)
        #expect(try table.log.matchesChecksum(snapshot) == true)
        let name = TestTable.name(snapshot.version, ".crc")
        try table.writeLog(name, "{\"tableSizeBytes\":1,\"numFiles\":1}")
        #expect(try table.log.matchesChecksum(snapshot) == false)
    }

    /// PROTOCOL.md allows it, and delta-kernel-rs writes it.
    @Test func `Sidecars of a checkpoint under a classic name belong to the table`() throws {
        let table = try Self.busyTable()
        let before = try table.log.snapshot()
        try table.log.writeCheckpoint(before)
        let classic = TestTable.name(before.version, ".checkpoint.parquet")
        let bytes = try Fixtures.read(table.logPath(classic))
        try table.temporary.write(bytes, "_delta_log/_sidecars/some.parquet")
        var writer = try ParquetWriter(
            MemoryFile(),
            try Schema(writing: [
                .group("sidecar", 2), .leaf("path", .byteArray, .string),
                .leaf("sizeInBytes", .int64),
            ]))
        let sidecars: [Column] = [.strings(["some.parquet"]), .int64([1])]
        try writer.write(
            RecordBatch(rowCount: 1, columns: [Column(count: 1, values: .structure(sidecars))]))
        _ = try writer.finish()
        try table.temporary.write(writer.sink.bytes, "_delta_log/" + classic)
        for version in Int64(0)..<before.version { try table.removeLog(TestTable.name(version)) }
        #expect(try Self.comparable(table.log.snapshot()) == Self.comparable(before))
        let contents = try table.log.reader.contents(version: before.version)
        #expect(contents.sidecars == ["some.parquet"])
    }
}
