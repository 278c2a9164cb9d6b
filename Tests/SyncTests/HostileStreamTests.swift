import Remote
import Snapshots
@testable import Wire
import Bytes
import Compression
import Deltas
import Hashing
import Platform
import Repository
import Testing
import TestSupport

/// Streams whose digests are right and whose contents lie.
struct HostileStreamTests {
    private let delta: SmallDelta
    private let names: [ObjectName]

    init() throws {
        delta = try SmallDelta()
        names = delta.target.storage.names(.snapshot)
    }

    private func handmade() throws -> HandmadeStream { try HandmadeStream(delta.stream) }

    /// The stream with other bytes for its first blob for which `choose` holds.
    private func replacing(
        _ choose: (BlobID, BlobCodec) -> Bool,
        by change: (BlobID, [UInt8], Int) throws -> (BlobID, BlobCodec, [UInt8], Int)
    ) throws -> [UInt8] {
        var stream = try handmade()
        for (index, record) in stream.records.enumerated() {
            guard case .blob(let id, let codec, let plainSize, _) = record.record,
                choose(id, codec)
            else { continue }
            let (newID, newCodec, bytes, size) = try change(id, record.bytes, plainSize)
            stream.records[index] = HandmadeStream.Record(
                record: .blob(newID, newCodec, plainSize: size, storedSize: bytes.count),
                bytes: bytes)
            return stream.encoded()
        }
        Issue.record("no such blob")
        return []
    }

    private static func isStored(_ id: BlobID, _ codec: BlobCodec) -> Bool { codec == .stored }
    private static func isPatch(_ id: BlobID, _ codec: BlobCodec) -> Bool { codec == .patch }

    @Test func `The stream that the others are made of is right`() throws {
        try delta.target.receive(try handmade().encoded())
        try delta.target.expectRestores(delta.items[1], delta.listings[1])
    }

    // MARK: - Blobs

    @Test(arguments: [BlobCodec.stored, .zstd])
    func `A blob that is not what its id says is refused`(codec: BlobCodec) throws {
        let other = SplitMix64.text(400, seed: 821)
        let stream = try replacing(Self.isStored) { id, bytes, _ in
            guard codec == .zstd else { return (id, .stored, bytes.map { $0 ^ 1 }, bytes.count) }
            var frame: [UInt8] = []
            #expect(ZstdEncoder(.standard).encode(other.span, into: &frame, limit: 400))
            return (id, .zstd, frame, other.count)
        }
        try delta.expectRefused(stream, says: "its content does not match its id")
    }

    @Test func `A node that comes as a chunk, or a chunk as a node, is refused`() throws {
        for kind in [BlobKind.node, .chunk] {
            let stream = try replacing({ id, codec in id.kind == kind && codec != .patch }) {
                id, bytes, size in
                let other: BlobID =
                    kind == .node
                    ? .chunk(ChunkID(id.fingerprint)) : .node(NodeID(id.fingerprint))
                let codec: BlobCodec = bytes.count == size ? .stored : .zstd
                return (other, codec, bytes, size)
            }
            try delta.expectRefused(stream, says: "its content does not match its id")
        }
    }

    @Test(arguments: [-1, 1, -50, 1_000_000])
    func `Plain sizes that lie are refused`(difference: Int) throws {
        for codec in [BlobCodec.zstd, .patch] {
            let stream = try replacing({ $1 == codec }) { id, bytes, size in
                (id, codec, bytes, max(0, size + difference))
            }
            // Each time anew: a target may keep the other blobs of a stream that it refused.
            try delta.expectRefused(stream, says: "damaged", on: delta.target.copy())
        }
    }

    @Test func `Sizes beyond the limits are refused before anything is read`() throws {
        let limit = SizeLimits.blob
        for (size, plainSize) in [
            (limit + 1, 10), (10, limit + 1), (Int(UInt32.max), Int(UInt32.max)),
        ] {
            var stream = delta.stream
            stream.removeLast(stream.count - 148)
            let id = BlobID(ofChunk: [1])
            let record = StreamRecord.blob(
                id, .zstd, plainSize: plainSize, storedSize: size)
            try delta.expectRefused(
                stream + record.head(), says: "sizes of a blob within the limits")
        }
        var stream = delta.stream
        stream.removeLast(stream.count - 148)
        let size = Repository.snapshotSizeLimit + 1
        let head = StreamRecord.snapshot(delta.items[1].id, size: size).head()
        try delta.expectRefused(stream + head, says: "a snapshot of at most")
    }

