import Capturing
@testable import Restoring
@testable import Snapshots
import Bytes
import Hashing
import Platform
import Repository
import TableLog
import Testing
import TestSupport

/// A table comes back in its place without a moment in which a reader finds half of it.
struct TableRestoreTests {
    private static func restore(
        _ store: CapturedStore, _ name: String, _ record: SnapshotRecord,
        _ options: TableRestoreOptions = .init(), to target: String? = nil
    ) throws -> TableRestoreResult {
        let repository = try store.vault.repository()
        let table = try TableRestore.find(
            Array(name.utf8), record, NodeSource(repository))
        return try TableRestore.inPlace(
            table, of: record, from: repository,
            to: store.vault.directory.path(target ?? "source/" + name), options, WorkProgress())
    }

    /// Live files of a table, all of which are there with what was written to them.
    private static func live(_ table: CapturedStore.Table) throws -> Set<String> {
        let snapshot = try table.log.snapshot()
        for file in snapshot.files.values {
            let path = try DataPath.decode(file.path)
            let bytes = try table.vault.directory.read("\(table.path)/\(path)")
            #expect(bytes.count == Int(file.size))
            // A segment says of itself which it is, and of how many rows.
            let rows = file.statistics?.string.filter(\.isNumber) ?? "1"
            #expect(bytes == table.content(path.string, rows: Int(rows) ?? 1), "\(path.string)")
        }
        return Set(snapshot.files.values.map(\.path.string))
    }

