@testable import Repository
@testable import Wire
import Bytes
import Deltas
import Hashing
import Platform
import Testing
import TestSupport

/// Patches of patches that would need many blobs to be read for one.
struct PatchCostTests {
    private static let size = 700_000

    /// A patch that copies one of the bases and changes its last bytes, and what it gives.
    private static func patch(
        _ bases: [[UInt8]], _ number: Int, depth: Int
    ) -> (patch: [UInt8], plain: [UInt8]) {
        let header = PatchHeader(
            depth: depth,
            bases: bases.map {
                BaseChunk(fingerprint: BlobID(ofChunk: $0).fingerprint, size: $0.count)
            })
        let end = [UInt8](repeating: UInt8(depth), count: 8)
        var writer = ByteWriter()
        header.encode(into: &writer)
        writer.u8(0)
        writer.count(size - end.count)
        writer.count(number * size)
        writer.u8(3)
        writer.count(end.count)
        writer.raw(end)
        return (writer.bytes, Array(bases[number].dropLast(end.count)) + end)
    }

    /// Sixteen to the eighth would have to be read, were there eight such layers.
    @Test func `A patch that needs too many bytes to be read is stored whole`() throws {
        var random = SplitMix64(seed: 841)
        let target = try Depot()
        let none = SHA256Digest(0, 0, 0, 0)
        let header = StreamHeader(
            repository: RepositoryID(none), needed: [], snapshots: [SnapshotID(none)])
        var stream = HandmadeStream(header)
        var layer = (0..<16).map { _ in random.bytes(Self.size) }
        for plain in layer { stream.add(plain) }
        // No snapshot comes; the blobs are kept.
        #expect(target.refusal(of: stream.encoded()) is StreamError)
        for (depth, count) in [(1, 16), (2, 2)] {
            stream = HandmadeStream(header)
            var next: [[UInt8]] = []
            for number in 0..<count {
                let (patch, plain) = Self.patch(layer, number, depth: depth)
                stream.add(BlobID(ofChunk: plain), .patch, patch, plainSize: plain.count)
                next.append(plain)
            }
            #expect(target.refusal(of: stream.encoded()) is StreamError)
            layer = next
        }
        #expect(try target.chunkCodecs().count { $0 == .patch } == 16)
        let repository = try target.repository()
        for plain in layer {
            let codecs = try repository.places(of: BlobID(ofChunk: plain)).map(\.codec)
            #expect(codecs == [.stored])
        }
        try target.expectSound()
    }
}
