import Capturing
import Restoring
import Snapshots
import Upkeep
@testable import Trees
import Bytes
import Hashing
import Platform
import Repository
import TableLog
import Testing
import TestSupport

/// A snapshot holds each table as it was at one version.
struct TableCaptureTests {
    @Test func `A table is captured at its newest version without what nobody committed`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet", rows: 3)
        try table.append("b.parquet", "day=1/c.parquet")
        try table.segment("uncommitted.parquet")
        try table.segment("part.parquet#1")
        try table.segment("day=2/uncommitted.parquet")
        try store.vault.directory.write([1], table.path + "/_delta_log/.00x.json.tmp")
        try store.vault.directory.write([1], table.path + "/_temporary/0/part.parquet")
        try store.vault.directory.write([1], table.path + "/README")
        try store.vault.directory.write([1], table.path + "/_notes/kept.parquet")
        let result = try store.vault.capture()
        let logs = (0...2).map { table.log($0) }
        #expect(
            try store.paths(table, result.record)
                == Set(
                    logs + [
                        "_delta_log", "a.parquet", "b.parquet", "day=1", "day=1/c.parquet",
                        "day=2", "README", "_notes", "_notes/kept.parquet",
                    ]))
        try store.expectContents(table, result.record)
        #expect(result.filesLeftOut == 3)
        #expect(result.record.isComplete)
        let captured = try #require(result.record.tables.first)
        #expect(result.record.tables.count == 1)
        #expect(captured.state == .pinned)
        #expect(captured.version == 2)
        #expect(captured.path == Array("orders".utf8))
    }

    @Test func `Files that only the history needs are captured while they are there`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet", "b.parquet")
        try table.remove("a.parquet", "b.parquet")
        try table.append("c.parquet")
        try table.lose("b.parquet")
        let record = try store.vault.capture().record
        let paths = try store.paths(table, record)
        #expect(paths.contains("a.parquet"))
        #expect(!paths.contains("b.parquet"))
        try store.expectContents(table, record)
        #expect(record.tables.first?.state == .pinned)
    }

    @Test func `A table that lacks a live file is told of and never counts as whole`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet", "b.parquet")
        try store.table("other").append("x.parquet")
        try table.lose("a.parquet")
        let result = try store.vault.capture()
        #expect(!result.record.isComplete)
        #expect(result.problems.map(\.path) == [Array("orders".utf8)])
        #expect(result.record.tables.map(\.state) == [.damaged, .pinned])
        #expect(try store.paths(table, result.record).contains("b.parquet"))
    }

    @Test func `A segment of another size than its log says makes the table damaged`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet")
        try store.vault.directory.write(Array("PAR1PAR1".utf8), table.path + "/a.parquet")
        let result = try store.vault.capture()
        #expect(result.record.tables.first?.state == .damaged)
        #expect(!result.record.isComplete)
    }

    @Test func `Segments that the parent has are taken from it when they are lost`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet", "day=1/b.parquet")
        try store.captureSettled()
        try table.lose("day=1/b.parquet")
        try FileOperations.remove(table.file("day=1"), isDirectory: true)
        try table.append("c.parquet")
        let result = try store.vault.capture()
        #expect(result.record.isComplete)
        #expect(result.record.tables.first?.state == .pinned)
        #expect(try store.paths(table, result.record).contains("day=1/b.parquet"))
        #expect(try store.vault.check(readDataPercent: 100).damages.isEmpty)
    }

    /// Overwriting a segment changes no directory, so only a look at the segment would show it.
    @Test(arguments: [false, true])
    func `Segments under the same log are not looked at, but in a rescan`(grown: Bool) throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet")
        let before = try store.captureSettled()
        try store.vault.directory.write(Array("PAR1 forged PAR1".utf8), table.path + "/a.parquet")
        if grown { try table.append("b.parquet") }
        let after = try store.vault.capture()
        let path = "orders/a.parquet"
        #expect(
            try store.vault.entry(path, of: after.record)?.payload
                == store.vault.entry(path, of: before)?.payload)
        if !grown { #expect(after.record.root == before.root) }
        #expect(try store.vault.captureAnew().record.tables.first?.state == .damaged)
    }

    @Test func `A table made anew in the same place shares nothing with the old one`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet", rows: 1)
        try store.captureSettled()
        try TemporaryDirectory.remove(store.vault.directory.path(table.path))
        let again = try store.table("orders")
        try again.append("a.parquet", rows: 2)
        let record = try store.vault.capture().record
        let entry = try #require(try store.vault.entry("orders/a.parquet", of: record))
        let content = try store.vault.directory.read("source/orders/a.parquet")
        #expect(entry.size == UInt64(content.count))
        #expect(record.root.byteCount > 0)
        let restored = try store.vault.restore(record)
        #expect(restored.failures.isEmpty)
        #expect(try store.vault.directory.read("target/orders/a.parquet") == content)
    }

    @Test func `What is left out by a pattern makes a table unverified or goes as a whole`() throws
    {
        let store = try CapturedStore()
        try store.table("orders").append("a.parquet")
        var options = Vault.options()
        options.filter = WalkFilter(patterns: ExcludePatterns(lines: [Array("*.parquet".utf8)]))
        let partly = try store.vault.capture(options).record
        #expect(partly.tables.map(\.state) == [.unverified])
        options.filter = WalkFilter(patterns: ExcludePatterns(lines: [Array("orders".utf8)]))
        #expect(try store.vault.capture(options).record.tables.isEmpty)
    }

    @Test func `Another list of patterns is not taken for an unchanged table`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet")
        try store.vault.directory.write([1], table.path + "/README")
        try store.captureSettled()
        var options = Vault.options()
        options.filter = WalkFilter(patterns: ExcludePatterns(lines: [Array("README".utf8)]))
        let record = try store.vault.capture(options).record
        #expect(try !store.paths(table, record).contains("README"))
    }
}

