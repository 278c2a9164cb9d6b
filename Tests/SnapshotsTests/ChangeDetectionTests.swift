@testable import Repository
import Upkeep
@testable import Capturing
@testable import Restoring
@testable import Snapshots
import Bytes
import Hashing
import Platform
import Testing
import TestSupport

/// When a file is taken over from the parent unread, and when it is not.
struct ChangeDetectionTests {
    private let vault: Vault
    private let path: [UInt8]

    init() throws {
        vault = try Vault()
        path = try vault.directory.write([UInt8]("content 1"), "source/file")
        try vault.directory.write([UInt8]("other"), "source/other")
    }

    private func settled() throws -> SnapshotRecord { try vault.settle(try vault.capture().record) }

    /// Captures and expects the snapshot to hold what is there.
    private func expectTruth(_ statistics: (SnapshotStatistics) -> Bool) throws {
        let result = try vault.capture()
        #expect(statistics(result.record.statistics))
        try vault.restore(result.record)
        expectSame(try vault.listing("source"), try vault.listing("target"))
    }

    @Test func `Unchanged files are not read`() throws {
        _ = try settled()
        try expectTruth { $0.unchangedFiles == 2 && $0.bytesRead == 0 }
    }

    @Test func `A changed file is read, alone`() throws {
        _ = try settled()
        try vault.directory.write([UInt8]("content 22"), "source/file")
        try expectTruth { $0.unchangedFiles == 1 && $0.changedFiles == 1 && $0.bytesRead == 10 }
    }

    /// The change time cannot be set, so it tells what the modification time hides.
    @Test func `A file changed behind its modification time is read`() throws {
        _ = try settled()
        let before = try FileStatus.of(path)
        try vault.directory.write([UInt8]("content 2"), "source/file")
        try FileOperations.setModificationTime(
            path, before.mtime, at: Descriptor.workingDirectory)
        let after = try FileStatus.of(path)
        #expect(after.size == before.size && after.mtime == before.mtime)
        try expectTruth { $0.changedFiles == 1 }
    }

    @Test func `A file replaced by another of equal size and time is read`() throws {
        _ = try settled()
        let before = try FileStatus.of(path)
        let place = Descriptor.workingDirectory
        let new = try vault.directory.write([UInt8]("content 3"), "source/new")
        try FileOperations.setModificationTime(new, before.mtime, at: place)
        try FileOperations.rename(new, to: path, at: place)
        try expectTruth { $0.changedFiles == 1 }
    }

    /// A change in the same tick of the clock as the capture shows in no time stamp.
    @Test func `A file that is younger than the capture is read again`() throws {
        let first = try vault.capture()
        #expect(first.record.statistics.newFiles == 2)
        try expectTruth { $0.bytesRead == 14 }
    }

    /// What the snapshot says of the file is a lie that only its age gives away.
    @Test func `A racy file is found out`() throws {
        var record = try vault.capture().record
        let store = vault.storage
        let entries = try vault.entries(record.root)
        let repository = try Repository(store)
        let writer = try RepositoryWriter(repository)
        let encoder = BlobEncoder(Vault.options().level)
        var tree = TreeWriter<RepositoryError>(.manifest) { id, bytes throws(RepositoryError) in
            try writer.put(.node(id), bytes.span, encoder)
        }
        for var entry in entries {
            if entry.path == [UInt8]("file") {
                let id = ChunkID(of: [UInt8]("never was").span)
                entry.payload = .file(size: 9, .pieces([.chunk(id, size: 9)]))
            }
            try tree.append(
                key: entry.path, hash: TreeBoundary.hash(key: entry.path), byteCount: entry.size
            ) { writer, previous in
                ManifestCoding.encode(entry, after: previous, into: &writer)
            }
        }
        record.root = try tree.finish()
        _ = try writer.commit()
        record.sequence += 1
        _ = try repository.publishSnapshot(record.encoded())
        try expectTruth { $0.bytesRead == 14 }
    }

    @Test func `Mode, owner and attributes are captured without a change of content`() throws {
        _ = try settled()
        let place = Descriptor.workingDirectory
        try FileOperations.setMode(path, 0o640, at: place)
        try ExtendedAttributes.write(
            [ExtendedAttribute(name: [UInt8]("user.new"), value: [1])],
            to: vault.directory.path("source/other"), at: place)
        try expectTruth { $0.newFiles == 0 && $0.unreadableFiles == 0 }
        try expectTruth { $0.newFiles == 0 }
    }

    @Test func `A file recorded as changed while read is read again`() throws {
        var record = try vault.capture().record
        let store = try NodeStore()
        var entries = try vault.entries(record.root)
        for index in entries.indices { entries[index].isIncomplete = true }
        record.root = try store.manifest(entries)
        let comparison = ParentComparison(
            settledRecord(record), NodeSource(store.repository))
        for entry in entries where entry.isFile {
            let status = try FileStatus.of(
                PathBytes.join(vault.sourcePath, entry.path))
            #expect(!comparison.isUnchanged(entry, status))
        }
    }

