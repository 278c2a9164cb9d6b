import Bytes
import Compression
import Deltas
import Hashing
import Testing
import TestSupport

@testable import Repository

/// Blobs that are stored as gathered columns.
struct GatheredBlobTests {
    /// A table of `count` lines.
    private static func table(_ count: Int, seed: UInt64 = 41) -> TestBlob {
        var generator = SplitMix64(seed: seed)
        let lines = (0..<count).map { number in
            "\(number)|\(generator.below(10_000))|\(generator.below(7))|TRUCK|0.0\(number % 9)|\n"
        }
        return TestBlob(Array(lines.joined().utf8))
    }

    private static func encoded(_ blob: TestBlob) throws -> [UInt8] {
        let digest = blob.id.fingerprint.xxh3
        let (codec, stored) = try BlobEncoder(.standard).encode(blob.plain.span, digest)
        #expect(codec == .gathered)
        return stored
    }

    @Test func `Text with fields is stored by columns and read back`() throws {
        let blobs = [200, 1_000, 20_000].map { Self.table($0) }
        let storage = try SimulatedStorage.holding(blobs)
        let repository = try Repository(storage)
        for blob in blobs {
            #expect(try repository.places(of: blob.id).map(\.codec) == [.gathered])
        }
        try expectHolds(repository, blobs)
        // Without an index the packs tell.
        for index in storage.names(.index) { storage.damage(index, nil) }
        try expectHolds(Repository(storage), blobs)
    }

    @Test func `A patch against gathered columns, and gathered columns in its place, come back`()
        throws
    {
        let base = Self.table(20_000)
        var changed = base.plain
        for index in 0..<20 { changed[index * 20_000 + 7] = UInt8(ascii: "x") }
        let blob = TestBlob(changed)
        let storage = try SimulatedStorage.holding([base])
        let repository = try Repository(storage)
        let chunk = ChunkID(base.id.fingerprint)
        let source = try BlobReader(repository).patchSource(
            [(chunk, UInt64(base.plain.count))], place: 0)
        let writer = try RepositoryWriter(repository)
        #expect(try writer.claim(blob.id))
        let encoder = BlobEncoder(.standard)
        try writer.store(blob.id, blob.plain.span, encoder, against: try #require(source))
        _ = try writer.commit()
        #expect(try repository.places(of: blob.id).map(\.codec) == [.patch])
        try expectHolds(Repository(storage), [base, blob])
    }

    @Test func `What another sends is taken if it is what its id says, and else refused`() throws {
        let (blob, other) = (Self.table(300), Self.table(300, seed: 42))
        let reader = BlobReader(try Repository(try SimulatedStorage.withRepository()))
        let stored = try Self.encoded(blob)
        let size = blob.plain.count
        let sent = ForeignBlob(
            blob.id, EncodedBlob(.gathered, stored, plainSize: size))
        guard case .asSent = try reader.check(sent) else {
            Issue.record("not taken as sent")
            return
        }
        for (id, bytes, size) in [
            (other.id, stored, size), (blob.id, try Self.encoded(other), size),
            (blob.id, stored, size - 1), (blob.id, Array(stored.dropLast()), size),
        ] {
            let foreign = ForeignBlob(id, EncodedBlob(.gathered, bytes, plainSize: size))
            let error = failure { try reader.check(foreign) }
            #expect(error?.isDamage == true)
        }
        let frame = ForeignBlob(blob.id, EncodedBlob(.zstd, stored, plainSize: size))
        let error = failure { try reader.check(frame) }
        #expect(error?.isDamage == true)
    }

    @Test func `Whoever has no repository decodes them too`() throws {
        let blob = Self.table(300)
        let stored = try Self.encoded(blob)
        let plain = try ChunkDecoder().decode(stored, .gathered, bases: [], size: blob.plain.count)
        #expect(plain == blob.plain)
        let error = failure {
            try ChunkDecoder().decode(stored, .gathered, bases: [], size: blob.plain.count + 1)
        }
        #expect(error?.isDamage == true)
    }

    @Test func `Flipped bits in a pack are damage of the blob, found by reading and verifying`()
        throws
    {
        let blob = Self.table(200)
        let stored = try Self.encoded(blob)
        let sound = try Self.pack(blob, stored)
        try expectHolds(Repository(sound.storage), [blob])
        #expect(sound.verified == nil)
        for index in stride(from: 0, to: stored.count, by: 7) {
            var flipped = stored
            flipped[index] ^= 0x11
            let (storage, verified) = try Self.pack(blob, flipped)
            let read = failure { try Repository(storage).read(blob) }
            // Some bits of a frame do not count; then both see the right bytes.
            #expect(read?.isDamage == verified?.isDamage)
            if read == nil { try expectHolds(Repository(storage), [blob]) }
        }
    }

    /// A storage with a pack that was made by hand, and what a peer that verifies it says.
    private static func pack(
        _ blob: TestBlob, _ stored: [UInt8]
    ) throws -> (storage: SimulatedStorage, verified: RepositoryError?) {
        var pack = HandmadePack()
        pack.add(blob, stored: stored, codec: 3)
        pack.entries[0].plainSize = UInt32(blob.plain.count)
        let (id, storage) = try pack.storage()
        let object = try storage.open(.pack(id))
        return (storage, failure { try ObjectVerification.verify(.pack(id), object, in: storage) })
    }
}