    @Test func `A frame that would decode to a gigabyte is refused`() throws {
        // Frames of 128 MiB of zeros are the largest that may claim to be a blob.
        let zeros = [UInt8](repeating: 0, count: 128 << 20)
        var frame: [UInt8] = []
        #expect(ZstdEncoder(.standard).encode(zeros.span, into: &frame, limit: zeros.count))
        for size in [100, 16 << 10] {
            let stream = try replacing(Self.isStored) { id, _, _ in (id, .zstd, frame, size) }
            try delta.expectRefused(stream, says: "damaged")
        }
        let stream = try replacing(Self.isStored) { id, _, _ in
            (id, .zstd, frame + frame, SizeLimits.blob)
        }
        try delta.expectRefused(stream, says: "damaged")
    }

    @Test func `Different contents with one XXH3 are told apart`() throws {
        for collision in Fixtures.collisions {
            let (one, other) = try collision.contents()
            let id = BlobID(ofChunk: one)
            #expect(id.fingerprint.xxh3 == BlobID(ofChunk: other).fingerprint.xxh3)
            var lying = HandmadeStream(try handmade().header)
            lying.add(id, .stored, other, plainSize: other.count)
            try delta.expectRefused(lying.encoded(), says: "its content does not match its id")
            // Both as they are: both are kept, and the snapshot is made.
            var both = try handmade()
            for content in [one, other, one] {
                let record = StreamRecord.blob(
                    BlobID(ofChunk: content), .stored, plainSize: content.count,
                    storedSize: content.count)
                both.records.insert(.init(record: record, bytes: content), at: 0)
            }
            let target = delta.target.copy()
            #expect(try target.receive(both.encoded()).newSnapshots.count == 1)
            let reader = BlobReader(try target.repository())
            for content in [one, other] {
                let id = BlobID(ofChunk: content)
                let isRight = try reader.read(id, checkingSHA256: true) == content
                #expect(isRight)
            }
            try target.expectSound()
        }
    }

    // MARK: - Patches

    /// A patch that makes `plain` of `base`.
    private static func patch(
        _ plain: [UInt8], from base: [UInt8], depth: Int = 1
    ) throws -> [UInt8] {
        let id = ChunkID(BlobID(ofChunk: base).fingerprint)
        let header = PatchHeader(
            depth: depth, bases: [BaseChunk(fingerprint: id.fingerprint, size: base.count)])
        let patch = PatchEncoder(.standard).encode(
            plain.span, header, bases: base.span, place: 0, limit: .max)
        return try #require(patch)
    }

    private static func versions(_ count: Int) -> [[UInt8]] {
        var random = SplitMix64(seed: 822)
        var plain = random.bytes(5_000)
        return (0..<count).map { _ in
            defer { plain.replaceSubrange(700..<710, with: random.bytes(10)) }
            return plain
        }
    }

    @Test func `A patch whose base is not there is refused`() throws {
        let versions = Self.versions(2)
        var stream = HandmadeStream(try handmade().header)
        let patch = try Self.patch(versions[1], from: versions[0])
        let id = BlobID(ofChunk: versions[1])
        stream.add(id, .patch, patch, plainSize: 5_000)
        try delta.expectRefused(stream.encoded(), says: "its base cannot be read")
        // One that comes later, or is in no snapshot before, does not help.
        stream.add(versions[0])
        try delta.expectRefused(stream.encoded(), says: "its base cannot be read")
    }

    @Test func `Patches that need each other or themselves are refused`() throws {
        let versions = Self.versions(2)
        for pairs in [[(0, 0)], [(0, 1), (1, 0)]] {
            var stream = HandmadeStream(try handmade().header)
            for (plain, base) in pairs {
                let id = BlobID(ofChunk: versions[plain])
                let patch = try Self.patch(versions[plain], from: versions[base])
                stream.add(id, .patch, patch, plainSize: 5_000)
            }
            try delta.expectRefused(stream.encoded(), says: "its base cannot be read")
        }
    }

    @Test func `A node that is a patch is refused`() throws {
        let stream = try replacing(Self.isPatch) { id, bytes, size in
            (.node(NodeID(id.fingerprint)), .patch, bytes, size)
        }
        try delta.expectRefused(stream, says: "a node that is a patch")
    }