// MARK: - Tables that are not understood
extension TableCaptureTests {
    enum Oddity: CaseIterable { case gap, torn, noBeginning, feature }

    @Test(arguments: Oddity.allCases)
    func `A table that is not understood is copied as plain files and said to be`(
        oddity: Oddity
    ) throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet")
        try table.segment("uncommitted.parquet")
        let directory = store.vault.directory
        switch oddity {
        case .gap: try directory.write(Array("{}\n".utf8), table.path + "/" + table.log(7))
        case .torn: try directory.write(Array("{\"add\":{".utf8), table.path + "/" + table.log(2))
        case .noBeginning: try table.lose(table.log(0))
        case .feature:
            try table.commit([
                .protocolVersion(
                    ProtocolAction(
                        readerVersion: 3, writerVersion: 7, readerFeatures: ["quantum"],
                        writerFeatures: ["quantum"]))
            ])
        }
        let result = try store.vault.capture()
        #expect(result.record.tables.map(\.state) == [.unverified])
        #expect(result.record.isComplete)
        #expect(
            result.notes.contains { note in
                guard case .plainTable(let path, _) = note else { return false }
                return PathBytes.name(path).elementsEqual([UInt8]("orders"))
            })
        #expect(try store.paths(table, result.record).contains("uncommitted.parquet"))
    }

    @Test(arguments: ["file:/tmp/x.parquet", "/tmp/x.parquet", "s3://b/x.parquet", "../x.parquet"])
    func `A table with a file elsewhere is told of and never counts as whole`(
        path: String
    ) throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet")
        try table.commit([.add(AddFile(path: ExactText(path), size: 1, modificationTime: 0))])
        let result = try store.vault.capture()
        #expect(result.record.tables.map(\.state) == [.damaged])
        #expect(!result.record.isComplete)
        #expect(try store.paths(table, result.record).contains("a.parquet"))
    }

    @Test func `A table with a symlink for a data file never counts as whole`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet")
        try table.lose("a.parquet")
        let directory = try Descriptor.open(
            store.vault.directory.path(table.path), [.readOnly, .directory])
        try FileOperations.makeSymlink(
            Array("a.parquet".utf8), to: Array("/tmp/b.parquet".utf8), at: directory.raw)
        let result = try store.vault.capture()
        #expect(result.record.tables.map(\.state) == [.damaged])
        #expect(!result.record.isComplete)
    }

    @Test func `A hint that speaks of a later version is left out`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.log.writeCheckpoint(try table.log.snapshot())
        let hint = table.path + "/_delta_log/_last_checkpoint"
        for (version, isKept) in [(0, true), (1, false)] {
            try store.vault.directory.write(Array("{\"version\":\(version)}".utf8), hint)
            let record = try store.vault.capture().record
            let paths = try store.paths(table, record)
            #expect(paths.contains("_delta_log/_last_checkpoint") == isKept)
        }
    }

    @Test func `A hint of a checkpoint that is not in the log is left out`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        let hint = "_delta_log/_last_checkpoint"
        try store.vault.directory.write(Array("{\"version\":0}".utf8), table.path + "/" + hint)
        let record = try store.vault.capture().record
        #expect(record.tables.map(\.state) == [.pinned])
        #expect(try !store.paths(table, record).contains(hint))
    }

    @Test func `A checkpoint of which a part is missing is left out`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        let half = "_delta_log/" + LogListing.name(0, ".checkpoint.0000000001.0000000002.parquet")
        try store.vault.directory.write(Array("PAR1PAR1".utf8), table.path + "/" + half)
        let record = try store.vault.capture().record
        #expect(record.tables.map(\.state) == [.pinned])
        #expect(try !store.paths(table, record).contains(half))
    }

    @Test func `A table inside a table is a table of its own`() throws {
        let store = try CapturedStore()
        let outer = try store.table("outer")
        try outer.append("a.parquet")
        let inner = try store.table("outer/inner")
        try inner.append("b.parquet")
        for _ in 0..<2 {
            let record = try store.captureSettled()
            #expect(record.tables.map(\.state) == [.pinned, .pinned])
            #expect(try store.paths(outer, record).contains("inner/b.parquet"))
        }
        try inner.append("c.parquet")
        let record = try store.vault.capture().record
        #expect(record.tables.map(\.version) == [1, 2])
        #expect(try store.paths(inner, record).contains("c.parquet"))
    }

    @Test func `A source that is a table itself is captured as one`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet")
        try table.segment("uncommitted.parquet")
        let source = store.vault.directory.path(table.path)
        let first = try store.vault.capture(sources: [source]).record
        let second = try store.vault.settle(first)
        let third = try store.vault.capture(sources: [source]).record
        for record in [first, second, third] {
            #expect(record.tables.map(\.path) == [[]])
            #expect(record.root == first.root)
        }
        #expect(try store.vault.entries(first.root).map(\.path).contains(Array("a.parquet".utf8)))
    }
}

