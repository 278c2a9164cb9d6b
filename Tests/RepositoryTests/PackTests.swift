@testable import Repository
import Bytes
import Hashing
import Testing
import TestSupport

/// A pack put together by hand, so that its table of contents can lie.
struct HandmadePack {
    struct Entry {
        var kind: UInt8
        var codec: UInt8
        var reserved: UInt16 = 0
        var storedSize: UInt32
        var plainSize: UInt32
        var fingerprint: Fingerprint
    }

    var header = PackFormat.header
    var blobs: [UInt8] = []
    var entries: [Entry] = []
    /// Nil: what is right.
    var blobCount: UInt32?
    var tableOffset: UInt64?
    var reserved: UInt64 = 0
    var end = Array("varveend".utf8)

    init() {}

    /// Holds blobs as they are.
    init(_ blobs: [TestBlob]) {
        for blob in blobs { add(blob, stored: blob.plain, codec: 0) }
    }

    mutating func add(_ blob: TestBlob, stored: [UInt8], codec: UInt8) {
        blobs += stored
        entries.append(
            Entry(
                kind: blob.id.kind.rawValue,
                codec: codec,
                storedSize: UInt32(stored.count),
                plainSize: UInt32(blob.plain.count),
                fingerprint: blob.id.fingerprint
            )
        )
    }

    /// The pack with a digest that is right for its table.
    func sealed() -> (id: PackID, bytes: [UInt8]) {
        var table = ByteWriter()
        for entry in entries {
            table.u8(entry.kind)
            table.u8(entry.codec)
            table.u16(entry.reserved)
            table.u32(entry.storedSize)
            table.u32(entry.plainSize)
            table.fingerprint(entry.fingerprint)
        }
        let named = header + table.bytes
        let id = PackID(SHA256Digest(of: named.span))
        var writer = ByteWriter()
        writer.raw(header + blobs + table.bytes)
        writer.u64(tableOffset ?? UInt64(header.count + blobs.count))
        writer.u32(blobCount ?? UInt32(entries.count))
        writer.u64(reserved)
        writer.digest(id.digest)
        writer.raw(end)
        return (id, writer.bytes)
    }

    /// A repository without index that holds this pack.
    func storage() throws -> (PackID, SimulatedStorage) {
        let (id, bytes) = sealed()
        let storage = try SimulatedStorage.withRepository()
        storage.damage(.pack(id), bytes)
        return (id, storage)
    }
}

/// Packs as bytes: what is right is read, what lies is refused.
struct PackTests {
    private static let blobs = TestBlob.some(6, seed: 11, size: 60)

    @Test func `A pack made by hand is read`() throws {
        let (id, storage) = try HandmadePack(Self.blobs).storage()
        let entries = try PackReader(id, storage).entries()
        #expect(entries.map(\.id) == Self.blobs.map(\.id))
        try expectHolds(Repository(storage), Self.blobs)
    }

    @Test func `The bytes of a pack are those of the first version`() throws {
        let storage = try SimulatedStorage.holding(Self.blobs)
        let name = try #require(storage.names(.pack).first)
        let bytes = try #require(storage.bytes(name))
        #expect(Hex.encode(bytes.prefix(16)) == "766172766570636b0100000000000000")
        #expect(bytes.suffix(8) == Array("varveend".utf8)[...])
        guard case .pack(let id) = name else { return }
        let entries = try PackReader(id, storage).entries()
        let table = bytes.dropLast(60).suffix(60 * entries.count)
        let sealed = Array(bytes.prefix(16) + table)
        #expect(SHA256Digest(of: sealed.span) == id.digest)
        #expect(entries.first?.offset == 16)
    }

    @Test func `A pack without blobs is read`() throws {
        let (id, storage) = try HandmadePack().storage()
        #expect(try PackReader(id, storage).entries().isEmpty)
    }

    @Test func `A pack cut short anywhere is refused`() throws {
        let (id, bytes) = HandmadePack(Self.blobs).sealed()
        let storage = try SimulatedStorage.withRepository()
        for count in 0..<bytes.count {
            storage.damage(.pack(id), Array(bytes.prefix(count)))
            let error = failure { try PackReader(id, storage).entries() }
            #expect(error?.isDamage == true, "\(count) bytes: \(String(describing: error))")
        }
    }

