@testable import Repository
import Wire
@testable import Remote
import Bytes
import Deltas
import Hashing
import Platform
import Snapshots
import Testing
import TestSupport

/// How little of a file travels.
struct DeltaContentTests {
    private let directory: TemporaryDirectory
    private let depot: Depot
    private let target: Depot

    init() throws {
        directory = try TemporaryDirectory()
        try directory.makeDirectories(Array("source".utf8))
        depot = try Depot()
        target = try Depot()
    }

    private var path: [UInt8] { directory.path("source") }

    private func write(_ bytes: [UInt8], _ name: String) throws {
        try directory.write(bytes, "source/\(name)")
    }

    private func capture(_ night: Int) throws -> Depot.Item {
        try depot.capture(path, time: 1_700_000_000 + 86_400 * Int64(night))
    }

    private static func edit(_ content: inout [UInt8], _ count: Int, _ random: inout SplitMix64) {
        for _ in 0..<count {
            let place = random.below(content.count - 20)
            content.replaceSubrange(place..<place + 20, with: random.bytes(20))
        }
    }

    /// Sends a snapshot against another and expects that it can be restored there.
    private func ship(
        _ item: Depot.Item, known: [Depot.Item]
    ) throws -> (summary: SendSummary, received: ReceiveSummary) {
        let (stream, summary) = try depot.sendAndTell([item], known: known)
        let received = try target.receive(stream)
        try target.expectRestores(item, try TreeListing.of(path))
        try target.expectSound()
        return (summary, received)
    }

    @Test func `Scattered edits cost about their own bytes`() throws {
        var random = SplitMix64(seed: 801)
        var content = random.bytes(1_000_000)
        try write(content, "table")
        var known = [try capture(0)]
        let first = try ship(known[0], known: [])
        #expect(first.summary.streamBytes > 1_000_000)
        for night in 1..<10 {
            Self.edit(&content, 40, &random)
            try write(content, "table")
            let item = try capture(night)
            let (summary, received) = try ship(item, known: known)
            #expect(summary.patches > 20)
            // At the ninth the chains are as deep as they may be.
            if night < 9 {
                #expect(summary.streamBytes < 20_000)
                #expect(received.storedBytes < 40_000)
            }
            known = [item]
        }
    }

    /// The capture stored patches against the parent, which the receiver does not have.
    @Test func `Patches whose base the receiver lacks are made against what it has`() throws {
        var random = SplitMix64(seed: 802)
        var content = random.bytes(300_000)
        try write(content, "table")
        let first = try capture(0)
        _ = try ship(first, known: [])
        var last = first
        for night in 1...3 {
            Self.edit(&content, 30, &random)
            try write(content, "table")
            last = try capture(night)
        }
        let (stream, summary) = try depot.sendAndTell([last], known: [first])
        #expect(summary.streamBytes < 20_000)
        let bases = try Set(
            HandmadeStream(stream).records.flatMap { record -> [BlobID] in
                guard case .blob(_, .patch, _, _) = record.record else { return [] }
                return try PatchHeader(decoding: record.bytes).bases.map {
                    .chunk(ChunkID($0.fingerprint))
                }
            })
        #expect(!bases.isEmpty)
        #expect(Set(try target.blobs().map(\.id)).isSuperset(of: bases))
        try target.receive(stream)
        try target.expectRestores(last, try TreeListing.of(path))
        try target.expectSound()
    }

    @Test func `A receiver of nothing gets no patch, though all is stored as patches`() throws {
        var random = SplitMix64(seed: 803)
        var content = random.bytes(300_000)
        try write(content, "table")
        _ = try capture(0)
        Self.edit(&content, 200, &random)
        try write(content, "table")
        let item = try capture(1)
        #expect(try depot.chunkCodecs().contains(.patch))
        let (summary, _) = try ship(item, known: [])
        #expect(summary.patches == 0)
        #expect(try !target.chunkCodecs().contains(.patch))
    }