    @Test(arguments: [0, 9, 255] as [UInt8])
    func `A depth that no patch has is refused`(depth: UInt8) throws {
        let stream = try replacing(Self.isPatch) { id, bytes, size in
            var bytes = bytes
            bytes[1] = depth
            return (id, .patch, bytes, size)
        }
        try delta.expectRefused(stream, says: "a depth of 1 to 8")
    }

    @Test(arguments: 1...8 as ClosedRange<UInt8>)
    func `A depth that lies is of no use`(depth: UInt8) throws {
        let stream = try replacing(Self.isPatch) { id, bytes, size in
            var bytes = bytes
            bytes[1] = depth
            return (id, .patch, bytes, size)
        }
        try delta.target.receive(stream)
        try delta.target.expectRestores(delta.items[1], delta.listings[1])
        try delta.target.expectSound()
    }

    @Test func `No byte of a patch can be changed, its digests being right`() throws {
        var size = 1
        var index = 0
        while index < size {
            let stream = try replacing(Self.isPatch) { id, bytes, plainSize in
                size = bytes.count
                var bytes = bytes
                bytes[index] ^= 0xff
                return (id, .patch, bytes, plainSize)
            }
            let target = delta.target.copy()
            if target.refusal(of: stream) == nil {
                try target.expectRestores(delta.items[1], delta.listings[1])
            } else {
                #expect(target.storage.names(.snapshot) == names)
            }
            index += 1
        }
        #expect(size > 55)
    }
}

// MARK: - Snapshots, counts and ends

extension HostileStreamTests {
    @Test func `A snapshot that lacks one of its blobs is not made`() throws {
        let records = try handmade().records
        for (index, record) in records.enumerated() {
            guard case .blob(let id, _, _, _) = record.record else { continue }
            var stream = try handmade()
            stream.records.remove(at: index)
            let target = delta.target.copy()
            let message = try delta.expectRefused(
                stream.encoded(), says: "not complete", on: target)
            #expect(message.contains(id.fingerprint.hex))
            #expect(message.contains(delta.items[1].id.digest.hex))
            // What is missing may come later.
            try delta.expectRecovers(target, "\(index)")
        }
    }

    @Test func `A snapshot that is not what its id says is refused`() throws {
        var stream = try handmade()
        let last = stream.records.count - 1
        stream.records[last].bytes[30] ^= 1
        try delta.expectRefused(stream.encoded(), says: "not what its id says")
    }

    @Test func `Blobs after the last snapshot are checked`() throws {
        var stream = try handmade()
        stream.add(BlobID(ofChunk: [1, 2]), .stored, [1, 3], plainSize: 2)
        let error = delta.target.refusal(of: stream.encoded()) as? StreamError
        #expect(error.map { "\($0)".contains("does not match its id") } == true)
        try delta.target.expectSound()
    }

