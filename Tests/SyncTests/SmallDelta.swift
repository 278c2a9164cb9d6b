import Remote
@testable import Wire
import Bytes
import Hashing
import Platform
import Repository
import Snapshots
import Testing
import TestSupport

/// A small delta that has one of everything: a node, a chunk that is stored, one that is
/// compressed, one that is a patch.
struct SmallDelta {
    let directory: TemporaryDirectory
    let source: Depot
    /// Has the first snapshot only.
    let target: Depot
    let items: [Depot.Item]
    let listings: [[String]]
    /// What turns the first snapshot into the second.
    let stream: [UInt8]

    init() throws {
        directory = try TemporaryDirectory()
        source = try Depot()
        target = try Depot()
        var random = SplitMix64(seed: 811)
        var table = random.bytes(6_000)
        try directory.write(table, "source/table")
        try directory.write([1], "source/kept")
        let path = directory.path("source")
        var items = [try source.capture(path, time: 1_700_000_000)]
        var listings = [try TreeListing.of(path)]
        table[3_000] ^= 1
        try directory.write(table, "source/table")
        try directory.write(random.text(300), "source/text")
        try directory.write(random.bytes(50), "source/random")
        items.append(try source.capture(path, time: 1_700_086_400))
        listings.append(try TreeListing.of(path))
        (self.items, self.listings) = (items, listings)
        try target.receive(try source.send([items[0]]))
        stream = try source.send([items[1]], known: [items[0]])
        let codecs = try HandmadeStream(stream).blobs.filter { $0.id.kind == .chunk }.map(\.codec)
        #expect(Set(codecs) == [.stored, .zstd, .patch])
    }

    /// Expects that a target has nothing but whole snapshots, the first always, and that the
    /// stream then can be applied.
    func expectRecovers(_ target: Depot, _ comment: Comment) throws {
        let ids = try target.snapshotIDs()
        #expect(ids.contains(items[0].id), comment)
        #expect(Set(items.map(\.id)).isSuperset(of: ids), comment)
        if ids.count == 2 { try target.expectRestores(items[1], listings[1], comment) }
        let summary = try target.receive(stream)
        #expect(summary.newSnapshots.count == 2 - ids.count, comment)
        try target.expectSound(comment)
    }

    /// Expects that a stream is refused, that it makes no snapshot, and that all else stays right.
    @discardableResult
    func expectRefused(
        _ stream: [UInt8], says text: String = "", on target: Depot? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let target = target ?? self.target
        let error = target.refusal(of: stream)
        #expect(error is StreamError || error is RepositoryError, sourceLocation: sourceLocation)
        let message = error.map { "\($0)" } ?? "nothing"
        #expect(
            text.isEmpty || message.contains(text), "\(message)", sourceLocation: sourceLocation)
        let ids = try target.snapshotIDs()
        #expect(ids == [items[0].id], sourceLocation: sourceLocation)
        try target.expectSound(sourceLocation: sourceLocation)
        return message
    }
}