    @Test func `Bytes before or after a pack are found`() throws {
        let (id, bytes) = HandmadePack(Self.blobs).sealed()
        let storage = try SimulatedStorage.withRepository()
        for damaged in [bytes + [0], [0] + bytes, bytes + bytes] {
            storage.damage(.pack(id), damaged)
            #expect(failure { try PackReader(id, storage).entries() }?.isDamage == true)
        }
    }

    @Test(arguments: [UInt8(1), 0x80, 0xff])
    func `With any byte flipped nothing wrong is ever read`(mask: UInt8) throws {
        let whole = try SimulatedStorage.holding(Self.blobs)
        let name = try #require(whole.names(.pack).first)
        let bytes = try #require(whole.bytes(name))
        guard case .pack(let id) = name else { return }
        let unindexed = whole.copy()
        for index in whole.names(.index) { unindexed.damage(index, nil) }
        let places = try PackReader(id, whole).entries()
        let blobsEnd = places.map { Int($0.offset + $0.storedSize) }.max() ?? 0

        for index in bytes.indices {
            let isBlob = index >= 16 && index < blobsEnd
            for storage in [whole, unindexed] {
                storage.damage(name, bytes.flipped(index, mask))
                let repository = try Repository(storage)
                let isRight = Self.blobs.map { blob in
                    (try? repository.read(blob)).map { $0 == blob.plain }
                }
                #expect(!isRight.contains(false), "byte \(index)")
                let lost = isRight.count { $0 == nil }
                // A flip in a frame may change nothing; one in a table costs the whole pack.
                let mayBeLost = isBlob ? 0...1 : storage === whole ? 0...0 : 6...6
                #expect(mayBeLost.contains(lost), "byte \(index)")
            }
            let error = failure { try PackReader(id, whole).entries() }
            #expect(isBlob ? error == nil : error?.isDamage == true, "byte \(index)")
        }
    }

    @Test func `Packs under each other's names are refused`() throws {
        let (one, other) = (TestBlob.some(3, seed: 1), TestBlob.some(3, seed: 2))
        let storage = try SimulatedStorage.withRepository()
        try Repository(storage).write(one)
        try Repository(storage).write(other)
        let names = storage.names(.pack)
        let (first, second) = (storage.bytes(names[0]), storage.bytes(names[1]))
        storage.damage(names[0], second)
        storage.damage(names[1], first)
        for blob in one + other {
            #expect(failure { try Repository(storage).read(blob) }?.isDamage == true)
        }
        for case .pack(let id) in names {
            let error = failure { try PackReader(id, storage).entries() }
            #expect(error?.isDamage == true)
            #expect(error.map { "\($0)".contains("holds the pack") } == true)
        }
    }
}

/// Tables of contents whose digest is right and whose content is not.
struct LyingTableTests {
    private static let blobs = TestBlob.some(4, seed: 12, size: 80)

    /// Makes the lie, and returns what reading the table says, and how often each blob is right,
    /// lost or, what must never be, wrong.
    private func tell(
        _ change: (inout HandmadePack) -> Void
    ) throws -> (
        table: RepositoryError?, readable: Int, wrong: Int
    ) {
        var pack = HandmadePack(Self.blobs)
        change(&pack)
        let (id, storage) = try pack.storage()
        let repository = try Repository(storage)
        var (readable, wrong) = (0, 0)
        for blob in Self.blobs {
            switch try? repository.read(blob) {
            case blob.plain?: readable += 1
            case nil: break
            default: wrong += 1
            }
        }
        return (failure { try PackReader(id, storage).entries() }, readable, wrong)
    }

    @Test func `A stored size that leaves a gap or overlaps is refused`() throws {
        for difference in [-1, 1, 1_000_000] {
            let told = try tell { pack in
                let size = Int(pack.entries[1].storedSize) + difference
                pack.entries[1].storedSize = UInt32(size)
                pack.entries[1].plainSize = UInt32(size)
            }
            #expect(told.table?.isDamage == true && told.readable == 0 && told.wrong == 0)
        }
    }

    @Test func `Sizes that add up but move the boundary are found when read`() throws {
        let told = try tell { pack in
            for (index, difference) in [(0, -1), (1, 1)] {
                let size = UInt32(Int(pack.entries[index].storedSize) + difference)
                pack.entries[index].storedSize = size
                pack.entries[index].plainSize = size
            }
        }
        #expect(told.table == nil && told.readable == 2 && told.wrong == 0)
    }

