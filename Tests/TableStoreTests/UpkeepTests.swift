import Bytes
import Parquet
import Platform
import TableLog
import TableStore
import Testing
import TestSupport

struct UpkeepTests {
    private static func rows(_ range: Range<Int>) -> String {
        "id,name\n" + range.map { "\($0),name \($0)" }.joined(separator: "\n") + "\n"
    }

    private static func store(_ ranges: [Range<Int>]) throws -> TestStore {
        let store = try TestStore()
        try store.create("id long, name string")
        for range in ranges { try store.append(rows(range)) }
        return store
    }

    private static func ids(_ store: TestStore) throws -> [Int] {
        var request = ScanRequest()
        request.columns = ["id"]
        return try store.lines(request).compactMap { Int($0) }
    }

    // MARK: Deleting

    @Test func `Rows that match go, and the others stay in their order`() throws {
        let store = try Self.store([0..<100, 100..<200, 200..<300])
        let report = try store.table().delete(where: try Filter(parsing: "id >= 90 AND id < 110"))
        #expect(report.deletedRows == 20 && report.rewrittenFiles == 2)
        #expect(try Self.ids(store).sorted() == Array(0..<90) + Array(110..<300))
        #expect(try store.table().verify().damages.isEmpty)
        #expect(try store.lines(ScanRequest(), .number(3)).count == 300)
    }

    @Test func `Nothing is committed when no row matches`() throws {
        let store = try Self.store([0..<10])
        let report = try store.table().delete(where: try Filter(parsing: "id > 10"))
        #expect(report.deletedRows == 0 && report.commit == nil)
        #expect(try store.table().snapshot.version == 1)
    }

    @Test func `Row groups without deleted rows are copied byte for byte`() throws {
        let store = try Self.store([0..<600_000])
        let before = try store.table().files[0]
        let groups = try store.table().log.open(before).footer.rowGroups.count
        #expect(groups > 2)
        let report = try store.table().delete(where: try Filter(parsing: "id = 7"))
        #expect(report.deletedRows == 1 && report.splicedGroups == groups - 1)
        #expect(try Self.ids(store).count == 599_999)
        #expect(try store.table().verify().damages.isEmpty)
    }

    @Test func `Whole partitions go without being read`() throws {
        let store = try TestStore()
        try store.create("id long, p string", partitionBy: ["p"])
        try store.append("id,p\n1,a\n2,b\n3,\n4,a\n")
        let report = try store.table().delete(where: try Filter(parsing: "p = 'a' or p is null"))
        #expect(report.deletedRows == 3 && report.rewrittenFiles == 0)
        #expect(try store.lines() == ["2,b"])
    }

    @Test func `Of two deletions from the same file the second fails and changes nothing`() throws {
        let store = try Self.store([0..<100])
        let (first, second) = (try store.table(), try store.table())
        _ = try first.delete(where: try Filter(parsing: "id = 1"))
        do {
            _ = try second.delete(where: try Filter(parsing: "id = 2"))
            Issue.record("both succeeded")
        } catch let error as TableStoreError {
            #expect(error.kind == .conflict)
        }
        #expect(try Self.ids(store).count == 99)
        #expect(try store.dataFiles().count == 2)
    }

    @Test func `A deletion and appends at the same time both hold`() throws {
        let store = try Self.store([0..<100])
        let before = try store.table()
        try store.append(Self.rows(1000..<1010))
        _ = try before.delete(where: try Filter(parsing: "id >= 50"))
        #expect(try Self.ids(store).sorted() == Array(0..<50) + Array(1000..<1010))
    }

    // MARK: Compacting

