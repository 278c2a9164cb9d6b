import Capturing
@testable import Restoring
@testable import Snapshots
@testable import Trees
import Bytes
import Platform
import Repository
import Testing
import TestSupport

/// What a restore does with what is in the target, and how much it writes.
struct RestorePolicyTests {
    private let vault: Vault
    private let record: SnapshotRecord

    init() throws {
        vault = try Vault()
        for name in ["a.txt", "b.dat", "sub/c.txt", "sub/deep/d.txt"] {
            try vault.directory.write([UInt8](name), "source/\(name)")
        }
        record = try vault.capture().record
    }

    private func options(_ change: (inout RestoreOptions) -> Void) -> RestoreOptions {
        var options = RestoreOptions()
        change(&options)
        return options
    }

    /// Files below a directory, by path.
    private func files(_ relative: String) throws -> [String] {
        try vault.listing(relative).filter { $0.contains(": file of") }
            .map { String($0.prefix { $0 != ":" }) }
    }

    // MARK: - Overwriting

    @Test func `Files of equal size and time but other bytes differ only by hash`() throws {
        try vault.restore(record)
        let path = try vault.directory.write([UInt8]("A.TXT"), "target/a.txt")
        let time = try #require(try vault.entry("a.txt", of: record)).mtime
        try FileOperations.setModificationTime(path, time, at: Descriptor.workingDirectory)
        try vault.restore(record, options { $0.overwrite = .ifChanged })
        #expect(try vault.directory.read("target/a.txt") == [UInt8]("A.TXT"))
        let result = try vault.restore(record, options { $0.overwrite = .always })
        #expect(result.filesWritten == 1)
        #expect(result.filesUnchanged == 3)
        #expect(try vault.directory.read("target/a.txt") == [UInt8]("a.txt"))
    }

    @Test func `With never, what is there stays in every respect`() throws {
        let path = try vault.directory.write([UInt8]("mine"), "target/a.txt")
        try FileOperations.setMode(path, 0o601, at: Descriptor.workingDirectory)
        let before = try FileStatus.of(path)
        let result = try vault.restore(record, options { $0.overwrite = .never })
        #expect(result.filesSkipped == 1)
        #expect(result.filesWritten == 3)
        #expect(try FileStatus.of(path) == before)
        #expect(try vault.directory.read("target/sub/c.txt") == [UInt8]("sub/c.txt"))
    }

    /// The second name must not be made a name of a file that is not the snapshot's.
    @Test func `With never, a second name gets the content of the snapshot`() throws {
        try FileOperations.link(
            vault.directory.path("source/a.txt"), to: vault.directory.path("source/z.txt"),
            at: Descriptor.workingDirectory)
        let record = try vault.capture().record
        try vault.directory.write([UInt8]("mine"), "target/a.txt")
        let result = try vault.restore(record, options { $0.overwrite = .never })
        #expect(result.failures.isEmpty)
        #expect(try vault.directory.read("target/a.txt") == [UInt8]("mine"))
        #expect(try vault.directory.read("target/z.txt") == [UInt8]("a.txt"))
    }

    @Test(arguments: OverwritePolicy.allCases)
    func `A restore of what is there already writes nothing`(policy: OverwritePolicy) throws {
        try vault.restore(record)
        let result = try vault.restore(record, options { $0.overwrite = policy })
        #expect(result.bytesWritten == 0)
        #expect(result.filesWritten == 0)
        #expect(result.othersWritten == 0)
        #expect(result.filesUnchanged + result.filesSkipped == 4)
    }

    // MARK: - Deleting

    @Test func `Without delete, what the snapshot lacks stays`() throws {
        try vault.directory.write([1], "target/more/and/more")
        let result = try vault.restore(record)
        #expect(result.deleted == 0)
        #expect(try files("target").contains("more/and/more"))
    }

    @Test func `With delete, the target becomes exactly the snapshot`() throws {
        try vault.directory.write([1], "target/more/and/more")
        try vault.directory.write([1], "target/sub/deep/e")
        try FileOperations.makeSymlink(
            vault.directory.path("target/link"), to: [UInt8]("/"), at: Descriptor.workingDirectory)
        let result = try vault.restore(record, options { $0.deletes = true })
        #expect(result.deleted == 5)
        expectSame(try vault.listing("source"), try vault.listing("target"))
    }

    @Test func `Delete spares what is excluded, in the snapshot and in the target`() throws {
        try vault.directory.write([1], "target/mine.txt")
        try vault.directory.write([1], "target/more.dat")
        try vault.directory.write([2], "target/sub/c.txt")
        let result = try vault.restore(
            record,
            options { options in
                options.deletes = true
                options.exclude = ExcludePatterns(lines: [[UInt8]("*.txt")])
            })
        #expect(result.deleted == 1)
        #expect(try files("target") == ["b.dat", "mine.txt", "sub/c.txt"])
        #expect(try vault.directory.read("target/sub/c.txt") == [2])
    }

