import Remote
@testable import Wire
import Bytes
import Hashing
import Platform
import Repository
import Snapshots
import Testing
import TestSupport

/// receive(send(A → B)) has B, whatever A and B are.
struct DeltaLawTests {
    /// One list, so that the trees of a seed are made once.
    static let seeds = Seed.some(1)

    /// Five nights of one tree, and one of another that has little to do with it.
    private struct Nights: Sendable {
        let depot: Depot
        private(set) var items: [Depot.Item] = []
        private(set) var listings: [[String]] = []

        private static let made = DeltaLawTests.seeds.map { seed in
            (seed: seed, nights: Result { try Nights(making: seed) })
        }

        /// Those of a seed; made once for all tests, which only send them.
        init(_ seed: Seed) throws {
            let made = try #require(Self.made.first { $0.seed == seed })
            self = try made.nights.get()
        }

        private init(making seed: Seed) throws {
            depot = try Depot()
            let directory = try TemporaryDirectory()
            try directory.makeDirectories(Array("source".utf8))
            try directory.makeDirectories(Array("other".utf8))
            var tree = TestTree(directory.path("source"), seed)
            try tree.fill(files: 20)
            try add("source", in: directory)
            for edits in [5, 40, 1, 0] {
                try tree.edit(edits)
                try add("source", in: directory)
            }
            var other = TestTree(directory.path("other"), Seed(seed.value + 1))
            try other.fill(files: 1)
            try add("other", in: directory)
        }

        private mutating func add(_ name: String, in directory: TemporaryDirectory) throws {
            let path = directory.path(name)
            listings.append(try TreeListing.of(path))
            items.append(
                try depot.capture(path, host: name, time: 1_700_000_000 + Int64(items.count)))
        }

        /// Expects that `depot` has just these snapshots, and can restore each.
        func expect(_ numbers: [Int], in depot: Depot) throws {
            let ids = try Set(depot.snapshotIDs())
            #expect(ids == Set(numbers.map { items[$0].id }))
            for number in numbers {
                try depot.expectRestores(items[number], listings[number], "\(number)")
            }
            try depot.expectSound()
        }
    }

    @Test(arguments: DeltaLawTests.seeds)
    func `A chain of streams brings every snapshot`(seed: Seed) throws {
        let nights = try Nights(seed)
        let target = try Depot()
        var known: [Depot.Item] = []
        for item in nights.items {
            let stream = try nights.depot.send([item], known: known)
            let parsed = try HandmadeStream(stream)
            #expect(parsed.header.needed == known.suffix(1).map(\.id))
            let summary = try target.receive(stream, pieces: 7_777)
            #expect(summary.newSnapshots == [item.id])
            #expect(summary.knownBlobs == 0, "nothing that it has is sent")
            #expect(summary.streamBytes == UInt64(stream.count))
            known = [item]
        }
        try nights.expect([0, 1, 2, 3, 4, 5], in: target)
        // No more is stored there than here.
        let (here, there) = (try nights.depot.blobs(), try target.blobs())
        #expect(Set(here.map(\.id)) == Set(there.map(\.id)))
    }

    @Test(arguments: DeltaLawTests.seeds)
    func `A stream is against any snapshot that the receiver has`(seed: Seed) throws {
        let nights = try Nights(seed)
        for (one, other) in [(0, 2), (1, 4), (4, 0), (3, 5), (5, 2)] {
            let target = try Depot()
            let (from, to) = (nights.items[one], nights.items[other])
            try target.receive(try nights.depot.send([from]))
            let delta = try nights.depot.send([to], known: [from])
            #expect(try target.receive(delta).knownBlobs == 0, "nothing that it has is sent")
            try nights.expect([one, other].sorted(), in: target)
        }
    }

    @Test(arguments: DeltaLawTests.seeds)
    func `Several snapshots travel in one stream, each blob once`(seed: Seed) throws {
        let nights = try Nights(seed)
        let (stream, summary) = try nights.depot.sendAndTell(nights.items)
        let blobs = try HandmadeStream(stream).blobs.map(\.id)
        #expect(Set(blobs).count == blobs.count)
        #expect(Set(blobs) == Set(try nights.depot.blobs().map(\.id)))
        #expect(summary.snapshots == 6)
        #expect(summary.blobs == UInt64(blobs.count))
        let target = try Depot()
        #expect(try target.receive(stream, pieces: 1_000_000).newSnapshots.count == 6)
        try nights.expect([0, 1, 2, 3, 4, 5], in: target)
    }

