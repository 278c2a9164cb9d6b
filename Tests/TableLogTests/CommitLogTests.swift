import Bytes
import Platform
import TableLog
import Testing
import TestSupport

/// Versions of a table: made, read, contested, lost.
struct CommitLogTests {
    @Test func `Every version can be read as it was`() throws {
        let table = try TestTable.created()
        for id in Int64(1)...5 { #expect(try table.append([id]) == id) }
        #expect(try table.ids() == [1, 2, 3, 4, 5])
        #expect(try table.ids(3) == [1, 2, 3])
        #expect(try table.ids(0).isEmpty)
        #expect(try table.log.history().map(\.version) == [5, 4, 3, 2, 1, 0])
        let error = #expect(throws: TableLogError.self) { _ = try table.ids(6) }
        #expect(error?.kind == .noSuchVersion)
    }

    @Test func `A time finds the version of then, however the clock went`() throws {
        let table = try TestTable.created()
        for id in Int64(1)...3 { try table.append([id]) }
        for (version, seconds) in [(Int64(0), Int64(100)), (1, 300), (2, 200), (3, 400)] {
            try FileOperations.setModificationTime(
                table.logPath(TestTable.name(version)), Timestamp(seconds: seconds, nanoseconds: 0),
                at: Descriptor.workingDirectory)
        }
        #expect(try table.log.version(at: 100_000) == 0)
        #expect(try table.log.version(at: 250_000) == 0)
        #expect(try table.log.version(at: 300_000) == 1)
        #expect(try table.log.version(at: 300_001) == 2)
        #expect(try table.log.version(at: 999_000) == 3)
        #expect(throws: TableLogError.self) { _ = try table.log.version(at: 99_999) }
    }

    @Test func `A time finds the version by what commits say, where they do`() throws {
        let table = try TestTable.created()
        try table.append([1])
        for (version, time) in [(Int64(2), 5_000_000_000_000), (3, 5_000_000_000_500)] {
            try table.writeLog(
                TestTable.name(version), "{\"commitInfo\":{\"inCommitTimestamp\":\(time)}}\n")
        }
        #expect(try table.log.version(at: 4_999_999_999_999) == 1)
        #expect(try table.log.version(at: 5_000_000_000_000) == 2)
        #expect(try table.log.version(at: 5_000_000_000_500) == 3)
        #expect(try table.log.history().map(\.version) == [3, 2, 1, 0])
    }

    @Test func `A directory without a log is no table`() throws {
        let error = #expect(throws: TableLogError.self) { _ = try TestTable().snapshot() }
        #expect(error?.kind == .notATable)
    }

    @Test func `A table is not made twice`() throws {
        let table = try TestTable.created()
        let metadata = try table.log.snapshot().metadata
        let error = #expect(throws: TableLogError.self) {
            try table.log.create(ProtocolAction(readerVersion: 1, writerVersion: 2), metadata)
        }
        #expect(error?.kind == .refused)
    }

    @Test func `What is removed is gone, and remembered`() throws {
        let table = try TestTable.created()
        try table.append([1])
        try table.append([2])
        let base = try table.log.snapshot()
        let victim = try #require(base.files.values.first { $0.path.hasPrefix("seg-1-") })
        _ = try table.log.commit(
            TableChange("DELETE", [.remove(victim.removed(at: 5))], reads: .everything), to: base)
        #expect(try table.ids() == [2])
        let after = try table.log.snapshot()
        #expect(after.tombstones[victim.key]?.deletionTimestamp == 5)
        #expect(after.tombstones[victim.key]?.size == victim.size)
    }

    @Test func `Two that append at once both succeed`() throws {
        let table = try TestTable.created()
        let base = try table.log.snapshot()
        for name in ["a.parquet", "b.parquet", "c.parquet"] {
            let id = Int64(name.utf8.first ?? 0)
            _ = try table.log.commit(
                TableChange("WRITE", [.add(try table.file(name, [id]))]), to: base)
        }
        #expect(try table.ids() == [97, 98, 99])
        #expect(try table.log.snapshot().version == 3)
    }

    @Test func `Threads that append at once all succeed`() throws {
        let table = try TestTable.created()
        let failures = Monitor<[String]>([])
        let threads = WorkerThreads(count: 4) { thread in
            do {
                for number in 0..<6 { try table.append([Int64(thread * 10 + number)]) }
            } catch { failures.update { $0.append("\(error)") } }
        }
        threads.join()
        #expect(failures.withState { $0 } == [])
        #expect(try table.log.snapshot().version == 24)
        #expect(try table.ids().count == 24)
    }

