@testable import Repository
import Bytes
import Compression
import Hashing
import Testing
import TestSupport

/// Encoding blobs and reading them back.
struct BlobCodingTests {
    private static let sizes = [
        0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 1_000, 4_095, 4_096, 65_536, 100_001,
    ]

    @Test(arguments: [CompressionLevel.standard, .zstd(1), .zstd(9)])
    func `A blob of any size comes back`(level: CompressionLevel) throws {
        var generator = SplitMix64(seed: 21)
        let blobs = Self.sizes.flatMap { size in
            [
                TestBlob(generator.bytes(size)), TestBlob(generator.text(size)),
                TestBlob(.init(repeating: 0, count: size)), TestBlob(generator.text(size), .node),
            ]
        }
        let storage = try SimulatedStorage.withRepository()
        let writer = try RepositoryWriter(Repository(storage))
        let encoder = BlobEncoder(level)
        for blob in blobs { try writer.put(blob.id, blob.plain.span, encoder) }
        let statistics = try writer.commit()
        #expect(statistics.newChunks + statistics.newNodes == Set(blobs.map(\.id)).count)
        try expectHolds(Repository(storage), blobs)
    }

    @Test func `Bytes that do not shrink are stored as they are`() throws {
        var generator = SplitMix64(seed: 22)
        let encoder = BlobEncoder(.standard)
        for size in Self.sizes {
            let plain = generator.bytes(size)
            let (codec, frame) = try encoder.encode(plain.span, XXH3Digest(of: plain.span))
            #expect(codec == .stored && frame.isEmpty)
        }
    }

    @Test func `A frame is kept only when it spares a part in thirty-two`() throws {
        var generator = SplitMix64(seed: 23)
        let encoder = BlobEncoder(.standard)
        for share in 0...40 {
            let plain =
                generator.bytes(6_400 - share * 20) + [UInt8](repeating: 0, count: share * 20)
            let (codec, frame) = try encoder.encode(plain.span, XXH3Digest(of: plain.span))
            if codec == .zstd { #expect(frame.count < 6_200) }
            if share == 0 { #expect(codec == .stored) }
            if share == 40 { #expect(codec == .zstd) }
        }
    }

    /// The digest stands for what the library was given: memory that changed in between.
    @Test func `What does not decode to what was meant is not stored`() throws {
        var generator = SplitMix64(seed: 24)
        let plain = generator.text(5_000)
        let error = failure {
            try BlobEncoder(.standard).encode(plain.span, XXH3Digest(high: 1, low: 2))
        }
        #expect(error?.isDamage == true)
    }

    @Test func `A hostile frame in a pack is damage of that blob`() throws {
        let blob = TestBlob(.init(repeating: 0x61, count: 10))
        let good: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 10, 0x53, 0, 0, 0x61]
        let skippable: [UInt8] = [0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 1]
        let hugeWindow: [UInt8] = [
            0x28, 0xb5, 0x2f, 0xfd, 0x80, 31 << 3, 10, 0, 0, 0, 0x53, 0, 0, 0x61,
        ]
        // Run-length blocks of 128 KiB each in a frame that says 10 bytes.
        let block: [UInt8] = [0x02, 0, 0x10, 0x61]
        let bomb =
            [0x28, 0xb5, 0x2f, 0xfd, 0x20, 10]
            + Array(repeatElement(block, count: 500).joined()) + [0x53, 0, 0, 0x61]
        let frames = [
            bomb, good + good, good + skippable, skippable + good, good + [0],
            Array(good.dropLast()), hugeWindow, skippable, [],
        ]
        for frame in frames {
            var pack = HandmadePack()
            pack.add(blob, stored: frame, codec: 1)
            let (_, storage) = try pack.storage()
            let error = failure { try Repository(storage).read(blob) }
            #expect(error?.isDamage == true, "\(Hex.encode(frame.prefix(20)))")
        }
    }
}

/// Two contents with one XXH3-128 are two blobs, everywhere.
struct CollisionTests {
    @Test(arguments: Fixtures.collisions, [BlobKind.chunk, .node])
    func `Both are stored and read back exactly`(
        pair: Fixtures.Collision,
        kind: BlobKind
    ) throws {
        let (one, other) = try pair.contents()
        let blobs = [TestBlob(one, kind), TestBlob(other, kind)]
        #expect(blobs[0].id.fingerprint.xxh3 == blobs[1].id.fingerprint.xxh3)
        let storage = try SimulatedStorage.withRepository()
        let statistics = try Repository(storage).write(blobs)
        #expect(statistics.newChunks + statistics.newNodes == 2)
        try expectBoth(blobs, storage)
        for index in storage.names(.index) { storage.damage(index, nil) }
        try expectBoth(blobs, storage)
    }

    private func expectBoth(_ blobs: [TestBlob], _ storage: SimulatedStorage) throws {
        let repository = try Repository(storage)
        for blob in blobs {
            #expect(try repository.places(of: blob.id).count == 1)
            #expect(try repository.read(blob) == blob.plain)
            #expect(try BlobReader(repository).read(blob.id) == blob.plain)
        }
    }

    @Test(arguments: Fixtures.collisions)
    func `The second is new when only the first is there`(pair: Fixtures.Collision) throws {
        let (one, other) = try pair.contents()
        let storage = try SimulatedStorage.holding([TestBlob(one)])
        #expect(try Repository(storage).write([TestBlob(one)]).newChunks == 0)
        #expect(try Repository(storage).write([TestBlob(other)]).newChunks == 1)
        try expectHolds(Repository(storage), [TestBlob(one), TestBlob(other)])
    }

    @Test(arguments: Fixtures.collisions)
    func `One in the place of the other is found by SHA-256`(pair: Fixtures.Collision) throws {
        let (one, other) = try pair.contents()
        let wanted = TestBlob(one)
        var pack = HandmadePack()
        pack.add(wanted, stored: other, codec: 0)
        let (_, storage) = try pack.storage()
        let repository = try Repository(storage)
        let alone = try BlobReader(repository).read(wanted.id, checkingSHA256: false)
        #expect(alone == other, "XXH3 alone sees nothing")
        #expect(failure { try repository.read(wanted) }?.isDamage == true)
    }

    @Test(arguments: Fixtures.collisions)
    func `One in the place of the other is found among others that are right`(
        pair: Fixtures.Collision
    ) throws {
        let (one, other) = try pair.contents()
        let (wanted, sound) = (TestBlob(one), TestBlob([1, 2, 3]))
        var pack = HandmadePack([sound])
        pack.add(wanted, stored: other, codec: 0)
        let (_, storage) = try pack.storage()
        let reader = BlobReader(try Repository(storage))
        let ids = [sound, wanted].map { ChunkID($0.id.fingerprint) }
        #expect(try reader.read([ids[0], ids[0]]) == [sound.plain, sound.plain])
        #expect(try reader.read([]).isEmpty)
        for wanted in [ids, ids.reversed(), [ids[1]]] {
            let error = failure { try reader.read(wanted) }
            #expect(error?.isDamage == true)
        }
    }
}
