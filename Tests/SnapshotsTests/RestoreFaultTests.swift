import Bytes
import Capturing
import Compression
import Hashing
import Platform
import Repository
import Restoring
import Snapshots
import Testing
import TestSupport
import Trees

/// What a target cannot hold, or is using, costs only itself; what was not named stays.
struct RestoreFaultTests {
    private let vault: Vault
    private let record: SnapshotRecord

    init() throws {
        vault = try Vault()
        try vault.directory.write([UInt8]("content"), "source/file")
        try vault.directory.write([UInt8]("inside"), "source/sub/inside")
        record = try vault.capture().record
    }

    private func deleting() -> RestoreOptions {
        var options = RestoreOptions()
        options.deletes = true
        return options
    }

    /// A snapshot in which entries of `record` were changed by `change`.
    private func forged(
        _ change: (inout ManifestEntry) -> Void
    ) throws -> (record: SnapshotRecord, repository: Repository) {
        var forged = record
        let repository = try vault.repository()
        let writer = try RepositoryWriter(repository)
        let encoder = BlobEncoder(.standard)
        var tree = TreeWriter<RepositoryError>(.manifest) { id, bytes throws(RepositoryError) in
            try writer.put(.node(id), bytes.span, encoder)
        }
        for entry in try vault.entries(record.root) {
            var entry = entry
            change(&entry)
            try tree.append(
                key: entry.path, hash: TreeBoundary.hash(key: entry.path), byteCount: entry.size
            ) { writer, previous in ManifestCoding.encode(entry, after: previous, into: &writer) }
        }
        forged.root = try tree.finish()
        _ = try writer.commit()
        return (forged, try vault.repository())
    }

    // MARK: - Metadata

    @Test func `An attribute that cannot be set costs only itself`() throws {
        let odd = ExtendedAttribute(name: [UInt8]("nonsense.of.nobody"), value: [1])
        let (forged, repository) = try forged { entry in
            guard entry.isFile else { return }
            entry.attributes = [odd]
            entry.mode = 0o640
            entry.mtime = Timestamp(seconds: 1_000_000_000, nanoseconds: 5)
        }
        let result = try Restore.run(
            forged, from: repository, to: vault.directory.path("target"), RestoreOptions(),
            WorkProgress())
        #expect(result.failures.isEmpty)
        #expect(!result.isComplete)
        #expect(result.shortfalls.map(\.path) == [[UInt8]("file"), [UInt8]("sub/inside")])
        guard case .metadata(let unset)? = result.shortfalls.first?.part else {
            Issue.record("\(result.shortfalls)")
            return
        }
        #expect(unset.part == .attribute(odd.name))
        #expect(try vault.directory.read("target/file") == [UInt8]("content"))
        let status = try FileStatus.of(vault.directory.path("target/file"))
        #expect(status.mode == 0o640 && status.mtime.seconds == 1_000_000_000)
    }

    @Test(arguments: [-1 << 40, Int64.min / 4, 0, 1 << 31, 1 << 40])
    func `A time is right, or told to be beyond the range of the file system`(
        seconds: Int64
    ) throws {
        let time = Timestamp(seconds: seconds, nanoseconds: 0)
        let (forged, repository) = try forged { $0.mtime = time }
        let result = try Restore.run(
            forged, from: repository, to: vault.directory.path("target"), RestoreOptions(),
            WorkProgress())
        #expect(result.failures.isEmpty)
        for path in ["", "file", "sub", "sub/inside"] {
            let isRight = try FileStatus.of(vault.directory.path("target/" + path)).mtime == time
            let isListed = result.shortfalls.contains { $0.path == [UInt8](path) }
            #expect(isRight != isListed, "\(path) at \(seconds)")
        }
    }

    @Test func `File capabilities come back only with set-id bits`() throws {
        let policy = AttributePolicy(setsSetID: false)
        let capability = ExtendedAttribute(name: [UInt8]("security.capability"), value: [1])
        let note = ExtendedAttribute(name: [UInt8]("user.note"), value: [2])
        #expect(policy.attributes([capability, note]) == [note])
        #expect(AttributePolicy(setsSetID: true).attributes([capability]) == [capability])
    }

    // MARK: - Names of one file

    @Test func `Names with one inode number and other contents are not one file`() throws {
        let (forged, repository) = try forged { entry in
            guard entry.isFile else { return }
            entry.inode = 7
            entry.linkDevice = 0
        }
        let result = try Restore.run(
            forged, from: repository, to: vault.directory.path("target"), RestoreOptions(),
            WorkProgress())
        #expect(result.isComplete)
        #expect(try vault.directory.read("target/file") == [UInt8]("content"))
        #expect(try vault.directory.read("target/sub/inside") == [UInt8]("inside"))
    }

    // MARK: - What is in use

