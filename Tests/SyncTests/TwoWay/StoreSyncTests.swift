@testable import TwoWay
@testable import Wire
import Bytes
import Platform
import TableLog
import Testing
import TestSupport

/// Two live stores that are made to hold the same.
struct StoreSyncTests {
    private let pair: StorePair

    init() throws { pair = try StorePair() }

    private func words(_ summary: StoreSyncSummary) -> [String] {
        summary.conflicts.map { "\(PathBytes.printable($0.path)) \($0.kind)" }
    }

    @Test func `An empty store gets all, and then there is nothing to do`() throws {
        try pair.write("text", "here/notes/a")
        try pair.directory.makeDirectories(Array("here/empty".utf8))
        try FileOperations.makeSymlink(
            pair.path("here/link"), to: Array("notes/a".utf8), at: Descriptor.workingDirectory)
        try pair.create("here/t")
        for number in 1...12 { try pair.append("here/t", [number]) }
        try pair.delete("here/t", 3)
        let summary = try pair.sync()
        #expect(summary.isComplete && summary.here.isEmpty)
        #expect(summary.there.put.count == 4 && summary.there.tables.count == 1)
        #expect(try pair.rows("there/t") == pair.rows("here/t"))
        #expect(try pair.version("there/t") == 13)
        try pair.expectWhole("there/t")
        #expect(pair.read("there/notes/a") == "text")
        #expect(pair.read("there/link") == "text")
        let again = try pair.sync()
        #expect(again.hasNothingToDo && again.isComplete && again.sentBytes == 0)
        #expect(again.equalTables == 1 && again.equalPaths == 4)
    }

    @Test func `A dry run tells and changes nothing`() throws {
        try pair.write("text", "here/a")
        try pair.create("there/t")
        let before = try TreeListing.of(pair.directory.path)
        let summary = try pair.sync([.dryRun])
        #expect(summary.there.put == [Array("a".utf8)])
        #expect(summary.here.tables.count == 1)
        expectSame(before, try TreeListing.of(pair.directory.path))
    }

    @Test func `Files go to the side that did not change them, removals too`() throws {
        for name in ["a", "b", "c", "d/e"] { try pair.write(name, "here/\(name)") }
        try pair.sync()
        try pair.write("other", "here/a")
        try pair.write("another", "there/b")
        try pair.remove("there/c")
        try pair.remove("here/d/e")
        try pair.remove("here/d", isDirectory: true)
        try pair.write("new", "there/f/g")
        let summary = try pair.sync()
        #expect(summary.isComplete)
        #expect(try pair.contents("here") == ["a": "other", "b": "another", "f/g": "new"])
        #expect(try pair.contents("there") == pair.contents("here"))
        #expect(try pair.listing("there").count == pair.listing("here").count)
        #expect(try pair.sync().hasNothingToDo)
    }

    @Test func `A conflict of files is named, and the others are synced`() throws {
        for name in ["both", "gone", "fine"] { try pair.write("1", "here/\(name)") }
        try pair.sync()
        try pair.write("2", "here/both")
        try pair.write("3", "there/both")
        try pair.remove("here/gone")
        try pair.write("2", "there/gone")
        try pair.write("2", "there/fine")
        for _ in 1...2 {
            let summary = try pair.sync()
            #expect(words(summary) == ["both bothChanged", "gone removedAndChanged"])
        }
        #expect(try pair.contents("here") == ["both": "2", "fine": "2"])
        #expect(try pair.contents("there") == ["both": "3", "gone": "2", "fine": "2"])
        try pair.write("3", "here/both")
        try pair.write("2", "here/gone")
        #expect(try pair.sync().isComplete)
    }

    @Test func `A file that became a directory, and the other way round`() throws {
        try pair.write("1", "here/a")
        try pair.write("1", "here/b/c")
        try pair.sync()
        try pair.remove("there/a")
        try pair.write("2", "there/a/x")
        try pair.remove("there/b/c")
        try pair.remove("there/b", isDirectory: true)
        try pair.write("2", "there/b")
        for _ in 1...2 { try pair.sync() }
        #expect(try pair.contents("here") == ["a/x": "2", "b": "2"])
        #expect(try pair.sync().isComplete)
    }

    @Test func `What is only removed is brought over without any file`() throws {
        try pair.write("1", "here/a")
        try pair.write("1", "here/b")
        try pair.create("here/t")
        try pair.append("here/t", [1])
        try pair.sync()
        try pair.delete("here/t", 1)
        try pair.remove("there/a")
        #expect(try pair.sync().isComplete)
        #expect(try pair.rows("there/t").isEmpty)
        #expect(try pair.contents("here") == ["b": "1"])
    }

    // MARK: Tables

    private func makeTable() throws {
        try pair.create("here/t")
        try pair.append("here/t", [1, 2])
        try pair.append("here/t", [3])
        try pair.sync()
    }