    /// What is here is taken for whole only where no pack is missing.
    @Test func `A receiver that lost a pack takes no snapshot that needs it`() throws {
        let directory = try TemporaryDirectory()
        let (source, target) = (try Depot(), try Depot())
        let path = directory.path("source")
        try directory.write([1, 2, 3], "source/kept")
        let first = try source.capture(path, time: 1_700_000_000)
        try directory.write([4, 5, 6], "source/new")
        let second = try source.capture(path, time: 1_700_086_400)
        try target.receive(try source.send([first]))
        for pack in target.storage.names(.pack) { target.storage.damage(pack, nil) }
        let delta = try source.send([second], known: [first])
        let error = target.refusal(of: delta) as? StreamError
        guard case .incomplete(second.id, _)? = error?.kind else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try target.snapshotIDs() == [first.id])
        // All of it puts it right.
        try target.receive(try source.send([second]))
        try target.expectRestores(second, try TreeListing.of(path))
    }

    @Test func `A snapshot that the header does not name is refused`() throws {
        var stream = try handmade()
        var record = delta.items[1].record
        record.tags = [[1]]
        stream.addSnapshot(record.encoded())
        #expect(delta.target.refusal(of: stream.encoded()) is StreamError)
        #expect(delta.target.storage.names(.snapshot).count == 2)
        try delta.target.expectSound()
    }

    @Test func `Any bytes that have the digest of a snapshot are none`() throws {
        for bytes in [[], Array("varvesnp".utf8), delta.items[1].record.encoded() + [0]] {
            let id = SnapshotID(SHA256Digest(of: bytes.span))
            var stream = HandmadeStream(try handmade().header)
            stream.header.snapshots = [id]
            stream.addSnapshot(bytes)
            try delta.expectRefused(stream.encoded(), says: "damaged")
        }
    }

    @Test(arguments: [(-1, 0), (1, 0), (0, -1), (0, 1), (0, Int(UInt32.max) - 1)])
    func `Counts that lie are refused`(blobs: Int, snapshots: Int) throws {
        var stream = try handmade()
        let count = stream.blobs.count + blobs
        stream.totals = StreamTotals(blobs: UInt64(count), snapshots: UInt32(1 + snapshots))
        let error = delta.target.refusal(of: stream.encoded()) as? StreamError
        #expect(error.map { "\($0)".contains("its end does not match it") } == true)
        // The snapshot itself was whole.
        try delta.target.expectRestores(delta.items[1], delta.listings[1])
        try delta.target.expectSound()
    }

    @Test func `Snapshots that a header promises must come`() throws {
        var stream = try handmade()
        stream.header.snapshots.append(SnapshotID(SHA256Digest(of: [1].span)))
        let error = delta.target.refusal(of: stream.encoded())
        #expect(error is StreamError)
        try delta.target.expectSound()
    }

    @Test func `Snapshots come once each, in the order of the header`() throws {
        let third = try { () throws -> Depot.Item in
            try delta.directory.write([9], "source/more")
            return try delta.source.capture(
                delta.directory.path("source"), time: 1_700_172_800)
        }()
        let good = try delta.source.send([delta.items[1], third], known: [delta.items[0]])
        #expect(try delta.target.copy().receive(good).newSnapshots.count == 2)
        var swapped = try HandmadeStream(good)
        swapped.header.snapshots.swapAt(0, 1)
        try delta.expectRefused(swapped.encoded())
        var twice = try HandmadeStream(good)
        twice.header.snapshots = [delta.items[1].id, delta.items[1].id]
        #expect(delta.target.refusal(of: twice.encoded()) is StreamError)
    }

    @Test func `A stream without an end is refused`() throws {
        let end = StreamRecord.end(StreamTotals()).head().count + SHA256Digest.size
        let stream = Array(delta.stream.dropLast(end))
        guard case .cutShort? = (delta.target.refusal(of: stream) as? StreamError)?.kind else {
            Issue.record("not refused")
            return
        }
    }

    @Test func `Bytes after the end are refused`() throws {
        for extra in [[0], delta.stream] {
            let target = delta.target.copy()
            let error = target.refusal(of: delta.stream + extra) as? StreamError
            #expect(error.map { "\($0)".contains("its end does not match it") } == true)
            try target.expectRestores(delta.items[1], delta.listings[1])
        }
    }

    @Test func `Headers of billions of snapshots are refused at once`() throws {
        for (needed, snapshots) in [
            (UInt32.max, UInt32.max), (0, UInt32.max), (UInt32.max, 1), (0, 0), (0, 65_537),
        ] {
            var writer = ByteWriter()
            writer.raw(delta.stream.prefix(44))
            writer.u32(needed)
            writer.u32(snapshots)
            let flood = writer.bytes + [UInt8](repeating: 0, count: 1 << 20)
            let changes = delta.target.storage.changes
            try delta.expectRefused(flood, says: "one to 65536 snapshots")
            #expect(delta.target.storage.changes == changes)
        }
    }

    @Test func `What a newer varve wrote is refused by name`() throws {
        for (offset, value, text) in [
            (8, 2, "stream format 2"), (9, 1, "cipher 1"), (10, 4, "features 4"),
        ] as [(Int, UInt8, String)] {
            var stream = delta.stream
            stream[offset] = value
            try delta.expectRefused(stream, says: text)
        }
    }

    @Test func `Records, kinds and codecs that there are not are refused`() throws {
        // Type, kind, codec and the zero of the first record.
        for (offset, value) in [(148, 0), (148, 4), (148, 255), (153, 9), (154, 4), (155, 1)]
            as [(Int, UInt8)]
        {
            var stream = delta.stream
            stream[offset] = value
            try delta.expectRefused(stream)
        }
    }
}

extension SplitMix64 {
    fileprivate static func text(_ count: Int, seed: UInt64) -> [UInt8] {
        var random = SplitMix64(seed: seed)
        return random.text(count)
    }
}
