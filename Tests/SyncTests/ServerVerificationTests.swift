@testable import Repository
import Bytes
import Chunking
import Compression
import Hashing
import Platform
import Remote
import SystemPackage
import Testing
import TestSupport

/// What a server makes of objects that are not what their names say.
struct ServerVerificationTests {
    /// A repository with some blobs, and the names and bytes of its objects.
    private static func source() throws -> SimulatedStorage {
        let storage = SimulatedStorage()
        _ = try Repository.create(storage, chunking: .standard)
        let writer = try RepositoryWriter(try Repository(storage))
        let encoder = BlobEncoder(.standard)
        var generator = SplitMix64(seed: 4)
        for number in 0..<20 {
            let plain = number % 2 == 0 ? generator.bytes(300) : generator.text(900)
            try writer.put(BlobID(of: plain.span, .chunk), plain.span, encoder)
        }
        _ = try writer.commit()
        return storage
    }

    private static func object(_ kind: ObjectKind) throws -> (ObjectName, [UInt8]) {
        let storage = try source()
        let name = try #require(storage.names(kind).first)
        return (name, try #require(storage.bytes(name)))
    }

    /// Puts an object in one step and in several; returns what the server kept.
    private static func put(
        _ name: ObjectName, _ bytes: [UInt8], into target: SimulatedStorage = SimulatedStorage()
    ) throws -> [ObjectName] {
        let pair = try ServedPair(target)
        let remote = RemoteStorage(pair.connection)
        try? remote.put(name, bytes)
        if let staged = try? remote.stage(name.kind) {
            try staged.write(bytes.span, at: 0)
            try staged.sync()
            try? staged.publish(as: name)
        }
        // The session goes on, whatever was refused.
        _ = try remote.list(.pack)
        return target.names
    }

    @Test(arguments: [ObjectKind.pack, .index, .config])
    func `What is right is published`(kind: ObjectKind) throws {
        let (name, bytes) = try Self.object(kind)
        let target = SimulatedStorage()
        if kind == .index {
            #expect(try Self.put(name, bytes).isEmpty, "its packs are not there")
            let source = try Self.source()
            for pack in source.names(.pack) { target.damage(pack, source.bytes(pack)) }
        }
        #expect(try Self.put(name, bytes, into: target).filter { $0.kind == kind } == [name])
    }

    /// The plain content of all blobs of a pack.
    private static func contents(_ pack: PackID, _ storage: any Storage) throws -> [[UInt8]] {
        let reader = try PackReader(pack, storage)
        let decoder = ZstdDecoder()
        return try reader.entries().map { entry in
            let stored = try reader.stored(BlobPlace(entry, in: pack))
            guard entry.codec == .zstd else { return stored }
            return try decoder.decode(stored.span, size: Int(entry.plainSize))
        }
    }

    /// Some bits of a zstd frame mean nothing: a pack that differs in those holds what it should.
    @Test(arguments: [ObjectKind.pack, .index, .config])
    func `No byte of an object can be changed so that its content is another`(
        kind: ObjectKind
    ) throws {
        let (name, bytes) = try Self.object(kind)
        let source = SimulatedStorage()
        try source.put(name, bytes)
        let target = SimulatedStorage()
        let pair = try ServedPair(target)
        let remote = RemoteStorage(pair.connection)
        for index in stride(from: 0, to: bytes.count, by: kind == .config ? 1 : 37) {
            var wrong = bytes
            wrong[index] ^= 0x41
            do {
                try remote.put(name, wrong)
                guard case .pack(let pack) = name else {
                    Issue.record("byte \(index)")
                    continue
                }
                let isSame = try Self.contents(pack, target) == Self.contents(pack, source)
                #expect(isSame, "byte \(index)")
                target.damage(name, nil)
            } catch is StorageError {}
        }
        #expect(target.names.isEmpty)
    }

    @Test(arguments: [ObjectKind.pack, .index, .config])
    func `An object that is cut short or too long is refused`(kind: ObjectKind) throws {
        let (name, bytes) = try Self.object(kind)
        for count in [0, 1, 60, bytes.count - 1] where count < bytes.count {
            #expect(try Self.put(name, Array(bytes[..<count])).isEmpty)
        }
        #expect(try Self.put(name, bytes + [0]).isEmpty)
    }

    @Test func `An object under the name of another is refused`() throws {
        let (pack, packBytes) = try Self.object(.pack)
        let (index, indexBytes) = try Self.object(.index)
        #expect(try Self.put(index, packBytes).isEmpty)
        #expect(try Self.put(pack, indexBytes).isEmpty)
        #expect(try Self.put(.pack(PackID(SHA256Digest(1, 2, 3, 4))), packBytes).isEmpty)
    }

    /// The table of contents names the pack, so a pack of forged blobs has a right name.
    @Test func `A pack whose blob is not what its id says is refused`() throws {
        let plain = Array("the forged content of a blob, stored as it is".utf8)
        let other = Array("what the id says".utf8)
        let chunk = BlobID(of: plain.span, .chunk)
        for id in [BlobID(of: other.span, .chunk), BlobID(.node, chunk.fingerprint)] {
            let entry = PackEntry(
                id: id, codec: .stored, offset: UInt32(PackFormat.headerSize),
                storedSize: UInt32(plain.count), plainSize: UInt32(plain.count))
            let end = UInt64(PackFormat.headerSize + plain.count)
            let (tail, pack) = PackFormat.encodeTail([entry], end: end)
            #expect(try Self.put(.pack(pack), PackFormat.header + plain + tail).isEmpty)
        }
    }

    @Test func `Bytes that have the right XXH3 and the wrong SHA-256 are refused`() throws {
        let (victim, evil) = try Fixtures.collisions[2].contents()
        let entry = PackEntry(
            id: BlobID(of: victim.span, .chunk), codec: .stored,
            offset: UInt32(PackFormat.headerSize), storedSize: UInt32(evil.count),
            plainSize: UInt32(evil.count))
        let end = UInt64(PackFormat.headerSize + evil.count)
        let (tail, pack) = PackFormat.encodeTail([entry], end: end)
        #expect(try Self.put(.pack(pack), PackFormat.header + evil + tail).isEmpty)
        #expect(try Self.put(.pack(pack), PackFormat.header + victim + tail).count == 1)
    }

    @Test func `A snapshot that cannot be read is refused even under its right name`() throws {
        let bytes = Array("no snapshot".utf8)
        let name = ObjectName.snapshot(SnapshotID(SHA256Digest(of: bytes.span)))
        #expect(try Self.put(name, bytes).isEmpty)
    }

    @Test func `With --append-only only merged index segments are removed`() throws {
        let storage = try Self.source()
        let packs = storage.names(.pack)
        let pair = try ServedPair(storage, ServePolicy(isAppendOnly: true))
        let remote = RemoteStorage(pair.connection)
        for name in storage.names {
            #expect(throws: StorageError.self) { try remote.remove(name) }
        }
        #expect(storage.names(.pack) == packs && storage.names(.index).count == 1)
        // A second segment with the entries of the first, and one more.
        let old = try #require(storage.names(.index).first)
        guard case .index(let id) = old else { return }
        let segment = try IndexSegment(id, try storage.open(old))
        var entries = try (0..<segment.entryCount).map { try segment.entry($0) }
        let more = Array("one more".utf8)
        let writer = try RepositoryWriter(try Repository(storage))
        try writer.put(BlobID(of: more.span, .chunk), more.span, BlobEncoder(.standard))
        _ = try writer.commit()
        for name in storage.names(.index) where name != old {
            guard case .index(let id) = name else { continue }
            let other = try IndexSegment(id, try storage.open(name))
            entries += try (0..<other.entryCount).map { try other.entry($0) }
        }
        let merged = IndexFormat.encode(entries)
        try remote.put(.index(IndexID(SHA256Digest(of: merged.span))), merged)
        try remote.remove(old)
        #expect(storage.names(.index).count == 2 && !storage.names.contains(old))
    }

    @Test func `With --read-only nothing changes`() throws {
        let storage = try Self.source()
        let before = storage.names
        let (name, bytes) = try Self.object(.pack)
        let pair = try ServedPair(storage, ServePolicy(isReadOnly: true))
        let remote = RemoteStorage(pair.connection)
        #expect(throws: StorageError.self) { try remote.put(name, bytes) }
        #expect(throws: StorageError.self) { try remote.syncNames([name]) }
        let staged = try remote.stage(.pack)
        try staged.write(bytes.span, at: 0)
        #expect(throws: StorageError.self) { try staged.sync() }
        for name in before { #expect(throws: StorageError.self) { try remote.remove(name) } }
        #expect(storage.names == before)
        #expect(storage.steps.allSatisfy { $0 != .stage(.snapshot) })
        #expect(try remote.list(.pack).count == 1)
    }
}
