import Bytes
import Chunking
import Compression
import Hashing
import Platform
import Testing
import TestSupport

@testable import Repository

/// A blob as tests put it into repositories.
struct TestBlob: Hashable, Sendable {
    let id: BlobID
    let plain: [UInt8]

    init(_ plain: [UInt8], _ kind: BlobKind = .chunk) {
        self.plain = plain
        id = BlobID(of: plain.span, kind)
    }

    /// Chunks and nodes, some that shrink and some that do not.
    static func some(_ count: Int, seed: UInt64, size: Int = 400) -> [TestBlob] {
        var generator = SplitMix64(seed: seed)
        return (0..<count).map { number in
            let size = size + generator.below(size)
            let plain = number % 2 == 0 ? generator.bytes(size) : generator.text(size)
            return TestBlob(plain, number % 5 == 4 ? .node : .chunk)
        }
    }
}

extension WriterLimits {
    /// A pack holds a few blobs of a test.
    static var small: WriterLimits {
        var limits = WriterLimits()
        limits.packSize = 2_000
        return limits
    }
}

extension SimulatedStorage {
    /// A storage with an empty repository.
    static func withRepository() throws -> SimulatedStorage {
        let storage = SimulatedStorage()
        _ = try Repository.create(storage, chunking: .standard)
        return storage
    }

    /// A storage with a repository that holds `blobs`.
    static func holding(
        _ blobs: [TestBlob],
        _ limits: WriterLimits = .standard
    ) throws
        -> SimulatedStorage
    {
        let storage = try withRepository()
        try Repository(storage).write(blobs, limits)
        return storage
    }
}

extension Repository {
    /// Puts blobs and commits them.
    @discardableResult
    func write(_ blobs: [TestBlob], _ limits: WriterLimits = .standard) throws -> WriteStatistics {
        let writer = try RepositoryWriter(self, limits: limits)
        let encoder = BlobEncoder(.standard)
        do {
            for blob in blobs { try writer.put(blob.id, blob.plain.span, encoder) }
            return try writer.commit()
        } catch {
            writer.abandon()
            throw error
        }
    }

    /// Reads a blob and checks both digests.
    func read(_ blob: TestBlob) throws -> [UInt8] {
        try BlobReader(self).read(blob.id, checkingSHA256: true)
    }

    /// Whether every blob is there and right.
    func holds(_ blobs: [TestBlob]) -> Bool {
        let reader = BlobReader(self)
        return blobs.allSatisfy { (try? reader.read($0.id, checkingSHA256: true)) == $0.plain }
    }

    /// Publishes a snapshot that needs `blobs`: their kinds and fingerprints, one after the other.
    @discardableResult
    func publishSnapshot(of blobs: [TestBlob]) throws -> SnapshotID {
        var writer = ByteWriter()
        writer.magic("test snapshot")
        for blob in blobs {
            writer.u8(blob.id.kind.rawValue)
            writer.fingerprint(blob.id.fingerprint)
        }
        return try publishSnapshot(writer.bytes)
    }

    /// What a snapshot needs.
    func needs(of id: SnapshotID) throws -> [BlobID] {
        var reader = ByteReader(try snapshotBytes(id))
        try reader.magic("test snapshot")
        var needs: [BlobID] = []
        while !reader.isAtEnd {
            let kind = try #require(BlobKind(rawValue: try reader.u8()))
            needs.append(BlobID(kind, try reader.fingerprint()))
        }
        return needs
    }

    /// Reads every blob of every pack, and throws unless all is right.
    func readPacks() throws -> Set<BlobID> {
        let reader = BlobReader(self)
        var found: Set<BlobID> = []
        for pack in try index.presentPacks() {
            for entry in try PackReader(pack, storage).entries() {
                let place = BlobPlace(entry, in: pack)
                _ = try reader.read(entry.id, at: place, .whole)
                found.insert(entry.id)
            }
        }
        return found
    }
}

// `#expect` prints every value in a failed expression; that of a repository takes minutes.

/// Expects that every blob is there and right.
func expectHolds(
    _ repository: Repository, _ blobs: [TestBlob], _ comment: Comment? = nil,
    _ location: SourceLocation = #_sourceLocation
) {
    let isWhole = repository.holds(blobs)
    #expect(isWhole, comment, sourceLocation: location)
}

/// Expects that everything needed is among what is whole.
func expectWhole(
    _ needs: [BlobID], _ whole: Set<BlobID>, _ comment: Comment? = nil,
    _ location: SourceLocation = #_sourceLocation
) {
    let isWhole = whole.isSuperset(of: needs)
    #expect(isWhole, comment, sourceLocation: location)
}

/// What `body` throws.
func failure<Value>(of body: () throws -> Value) -> RepositoryError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error as? RepositoryError
    }
}

extension [UInt8] {
    func flipped(_ index: Int, _ mask: UInt8 = 0xff) -> [UInt8] {
        var copy = self
        copy[index] ^= mask
        return copy
    }
}