    @Test func `Delete concerns only what would be restored`() throws {
        try vault.directory.write([1], "target/more.txt")
        try vault.directory.write([1], "target/more.dat")
        try vault.restore(
            record,
            options { options in
                options.deletes = true
                options.include = ExcludePatterns(lines: [[UInt8]("*.txt")])
            })
        #expect(try files("target") == ["a.txt", "more.dat", "sub/c.txt", "sub/deep/d.txt"])
    }

    /// Patterns are about paths in the snapshot, whatever part of it is restored.
    @Test func `Delete below a part of the snapshot reads patterns like the restore`() throws {
        try vault.directory.write([1], "target/mine")
        try vault.directory.write([1], "target/other")
        try vault.restore(
            record,
            options { options in
                options.path = [UInt8]("sub")
                options.deletes = true
                options.exclude = ExcludePatterns(lines: [[UInt8]("/sub/mine")])
            })
        #expect(try files("target") == ["c.txt", "deep/d.txt", "mine"])
    }

    /// Whoever restores over the source must not lose the one file that could not be read.
    @Test func `Delete spares directories that could not be listed whole`() throws {
        var record = record
        let entries = try vault.entries(record.root).map { entry in
            var entry = entry
            if entry.path == [UInt8]("sub") { entry.isIncomplete = true }
            return entry
        }
        let store = try NodeStore()
        let written = try entries.filter { !$0.isFile }
        record.root = try store.manifest(written)
        try store.seal()
        try vault.directory.write([1], "target/gone")
        try vault.directory.write([1], "target/sub/unread")
        _ = try Restore.run(
            record, from: store.repository, to: vault.directory.path("target"),
            options { $0.deletes = true }, WorkProgress())
        #expect(try files("target") == ["sub/unread"])
    }

    @Test func `Delete spares files that the snapshot could not read`() throws {
        var record = record
        record.problems = [CaptureProblem(.unreadable, [UInt8]("sub/secret"), "denied")]
        for path in ["sub/secret", "sub/more", "secret"] {
            try vault.directory.write([1], "target/\(path)")
        }
        let result = try vault.restore(record, options { $0.deletes = true })
        #expect(result.deleted == 2)
        #expect(result.notes.contains(.unreadKept([UInt8]("sub/secret"))))
        #expect(!result.isComplete)
        #expect(try files("target").contains("sub/secret"))
        record.unlistedProblems = 1
        try vault.directory.write([1], "target/more")
        let other = try vault.restore(record, options { $0.deletes = true })
        #expect(other.deleted == 0)
        #expect(other.notes.contains(.nothingDeleted))
    }

    // MARK: - Choosing

    @Test func `A directory of the snapshot becomes the target`() throws {
        try vault.restore(record, options { $0.path = [UInt8]("sub") })
        #expect(try files("target") == ["c.txt", "deep/d.txt"])
        expectSame(try vault.listing("source/sub"), try vault.listing("target"))
    }

    @Test func `A file of the snapshot goes into the target`() throws {
        try vault.directory.write([1], "target/mine")
        try vault.restore(
            record,
            options { options in
                options.path = [UInt8]("sub/deep/d.txt")
                options.deletes = true
            })
        #expect(try files("target") == ["d.txt", "mine"])
    }

    @Test(arguments: ["nothing", "su", "sub/", "sub/c.txt/x", "a.txtx", "zzz", "sub/deep/d.txt2"])
    func `A path that the snapshot lacks is refused by name`(path: String) throws {
        let error = failure(RestoreError.self) {
            try vault.restore(record, options { $0.path = [UInt8](path) })
        }
        guard case .noSuchPath(let named)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(named == [UInt8](path))
    }

    @Test func `Only what is included is restored, with the directories above it`() throws {
        let include = ExcludePatterns(lines: [[UInt8]("c.txt")])
        try vault.restore(record, options { $0.include = include })
        #expect(
            try vault.listing("target").map { $0.prefix { $0 != ":" } } == ["", "sub", "sub/c.txt"])
    }

    @Test func `What lies below an included directory is restored`() throws {
        let include = ExcludePatterns(lines: [[UInt8]("/sub/deep")])
        let exclude = ExcludePatterns(lines: [[UInt8]("nothing")])
        try vault.restore(
            record,
            options { options in
                options.include = include
                options.exclude = exclude
            })
        #expect(try files("target") == ["sub/deep/d.txt"])
    }

    // MARK: - Dry runs

    @Test func `A dry run tells what a run would do and does nothing`() throws {
        try vault.directory.write([1], "target/a.txt")
        try vault.directory.write([1], "target/more")
        let before = try vault.listing("target")
        let result = try vault.restore(
            record,
            options { options in
                options.isDryRun = true
                options.deletes = true
            })
        expectSame(before, try vault.listing("target"))
        let actions = result.actions.map { "\($0.action) \(PathBytes.printable($0.path))" }
        #expect(
            Set(actions) == [
                "update a.txt", "write b.dat", "makeDirectory sub", "write sub/c.txt",
                "makeDirectory sub/deep", "write sub/deep/d.txt", "delete more",
            ])
    }

    @Test func `A dry run makes no target`() throws {
        let result = try vault.restore(record, options { $0.isDryRun = true })
        #expect(result.filesWritten == 4)
        #expect((try? FileStatus.of(vault.directory.path("target"))) == nil)
    }
}
