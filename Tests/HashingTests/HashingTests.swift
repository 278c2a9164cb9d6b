import Bytes
import Hashing
import Testing
import TestSupport

struct SHA256Tests {
    /// FIPS 180-4 and the examples that NIST publishes with it.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func `The published vectors hold`(message: String, digest: String) {
        #expect(SHA256Digest(of: Array(message.utf8).span).hex == digest)
    }

    @Test func `A million times a holds`() {
        let message = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
        #expect(
            SHA256Digest(of: message.span).hex
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        )
    }

    @Test(arguments: Seed.some(4))
    func `Hashing piece by piece is hashing at once`(seed: Seed) {
        let nothing: [UInt8] = []
        var generator = SplitMix64(seed)
        for count in [0, 1, 55, 56, 63, 64, 65, 127, 128, 129, 10_000] {
            let bytes = generator.bytes(count)
            var hasher = SHA256Hasher()
            var offset = 0
            while offset < count {
                let next = min(count, offset + generator.below(100))
                hasher.update(bytes.span.extracting(offset..<next))
                offset = next
            }
            #expect(hasher.finish() == SHA256Digest(of: bytes.span))
            #expect(hasher.finish() == SHA256Digest(of: nothing.span), "the hasher starts afresh")
        }
    }
}

struct XXH3Tests {
    private static func hex(_ digest: XXH3Digest) -> String {
        var writer = ByteWriter()
        writer.xxh3(digest)
        return Hex.encode(writer.bytes)
    }

    /// Printed by `xxh128sum` 0.8.1; the lengths are the edges between the code paths of XXH3.
    @Test(arguments: [
        (0, "99aa06d3014798d86001c324468d497f"),
        (1, "a6cd5e9392000f6ac44bdff4074eecdb"),
        (3, "e3b55f57945a17cf5f4299fc161c9cbb"),
        (4, "eb70bf5fc779e9e6a6111d53e80a3db5"),
        (8, "e1e4432a62217fe4cfd50c61c8bb98c1"),
        (9, "16c769d83e4aebce907931979dca3746"),
        (16, "72950631827607e2842812cc870dcae2"),
        (17, "685bc458b37d057fc06e233df7729217"),
        (128, "14792fc3af88dc6c05321a0b64d67b41"),
        (129, "dd5e74ac6b45f54ebc30b63382b09a3b"),
        (240, "65b5be86da5540e7c92b68e16f83bbb6"),
        (241, "1da1cb61bcb8a2a102e8cd95421c6d02"),
        (1_024, "d0ac1f7b93bf57b9e5d78bafa45b2aa5"),
        (1_025, "2882ebca04ec915ce95c42288f28186e"),
        (100_000, "54182c58bbb1337c42c23aeead96750d"),
    ])
    func `The vectors of xxh128sum hold`(count: Int, digest: String) {
        #expect(Self.hex(XXH3Digest(of: Self.pattern(count).span)) == digest)
    }

    /// 0, 1, …, 250, 0, 1, …: a period that no power of two shares.
    private static func pattern(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8($0 % 251) }
    }

    @Test(.needs("xxh128sum"), arguments: Seed.some(2))
    func `Digests are those that xxh128sum prints`(seed: Seed) throws {
        var generator = SplitMix64(seed)
        let directory = try TemporaryDirectory()
        let counts = [0, 1, 5, 16, 17, 130, 239, 240, 241, 4_096, 65_537, 1 << 20]
        let contents = counts.map { generator.bytes($0) }
        let paths = try contents.enumerated().map { number, bytes in
            String(decoding: try directory.write(bytes, "\(number)"), as: UTF8.self)
        }
        let printed = try ExternalTool("xxh128sum").text(paths).split(separator: "\n")
        #expect(printed.count == contents.count)
        for (line, bytes) in zip(printed, contents) {
            #expect(line.prefix(32) == Self.hex(XXH3Digest(of: bytes.span)))
        }
    }

    @Test func `A digest does not depend on where the bytes lie in memory`() {
        var generator = SplitMix64(seed: 1)
        let content = generator.bytes(1_000)
        for shift in 0..<64 {
            let moved = [UInt8](repeating: 0, count: shift) + content
            let digest = XXH3Digest(of: moved.span.extracting(shift..<moved.count))
            #expect(digest == XXH3Digest(of: content.span))
        }
    }
}

struct IdentifierTests {
    @Test(arguments: Fixtures.collisions)
    func `Two contents with one XXH3 have different ids`(pair: Fixtures.Collision) throws {
        let (one, other) = try pair.contents()
        #expect(one != other && one.count == other.count)
        #expect(XXH3Digest(of: one.span) == XXH3Digest(of: other.span))
        #expect(ChunkID(of: one.span) != ChunkID(of: other.span))
        #expect(NodeID(of: one.span) != NodeID(of: other.span))
    }

    @Test(arguments: [0, 1, 1_000])
    func `A node has another id than a chunk with the same bytes`(count: Int) {
        let bytes = [UInt8](repeating: 7, count: count)
        let (chunk, node) = (ChunkID(of: bytes.span), NodeID(of: bytes.span))
        #expect(chunk.fingerprint.xxh3 == node.fingerprint.xxh3)
        #expect(chunk.fingerprint.sha256 != node.fingerprint.sha256)
        #expect(BlobID(of: bytes.span, .chunk) != BlobID(of: bytes.span, .node))
    }

    @Test func `A chunk with the bytes that name a node is not that node`() {
        let node = Array("content of a node".utf8)
        let forged = Array("varve node\0".utf8) + node
        #expect(ChunkID(of: forged.span).fingerprint != NodeID(of: node.span).fingerprint)
        #expect(
            ChunkID(of: forged.span).fingerprint.sha256 == NodeID(of: node.span).fingerprint.sha256,
            "the SHA-256 half alone does not tell them apart: the XXH3 half does"
        )
        #expect(BlobID.chunk(ChunkID(of: node.span)) != .node(NodeID(of: node.span)))
    }

    @Test func `A kind and a fingerprint make the id again`() {
        let bytes: [UInt8] = [1, 2, 3]
        for kind in [BlobKind.chunk, .node] {
            let id = BlobID(of: bytes.span, kind)
            #expect(id.kind == kind && BlobID(kind, id.fingerprint) == id)
        }
    }
}