    @Test func `A bad night is undone by one commit, and the undoing too`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet", "b.parquet", rows: 10)
        let record = try store.vault.capture().record
        try table.remove("a.parquet")
        try table.append("bad.parquet", rows: 3)
        try table.lose("a.parquet")
        let later = try store.vault.capture().record
        let kept = try FileStatus.of(table.file("b.parquet"))
        let result = try Self.restore(store, "orders", record)
        #expect(result.before == 3)
        #expect(result.committed == 4)
        #expect(result.fetched.map(\.path) == ["a.parquet"])
        #expect(result.filesKept == 1)
        #expect(result.rowsAdded == 10)
        #expect(result.rowsRemoved == 3)
        #expect(try Self.live(table) == ["a.parquet", "b.parquet"])
        #expect(try FileStatus.of(table.file("b.parquet")) == kept)
        let again = try Self.restore(store, "orders", later)
        #expect(again.committed == 5)
        #expect(try Self.live(table) == ["b.parquet", "bad.parquet"])
    }

    @Test func `A hollow table is made whole at the same version`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet", "day=1/b.parquet", "day=1/c.parquet")
        let record = try store.vault.capture().record
        try table.lose("a.parquet")
        try table.lose("day=1/b.parquet")
        try table.lose("day=1/c.parquet")
        try FileOperations.remove(table.file("day=1"), isDirectory: true)
        let result = try Self.restore(store, "orders", record)
        #expect(result.committed == nil)
        #expect(result.fetched.count == 3)
        #expect(try table.log.snapshot().version == 1)
        #expect(try Self.live(table).count == 3)
        let names = try Descriptor.open(table.file("day=1"), [.readOnly, .directory])
            .names([]).sorted { $0.lexicographicallyPrecedes($1) }
        #expect(names == ["b.parquet", "c.parquet"].map { Array($0.utf8) })
    }

    @Test func `A dry run tells what it would fetch and changes nothing`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet")
        let record = try store.vault.capture().record
        try table.remove("a.parquet")
        try table.lose("a.parquet")
        let before = try store.vault.listing("source")
        var options = TableRestoreOptions()
        options.isDryRun = true
        let result = try Self.restore(store, "orders", record, options)
        #expect(result.fetched.map(\.path) == ["a.parquet"])
        #expect(result.added == 1)
        #expect(result.committed == nil)
        #expect(try store.vault.listing("source") == before)
    }

    @Test(arguments: [false, true])
    func `A file of the right size and wrong content is found by verifying`(
        verifies: Bool
    ) throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet")
        let record = try store.vault.capture().record
        let right = try store.vault.directory.read(table.path + "/a.parquet")
        try store.vault.directory.write(right.flipped(5), table.path + "/a.parquet")
        let open = try Descriptor.open(table.file("a.parquet"), [.readOnly])
        var options = TableRestoreOptions()
        options.verifies = verifies
        let result = try Self.restore(store, "orders", record, options)
        #expect(result.fetched.count == (verifies ? 1 : 0))
        let found = try store.vault.directory.read(table.path + "/a.parquet")
        #expect((found == right) == verifies)
        // Who had it open goes on reading what it was.
        #expect(try open.read(right.count, at: 0, []) == right.flipped(5))
    }

    @Test func `A partition is restored and the others keep what they have`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders", partitionColumns: ["day"])
        func file(_ day: String, _ name: String) throws -> LogAction {
            var file = try table.segment("day=\(day)/\(name)")
            file.partitionValues = ["day": ExactText(day)]
            return .add(file)
        }
        try table.commit([try file("1", "a.parquet"), try file("2", "b.parquet")])
        let record = try store.vault.capture().record
        try table.remove("day=1/a.parquet", "day=2/b.parquet")
        try table.commit([try file("1", "x.parquet"), try file("2", "y.parquet")])
        var options = TableRestoreOptions()
        options.partition = ["day": "1"]
        let result = try Self.restore(store, "orders", record, options)
        #expect(result.added == 1)
        #expect(try Self.live(table) == ["day=1/a.parquet", "day=2/y.parquet"])
        options.partition = ["hour": "1"]
        #expect(throws: TableRestoreError.self) {
            try Self.restore(store, "orders", record, options)
        }
    }

    @Test func `A version in the history of a snapshot is restored`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet")
        try table.append("b.parquet")
        try table.remove("a.parquet")
        let record = try store.vault.capture().record
        try table.lose("a.parquet")
        var options = TableRestoreOptions()
        options.at = .version(2)
        #expect(try Self.restore(store, "orders", record, options).committed == 4)
        #expect(try Self.live(table) == ["a.parquet", "b.parquet"])
        options.at = .version(9)
        #expect(throws: TableRestoreError.self) {
            try Self.restore(store, "orders", record, options)
        }
    }

    @Test func `A log that lost its last versions gets them back before anything else`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet")
        try table.append("b.parquet")
        let record = try store.vault.capture().record
        let before = try store.vault.directory.read(table.path + "/" + table.log(2))
        try table.lose(table.log(2))
        let result = try Self.restore(store, "orders", record)
        #expect(result.logVersions == [2])
        #expect(result.committed == nil)
        #expect(try store.vault.directory.read(table.path + "/" + table.log(2)) == before)
        #expect(try table.log.snapshot().version == 2)
    }

    @Test func `A table that is gone comes back with its history`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet")
        try table.remove("a.parquet")
        try table.append("b.parquet")
        let record = try store.vault.capture().record
        try TemporaryDirectory.remove(store.vault.directory.path(table.path))
        let result = try Self.restore(store, "orders", record)
        #expect(result.before == nil)
        #expect(result.logVersions == [0, 1, 2, 3])
        let again = CommitLog(
            try TableDirectory(store.vault.directory.path(table.path)))
        #expect(try again.snapshot().version == 3)
        #expect(try again.snapshot(version: 1).files.count == 1)
        for name in ["a.parquet", "b.parquet"] { _ = try FileStatus.of(table.file(name)) }
    }

    @Test func `Another table or another history is refused and left alone`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet")
        let record = try store.vault.capture().record
        let other = try store.table("other")
        try other.append("x.parquet")
        let before = try store.vault.listing("source")
        #expect(throws: TableRestoreError.self) {
            try Self.restore(store, "orders", record, to: "source/other")
        }
        #expect(try store.vault.listing("source") == before)
        let text = try store.vault.directory.read(table.path + "/" + table.log(1))
        try store.vault.directory.write(text + [0x0a], table.path + "/" + table.log(1))
        #expect(throws: TableRestoreError.self) { try Self.restore(store, "orders", record) }
    }

    @Test func `A table is found by its path and by a name that only one has`() throws {
        let store = try CapturedStore()
        for name in ["a/orders", "b/orders", "b/items"] {
            try store.table(name).append("x.parquet")
        }
        let record = try store.vault.capture().record
        let nodes = NodeSource(try store.vault.repository())
        func find(_ name: String) -> String? {
            let table = try? TableRestore.find(Array(name.utf8), record, nodes)
            return table.map { String(decoding: $0.path, as: UTF8.self) }
        }
        #expect(find("a/orders") == "a/orders")
        #expect(find("items") == "b/items")
        #expect(find("orders") == nil)
        #expect(find("none") == nil)
    }

    /// What is read of the packs follows from what is missing.
    @Test func `With one file in a hundred missing about that share is read`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        var random = SplitMix64(seed: 42)
        var actions: [LogAction] = []
        for number in 0..<200 {
            let name = "seg-\(number).parquet"
            let bytes = Array("PAR1".utf8) + random.bytes(40_000) + Array("PAR1".utf8)
            try store.vault.directory.write(bytes, table.path + "/" + name)
            actions.append(
                .add(AddFile(path: ExactText(name), size: Int64(bytes.count), modificationTime: 0)))
        }
        try table.commit(actions)
        let record = try store.vault.capture().record
        try table.lose("seg-7.parquet")
        try table.lose("seg-77.parquet")
        let before = store.vault.storage.bytesRead
        let result = try Self.restore(store, "orders", record)
        #expect(result.fetched.count == 2)
        let read = store.vault.storage.bytesRead - before
        #expect(read < 200 * 40_000 * 3 / 100, "\(read) bytes were read")
    }

    @Test func `A new directory gets one version and the history before it`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet")
        try table.append("b.parquet")
        try table.append("c.parquet")
        let record = try store.vault.capture().record
        var options = TableRestoreOptions()
        options.at = .version(2)
        let repository = try store.vault.repository()
        let captured = try TableRestore.find(
            Array("orders".utf8), record, NodeSource(repository))
        _ = try TableRestore.version(
            captured, of: record, from: repository, to: store.vault.directory.path("target"),
            options, WorkProgress())
        let log = CommitLog(try TableDirectory(store.vault.directory.path("target")))
        #expect(try log.snapshot().version == 2)
        #expect(try log.snapshot().files.count == 2)
        let source = try FileStatus.of(table.file(table.log(1)))
        let target = try FileStatus.of(store.vault.directory.path("target/" + table.log(1)))
        #expect(source.mtime == target.mtime)
        let names = try Descriptor.open(
            store.vault.directory.path("target"), [.readOnly, .directory]
        ).names([])
        #expect(names.count == 3)
    }
}
