@testable import Remote
@testable import Repository
@testable import Snapshots
@testable import Wire
import Bytes
import Hashing
import Platform
import Testing
import TestSupport

/// Snapshots on their way between repositories, through the wire.
struct TransferTests {
    /// Three nights of some files, of which most change a little; made once for all tests.
    private struct Nights: Sendable {
        /// A copy, which a test may change.
        let source: Depot
        private(set) var items: [Depot.Item] = []
        private(set) var listings: [[String]] = []

        private static let made = [831, 832].map { seed in
            Result { try Nights(making: UInt64(seed)) }
        }

        init(number: Int = 0) throws {
            let made = try Self.made[number].get()
            source = made.source.copy()
            (items, listings) = (made.items, made.listings)
        }

        private init(making seed: UInt64) throws {
            let directory = try TemporaryDirectory()
            source = try Depot()
            var random = SplitMix64(seed: seed)
            // As large as a chunk may be: cutting takes long where nothing is optimised.
            var parts = (0..<40).map { _ in random.bytes(25_000) }
            for night in 0..<3 {
                for file in 0..<6 {
                    try directory.write(random.text(9_000), "source/\(night)/\(file)")
                    try directory.write(random.bytes(15_000), "source/\(night)/x\(file)")
                }
                for (number, part) in parts.enumerated() {
                    try directory.write(part, "source/part \(number)")
                    let place = random.below(part.count - 20)
                    parts[number].replaceSubrange(place..<place + 20, with: random.bytes(20))
                }
                let path = directory.path("source")
                listings.append(try TreeListing.of(path))
                let time = 1_700_000_000 + Int64(seed) + Int64(night) * 86_400
                items.append(try source.capture(path, host: "\(seed)", time: time))
            }
        }

        /// Expects all snapshots and every byte of them; ids are digests, so that one restore is
        /// enough to see that they lead somewhere.
        func expectAll(in depot: Depot, _ comment: Comment? = nil) throws {
            let ids = try Set(depot.snapshotIDs())
            #expect(ids.isSuperset(of: items.map(\.id)), comment)
            try depot.expectRestores(items[2], listings[2], comment)
            try depot.expectSound(comment)
        }
    }

    private enum Way: CaseIterable { case push, pull, local }

    /// Runs a transfer as the commands do, over a connection of its own.
    @discardableResult
    private func transfer(
        _ way: Way, from source: Depot, to target: Depot, only wanted: [Depot.Item]? = nil
    ) throws -> TransferSummary {
        let served = way == .push ? target : source
        let pair = try way == .local ? nil : CutPair(served.storage)
        defer { pair?.close() }
        return try transfer(way, from: source, to: target, only: wanted, through: pair)
    }

    private func transfer(
        _ way: Way, from source: Depot, to target: Depot, only wanted: [Depot.Item]? = nil,
        through pair: CutPair?
    ) throws -> TransferSummary {
        func place(_ depot: Depot, _ isThere: Bool) throws -> TransferPlace {
            guard isThere, let connection = pair?.connection else {
                return TransferPlace(try depot.repository())
            }
            let repository = try Repository(RemoteStorage(connection))
            return TransferPlace(repository, connection: connection)
        }
        let here = try place(source, way == .pull)
        let there = try place(target, way == .push)
        let all = try SnapshotSeries(here.repository).items
        return try Transfer(from: here, to: there, WorkProgress()).run(wanted ?? all, of: all)
    }

    @Test(arguments: [Way.push, .pull, .local])
    private func `All snapshots come over, and a second time costs nothing`(way: Way) throws {
        let nights = try Nights()
        let target = try Depot()
        let summary = try transfer(way, from: nights.source, to: target)
        #expect(summary.transferred == nights.items.map(\.id))
        #expect(summary.alreadyThere == 0)
        #expect(summary.streamBytes > 1_000_000)
        try nights.expectAll(in: target)
        let names = target.storage.names
        let again = try transfer(way, from: nights.source, to: target)
        var nothing = TransferSummary()
        nothing.alreadyThere = 3
        #expect(again == nothing)
        #expect(target.storage.names == names)
    }