    @Test(arguments: [0o755, 0o100] as [UInt32])
    func `A program is replaced by a rename, so that who runs it keeps the old one`(
        mode: UInt32
    ) throws {
        let path = vault.directory.path("source/file")
        try FileOperations.setMode(path, mode, at: Descriptor.workingDirectory)
        let record = try vault.capture().record
        let live = try vault.directory.write([UInt8]("CONTENT"), "target/file")
        try FileOperations.setMode(live, 0o755, at: Descriptor.workingDirectory)
        let running = try Descriptor.open(live, [.readOnly])
        #expect(try vault.restore(record).isComplete)
        #expect(try running.read(100, at: 0, []) == [UInt8]("CONTENT"))
        #expect(try vault.directory.read("target/file") == [UInt8]("content"))
        expectSame(try vault.listing("source"), try vault.listing("target"))
    }

    @Test func `A program that is right already is not touched`() throws {
        let path = vault.directory.path("source/file")
        try FileOperations.setMode(path, 0o755, at: Descriptor.workingDirectory)
        let record = try vault.capture().record
        try vault.restore(record)
        let before = try FileStatus.of(vault.directory.path("target/file"))
        let result = try vault.restore(record)
        #expect(result.filesWritten == 0)
        #expect(try FileStatus.of(vault.directory.path("target/file")) == before)
    }

    // MARK: - What was not named

    @Test func `Delete leaves sockets and directories of replicas, and what they lie in`() throws {
        let kept = ["more/.varve-replica/set-aside/work", ".varve-replica/state"]
        for path in kept { try vault.directory.write([1], "target/\(path)") }
        try vault.directory.write([1], "target/more/goes")
        let result = try vault.restore(record, deleting())
        #expect(result.deleted == 1)
        #expect(result.notes.contains(.kept([UInt8]("more/.varve-replica"), .replicaDirectory)))
        for path in kept { #expect(try vault.directory.read("target/\(path)") == [1]) }
    }

    @Test func `Delete leaves the content of a cache that the snapshot left out`() throws {
        let tag = [UInt8]("Signature: 8a477f597d28d172789f06886806bc55")
        try vault.directory.write(tag, "source/cache/CACHEDIR.TAG")
        let record = try vault.capture().record
        try vault.directory.write([1], "target/cache/deep/content")
        let result = try vault.restore(record, deleting())
        #expect(result.deleted == 0)
        #expect(try vault.directory.read("target/cache/deep/content") == [1])
        try vault.directory.write([1], "source/cache/stored")
        let whole = try vault.capture().record
        #expect(try vault.restore(whole, deleting()).deleted == 2)
    }

    @Test func `A dry run counts what a run deletes`() throws {
        for path in ["a/b/c", "a/d", "file/x/y"] {
            try vault.directory.write([1], "target/\(path)")
        }
        var options = deleting()
        options.isDryRun = true
        let trial = try vault.restore(record, options)
        #expect(trial.deleted == 7)
        #expect(try vault.restore(record, deleting()).deleted == trial.deleted)
    }

    // MARK: - Single files

    @Test func `A file of the snapshot becomes the target that is named`() throws {
        var options = RestoreOptions()
        options.path = [UInt8]("sub/inside")
        #expect(try vault.restore(record, to: "new/name", options).isComplete)
        #expect(try vault.directory.read("new/name") == [UInt8]("inside"))
        try vault.directory.write([UInt8]("INSIDE and more"), "new/name")
        #expect(try vault.restore(record, to: "new/name", options).isComplete)
        #expect(try vault.directory.read("new/name") == [UInt8]("inside"))
        try vault.restore(record, to: "new", options)
        #expect(try vault.directory.read("new/inside") == [UInt8]("inside"))
        try vault.restore(record, to: "made/", options)
        #expect(try vault.directory.read("made/inside") == [UInt8]("inside"))
    }

    // MARK: - Incomplete snapshots

    @Test func `What the snapshot lacks is told, as far as it was asked for`() throws {
        var record = record
        record.problems = [CaptureProblem(.unreadable, [UInt8]("sub/secret"), "denied")]
        let whole = try vault.restore(record)
        #expect(!whole.isComplete)
        #expect(whole.missing.map(\.path) == [[UInt8]("sub/secret")])
        var options = RestoreOptions()
        options.path = [UInt8]("file")
        #expect(try vault.restore(record, to: "one", options).isComplete)
        options.path = []
        options.exclude = ExcludePatterns(lines: [[UInt8]("/sub")])
        #expect(try vault.restore(record, to: "two", options).isComplete)
        record.problems = [CaptureProblem(.skipped, [UInt8]("sub/socket"), "sockets")]
        #expect(try vault.restore(record, to: "three").isComplete)
        record.unlistedProblems = 1
        #expect(try !vault.restore(record, to: "four").isComplete)
    }
}
