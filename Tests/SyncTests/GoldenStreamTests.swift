@testable import Snapshots
import Bytes
import Hashing
import Platform
import Remote
import Repository
import Testing
import TestSupport
import Wire

/// Delta streams of the first version stay readable.
///
/// `VARVE_RECORD_FIXTURES=1` writes the fixtures where there are none.
struct GoldenStreamTests {
    private static let directory = "streams/v1"
    private static let whole = directory + "/whole.varve"
    private static let delta = directory + "/delta.varve"

    /// The second and the third need what comes before.
    private static func record() throws {
        guard (try? Fixtures.bytes(whole)) == nil else { return }
        let made = try SmallDelta()
        try Fixtures.write(try made.source.send([made.items[0]]), whole)
        try Fixtures.write(made.stream, delta)
    }

    /// What the tree of `SmallDelta` holds on the first day, and on the second.
    private static func contents() -> [[String: [UInt8]]] {
        var random = SplitMix64(seed: 811)
        let table = random.bytes(6_000)
        var edited = table
        edited[3_000] ^= 1
        let (text, bytes) = (random.text(300), random.bytes(50))
        return [
            ["table": table, "kept": [1]],
            ["table": edited, "kept": [1], "text": text, "random": bytes],
        ]
    }

    @Test func `Streams of the first version give what they were made from`() throws {
        if HostSystem.variable("VARVE_RECORD_FIXTURES") != nil { try Self.record() }
        let target = try Depot()
        for name in [Self.whole, Self.delta] {
            let summary = try target.receive(try Fixtures.bytes(name))
            #expect(summary.newSnapshots.count == 1)
        }
        let items = try target.items()
        #expect(items.map(\.record.time.seconds) == [1_700_000_000, 1_700_086_400])
        for (item, files) in zip(items, Self.contents()) {
            for (name, content) in files {
                let isRight = try target.read(name, of: item) == content
                #expect(isRight, "\(name)")
            }
        }
        try target.expectSound()
    }

    @Test func `The streams of the first version are laid out as the format says`() throws {
        let stream = try Fixtures.bytes(Self.delta)
        var reader = ByteReader(stream)
        try reader.magic("varvestr")
        #expect(try reader.take(4) == [1, 0, 0, 0])
        _ = try reader.take(32)
        #expect(try (reader.u32(), reader.u32()) == (1, 1))
        let whole = try HandmadeStream(try Fixtures.bytes(Self.whole))
        #expect(try SnapshotID(reader.sha256()) == whole.header.snapshots[0])
        let id = try reader.sha256()
        let digest = SHA256Digest(of: Array(stream.prefix(reader.offset)).span)
        #expect(try reader.sha256() == digest)
        // A node, then chunks in the order of their files, then the snapshot.
        var seen: [[UInt8]] = []
        while true {
            let type = try reader.u8()
            let size = Int(try reader.u32())
            guard type == 1 else {
                #expect(type == 2)
                #expect(try reader.sha256() == id)
                #expect(SHA256Digest(of: Array(try reader.take(size)).span) == id)
                break
            }
            seen.append([try reader.u8(), try reader.u8()])
            #expect(try reader.u16() == 0)
            _ = try reader.take(4 + 48 + size)
        }
        #expect(seen == [[1, 1], [0, 0], [0, 2], [0, 1]])
        #expect(try reader.take(5) == [3, 0, 0, 0, 0])
        #expect(try (reader.u64(), reader.u32()) == (4, 1))
        #expect(reader.remaining == 32)
    }

    /// What is made of a stream that was taken apart is the stream.
    @Test func `Streams of the first version are written as they were`() throws {
        for name in [Self.whole, Self.delta] {
            let stream = try Fixtures.bytes(name)
            #expect(try HandmadeStream(stream).encoded() == stream)
        }
    }
}