    @Test(arguments: [Way.push, .pull, .local])
    private func `An ordinary transfer sends what the night changed`(way: Way) throws {
        let nights = try Nights()
        let target = try Depot()
        try transfer(way, from: nights.source, to: target, only: [nights.items[0]])
        for item in nights.items.dropFirst() {
            let summary = try transfer(way, from: nights.source, to: target, only: [item])
            #expect(summary.transferred == [item.id])
            // Ninety thousand bytes that zstd cannot shrink, and little for the edits.
            #expect(summary.streamBytes < 130_000)
        }
        try nights.expectAll(in: target)
    }

    @Test(arguments: [Way.push, .pull])
    private func `Nothing to do costs the beginning of a conversation`(way: Way) throws {
        let nights = try Nights()
        let target = try Depot()
        try transfer(way, from: nights.source, to: target)
        let served = way == .push ? target : nights.source
        let pair = try CutPair(served.storage)
        _ = try transfer(way, from: nights.source, to: target, through: pair)
        pair.close()
        #expect(pair.counts.toServer < 1_000)
        #expect(pair.counts.toClient < 40_000)
    }

    @Test(arguments: [Way.push, .pull, .local])
    private func `Two repositories that are synchronised have the union`(way: Way) throws {
        let (mine, theirs) = (try Nights(number: 0), try Nights(number: 1))
        let (here, there) = (mine.source, theirs.source)
        for _ in 0..<2 {
            try transfer(way, from: there, to: here)
            try transfer(way, from: here, to: there)
            for depot in [here, there] {
                #expect(try depot.snapshotIDs().count == 6)
            }
        }
        for depot in [here, there] {
            try mine.expectAll(in: depot)
            try theirs.expectAll(in: depot)
        }
        let names = (here.storage.names, there.storage.names)
        try transfer(way, from: there, to: here)
        try transfer(way, from: here, to: there)
        #expect(names == (here.storage.names, there.storage.names))
    }

    @Test func `Laptop, server and archive: what reaches the archive is what was there`() throws {
        let laptop = try Nights()
        let (server, archive) = (try Depot(), try Depot())
        for item in laptop.items {
            try transfer(.push, from: laptop.source, to: server, only: [item])
            try transfer(.pull, from: server, to: archive)
        }
        try laptop.expectAll(in: archive)
        try laptop.expectAll(in: server)
        let ids = try Set(laptop.source.snapshotIDs())
        #expect(try Set(archive.snapshotIDs()) == ids)
        // The middle one may go: the archive needs neither of the others.
        let restored = try Depot()
        try transfer(.local, from: archive, to: restored)
        try laptop.expectAll(in: restored)
    }

    @Test func `A server that is read-only is pulled from and takes no push`() throws {
        let nights = try Nights()
        let target = try Depot()
        try target.receive(try nights.source.send([nights.items[0]]))
        let names = target.storage.names
        let pair = try CutPair(target.storage, ServePolicy(isReadOnly: true))
        defer { pair.close() }
        do {
            _ = try transfer(.push, from: nights.source, to: target, through: pair)
            Issue.record("pushed")
        } catch let error as ConnectionError {
            guard case .remote(let failure) = error.kind else { throw error }
            #expect(failure.kind == .forbidden)
        }
        #expect(target.storage.names == names)
        let other = try Depot()
        _ = try transfer(.pull, from: target, to: other, through: pair)
        #expect(try other.snapshotIDs() == [nights.items[0].id])
    }

