import Bytes
import Hashing
import Platform
import SystemPackage
import Testing
import TestSupport

@testable import Repository

/// Index segments as bytes, apart from any repository.
struct IndexSegmentTests {
    /// Entries of some packs, with random fingerprints in which many share the first bits.
    private static func entries(_ count: Int, _ seed: UInt64) -> [LocatedBlob] {
        var generator = SplitMix64(seed: seed)
        let packs = (0..<3).map { _ in PackID(SHA256Digest(generator.next(), 0, 0, 1)) }
        return (0..<count).map { number in
            let high = number % 3 == 0 ? UInt64(number / 9) << 40 : generator.next()
            let fingerprint = Fingerprint(
                xxh3: XXH3Digest(high: high, low: generator.next()),
                sha256: SHA256Digest(generator.next(), 1, 2, 3)
            )
            return LocatedBlob(
                id: BlobID(number % 4 == 0 ? .node : .chunk, fingerprint),
                place: BlobPlace(
                    pack: packs[number % 3],
                    codec: number % 2 == 0 ? .zstd : .stored,
                    offset: UInt32(generator.below(1 << 25)),
                    storedSize: UInt32(number),
                    plainSize: UInt32(number)
                )
            )
        }
    }

    private static func segment(_ bytes: [UInt8], id: IndexID? = nil) throws -> IndexSegment {
        let storage = SimulatedStorage()
        let id = id ?? IndexID(SHA256Digest(of: bytes.span))
        storage.damage(.index(id), bytes)
        return try IndexSegment(id, try storage.open(.index(id)))
    }

    @Test(arguments: [0, 1, 2, 15, 16, 17, 33, 1_023, 1_024, 1_025, 2_500])
    func `Every entry is found and nothing else`(count: Int) throws {
        let entries = Self.entries(count, 31)
        let segment = try Self.segment(IndexFormat.encode(entries))
        #expect(segment.entryCount == count)
        try segment.checkDigest()
        for entry in entries where try segment.find(entry.id) != [entry.place] {
            Issue.record("\(entry)")
        }
        for stranger in Self.entries(200, 32) where try !segment.find(stranger.id).isEmpty {
            Issue.record("\(stranger)")
        }
        let listed = try (0..<count).map { try segment.entry($0).id.fingerprint }
        #expect(listed == entries.map(\.id.fingerprint).sorted())
    }

    @Test func `The order in which entries come does not matter`() {
        var generator = SplitMix64(seed: 33)
        let entries = Self.entries(300, 33)
        let bytes = IndexFormat.encode(entries)
        #expect(IndexFormat.encode(entries.shuffled(using: &generator)) == bytes)
        #expect(IndexFormat.encode(entries + entries) == bytes, "equal entries are kept once")
    }

    /// Encodes entries as they are, with repetitions.
    private static func repeating(_ entries: [LocatedBlob], _ times: Int) -> [UInt8] {
        let once = IndexFormat.encode(entries)
        let start = once.count - entries.count * IndexFormat.entrySize
        var body: [UInt8] = []
        for number in entries.indices {
            let offset = start + number * IndexFormat.entrySize
            for _ in 0..<times { body += once[offset..<offset + IndexFormat.entrySize] }
        }
        return handmade(Set(entries.map(\.place.pack)), body, once[..<10])
    }

    /// A segment with a fan-out of one, and right checksums.
    private static func handmade(
        _ packs: Set<PackID>, _ body: [UInt8], _ magic: ArraySlice<UInt8>
    ) -> [UInt8] {
        let count = UInt32(body.count / IndexFormat.entrySize)
        var writer = ByteWriter()
        writer.raw(magic)
        writer.raw([0, 0, 0, 0, 0, 0])
        writer.u32(UInt32(packs.count))
        writer.u32(count)
        for pack in packs.sorted(by: { $0.digest < $1.digest }) { writer.digest(pack.digest) }
        writer.u32(count)
        for checksum in IndexFormat.blockChecksums(body) { writer.u64(checksum) }
        writer.xxh3(XXH3Digest(of: writer.bytes.span))
        writer.raw(body)
        return writer.bytes
    }

    @Test func `Repeated entries are refused from others, and cost a reader little`() throws {
        let entries = Self.entries(3, 35)
        let sound = try Self.segment(Self.repeating(entries, 1))
        try sound.checkOrder()
        let bytes = Self.repeating(entries, 5_000)
        let segment = try Self.segment(bytes)
        #expect(segment.entryCount == 15_000)
        #expect(throws: RepositoryError.self) { try segment.checkOrder() }
        #expect(try segment.find(entries[0].id).count == IndexFormat.placeLimit)
    }