    /// Here the bases are whole, there patches, or the other way round.
    @Test func `Patches are as deep as their bases at the receiver make them`() throws {
        var random = SplitMix64(seed: 804)
        var content = random.bytes(20_000)
        try write(content, "table")
        var items = [try capture(0)]
        for night in 1...10 {
            Self.edit(&content, 1, &random)
            try write(content, "table")
            items.append(try capture(night))
        }
        // The receiver takes every second night only, each against the one before.
        var known: [Depot.Item] = []
        for item in items where (items.firstIndex { $0.id == item.id } ?? 0) % 2 == 0 {
            try target.receive(try depot.send([item], known: known))
            known = [item]
        }
        let depths = try target.depths()
        #expect(depths.max() ?? 0 <= PatchHeader.depthLimit)
        #expect(depths.contains(5))
        try target.expectRestores(items[10], try TreeListing.of(path))
        try target.expectSound()
        // And on from there, where the chains are of other depths than here.
        var others: [Depot.Item] = [items[10]]
        for night in 11...20 {
            Self.edit(&content, 1, &random)
            try write(content, "table")
            let item = try capture(night)
            try target.receive(try depot.send([item], known: others))
            try target.expectRestores(item, try TreeListing.of(path))
            others = [item]
        }
        #expect(try target.depths().max() ?? 0 == PatchHeader.depthLimit)
        try target.expectSound()
    }

    @Test func `Renamed, split, joined, copied and linked files cost no content`() throws {
        var random = SplitMix64(seed: 805)
        let contents = (0..<4).map { _ in random.bytes(400_000) }
        for (number, content) in contents.enumerated() { try write(content, "table \(number)") }
        let first = try capture(0)
        _ = try ship(first, known: [])
        let place = Descriptor.workingDirectory
        let table = { (number: Int) in directory.path("source/table \(number)") }
        try FileOperations.rename(table(0), to: directory.path("source/renamed"), at: place)
        try FileOperations.remove(table(1))
        try write(Array(contents[1].prefix(230_000)), "split 1")
        try write(Array(contents[1].dropFirst(230_000)), "split 2")
        try write(contents[2] + contents[3], "joined")
        try write(contents[2], "copied")
        try FileOperations.link(table(3), to: directory.path("source/linked"), at: place)
        let second = try capture(1)
        let (summary, _) = try ship(second, known: [first])
        // A few chunks at each seam are cut anew.
        #expect(summary.plainBytes < 250_000)
        #expect(summary.streamBytes < 250_000)
    }

    @Test func `Holes are not sent`() throws {
        var random = SplitMix64(seed: 806)
        let file = try Descriptor.open(
            PathBytes.join(path, Array("sparse".utf8)), [.writeOnly, .create])
        try file.write(random.bytes(10_000).span, at: 40 << 20, [])
        try file.truncate(to: 100 << 20, [])
        let (summary, _) = try ship(try capture(0), known: [])
        #expect(summary.plainBytes < 20_000)
    }

    @Test func `Equal XXH3 is not equal content`() throws {
        let known = Fixtures.collisions
        for (number, collision) in known.enumerated() {
            try write(try collision.contents().0, "a \(number)")
        }
        let first = try capture(0)
        _ = try ship(first, known: [])
        for (number, collision) in known.enumerated() {
            try write(try collision.contents().1, "b \(number)")
        }
        let second = try capture(1)
        _ = try ship(second, known: [first])
        #expect(try target.read("b 0", of: second) == known[0].contents().1)
    }
}

extension Depot {
    /// The depths of all patches.
    fileprivate func depths() throws -> [Int] {
        let repository = try repository()
        return try repository.index.presentPacks().flatMap { pack in
            let reader = try PackReader(pack, storage)
            return try reader.entries().filter { $0.codec == .patch }.map { entry in
                try reader.patchHeader(BlobPlace(entry, in: pack)).depth
            }
        }
    }
}
