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