    /// A sparse file of 4 GiB costs its maker nothing, and would cost a reader as much memory.
    @Test func `A segment that names packs for no entries is refused`() throws {
        let entries = Self.entries(3, 36)
        let once = IndexFormat.encode(entries)
        let packs = Set(entries.map(\.place.pack))
        #expect(throws: RepositoryError.self) {
            try Self.segment(Self.handmade(packs, [], once[..<10]))
        }
        let none = try Self.segment(Self.handmade([], [], once[..<10]))
        #expect(none.entryCount == 0)
    }

    @Test func `A blob in several packs has all its places`() throws {
        var entries = Self.entries(3, 34)
        for index in entries.indices { entries[index].id = entries[0].id }
        let segment = try Self.segment(IndexFormat.encode(entries))
        #expect(Set(try segment.find(entries[0].id).map(\.pack)) == Set(entries.map(\.place.pack)))
    }

    @Test func `A chunk and a node with one fingerprint are two entries`() throws {
        var entries = Self.entries(2, 35)
        let fingerprint = entries[0].id.fingerprint
        entries[0].id = .chunk(ChunkID(fingerprint))
        entries[1].id = .node(NodeID(fingerprint))
        let segment = try Self.segment(IndexFormat.encode(entries))
        for entry in entries { #expect(try segment.find(entry.id) == [entry.place]) }
    }

    @Test func `The bytes are those of the first version`() throws {
        let bytes = IndexFormat.encode(Self.entries(40, 36))
        #expect(
            Hex.encode(bytes.prefix(24)) == "7661727665696478" + "01" + "00" + "02"
                + "0000000000" + "03000000" + "28000000"
        )
        #expect(bytes.count == 24 + 3 * 32 + 4 * 4 + 8 + 16 + 40 * 68)
    }

    @Test func `Cut short anywhere or made longer it is refused`() {
        let bytes = IndexFormat.encode(Self.entries(20, 37))
        let id = IndexID(SHA256Digest(of: bytes.span))
        for count in 0..<bytes.count {
            let error = failure { try Self.segment(Array(bytes.prefix(count)), id: id) }
            #expect(error?.isDamage == true, "\(count) bytes")
        }
        #expect(failure { try Self.segment(bytes + [0], id: id) }?.isDamage == true)
    }

    @Test func `Counts that lie are refused before anything is allocated`() {
        let bytes = IndexFormat.encode(Self.entries(20, 38))
        for (offset, values) in [
            (10, [0, 2, 24, 25, 63, 64, 255]), (16, [0, 1, 2, 4, 255]), (19, [1, 255]),
            (20, [0, 1, 19, 21]), (23, [1, 255]),
        ] as [(Int, [UInt8])] {
            for value in values {
                var lying = bytes
                lying[offset] = value
                #expect(failure { try Self.segment(lying) }?.isDamage == true)
            }
        }
    }

    @Test func `A fan-out that lies is refused even under the right checksum`() {
        let entries = Self.entries(40, 39)
        let bytes = IndexFormat.encode(entries)
        let fanOut = 24 + 3 * 32
        for (place, value) in [(0, UInt32(41)), (1, 0), (3, 39), (3, 41), (3, .max)] {
            var lying = bytes
            var number = ByteWriter()
            number.u32(value)
            lying.replaceSubrange(fanOut + 4 * place..<fanOut + 4 * place + 4, with: number.bytes)
            let checksummed = fanOut + 16 + 8
            var checksum = ByteWriter()
            checksum.xxh3(XXH3Digest(of: lying.span.extracting(0..<checksummed)))
            lying.replaceSubrange(checksummed..<checksummed + 16, with: checksum.bytes)
            let isRight = lying == bytes
            #expect((failure { try Self.segment(lying) }?.isDamage == true) != isRight)
        }
    }

    @Test func `Entries with numbers that are not known are refused`() throws {
        let packs = [PackID(SHA256Digest(1, 2, 3, 4))]
        let entry = Array(IndexFormat.encode(Self.entries(1, 40)).suffix(68))
        #expect(throws: Never.self) { _ = try IndexFormat.decodeEntry(entry, packs: packs) }
        for (offset, value) in [
            (48, 1), (51, 1), (59, 5), (63, 5), (64, 2), (65, 4), (66, 1), (67, 1),
        ] {
            var lying = entry
            lying[offset] = UInt8(value)
            #expect(throws: MalformedBytes.self) {
                _ = try IndexFormat.decodeEntry(lying, packs: packs)
            }
        }
    }

    @Test(arguments: [(8, "index format 2, cipher 0"), (9, "index format 1, cipher 2")])
    func `Another version or cipher is refused by name`(offset: Int, name: String) {
        var bytes = IndexFormat.encode(Self.entries(20, 41))
        bytes[offset] = 2
        let error = failure { try Self.segment(bytes) }
        #expect(error?.isUnsupported == true)
        #expect(error.map { "\($0)".contains(name) } == true)
    }
}

