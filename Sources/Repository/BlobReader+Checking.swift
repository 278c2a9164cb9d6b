internal import Bytes
internal import Hashing

/// A blob that is not what its id says, at one of its places.
struct BlobFault {
    var id: BlobID
    var place: BlobPlace
    var error: RepositoryError

    init(_ id: BlobID, _ place: BlobPlace, _ error: RepositoryError) {
        self.id = id
        self.place = place
        self.error = error
    }
}

extension BlobReader {
    /// Reads all blobs of a pack; returns those that are not what their ids say.
    ///
    /// `advance` is called with the plain bytes that were read since; it returns false to stop.
    func check(
        _ pack: PackID, _ entries: [PackEntry], advance: (UInt64) -> Bool
    ) -> [BlobFault] {
        var failures: [BlobFault] = []
        var rest = entries[...]
        while !rest.isEmpty {
            let group = Self.group(at: rest)
            failures += check(group, in: pack)
            guard advance(group.reduce(0) { $0 + UInt64($1.plainSize) }) else { break }
            rest = rest.dropFirst(group.count)
        }
        return failures
    }

    /// The first blobs of `entries`: at least one, and not more than are well held in memory.
    private static func group(at entries: ArraySlice<PackEntry>) -> ArraySlice<PackEntry> {
        var size: UInt64 = 0
        var end = entries.startIndex
        for entry in entries.prefix(groupCount) {
            size += UInt64(entry.plainSize)
            if size > groupSize, end > entries.startIndex { break }
            end += 1
        }
        return entries[..<end]
    }

    private static let groupCount = 32
    private static let groupSize: UInt64 = 8 << 20

    /// Compares blobs of one pack with their ids, XXH3 and SHA-256; returns those that are not what
    /// their ids say, with why.
    ///
    /// Several at once are hashed faster, but all are held in memory.
    private func check(
        _ entries: ArraySlice<PackEntry>, in pack: PackID
    ) -> [BlobFault] {
        var failures: [BlobFault] = []
        var chunks: [(id: BlobID, place: BlobPlace, bytes: [UInt8])] = []
        for entry in entries {
            let place = BlobPlace(entry, in: pack)
            let isChunk = entry.id.kind == .chunk
            do throws(RepositoryError) {
                let bytes = try read(entry.id, at: place, isChunk ? .xxh3 : .whole)
                if isChunk { chunks.append((entry.id, place, bytes)) }
            } catch {
                failures.append(BlobFault(entry.id, place, error))
            }
        }
        let digests = SHA256Digest.digests(of: chunks.map(\.bytes))
        for (chunk, digest) in zip(chunks, digests) where digest != chunk.id.fingerprint.sha256 {
            failures.append(
                BlobFault(chunk.id, chunk.place, BlobOrigin.pack(chunk.place).otherContent))
        }
        return failures
    }
}