    @Test func `Entries in the wrong order are found when read`() throws {
        let told = try tell { $0.entries.swapAt(0, 1) }
        #expect(told.table == nil && told.readable == 2 && told.wrong == 0)
    }

    @Test func `A kind that lies is found when read`() throws {
        let told = try tell { $0.entries[0].kind = 1 }
        #expect(told.readable == 3 && told.wrong == 0)
        var pack = HandmadePack(Self.blobs)
        pack.entries[0].kind = 1
        let (_, storage) = try pack.storage()
        let node = BlobID.node(NodeID(Self.blobs[0].id.fingerprint))
        let error = failure {
            try BlobReader(Repository(storage)).read(node, checkingSHA256: true)
        }
        #expect(error?.isDamage == true, "data can never pass for a node")
    }

    @Test func `A codec that lies is found when read`() throws {
        let told = try tell { $0.entries[0].codec = 1 }
        #expect(told.table == nil && told.readable == 3 && told.wrong == 0)
    }

    @Test func `A frame declared as stored bytes is found when read`() throws {
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 10, 0x53, 0, 0, 0x61] as [UInt8]
        let blob = TestBlob([UInt8](repeating: 0x61, count: 10))
        for (codec, plainSize, isRight) in [(1, 10, true), (0, 10, false), (1, 11, false)] {
            var pack = HandmadePack()
            pack.add(blob, stored: frame, codec: UInt8(codec))
            pack.entries[0].plainSize = UInt32(plainSize)
            let (_, storage) = try pack.storage()
            let isFound = try Repository(storage).holds([blob])
            #expect(isFound == isRight)
        }
    }

    @Test func `Numbers that are not known are refused`() throws {
        for change: (inout HandmadePack) -> Void in [
            { $0.entries[2].kind = 2 },
            { $0.entries[2].reserved = 1 }, { $0.reserved = 1 },
            { $0.end = Array("varveEnd".utf8) },
        ] {
            let told = try tell(change)
            #expect(told.table?.isDamage == true && told.readable == 0 && told.wrong == 0)
        }
    }

    @Test(arguments: [UInt8(4), 9, .max])
    func `A codec that is not known is refused by name`(codec: UInt8) throws {
        let told = try tell { $0.entries[2].codec = codec }
        #expect(told.table?.isUnsupported == true && told.readable == 0 && told.wrong == 0)
        #expect(told.table.map { "\($0)" }?.contains("blob codec \(codec)") == true)
    }

    @Test(arguments: [UInt32(0), 3, 5, 1 << 20, .max])
    func `A number of blobs that lies is refused`(count: UInt32) throws {
        let told = try tell { $0.blobCount = count }
        #expect(told.table?.isDamage == true && told.readable == 0 && told.wrong == 0)
    }

    @Test(arguments: [UInt64(0), 15, 16, 17, 1 << 20, 1 << 40, .max])
    func `A place of the table that lies is refused`(offset: UInt64) throws {
        let told = try tell { $0.tableOffset = offset }
        #expect(told.table?.isDamage == true && told.readable == 0 && told.wrong == 0)
    }

    @Test(arguments: [UInt32(PackFormat.blobSizeLimit) + 1, .max])
    func `A plain size above the limit is refused before anything is allocated`(
        size: UInt32
    ) throws {
        let told = try tell { pack in
            pack.entries[0].codec = 1
            pack.entries[0].plainSize = size
        }
        #expect(told.table?.isDamage == true && told.readable == 0 && told.wrong == 0)
    }

    @Test func `Stored sizes that wrap round are refused`() throws {
        let told = try tell { pack in
            pack.entries[0].storedSize = .max
            pack.entries[0].plainSize = .max
        }
        #expect(told.table?.isDamage == true && told.readable == 0 && told.wrong == 0)
    }

    @Test(arguments: [(8, "pack format 2, cipher 0"), (9, "pack format 1, cipher 2")])
    func `Another version or cipher is refused by name`(offset: Int, name: String) throws {
        var pack = HandmadePack(Self.blobs)
        pack.header[offset] = 2
        let (id, storage) = try pack.storage()
        let error = failure { try PackReader(id, storage).entries() }
        #expect(error?.isUnsupported == true)
        #expect(error.map { "\($0)".contains(name) } == true)
    }
}