    @Test func `Rows that both sides added are on both afterwards`() throws {
        try makeTable()
        try pair.append("here/t", [10])
        try pair.append("there/t", [20])
        try pair.append("there/t", [21])
        let summary = try pair.sync()
        #expect(summary.isComplete)
        #expect(summary.here.tables.map(\.commits) == [2])
        #expect(summary.there.tables.map(\.commits) == [1])
        for side in ["here/t", "there/t"] {
            #expect(try pair.rows(side) == [1, 2, 3, 10, 20, 21])
            #expect(try pair.version(side) == 5)
            try pair.expectWhole(side)
        }
        #expect(try pair.sync().hasNothingToDo)
    }

    @Test func `Whatever one side does goes on to the other where numbers differ`() throws {
        try makeTable()
        try pair.append("here/t", [10])
        try pair.sync()
        try pair.append("here/t", [11])
        try pair.append("here/t", [12])
        try pair.append("there/t", [20])
        try pair.sync()
        // Another number on one side than on the other, for the same commit.
        try pair.delete("there/t", 2)
        try pair.compact("there/t")
        #expect(try pair.sync().isComplete)
        try pair.delete("here/t", 12)
        for number in 30...50 { try pair.append("here/t", [number]) }
        #expect(try pair.sync().isComplete)
        let wanted = [1, 3, 10, 11, 20] + Array(30...50)
        #expect(try pair.rows("here/t") == wanted)
        #expect(try pair.rows("there/t") == wanted)
        #expect(try pair.sync().hasNothingToDo)
        let names = try pair.log("there/t").directory.listLog()?.map(\.name) ?? []
        #expect(names.contains { $0.contains(".checkpoint.") })
    }

    @Test func `A compaction on one side and appends on the other go together`() throws {
        try makeTable()
        try pair.compact("here/t")
        try pair.append("there/t", [4])
        #expect(try pair.sync().isComplete)
        for side in ["here/t", "there/t"] {
            #expect(try pair.rows(side) == [1, 2, 3, 4])
            #expect(try pair.log(side).snapshot().files.count == 2)
        }
    }

    @Test func `What contradicts is refused by its name, and nothing is lost`() throws {
        try makeTable()
        try pair.create("here/u")
        try pair.sync()
        try pair.delete("here/t", 2)
        try pair.append("there/t", [4])
        try pair.append("there/u", [1])
        for _ in 1...2 {
            let summary = try pair.sync()
            guard case .changes(3, "DELETE", _)? = summary.conflicts.first?.kind else {
                Issue.record("\(summary.conflicts)")
                return
            }
            #expect(summary.conflicts.first?.side == .here)
            #expect(try pair.rows("here/t") == [1, 3])
            #expect(try pair.rows("there/t") == [1, 2, 3, 4])
            #expect(try pair.rows("here/u") == [1])
        }
    }

    @Test func `Tables of one id only are merged, others refused`() throws {
        try pair.create("here/t", id: "one")
        try pair.create("there/t", id: "two")
        #expect(words(try pair.sync()) == ["t unrelatedTables"])
    }