// MARK: - The manifest
extension TableCaptureTests {
    /// Changes something of the store at random.
    private static func change(_ tables: [CapturedStore.Table], _ random: inout SplitMix64) throws {
        let table = tables[random.below(tables.count)]
        switch random.below(5) {
        case 0: try table.append("new-\(random.next()).parquet")
        case 1: try table.remove("seg-\(random.below(300)).parquet")
        case 2:
            let path = table.path + "/README-\(random.below(3))"
            try table.vault.directory.write(random.bytes(10), path)
        case 3:
            try table.vault.directory.write(
                random.bytes(10), "source/plain-\(random.below(50))")
        default: try table.segment("uncommitted-\(random.below(3)).parquet")
        }
    }

    /// What is taken over from a parent as whole nodes is what would have been written.
    @Test(arguments: Seed.some(4))
    func `A snapshot with a parent has the manifest of one without`(seed: Seed) throws {
        var random = SplitMix64(seed)
        let store = try CapturedStore()
        var tables: [CapturedStore.Table] = []
        for number in 0..<4 {
            let table = try store.table("t\(number)")
            let count = 1 + random.below(700)
            try table.commit(
                try (0..<count).map { .add(try table.segment("seg-\($0).parquet")) })
            tables.append(table)
        }
        for number in 0..<20 {
            try store.vault.directory.write([UInt8(number)], "source/plain-\(number)")
        }
        for _ in 0..<4 {
            let before = try store.captureSettled()
            let after = try store.vault.capture()
            #expect(after.record.root == before.root, "nothing changed")
            #expect(after.write.newNodes == 0)
            for _ in 0..<random.below(4) { try Self.change(tables, &random) }
            let record = try store.vault.capture().record
            let anew = try store.vault.captureAnew().record
            #expect(record.root == anew.root)
            #expect(record.tables.map(\.version) == anew.tables.map(\.version))
        }
        #expect(try store.vault.check(readDataPercent: 100).damages.isEmpty)
    }

    @Test func `Statistics of an unchanged table are those of its files`() throws {
        let store = try CapturedStore()
        try store.table("orders").append("a.parquet", "day=1/b.parquet")
        let first = try store.vault.capture().record
        try store.vault.settle(first)
        let second = try store.vault.capture().record
        #expect(second.statistics.unchangedFiles == first.statistics.newFiles)
        #expect(second.statistics.directories == first.statistics.directories)
        #expect(second.statistics.bytesRead == 0)
    }

    @Test func `Files that differ in normal form are all captured`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        let names = ["city=\u{e9}/a.parquet", "city=e\u{301}/a.parquet"]
        try table.commit(try names.map { .add(try table.segment($0)) })
        let record = try store.vault.capture().record
        let paths = try store.vault.entries(record.root).map(\.path)
        for name in names { #expect(paths.contains(Array("orders/\(name)".utf8))) }
        #expect(record.tables.map(\.state) == [.pinned])
        // A second one takes them from the first.
        let again = try store.vault.capture().record
        #expect(try store.vault.entries(again.root).map(\.path) == paths)
    }

    @Test func `A table whose newest commit is empty keeps the files that nothing names`() throws {
        let store = try CapturedStore()
        let table = try store.table("orders")
        try table.append("a.parquet")
        try table.append("b.parquet")
        try store.vault.directory.write([], table.path + "/" + table.log(2))
        let result = try store.vault.capture()
        #expect(result.record.tables.map(\.state) == [.damaged])
        #expect(!result.record.isComplete)
        #expect(try store.paths(table, result.record).contains("b.parquet"))
    }
}
