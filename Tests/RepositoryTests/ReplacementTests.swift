import Bytes
import Chunking
import Compression
import Deltas
import Hashing
import Testing
import TestSupport

@testable import Repository

/// What is published stays, unless it is damaged.
struct ReplacementTests {
    private let storage = SimulatedStorage()
    private let blob: TestBlob = {
        var random = SplitMix64(seed: 7)
        return TestBlob((0..<4_000).map { _ in UInt8.random(in: 0...255, using: &random) })
    }()

    private func write() throws {
        let writer = try RepositoryWriter(try Repository(storage))
        try writer.put(blob.id, blob.plain.span, BlobEncoder(.standard))
        _ = try writer.commit()
    }

    private func staged(_ bytes: [UInt8]) throws -> any StagedObject {
        let object = try storage.stage(.index)
        try object.write(bytes.span, at: 0)
        try object.sync()
        return object
    }

    @Test func `A name that is taken by other bytes is not given without the right to replace`()
        throws
    {
        let name = ObjectName.index(IndexID(SHA256Digest(1, 2, 3, 4)))
        try storage.put(name, [1])
        try staged([1]).publish(as: name, replacing: false)
        let other = try staged([2])
        let error = #expect(throws: StorageError.self) {
            try other.publish(as: name, replacing: false)
        }
        #expect(error?.kind == .exists)
        #expect(storage.bytes(name) == [1])
        try other.publish(as: name, replacing: true)
        #expect(storage.bytes(name) == [2])
    }

    @Test(arguments: [true, false])
    func `A damaged pack is replaced only by whoever may replace`(mayReplace: Bool) throws {
        _ = try Repository.create(storage, chunking: .standard)
        try write()
        let name = try #require(storage.names(.pack).first)
        let good = try #require(storage.bytes(name))
        for index in storage.names(.index) { storage.damage(index, nil) }
        let bad = good.flipped(good.count - 1)
        storage.damage(name, bad)
        let used: any Storage = mayReplace ? storage : AppendOnlyStorage(storage)
        let writer = try RepositoryWriter(try Repository(used))
        try writer.put(blob.id, blob.plain.span, BlobEncoder(.standard))
        do throws(RepositoryError) {
            _ = try writer.commit()
            #expect(mayReplace)
        } catch {
            #expect(!mayReplace && error.isRefusal, "\(error)")
        }
        #expect(storage.bytes(name) == (mayReplace ? good : bad))
    }

    @Test func `Whoever may only add removes no index segment that is needed`() throws {
        _ = try Repository.create(storage, chunking: .standard)
        try write()
        let name = try #require(storage.names(.index).first)
        let narrowed = AppendOnlyStorage(storage)
        #expect(throws: StorageError.self) { try narrowed.remove(name) }
        #expect(throws: StorageError.self) {
            try narrowed.remove(try #require(storage.names(.pack).first))
        }
        // Another segment with the same entries, and one more.
        let object = try storage.open(name)
        guard case .index(let id) = name else { return }
        let segment = try IndexSegment(id, object)
        var entries = try (0..<segment.entryCount).map { try segment.entry($0) }
        var more = entries[0]
        more.place.offset += 1
        entries.append(more)
        let bytes = IndexFormat.encode(entries)
        try storage.put(.index(IndexID(SHA256Digest(of: bytes.span))), bytes)
        try narrowed.remove(name)
        #expect(storage.bytes(name) == nil)
    }

    /// Each says that it is encoded against the other; no writer makes such.
    @Test(arguments: [1, 2, 8])
    func `Patches that need each other do not count as present, and the search for them ends`(
        depth: Int
    ) throws {
        _ = try Repository.create(storage, chunking: .standard)
        let blobs = [blob, TestBlob(blob.plain + [1, 2, 3])]
        let writer = try RepositoryWriter(try Repository(storage))
        for (one, other) in [(blobs[0], blobs[1]), (blobs[1], blobs[0])] {
            let base = BaseChunk(fingerprint: other.id.fingerprint, size: other.plain.count)
            let source = PatchSource(
                header: PatchHeader(depth: depth, bases: [base]), bytes: other.plain, place: 0)
            #expect(try writer.claim(one.id))
            try writer.store(one.id, one.plain.span, BlobEncoder(.standard), against: source)
        }
        #expect(try writer.commit().patchedChunks == 2)
        let repository = try Repository(storage)
        for blob in blobs { #expect(try !repository.contains(blob.id)) }
        let inspection = try RepositoryInspection(repository)
        #expect(try inspection.verdict(on: blob.id, size: nil) == .lacksBase)
    }

    @Test func `A patch whose base is lost does not count as present`() throws {
        _ = try Repository.create(storage, chunking: .standard)
        try write()
        let lost = try #require(storage.names(.pack).first)
        let base = BaseChunk(fingerprint: blob.id.fingerprint, size: blob.plain.count)
        let other = TestBlob(blob.plain + [1, 2, 3])
        let source = PatchSource(
            header: PatchHeader(depth: 1, bases: [base]), bytes: blob.plain, place: 0)
        let writer = try RepositoryWriter(try Repository(storage))
        #expect(try writer.claim(other.id))
        try writer.store(other.id, other.plain.span, BlobEncoder(.standard), against: source)
        #expect(try writer.commit().patchedChunks == 1)

        #expect(try !Repository(storage).index.findPresent(other.id).isEmpty)
        storage.damage(lost, nil)
        #expect(try Repository(storage).index.findPresent(other.id).isEmpty)
        let again = try RepositoryWriter(try Repository(storage))
        #expect(try again.claim(other.id))
        try again.store(other.id, other.plain.span, BlobEncoder(.standard))
        _ = try again.commit()
        #expect(try BlobReader(try Repository(storage)).read(other.id) == other.plain)
    }
}