    @Test func `An empty log is no table, and is filled by the first one that comes`() throws {
        try makeTable()
        try pair.create("here/new", id: "new")
        try pair.append("here/new", [1])
        try pair.directory.makeDirectories(Array("there/new/_delta_log".utf8))
        try pair.directory.makeDirectories(Array("here/empty/_delta_log".utf8))
        #expect(try pair.sync().isComplete)
        #expect(try pair.rows("there/new") == [1])
        #expect(throws: PlatformError.self) {
            try FileStatus.of(pair.path("there/empty/_delta_log"))
        }
        try pair.write("a file", "there/odd/_delta_log")
        let summary = try pair.sync()
        #expect(summary.problems.map(\.path) == [Array("odd/_delta_log".utf8)])
    }

    @Test func `A store that is a table itself is synced as one`() throws {
        try pair.create("here", id: "root")
        try pair.append("here", [1])
        try pair.sync()
        try pair.append("here", [2])
        try pair.append("there", [3])
        #expect(try pair.sync().isComplete)
        #expect(try pair.rows("here") == [1, 2, 3])
        #expect(try pair.rows("there") == [1, 2, 3])
        #expect(try pair.sync().hasNothingToDo)
    }

    @Test func `The same application on both sides is refused`() throws {
        try makeTable()
        try pair.append("here/t", [4], application: "job")
        try pair.append("there/t", [5], application: "job")
        guard case .sameApplication(3, "WRITE", "job")? = try pair.sync().conflicts.first?.kind
        else {
            Issue.record("no conflict")
            return
        }
    }

    @Test func `A table that was removed on one side is left on the other`() throws {
        try makeTable()
        try pair.write("1", "there/a")
        for file in try Fixtures.files(below: pair.path("there/t")) {
            try FileOperations.remove(file)
        }
        try pair.remove("there/t/_delta_log", isDirectory: true)
        try pair.remove("there/t", isDirectory: true)
        #expect(words(try pair.sync()) == ["t tableRemoved"])
        #expect(try pair.rows("here/t") == [1, 2, 3])
    }

    @Test func `Copies find each other without a memory`() throws {
        try makeTable()
        try pair.write("1", "here/a")
        try pair.sync()
        for side in ["here", "there"] {
            for file in try Fixtures.files(below: pair.path("\(side)/.varve-replica")) {
                try FileOperations.remove(file)
            }
        }
        try pair.append("there/t", [4])
        try pair.append("here/t", [5])
        let summary = try pair.sync()
        #expect(summary.isComplete)
        #expect(try pair.rows("here/t") == [1, 2, 3, 4, 5])
        #expect(try pair.rows("there/t") == [1, 2, 3, 4, 5])
    }

    @Test func `A store that was set back to an older state loses nothing`() throws {
        try makeTable()
        try pair.write("1", "here/a")
        try pair.sync()
        let state = try #require(
            try Fixtures.files(below: pair.path("here/.varve-replica")).first {
                String(decoding: $0, as: UTF8.self).contains("/sync-")
            })
        let old = try Fixtures.read(state)
        try pair.write("2", "there/a")
        try pair.append("there/t", [4])
        try pair.sync()
        // The state and the file as they were; the table went on.
        let name = String(decoding: state.dropFirst(pair.directory.path.count + 1), as: UTF8.self)
        try pair.directory.write(old, name)
        try pair.write("1", "here/a")
        let summary = try pair.sync()
        #expect(words(summary) == ["a bothHave"])
        #expect(pair.read("there/a") == "2" && pair.read("here/a") == "1")
        #expect(try pair.rows("here/t") == [1, 2, 3, 4])
    }

    @Test func `A data file whose name is taken is refused`() throws {
        try makeTable()
        try pair.append("here/t", [4])
        let file = try #require(
            try pair.log("here/t").actions(of: 3).compactMap { action in
                if case .add(let add) = action { add.path } else { nil }
            }.first)
        try pair.write("9\n", "there/t/\(file)")
        let summary = try pair.sync()
        guard case .refused(let text)? = summary.conflicts.first?.kind else {
            Issue.record("\(summary)")
            return
        }
        #expect(text.contains(file.string))
        #expect(pair.read("there/t/\(file)") == "9\n")
        #expect(try pair.version("there/t") == 2)
    }

    @Test func `An emptied store does not empty the other`() throws {
        try pair.write("1", "here/a")
        try pair.sync()
        try pair.remove("here/a")
        #expect(throws: StoreSyncError.self) { try pair.sync() }
        #expect(pair.read("there/a") == "1")
    }

    @Test func `Two syncs of one store exclude each other`() throws {
        try pair.sync()
        try pair.write("1", "here/a")
        var held: SyncedStore? = try SyncedStore(PinnedDirectory(pair.path("there")), [])
        let before = try TreeListing.of(pair.path("there"))
        let error = #expect(throws: ConnectionError.self) { try pair.sync() }
        guard case .remote(let failure)? = error?.kind else {
            Issue.record("another error")
            return
        }
        #expect(failure.kind == .held)
        #expect(held != nil)
        expectSame(before, try TreeListing.of(pair.path("there")), "nothing was changed")
        held = nil
        #expect(try pair.sync().isComplete, "once the other is done")
        #expect(pair.read("there/a") == "1")
    }

    @Test func `A writer that is faster is seen, and the sync goes on behind it`() throws {
        try makeTable()
        try pair.append("here/t", [10])
        let (table, file) = (pair.path("there/t"), pair.path("there/t/faster.parquet"))
        let once = Monitor(true)
        let summary = try pair.sync(asking: "there") { operation, path in
            let isData = path.suffix(8) == Array(".parquet".utf8)[...]
            guard operation == "rename", isData, once.withState({ $0 }) else { return nil }
            once.update { $0 = false }
            do {
                let log = CommitLog(try TableDirectory(table))
                try TestFiles.write(Array("77\n".utf8), file)
                let add = AddFile(path: "faster.parquet", size: 3, modificationTime: 0)
                _ = try log.commit(TableChange("WRITE", [.add(add)]), to: try log.snapshot())
            } catch {
                Issue.record("\(error)")
            }
            return nil
        }
        #expect(!once.withState { $0 })
        #expect(summary.isComplete)
        for side in ["here/t", "there/t"] {
            #expect(try pair.rows(side) == [1, 2, 3, 10, 77])
            try pair.expectWhole(side)
        }
    }
}

/// Files by their whole paths.
enum TestFiles {
    static func write(_ bytes: [UInt8], _ path: [UInt8]) throws {
        let file = try Descriptor.open(path, [.writeOnly, .create, .truncate])
        try file.write(bytes.span, at: 0, path)
    }
}