    /// The first byte of a chunk that all three nights have, at its sender.
    private static func damageChunk(_ depot: Depot) throws {
        let repository = try depot.repository()
        let chunk = try #require(
            try depot.blobs().first { $0.id.kind == .chunk && $0.codec != .patch })
        let place = try #require(try repository.places(of: chunk.id).first)
        let name = ObjectName.pack(place.pack)
        var bytes = try #require(depot.storage.bytes(name))
        bytes[Int(place.offset) + 20] ^= 1
        depot.storage.damage(name, bytes)
    }

    @Test(arguments: [Way.push, .local])
    private func `What is damaged at the sender is called that, and not a damaged stream`(
        way: Way
    ) throws {
        let nights = try Nights()
        try Self.damageChunk(nights.source)
        let target = try Depot()
        let error = #expect(throws: RepositoryError.self) {
            try transfer(way, from: nights.source, to: target)
        }
        #expect(error?.isDamage == true)
        #expect(error?.object.hasPrefix("packs/") == true)
        // Those that do not need it may have arrived.
        #expect(try target.snapshotIDs().count < nights.items.count)
    }

    @Test func `What is damaged at a host that is pulled from is told of that host`() throws {
        let nights = try Nights()
        try Self.damageChunk(nights.source)
        let error = #expect(throws: ConnectionError.self) {
            try transfer(.pull, from: nights.source, to: try Depot())
        }
        guard case .remote(let failure)? = error?.kind else { return }
        #expect(failure.kind == .damaged)
    }

    @Test func `A stream that is kept is made only of what is right`() throws {
        let nights = try Nights()
        try Self.damageChunk(nights.source)
        let sender = DeltaSender(
            try nights.source.repository(), isChecking: true, WorkProgress())
        let error = #expect(throws: RepositoryError.self) {
            try sender.send(nights.items, known: [], to: GatheringSink())
        }
        #expect(error?.isDamage == true)
    }

    @Test func `What streams bring is published by the rights of the session`() throws {
        let storage = try Depot().storage
        let narrowed = try ServedStorage(storage, ServePolicy(isAppendOnly: true)).repository()
        #expect(narrowed.storage is AppendOnlyStorage)
        let full = try ServedStorage(storage, ServePolicy()).repository()
        #expect(full.storage is SimulatedStorage)
    }

    @Test func `A snapshot that the server lost is told by the server`() throws {
        let nights = try Nights()
        let target = try Depot()
        let pair = try CutPair(nights.source.storage)
        defer { pair.close() }
        let repository = try Repository(RemoteStorage(pair.connection))
        let all = try SnapshotSeries(repository).items
        nights.source.storage.damage(.snapshot(all[1].id), nil)
        let here = TransferPlace(repository, connection: pair.connection)
        let there = TransferPlace(try target.repository())
        do {
            _ = try Transfer(from: here, to: there, WorkProgress()).run([all[1]], of: all)
            Issue.record("pulled")
        } catch let error as ConnectionError {
            guard case .remote(let failure) = error.kind else { throw error }
            #expect(failure.kind == .missing)
        }
        #expect(try target.snapshotIDs() == [])
    }
}

// MARK: - Cut

extension TransferTests {
    /// The transfer is cut at every eighth of its bytes, and run again until it is done.
    @Test(arguments: [Way.push, .pull])
    private func `A transfer that was cut goes on where it was`(way: Way) throws {
        let nights = try Nights()
        let direction: CutPair.Direction = way == .push ? .toServer : .toClient
        let total = try bytes(way, direction, from: nights.source, to: try Depot())
        var random = SplitMix64(seed: 834)
        for part in 1..<8 {
            let target = try Depot()
            let served = way == .push ? target : nights.source
            let limit = total * part / 8 + random.below(total / 16)
            let cut = try CutPair(served.storage, after: limit, direction)
            #expect(throws: (any Error).self) {
                _ = try transfer(way, from: nights.source, to: target, through: cut)
            }
            cut.close()
            let comment: Comment = "\(way) cut after \(limit) of \(total) bytes"
            try target.expectSound(comment)
            let rest = try bytes(way, direction, from: nights.source, to: target)
            // A frame that was cut comes again, and a small delta: it is not worth asking for.
            let slack = OutgoingStream.frameSize + 150_000
            #expect(rest < total - limit + slack, comment)
            try nights.expectAll(in: target, comment)
        }
    }

    /// Bytes that a transfer to its end takes.
    private func bytes(
        _ way: Way, _ direction: CutPair.Direction, from source: Depot, to target: Depot
    ) throws -> Int {
        let pair = try CutPair(way == .push ? target.storage : source.storage)
        _ = try transfer(way, from: source, to: target, through: pair)
        pair.close()
        return direction == .toServer ? pair.counts.toServer : pair.counts.toClient
    }
}
