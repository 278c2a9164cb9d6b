import Bytes
import Parquet
import Platform
import Testing
import TestSupport

@testable import TableLog
@testable import TableStore

/// What upkeep must never lose.
struct UpkeepSafetyTests {
    private static func store() throws -> TestStore {
        let store = try TestStore()
        try store.create("ID long, name string")
        try store.append("ID,name\n1,a\n2,b\n")
        try store.append("ID,name\n3,c\n")
        return store
    }

    private static func change(
        _ store: TestStore, _ body: (inout TableMetadata) -> Void
    ) throws {
        let base = try store.table().snapshot
        var metadata = base.metadata
        body(&metadata)
        _ = try store.table().log.commit(TableChange("SET", [.metadata(metadata)]), to: base)
    }

    private static func refusal(_ body: () throws -> Void) -> TableStoreError.Kind? {
        do {
            try body()
            return nil
        } catch {
            return (error as? TableStoreError)?.kind
        }
    }

    // MARK: Columns in another case

    @Test func `Compaction and deletion find columns whose names differ in case`() throws {
        let store = try Self.store()
        try Self.change(store) {
            $0.schemaText = ExactText(
                $0.schemaText.string.replacing("\"ID\"", with: "\"id\""))
        }
        #expect(try store.lines() == ["1,a", "2,b", "3,c"])
        let nothing = try store.table().delete(where: try Filter(parsing: "id IS NULL"))
        #expect(nothing.deletedRows == 0 && nothing.commit == nil)
        let report = try store.table().delete(where: try Filter(parsing: "id = 1"))
        #expect(report.deletedRows == 1)
        #expect(try store.lines().sorted() == ["2,b", "3,c"])
        #expect(try store.table().compact().commit?.removedFiles == 2)
        #expect(try store.lines().sorted() == ["2,b", "3,c"])
    }

    // MARK: Paths

    @Test func `A table can be read that is partitioned by a column with a colon`() throws {
        let store = try TestStore()
        var design = TableDesign(
            TableSchema([TableField("k:v", .string), TableField("a", .long)]))
        design.partitionBy = ["k:v"]
        _ = try StoredTable.create(store.path, design)
        try store.append("k:v,a\nx,1\n")
        #expect(try store.lines() == ["x,1"])
    }

    // MARK: Going back

    @Test func `A table does not go back to a version whose deletion vector is gone`() throws {
        let store = try Self.store()
        let whole = try #require(try store.table().files.first)
        var cut = whole
        cut.deletionVector = DeletionVectorReference(
            storage: "u", place: "00000000000000000000", offset: 1, size: 40, cardinality: 1)
        for (old, new) in [(whole, cut), (cut, whole)] {
            _ = try store.table().log.commit(
                TableChange("DELETE", [.remove(old.removed(at: 1)), .add(new)]),
                to: try store.table().snapshot)
        }
        #expect(
            Self.refusal { _ = try store.table().restore(to: .number(3)) } == .noSuchVersion)
        #expect(try store.lines().count == 3)
    }

    // MARK: Sweeping

    @Test func `A retention that is not understood is not taken for a week`() throws {
        let store = try Self.store()
        Self.makeOld(store)
        try Self.change(store) { $0.configuration[TableSnapshot.removedFileSetting] = "P90D" }
        _ = try store.table().compact()
        #expect(Self.refusal { _ = try store.table().vacuum(VacuumOptions()) } == .refused)
        #expect(try store.dataFiles().count == 3)
        try Self.change(store) {
            $0.configuration[TableSnapshot.removedFileSetting] = "interval 1 week 2 days"
        }
        let report = try store.table().vacuum(VacuumOptions())
        #expect(report.retention == .seconds(9 * 86_400) && report.files.isEmpty)
    }

    /// Checkpoints forget removals after the retention that the table is set to.
    @Test(arguments: [true, false])
    func `A longer retention holds for what checkpoints forgot`(hasCommits: Bool) throws {
        let store = try Self.store()
        try Self.change(store) {
            $0.configuration[TableSnapshot.removedFileSetting] = "interval 0 seconds"
        }
        _ = try store.table().compact()
        HostSystem.sleep(.milliseconds(20))
        try store.table().log.writeCheckpoint(try store.table().snapshot)
        #expect(try store.table().snapshot.tombstones.isEmpty)
        Self.makeOld(store)
        if !hasCommits {
            for version in 0..<5 {
                try FileOperations.remove(
                    store.temporary.path("table/_delta_log/0000000000000000000\(version).json"))
            }
        }
        var options = VacuumOptions()
        options.retention = .seconds(86_400)
        let report = try store.table().vacuum(options)
        #expect(report.files == [] && report.waitingFiles == 2)
        options.retention = .zero
        #expect(try store.table().vacuum(options).files.count == 2)
        #expect(try store.lines().count == 3)
    }

    private static func makeOld(_ store: TestStore) {
        let old = Timestamp(seconds: Timestamp.now().seconds - 60 * 86_400, nanoseconds: 0)
        for file in (try? store.dataFiles()) ?? [] {
            try? FileOperations.setModificationTime(
                Array(file.utf8), old, at: Descriptor.workingDirectory)
        }
    }

    // MARK: Sorting

    @Test func `A deletion claims no order that the rows were not written in`() throws {
        let store = try Self.store()
        try store.append("ID,name\n9,z\n7,y\n8,x\n")
        try Self.change(store) { $0.configuration[StoredTable.sortSetting] = "ID" }
        _ = try store.table().delete(where: try Filter(parsing: "ID = 8"))
        let files = try store.table().files
        for file in files {
            let footer = try store.table().log.open(file).footer
            #expect(footer.rowGroups.allSatisfy { $0.sorting == nil })
        }
        _ = try store.table().compact()
        let compacted = try store.table().log.open(try store.table().files[0]).footer
        #expect(compacted.rowGroups.map { $0.sorting?.count } == [1])
    }

    @Test(arguments: ["name", "id"] as [ExactText])
    func `Rows come to a table with mapped columns under their physical names`(
        mode: ExactText
    ) throws {
        let store = try TestStore()
        try store.create("a long, b string")
        try Self.change(store) { metadata in
            metadata.configuration["delta.columnMapping.mode"] = mode
            let fields = [("a", "long", 1), ("b", "string", 2)].map { name, type, id in
                #"{"name":"\#(name)","type":"\#(type)","nullable":true,"metadata":"#
                    + #"{"delta.columnMapping.id":\#(id),"#
                    + #""delta.columnMapping.physicalName":"col-\#(id)"}}"#
            }
            metadata.schemaText = ExactText(
                #"{"type":"struct","fields":["# + fields.joined(separator: ",") + "]}")
        }
        try store.append("a,b\n1,x\n2,y\n")
        #expect(try store.lines(where: "b = 'y'") == ["2,y"])
        let add = try #require(try store.table().files.first)
        let file = try CommitLog(try TableDirectory(store.path)).open(add)
        #expect(file.schema.fields.map(\.name) == ["col-1", "col-2"])
        #expect(file.schema.fields.map(\.fieldID) == [1, 2])
        #expect(add.statistics?.string.contains("\"col-1\":1") == true)
    }
}