    @Test func `Small files become one, with the same rows in the same order`() throws {
        let store = try Self.store((0..<15).map { $0 * 10..<$0 * 10 + 10 })
        let report = try store.table().compact()
        #expect(report.commit?.removedFiles == 15 && report.commit?.addedFiles == 1)
        #expect(try Self.ids(store) == Array(0..<150))
        #expect(try store.table().files.count == 1)
        #expect(try store.table().compact().commit == nil)
        let actions = try store.table().log.actions(of: 16)
        for case .add(let add) in actions { #expect(!add.dataChange) }
        #expect(try store.table().verify().damages.isEmpty)
    }

    @Test func `Large row groups are copied byte for byte`() throws {
        let store = try Self.store([0..<70_000, 70_000..<140_000, 140_000..<210_000])
        let sizes = try store.table().files.map(\.size).reduce(0, +)
        let report = try store.table().compact()
        #expect(report.splicedGroups >= 3 && report.rewrittenRows < 100_000)
        let after = try store.table().files
        #expect(after.count == 1 && after[0].size < sizes)
        #expect(try Self.ids(store) == Array(0..<210_000))
    }

    @Test func `Partitions are compacted by themselves, and only those that are wanted`() throws {
        let store = try TestStore()
        try store.create("id long, p string", partitionBy: ["p"])
        for round in 0..<3 { try store.append("id,p\n\(round),a\n\(round + 10),b\n") }
        var options = CompactionOptions()
        options.filter = try Filter(parsing: "p = 'a'")
        _ = try store.table().compact(options)
        #expect(try store.table().files.count == 4)
        _ = try store.table().compact()
        #expect(try store.table().files.count == 2)
        #expect(try store.lines().sorted() == ["0,a", "1,a", "10,b", "11,b", "12,b", "2,a"])
        options.filter = try Filter(parsing: "id = 1")
        #expect(throws: TableStoreError.self) { try store.table().compact(options) }
    }

    @Test func `A compaction loses against a deletion of the same files`() throws {
        let store = try Self.store([0..<10, 10..<20])
        let before = try store.table()
        _ = try store.table().delete(where: try Filter(parsing: "id = 3"))
        #expect(throws: TableStoreError.self) { try before.compact() }
        #expect(try Self.ids(store).count == 19)
    }

    // MARK: Going back, and sweeping

    @Test func `A table goes back to an older version, and forward again`() throws {
        let store = try Self.store([0..<10, 10..<20])
        _ = try store.table().delete(where: try Filter(parsing: "id < 15"))
        let commit = try store.table().restore(to: .number(2))
        #expect(commit?.version == 4)
        #expect(try Self.ids(store) == Array(0..<20))
        #expect(try store.table().restore(to: .number(4)) == nil)
        _ = try store.table().restore(to: .number(3))
        #expect(try Self.ids(store) == Array(15..<20))
    }

    @Test func `Vacuum keeps what is recent unless it is forced`() throws {
        let store = try Self.store([0..<10, 10..<20])
        _ = try store.table().compact()
        #expect(try store.table().vacuum(VacuumOptions()).files.isEmpty)
        var options = VacuumOptions()
        options.retention = .seconds(0)
        #expect(throws: TableStoreError.self) { try store.table().vacuum(options) }
        options.force = true
        options.dryRun = true
        HostSystem.sleep(.milliseconds(20))
        #expect(try store.table().vacuum(options).files.count == 2)
        #expect(try store.dataFiles().count == 3)
        options.dryRun = false
        #expect(try store.table().vacuum(options).files.count == 2)
        #expect(try store.dataFiles().count == 1)
        #expect(try Self.ids(store) == Array(0..<20))
        do {
            _ = try store.table().restore(to: .number(2))
            Issue.record("files came back from nowhere")
        } catch let error as TableStoreError {
            #expect(error.kind == .noSuchVersion)
        }
        #expect(throws: TableStoreError.self) { try store.lines(ScanRequest(), .number(2)) }
    }

    @Test func `Vacuum sweeps what a killed writer left, and nothing of others`() throws {
        let store = try Self.store([0..<10])
        let week = Timestamp(seconds: Timestamp.now().seconds - 8 * 86_400, nanoseconds: 0)
        for name in [
            "table/seg-lost.parquet", "table/_hidden/x.parquet", "table/.hidden.parquet",
            "table/notes.txt", "table/_delta_log/.00000000000000000009.json.ab.tmp",
        ] {
            let path = try store.temporary.write([1], name)
            try FileOperations.setModificationTime(path, week, at: Descriptor.workingDirectory)
        }
        try store.temporary.write([1], "table/seg-young.parquet")
        let report = try store.table().vacuum(VacuumOptions())
        #expect(
            report.files.map { String(decoding: $0, as: UTF8.self) }
                == ["_delta_log/.00000000000000000009.json.ab.tmp", "seg-lost.parquet"])
        #expect(try Self.ids(store) == Array(0..<10))
    }

    /// Whoever makes a table in a directory that holds others must not lose those.
    @Test func `Vacuum leaves tables alone that lie in the table`() throws {
        let store = try Self.store([0..<10])
        try store.temporary.write([1], "table/inner/seg-theirs.parquet")
        try store.temporary.write([1], "table/inner/_delta_log/00000000000000000000.json")
        try store.temporary.write([1], "table/plain/seg-lost.parquet")
        var options = VacuumOptions()
        (options.retention, options.force) = (.seconds(0), true)
        HostSystem.sleep(.milliseconds(20))
        let report = try store.table().vacuum(options)
        #expect(
            report.files.map { String(decoding: $0, as: UTF8.self) } == ["plain/seg-lost.parquet"])
    }

    @Test func `No table is made among files of somebody else`() throws {
        let store = try TestStore()
        try store.temporary.write([1], "table/photo.jpg")
        do {
            try store.create("a long")
            Issue.record("a table was made")
        } catch let error as TableStoreError {
            #expect(error.kind == .alreadyExists)
            #expect(error.detail == "there is no table, but photo.jpg and perhaps more")
        }
        // What a killed import left is no reason to refuse.
        let other = try TestStore()
        try other.temporary.write([1], "table/seg-lost.parquet")
        try other.temporary.write([1], "table/day=2026-11-20/seg-lost.parquet")
        try other.create("a long")
    }

    // MARK: Verifying

    @Test func `A flipped byte is found wherever it is`() throws {
        let store = try Self.store([0..<2000])
        let add = try store.table().files[0]
        let name = "table/\(add.path)"
        let bytes = try store.temporary.read(name)
        var missed = 0
        for place in stride(from: 0, to: bytes.count, by: 7) {
            var broken = bytes
            broken[place] ^= 0x10
            try store.temporary.write(broken, name)
            if try store.table().verify().damages.isEmpty { missed += 1 }
        }
        // The footer and the indexes have no checksum; what is in their texts may go unseen.
        #expect(missed < bytes.count / 7 / 4, "\(missed) of \(bytes.count / 7)")
        try store.temporary.write(Array(bytes.dropLast()), name)
        #expect(try store.table().verify().damages.count == 1)
        try store.temporary.write(bytes, name)
        #expect(try store.table().verify().damages.isEmpty)
    }

    @Test func `Columns of several parts are refused for new tables`() {
        let design = TableDesign(
            TableSchema([TableField("a", .array(.long, containsNull: true))]))
        #expect(throws: TableStoreError.self) { try StoredTable.create([0x78], design) }
    }
}