/// Index segments in a repository.
struct BlobIndexTests {
    private static let blobs = TestBlob.some(20, seed: 51, size: 40)

    @Test(arguments: [UInt8(1), 0x80, 0xff])
    func `With any byte of a segment flipped every blob is still found`(mask: UInt8) throws {
        let storage = try SimulatedStorage.holding(Self.blobs)
        let name = try #require(storage.names(.index).first)
        let bytes = try #require(storage.bytes(name))
        for index in bytes.indices {
            storage.damage(name, bytes.flipped(index, mask))
            let repository = try Repository(storage)
            expectHolds(repository, Self.blobs, "byte \(index)")
            #expect(!repository.index.damage.isEmpty, "byte \(index)")
            #expect(try !repository.index.isComplete())
        }
    }

    @Test func `With a segment cut short anywhere every blob is still found`() throws {
        let storage = try SimulatedStorage.holding(Self.blobs)
        let name = try #require(storage.names(.index).first)
        let bytes = try #require(storage.bytes(name))
        for count in stride(from: 0, to: bytes.count, by: 7) {
            storage.damage(name, Array(bytes.prefix(count)))
            let repository = try Repository(storage)
            expectHolds(repository, Self.blobs, "\(count) bytes")
            #expect(repository.index.damage.count == 1)
        }
    }

    @Test func `Without an index the packs are read`() throws {
        let storage = try SimulatedStorage.holding(Self.blobs, .small)
        for name in storage.names(.index) { storage.damage(name, nil) }
        let repository = try Repository(storage)
        expectHolds(repository, Self.blobs)
        let statistics = try repository.write(Self.blobs)
        #expect(statistics.newChunks == 0 && statistics.newNodes == 0)
        #expect(storage.names(.index).count == 1, "the run writes what it read")
        #expect(try Repository(storage).index.segments.first?.entryCount == Self.blobs.count)
    }

    @Test func `A run after damage to the only segment writes it again`() throws {
        let storage = try SimulatedStorage.holding(Self.blobs)
        let name = try #require(storage.names(.index).first)
        let bytes = try #require(storage.bytes(name))
        for index in [0, 20, 100, bytes.count - 1] {
            storage.damage(name, bytes.flipped(index))
            try Repository(storage).write([])
            let repository = try Repository(storage)
            expectHolds(repository, Self.blobs)
        }
    }