    @Test(arguments: DeltaLawTests.seeds)
    func `A stream applied twice changes nothing the second time`(seed: Seed) throws {
        let nights = try Nights(seed)
        let target = try Depot()
        let first = try nights.depot.send(Array(nights.items.prefix(2)))
        let second = try nights.depot.send([nights.items[2]], known: [nights.items[1]])
        for stream in [first, second] { try target.receive(stream) }
        let names = target.storage.names
        for stream in [first, second, first] {
            let summary = try target.receive(stream)
            #expect(summary.newSnapshots == [])
            #expect(summary.storedBytes == 0)
            #expect(summary.blobs == summary.knownBlobs)
            #expect(target.storage.names == names)
        }
        try nights.expect([0, 1, 2], in: target)
    }

    @Test func `Of hundreds of files those that changed travel, and the nodes on the way`() throws {
        let directory = try TemporaryDirectory()
        let (depot, target) = (try Depot(), try Depot())
        let path = directory.path("source")
        for number in 0..<600 {
            try directory.write(Array("file \(number)".utf8), "source/\(number % 7)/\(number)")
        }
        let first = try depot.capture(path, time: 1_700_000_000)
        try target.receive(try depot.send([first]))
        for number in [3, 300, 599] {
            try directory.write(Array("new \(number)".utf8), "source/\(number % 7)/\(number)")
        }
        let second = try depot.capture(path, time: 1_700_086_400)
        let stream = try depot.send([second], known: [first])
        let blobs = try HandmadeStream(stream).blobs
        #expect(blobs.count { $0.id.kind == .chunk } == 3)
        #expect(blobs.count { $0.id.kind == .node } <= 4)
        #expect(try target.receive(stream).knownBlobs == 0)
        try target.expectRestores(second, try TreeListing.of(path))
        try target.expectSound()
    }

    @Test func `Snapshots of nothing, and from nothing to something and back, travel`() throws {
        let directory = try TemporaryDirectory()
        let (depot, target) = (try Depot(), try Depot())
        try directory.makeDirectories(Array("source".utf8))
        let path = directory.path("source")
        var known: [Depot.Item] = []
        for step in 0..<3 {
            if step == 1 { try directory.write([1, 2, 3], "source/file") }
            if step == 2 { try FileOperations.remove(directory.path("source/file")) }
            let listing = try TreeListing.of(path)
            let item = try depot.capture(path, time: 1_700_000_000 + Int64(step))
            try target.receive(try depot.send([item], known: known))
            try target.expectRestores(item, listing)
            known.append(item)
        }
        try target.expectSound()
    }

    @Test(arguments: DeltaLawTests.seeds.prefix(1))
    func `A receiver without what a stream needs refuses before it writes`(seed: Seed) throws {
        let nights = try Nights(seed)
        let target = try Depot()
        try target.receive(try nights.depot.send([nights.items[5]]))
        let names = target.storage.names
        let steps = target.storage.changes
        let stream = try nights.depot.send([nights.items[1]], known: [nights.items[0]])
        let error = try #require(target.refusal(of: stream) as? StreamError)
        guard case .lacks(let ids) = error.kind else {
            Issue.record("\(error)")
            return
        }
        #expect(ids == [nights.items[0].id])
        let message = "\(error)"
        #expect(message.contains(nights.items[0].id.digest.hex))
        #expect(target.storage.names == names)
        #expect(target.storage.changes == steps)
    }

    @Test(arguments: DeltaLawTests.seeds.prefix(1))
    func `What a query finds is not sent`(seed: Seed) throws {
        let nights = try Nights(seed)
        let all = try HandmadeStream(try nights.depot.send([nights.items[0]])).blobs.map(\.id)
        let there = Set(all.enumerated().filter { $0.offset % 3 == 0 }.map(\.element))
        var asked: [BlobID] = []
        let stream = try nights.depot.send([nights.items[0]]) { question in
            asked += question.blobs
            return question.blobs.map(there.contains)
        }
        #expect(asked == all)
        let sent = try HandmadeStream(stream).blobs.map(\.id)
        #expect(sent == all.filter { !there.contains($0) })
    }
}