    private func settledRecord(_ record: SnapshotRecord) -> SnapshotRecord {
        var record = record
        record.captureStart.seconds += 60
        return record
    }

    @Test func `With rescan every file is read`() throws {
        _ = try settled()
        let result = try vault.captureAnew()
        #expect(result.record.statistics.bytesRead == 14)
    }

    @Test func `Another host or other sources have no parent`() throws {
        let record = try settled()
        var options = Vault.options()
        options.host = [UInt8]("another")
        #expect(try vault.capture(options).record.parent == nil)
        let sub = try vault.capture(sources: [path])
        #expect(sub.record.parent == nil)
        let next = try vault.capture().record
        #expect(next.parent != nil)
        #expect(next.sequence == record.sequence + 1)
    }

    /// Lost packs: nothing that only the parent vouches for is taken over.
    @Test func `After packs were lost everything is read and stored again`() throws {
        let first = try settled()
        for name in vault.storage.names(.pack) { vault.storage.damage(name, nil) }
        let result = try vault.capture()
        #expect(!result.notes.isEmpty)
        #expect(result.record.root == first.root)
        try vault.restore(result.record)
        expectSame(try vault.listing("source"), try vault.listing("target"))
    }

    @Test func `After the index was lost a capture stores nothing twice`() throws {
        let first = try settled()
        for name in vault.storage.names(.index) { vault.storage.damage(name, nil) }
        let result = try vault.capture()
        #expect(result.record.root == first.root)
        #expect(result.write.newChunks + result.write.newNodes == 0)
        #expect(try vault.check(readDataPercent: 100).damages.isEmpty)
        try vault.restore(result.record)
        expectSame(try vault.listing("source"), try vault.listing("target"))
    }

    @Test func `A damaged parent is told of and the files are read`() throws {
        let first = try settled()
        try vault.damage(.node(first.root.id))
        let result = try vault.capture()
        #expect(
            result.notes.contains { note in
                if case .damagedParent = note { true } else { false }
            })
        #expect(result.record.statistics.bytesRead == 14)
    }

    @Test func `A dry run reads everything and writes nothing`() throws {
        let names = vault.storage.names
        var options = Vault.options()
        options.isDryRun = true
        let result = try vault.capture(options)
        #expect(result.id == nil)
        #expect(result.record.statistics.newFiles == 2)
        #expect(result.record.statistics.newBytes > 0)
        #expect(vault.storage.names == names)
    }
}

/// Two contents of one XXH3-128: anyone can make them, so it never decides alone.
struct CollisionCaptureTests {
    @Test func `Files of equal XXH3 are both kept and restored exactly`() throws {
        let vault = try Vault()
        for (number, pair) in try Fixtures.collisions.map({ try $0.contents() }).enumerated() {
            try vault.directory.write(pair.0, "source/\(number) one")
            try vault.directory.write(pair.1, "source/\(number) other")
            #expect(pair.0 != pair.1)
        }
        let result = try vault.capture()
        #expect(try vault.restore(result.record).failures.isEmpty)
        expectSame(try vault.listing("source"), try vault.listing("target"))
    }

    /// The parent has the victim; the evil twin has its size and XXH3.
    @Test(arguments: [false, true], Fixtures.collisions.indices)
    func `A file exchanged for its twin is noticed`(isSettled: Bool, pair: Int) throws {
        let vault = try Vault()
        let (victim, evil) = try Fixtures.collisions[pair].contents()
        #expect(XXH3Digest(of: victim.span) == XXH3Digest(of: evil.span))
        var random = SplitMix64(seed: 6)
        let tail = random.bytes(100_000)
        try vault.directory.write(victim, "source/alone")
        try vault.directory.write(victim + tail, "source/before")
        let first = try vault.capture().record
        if isSettled { try vault.settle(first) }
        try vault.directory.write(evil, "source/alone")
        try vault.directory.write(evil + tail, "source/before")
        let second = try vault.capture()
        #expect(second.record.root != first.root)
        #expect(try vault.captureAnew().record.root == second.record.root)
        #expect(try vault.restore(second.record).failures.isEmpty)
        expectSame(try vault.listing("source"), try vault.listing("target"))
    }

    /// The target holds the twin of what the snapshot has.
    @Test(arguments: Fixtures.collisions.indices)
    func `A restore over the twin writes the right bytes`(pair: Int) throws {
        let vault = try Vault()
        let (victim, evil) = try Fixtures.collisions[pair].contents()
        try vault.directory.write(victim, "source/file")
        let record = try vault.capture().record
        try vault.directory.write(evil, "target/file")
        var options = RestoreOptions()
        options.verifies = true
        #expect(try vault.restore(record, options).failures.isEmpty)
        #expect(try vault.directory.read("target/file") == victim)
    }
}
