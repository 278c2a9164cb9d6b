internal import Bytes
internal import Deltas
package import Hashing
internal import Platform

// What others may ask about blobs without knowing where they lie.

extension Repository {
    /// Whether a pack holds the blob, and all that it is encoded against.
    package func contains(_ id: BlobID) throws(RepositoryError) -> Bool {
        try !index.findPresent(id).isEmpty
    }

    /// Whether a pack holds the chunk, of exactly `size` bytes, and all that it is encoded against.
    package func contains(_ id: ChunkID, size: UInt64) throws(RepositoryError) -> Bool {
        try index.findPresent(.chunk(id)).contains { UInt64($0.plainSize) == size }
    }

    /// Whether every pack that the index lists is there, and the whole index could be read.
    package func isComplete() throws(RepositoryError) -> Bool { try index.isComplete() }

    /// The chunks that a chunk is encoded against, in order; none for one that stands alone, or is
    /// not here.
    package func bases(of id: ChunkID) throws(RepositoryError) -> [ChunkID] {
        for place in try places(of: .chunk(id)) where place.codec == .patch {
            return try packReader(place.pack).patchHeader(place).bases.map {
                ChunkID($0.fingerprint)
            }
        }
        return []
    }

    /// The bytes of a blob as they lie in a pack, not compared with its id.
    ///
    /// A patch is taken only where `canUse` is true of each chunk that it is encoded against; nil
    /// where nothing readable is left.
    package func encoded(
        _ id: BlobID, canUse: (ChunkID) -> Bool
    ) throws(RepositoryError) -> EncodedBlob? {
        for place in try places(of: id) {
            do throws(RepositoryError) {
                let pack = try packReader(place.pack)
                if place.codec == .patch {
                    let bases = try pack.patchHeader(place).bases
                    guard bases.allSatisfy({ canUse(ChunkID($0.fingerprint)) }) else { continue }
                }
                let size = Int(place.plainSize)
                return EncodedBlob(place.codec, try pack.stored(place), plainSize: size)
            } catch {
                guard error.isDamage else { throw error }
            }
        }
        return nil
    }
}

/// What a repository holds, by its index.
package struct RepositoryStatistics: Equatable, Sendable {
    /// Files in the storage.
    package var packs = 0
    /// Those of them that no index segment lists.
    package var packsUnindexed = 0
    /// Index segments that can be read.
    package var indexSegments = 0
    /// Chunks in the index, each copy counted.
    package var chunks: UInt64 = 0
    /// Nodes in the index, each copy counted.
    package var nodes: UInt64 = 0
    /// Bytes of both, decoded.
    package var bytesPlain: UInt64 = 0
    /// Bytes of both, as they lie in packs.
    package var bytesStored: UInt64 = 0
}

extension Repository {
    /// Reads the whole index and counts; ends early, with too little, after an interruption.
    package func statistics() throws(RepositoryError) -> RepositoryStatistics {
        let segments = index.segments
        let listed = Set(segments.flatMap(\.packs))
        let present = try index.presentPacks()
        var statistics = RepositoryStatistics()
        statistics.indexSegments = segments.count
        statistics.packs = present.count
        statistics.packsUnindexed = present.count { !listed.contains($0) }
        for segment in segments {
            for number in 0..<segment.entryCount {
                if Interruption.isRequested { return statistics }
                statistics.add(try segment.entry(number))
            }
        }
        return statistics
    }
}

extension RepositoryStatistics {
    fileprivate mutating func add(_ blob: LocatedBlob) {
        if blob.id.kind == .chunk { chunks += 1 } else { nodes += 1 }
        bytesPlain += UInt64(blob.place.plainSize)
        bytesStored += UInt64(blob.place.storedSize)
    }
}