    @Test func `Of two that remove the same file one loses`() throws {
        let table = try TestTable.created()
        try table.append([1])
        let base = try table.log.snapshot()
        let victim = try #require(base.files.values.first)
        let change = TableChange(
            "OPTIMIZE", [.remove(victim.removed(at: 5, dataChange: false))], reads: .removedFiles)
        _ = try table.log.commit(change, to: base)
        let error = #expect(throws: TableLogError.self) {
            _ = try table.log.commit(change, to: base)
        }
        #expect(error?.kind == .conflict)
        #expect(error?.detail.contains(victim.path.string) == true)
    }

    @Test func `Whoever read everything loses against new rows`() throws {
        let table = try TestTable.created()
        try table.append([1])
        let base = try table.log.snapshot()
        let victim = try #require(base.files.values.first)
        try table.append([2])
        let error = #expect(throws: TableLogError.self) {
            _ = try table.log.commit(
                TableChange("DELETE", [.remove(victim.removed(at: 5))], reads: .everything),
                to: base)
        }
        #expect(error?.kind == .conflict)
        #expect(try table.ids() == [1, 2])
    }

    @Test func `A compaction goes behind new rows`() throws {
        let table = try TestTable.created()
        try table.append([1])
        try table.append([2])
        let base = try table.log.snapshot()
        try table.append([3])
        var actions: [LogAction] = base.files.values.map {
            .remove($0.removed(at: 5, dataChange: false))
        }
        actions.append(.add(try table.file("compacted.parquet", [1, 2])))
        let change = TableChange("OPTIMIZE", actions, reads: .removedFiles)
        #expect(try table.log.commit(change, to: base) == 4)
        #expect(try table.ids() == [1, 2, 3])
        #expect(try table.log.snapshot().files.count == 2)
    }

    @Test func `The same application does not write twice`() throws {
        let table = try TestTable.created()
        let base = try table.log.snapshot()
        let action = LogAction.transaction(TransactionAction(application: "a", version: 7))
        _ = try table.log.commit(TableChange("WRITE", [action]), to: base)
        #expect(try table.log.snapshot().transactions["a"]?.version == 7)
        #expect(throws: TableLogError.self) {
            _ = try table.log.commit(TableChange("WRITE", [action]), to: base)
        }
    }

    @Test func `A change of the schema stops who did not know of it`() throws {
        let table = try TestTable.created()
        let base = try table.log.snapshot()
        _ = try table.log.commit(TableChange("SET", [.metadata(base.metadata)]), to: base)
        #expect(throws: TableLogError.self) {
            _ = try table.log.commit(TableChange("WRITE", []), to: base)
        }
    }

    @Test func `A table that is appended to only loses no rows`() throws {
        let table = try TestTable.created()
        try table.append([1])
        let base = try table.log.snapshot()
        var metadata = base.metadata
        metadata.configuration["delta.appendOnly"] = "true"
        _ = try table.log.commit(TableChange("SET", [.metadata(metadata)]), to: base)
        let now = try table.log.snapshot()
        let victim = try #require(now.files.values.first)
        let error = #expect(throws: TableLogError.self) {
            _ = try table.log.commit(
                TableChange("DELETE", [.remove(victim.removed(at: 5))]), to: now)
        }
        #expect(error?.kind == .refused)
        let moved = victim.removed(at: 5, dataChange: false)
        _ = try table.log.commit(TableChange("OPTIMIZE", [.remove(moved)]), to: now)
    }

    @Test func `Nothing temporary stays in the log`() throws {
        let table = try TestTable.created()
        let base = try table.log.snapshot()
        for id in Int64(0)..<3 {
            let add = try table.file("\(id).parquet", [id])
            _ = try table.log.commit(TableChange("WRITE", [.add(add)]), to: base)
        }
        let path = table.temporary.path("_delta_log")
        let names = try Descriptor.open(path, [.readOnly, .directory]).names(path)
        #expect(names.allSatisfy { $0.first != UInt8(ascii: ".") } && names.count == 4)
    }

    /// 0 bytes are what a power cut leaves of a commit that nobody waited for.
    @Test(arguments: [1, 2])
    func `An empty newest commit is no version, and nothing is put behind it`(count: Int) throws {
        let table = try TestTable.created()
        for id in 1...3 { try table.append([Int64(id)]) }
        for version in (4 - count)...3 { try table.writeLog(TestTable.name(Int64(version)), "") }
        let snapshot = try table.log.snapshot()
        #expect(snapshot.version == Int64(3 - count))
        let add = try table.file("b.parquet", [9])
        let error = #expect(throws: TableLogError.self) {
            _ = try table.log.commit(TableChange("WRITE", [.add(add)]), to: snapshot)
        }
        #expect(error?.kind == .damaged)
        #expect(error?.file == TestTable.name(Int64(4 - count)))
        #expect(throws: TableLogError.self) { _ = try table.log.snapshot(version: 3) }
    }

    @Test func `An empty commit that others built upon counts as a version`() throws {
        let table = try TestTable.created()
        for id in 1...3 { try table.append([Int64(id)]) }
        try table.writeLog(TestTable.name(2), "")
        #expect(try table.log.snapshot().version == 3)
        #expect(try table.ids() == [1, 3])
    }

    @Test func `A commit of zero bytes in its full length is damaged`() throws {
        let table = try TestTable.created()
        try table.append([1])
        try table.temporary.write(
            [UInt8](repeating: 0, count: 200), "_delta_log/" + TestTable.name(1))
        let error = #expect(throws: TableLogError.self) { _ = try table.log.snapshot() }
        #expect(error?.kind == .damaged)
    }

    // MARK: Text

    @Test func `Paths and applications that differ in normal form are two`() throws {
        let table = try TestTable.created()
        let (one, other): (ExactText, ExactText) = ("\u{e9}.parquet", "e\u{301}.parquet")
        var actions: [LogAction] = []
        for path in [one, other] {
            var add = AddFile(path: path, size: 1, modificationTime: 0)
            add.partitionValues = ["\u{e9}": "\u{e9}", "e\u{301}": "e\u{301}"]
            actions.append(.add(add))
            actions.append(.transaction(TransactionAction(application: path, version: 1)))
        }
        _ = try table.log.commit(TableChange("WRITE", actions), to: try table.log.snapshot())
        func check(_ snapshot: TableSnapshot) {
            #expect(Set(snapshot.files.keys.map(\.path)) == [one, other])
            #expect(snapshot.transactions.count == 2)
            #expect(snapshot.files.values.allSatisfy { $0.partitionValues.count == 2 })
        }
        check(try table.log.snapshot())
        try table.log.writeCheckpoint(try table.log.snapshot())
        try table.removeLog(TestTable.name(0))
        check(try table.log.snapshot())
        let contents = try table.log.reader.contents(version: 1)
        #expect(Set(contents.live.keys) == [one, other])
    }

    private static func spark(_ configuration: [ExactText: ExactText]) throws -> TestTable {
        let table = try TestTable()
        var metadata = TableMetadata(id: "x", schemaText: TestTable.schema.text)
        metadata.configuration = configuration
        try table.log.create(
            ProtocolAction(
                readerVersion: 3, writerVersion: 7, readerFeatures: ["v2Checkpoint"],
                writerFeatures: ["v2Checkpoint", "domainMetadata", "inCommitTimestamp"]), metadata)
        return table
    }

    @Test func `A commit tells its time where its table wants that, later than the one before`()
        throws
    {
        let table = try Self.spark(["delta.enableInCommitTimestamps": "true"])
        let far = Timestamp.now().milliseconds + 1_000_000
        try table.writeLog(
            TestTable.name(1),
            "{\"commitInfo\":{\"inCommitTimestamp\":\(far),\"operation\":\"WRITE\"}}\n")
        try table.append([1])
        #expect(try table.log.history().first?.time == far + 1)
        #expect(try table.log.snapshot().refusesWriting != nil)
    }

    @Test func `Domains of other writers are kept in checkpoints`() throws {
        let table = try Self.spark([:])
        try table.writeLog(
            TestTable.name(1),
            "{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"{}\",\"removed\":false}}\n"
        )
        try table.append([1])
        let before = try table.log.snapshot()
        try table.log.writeCheckpoint(before)
        for version in Int64(0)...1 { try table.removeLog(TestTable.name(version)) }
        #expect(try table.log.snapshot().domains == before.domains && before.domains.count == 1)
    }
}