    @Test func `A lost pack is told and what was in it is stored again`() throws {
        let storage = try SimulatedStorage.holding(Self.blobs, .small)
        guard case .pack(let lost)? = storage.names(.pack).first else { return }
        let entries = try PackReader(lost, storage).entries()
        storage.damage(.pack(lost), nil)
        let repository = try Repository(storage)
        #expect(try repository.index.missingPacks() == [lost])
        #expect(try !repository.index.isComplete())
        for blob in Self.blobs {
            let error = failure { try repository.read(blob) }
            #expect((error != nil) == entries.contains { $0.id == blob.id })
            if let error { #expect(error.isMissing && error.object.contains(lost.digest.hex)) }
        }
        let statistics = try repository.write(Self.blobs)
        #expect(statistics.newChunks + statistics.newNodes == entries.count)
        expectHolds(repository, Self.blobs)
        try expectHolds(Repository(storage), Self.blobs)
    }

    @Test func `A blob with one bad copy is read from the other`() throws {
        let storage = try SimulatedStorage.withRepository()
        // Two runs that do not know of each other store the same blobs, the second one more.
        let (one, other) = (try Repository(storage), try Repository(storage))
        try one.index.listPacks()
        try other.index.listPacks()
        try one.write(Self.blobs)
        try other.write(Self.blobs + TestBlob.some(1, seed: 52))
        #expect(storage.names(.pack).count == 2)
        // A copy lists its segments in an order of its own.
        for name in (0..<10).flatMap({ _ in storage.names(.pack) }) {
            let damaged = storage.copy()
            let bytes = try #require(damaged.bytes(name))
            damaged.damage(name, Array(bytes.prefix(16)) + bytes.dropFirst(16).map { ~$0 })
            try expectHolds(Repository(damaged), Self.blobs)
            damaged.damage(name, nil)
            try expectHolds(Repository(damaged), Self.blobs)
        }
    }

    @Test func `A place beyond the end of its pack is damage`() throws {
        let storage = try SimulatedStorage.holding(Self.blobs)
        let name = try #require(storage.names(.pack).first)
        storage.damage(name, Array(try #require(storage.bytes(name)).prefix(30)))
        for blob in Self.blobs {
            #expect(failure { try Repository(storage).read(blob) }?.isDamage == true)
        }
    }

    @Test func `A failing list is an error and not an empty repository`() throws {
        for step in 0..<4 {
            let storage = try SimulatedStorage.holding(Self.blobs)
            storage.plan(FaultPlan(at: step, .fail(.ioError), countingChangesOnly: false))
            let error = failure {
                let repository = try Repository(storage)
                try repository.index.listPacks()
                return try repository.snapshotIDs()
            }
            guard case .environment? = error?.kind else {
                Issue.record("step \(step): \(String(describing: error))")
                continue
            }
        }
    }
}

/// Many runs make many segments; they are merged.
struct IndexMergeTests {
    @Test func `Many segments become few and find the same`() throws {
        let storage = try SimulatedStorage.withRepository()
        var all: [TestBlob] = []
        var most = 0
        for run in 0..<30 as Range<UInt64> {
            let blobs = TestBlob.some(Int(run % 4) + 1, seed: 60 + run, size: 30)
            try Repository(storage).write(blobs)
            all += blobs
            most = max(most, storage.names(.index).count)
        }
        #expect(most <= 9 && storage.names(.index).count <= 9)
        let repository = try Repository(storage)
        #expect(repository.index.segments.reduce(0) { $0 + $1.entryCount } == all.count)
        expectHolds(repository, all)
        #expect(try repository.index.isComplete())
        for name in storage.names(.index) { storage.damage(name, nil) }
        try expectHolds(Repository(storage), all)
    }

    @Test func `A segment that turns out to be damaged is not merged but read from its packs`()
        throws
    {
        let storage = try SimulatedStorage.withRepository()
        var all = TestBlob.some(1_100, seed: 90, size: 10)
        try Repository(storage).write(all)
        let name = try #require(storage.names(.index).first)
        for run in 0..<7 as Range<UInt64> {
            let blobs = TestBlob.some(4, seed: 91 + run, size: 30)
            try Repository(storage).write(blobs)
            all += blobs
        }
        let bytes = try #require(storage.bytes(name))
        storage.damage(name, bytes.flipped(bytes.count - 1))
        // Looks into the first block of entries only.
        let more = try #require(TestBlob.some(50, seed: 99).first { Self.isLow($0.id) })
        let repository = try Repository(storage)
        try repository.write([more])
        #expect(repository.index.damage.count == 1)
        try expectHolds(Repository(storage), all + [more])
    }

    private static func isLow(_ id: BlobID) -> Bool { id.fingerprint.xxh3.high < 1 << 62 }

    @Test func `A run with many blobs writes segments on its way`() throws {
        let storage = try SimulatedStorage.withRepository()
        var limits = WriterLimits.small
        limits.looseBlobs = 20
        let blobs = TestBlob.some(200, seed: 70, size: 60)
        let repository = try Repository(storage)
        try repository.write(blobs, limits)
        #expect(storage.names(.index).count > 1)
        #expect(repository.index.looseBlobs().isEmpty)
        expectHolds(repository, blobs)
        try expectHolds(Repository(storage), blobs)
        let segments = try Repository(storage).index.segments
        #expect(segments.reduce(0) { $0 + $1.entryCount } == blobs.count, "each is listed once")
        #expect(storage.names(.pack).count > 5)
    }

    @Test func `Each pack is durable before an index names it and that before a snapshot`() throws {
        let storage = try SimulatedStorage.withRepository()
        var limits = WriterLimits.small
        limits.looseBlobs = 20
        let repository = try Repository(storage)
        let blobs = TestBlob.some(60, seed: 71)
        try repository.write(blobs, limits)
        try repository.publishSnapshot(of: blobs)
        var durable: Set<ObjectName> = []
        for step in storage.steps {
            switch step {
            case .syncNames(let names): durable.formUnion(names)
            case .publish(.index(let id)):
                let segment = try IndexSegment(id, try storage.open(.index(id)))
                #expect(segment.packs.allSatisfy { durable.contains(.pack($0)) })
            case .publish(.snapshot):
                let needed = storage.names.filter { $0.kind == .pack || $0.kind == .index }
                #expect(durable.isSuperset(of: needed))
            default: break
            }
        }
    }
}
