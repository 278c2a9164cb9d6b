import Bytes
import Compression
import Deltas
import Hashing
import Testing
import TestSupport

@testable import Repository

/// Chunks that are stored as patches.
struct PatchBlobTests {
    /// A chunk and versions of it, each with a few bytes of the one before changed.
    private static func versions(_ count: Int, seed: UInt64) -> [TestBlob] {
        var generator = SplitMix64(seed: seed)
        var plain = generator.bytes(20_000)
        return (0..<count).map { _ in
            defer { plain.replaceSubrange(7_000..<7_010, with: generator.bytes(10)) }
            return TestBlob(plain)
        }
    }

    /// Stores each version against the one before it; returns the codec of each.
    private func write(_ versions: [TestBlob], to repository: Repository) throws -> [BlobCodec] {
        let encoder = BlobEncoder(.standard)
        var before: TestBlob?
        for version in versions {
            let writer = try RepositoryWriter(repository)
            let reader = BlobReader(repository)
            let source = try before.flatMap { try reader.patchSource([$0.reference], place: 0) }
            #expect(try writer.claim(version.id))
            try writer.store(version.id, version.plain.span, encoder, against: source)
            _ = try writer.commit()
            before = version
        }
        return try versions.map { try #require(repository.places(of: $0.id).first).codec }
    }

    @Test func `Versions are stored as patches, at most eight deep`() throws {
        let storage = try SimulatedStorage.withRepository()
        let versions = Self.versions(12, seed: 501)
        let codecs = try write(versions, to: try Repository(storage))
        let patches = (1...8).map { _ in BlobCodec.patch }
        #expect(codecs == [.stored] + patches + [.stored] + patches.prefix(2))
        let repository = try Repository(storage)
        try expectHolds(repository, versions)
        for version in versions {
            let place = try #require(repository.places(of: version.id).first)
            if place.codec == .patch { #expect(place.storedSize < 200) }
        }
    }

    @Test func `A patch whose base is gone is damage that names it`() throws {
        let versions = Self.versions(2, seed: 502)
        var pack = HandmadePack()
        pack.add(versions[1], stored: try Self.patch(versions, depth: 1), codec: 2)
        let repository = try Repository(try pack.storage().1)
        let error = failure { try repository.read(versions[1]) }
        #expect(error?.isDamage == true)
        #expect(error.map { "\($0)".contains("its base cannot be read") } == true)
    }

    private static func patch(_ versions: [TestBlob], depth: Int) throws -> [UInt8] {
        let base = versions[0]
        let header = PatchHeader(
            depth: depth,
            bases: [BaseChunk(fingerprint: base.id.fingerprint, size: base.plain.count)])
        let (bases, plain) = (base.plain, versions[1].plain)
        let patch = PatchEncoder(.standard).encode(
            plain.span, header, bases: bases.span, place: 0, limit: .max)
        return try #require(patch)
    }

    @Test func `Patches that need each other are refused`() throws {
        let versions = Self.versions(2, seed: 503)
        for depths in [(1, 1), (1, 2), (2, 1), (8, 8)] {
            var pack = HandmadePack()
            let swapped = Array(versions.reversed())
            pack.add(versions[1], stored: try Self.patch(versions, depth: depths.0), codec: 2)
            pack.add(versions[0], stored: try Self.patch(swapped, depth: depths.1), codec: 2)
            let repository = try Repository(try pack.storage().1)
            for version in versions {
                #expect(failure { try repository.read(version) }?.isDamage == true)
            }
        }
    }

    @Test func `A patch that is no deeper than its base is refused`() throws {
        let versions = Self.versions(3, seed: 504)
        for depth in [1, 2] {
            var pack = HandmadePack()
            pack.add(versions[0], stored: versions[0].plain, codec: 0)
            pack.add(versions[1], stored: try Self.patch(versions, depth: 1), codec: 2)
            let patch = try Self.patch(Array(versions.dropFirst()), depth: depth)
            pack.add(versions[2], stored: patch, codec: 2)
            let repository = try Repository(try pack.storage().1)
            #expect(repository.holds([versions[2]]) == (depth == 2))
        }
    }

    @Test func `A node that is a patch is refused`() throws {
        let versions = Self.versions(2, seed: 505)
        let node = TestBlob(versions[1].plain, .node)
        var pack = HandmadePack([versions[0]])
        pack.add(node, stored: try Self.patch(versions, depth: 1), codec: 2)
        let repository = try Repository(try pack.storage().1)
        #expect(failure { try repository.read(node) }?.isDamage == true)
    }

    @Test func `A patch of any bytes is refused or gives what its id says`() throws {
        let versions = Self.versions(2, seed: 506)
        let patch = try Self.patch(versions, depth: 1)
        for index in patch.indices {
            for stored in [Array(patch.prefix(index)), patch.flipped(index)] {
                var pack = HandmadePack([versions[0]])
                pack.add(versions[1], stored: stored, codec: 2)
                let repository = try Repository(try pack.storage().1)
                let read = try? repository.read(versions[1])
                #expect(read == nil || read == versions[1].plain)
            }
        }
    }

    @Test func `Received blobs are checked, and fitted to the depth of their bases`() throws {
        let storage = try SimulatedStorage.withRepository()
        let versions = Self.versions(10, seed: 507)
        _ = try write(Array(versions.dropLast()), to: try Repository(storage))
        let reader = BlobReader(try Repository(storage))
        let size = versions[0].plain.count
        // Its base is 2 deep here.
        let patch = try Self.patch([versions[2], versions[3]], depth: 1)
        guard case .patch(let fitted) = try reader.check(versions[3].id, .patch, patch, size) else {
            Issue.record("not fitted")
            return
        }
        #expect(try PatchHeader(decoding: fitted).depth == 3)
        // Its base is 8 deep here.
        let deep = try Self.patch([versions[8], versions[9]], depth: 1)
        guard case .plain(let plain) = try reader.check(versions[9].id, .patch, deep, size) else {
            Issue.record("not encoded anew")
            return
        }
        #expect(plain == versions[9].plain)
        guard case .asSent = try reader.check(versions[9].id, .stored, plain, size) else {
            Issue.record("not taken as sent")
            return
        }
        for (id, codec, bytes) in [
            (versions[8].id, BlobCodec.stored, plain), (versions[8].id, .patch, deep),
            (versions[9].id, .zstd, plain),
            (.node(NodeID(versions[9].id.fingerprint)), .stored, plain),
        ] {
            #expect(failure { try reader.check(id, codec, bytes, size) }?.isDamage == true)
        }
    }

    @Test func `Of blobs that are checked together only the damaged fail`() throws {
        let reader = BlobReader(try Repository(try SimulatedStorage.withRepository()))
        var blobs = Self.versions(7, seed: 508).map {
            ForeignBlob($0.id, EncodedBlob(.stored, $0.plain, plainSize: $0.plain.count))
        }
        let node = TestBlob(Array("a node".utf8), .node)
        blobs.append(
            ForeignBlob(node.id, EncodedBlob(.stored, node.plain, plainSize: node.plain.count)))
        blobs[2].encoded.bytes[100] ^= 1
        blobs[5].encoded.codec = .zstd
        blobs[7].encoded.bytes[0] ^= 1
        let failed = reader.check(blobs).map { result in
            if case .failure(let error) = result { error.isDamage } else { false }
        }
        #expect(failed == [false, false, true, false, false, true, false, true])
    }
}

extension TestBlob {
    /// The chunk as manifests name it.
    fileprivate var reference: (id: ChunkID, size: UInt64) {
        (ChunkID(id.fingerprint), UInt64(plain.count))
    }
}

extension BlobReader {
    fileprivate func check(
        _ id: BlobID, _ codec: BlobCodec, _ stored: [UInt8], _ size: Int
    ) throws(RepositoryError) -> Checked {
        try check(ForeignBlob(id, EncodedBlob(codec, stored, plainSize: size)))
    }
}
