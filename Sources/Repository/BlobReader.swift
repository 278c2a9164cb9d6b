internal import Bytes
internal import Compression
internal import Deltas
package import Hashing
internal import Platform

/// Reads blobs and checks them against their ids.
///
/// Holds decoders, and the bases of patches that it read last: one per thread.
package final class BlobReader {
    private let repository: Repository
    private let decoder = LoneBlobDecoder()
    private let patches = PatchDecoder()
    private var recentBases = RecentBases()
    /// Plain bytes that may still be decoded for the blob that is being read.
    var budget = readLimit
    /// Blobs that cost more than that.
    private var tooDear: Set<BlobID> = []

    /// Makes a reader for one thread.
    package init(_ repository: Repository) { self.repository = repository }

    /// What of an id is compared with the bytes that were read.
    enum Comparison {
        case whole, xxh3
        /// The caller compares SHA-256, which finds whatever XXH3 finds.
        case nothing
    }

    /// Reads a blob wherever a good copy of it lies.
    ///
    /// Its bytes are compared with the id: XXH3, which finds bit rot, and SHA-256, without which
    /// whoever may add to the repository could give another content to an id. Leave the second out
    /// only where the caller computes it. Throws the first damage when no copy is good, `missing`
    /// when there is none.
    package func read(_ id: BlobID, checkingSHA256: Bool = true) throws(RepositoryError) -> [UInt8]
    {
        if let cached = repository.nodeCache?.find(id) { return cached }
        let limit = PatchHeader.depthLimit + 1
        budget = Self.readLimit
        let plain = try read(id, below: limit, checkingSHA256 ? .whole : .xxh3).bytes
        repository.nodeCache?.add(id, plain.span)
        return plain
    }

    /// Reads chunks: as `read` of each, but hashed faster, two at a time.
    ///
    /// All are held in memory.
    package func read(_ ids: [ChunkID]) throws(RepositoryError) -> [[UInt8]] {
        var contents: [[UInt8]] = []
        guard ids.count > 1 else {
            return try ids.map { id throws(RepositoryError) in try read(.chunk(id)) }
        }
        for id in ids {
            budget = Self.readLimit
            let limit = PatchHeader.depthLimit + 1
            contents.append(try read(.chunk(id), below: limit, .nothing).bytes)
        }
        let digests = SHA256Digest.digests(of: contents)
        for index in ids.indices where digests[index] != ids[index].fingerprint.sha256 {
            // Another copy may be right.
            contents[index] = try read(.chunk(ids[index]))
        }
        return contents
    }

    /// Reads the blob at one place.
    func read(
        _ id: BlobID, at place: BlobPlace, _ comparison: Comparison
    ) throws(RepositoryError) -> [UInt8] {
        let limit = PatchHeader.depthLimit + 1
        budget = Self.readLimit
        return try read(id, at: place, below: limit, comparison).bytes
    }

    /// Reads blobs to encode another against; nil when they are too many, too large, patches of
    /// the greatest depth or too dear to read.
    package func patchSource(
        _ ids: [(id: ChunkID, size: UInt64)], place: Int
    ) throws(RepositoryError) -> PatchSource? {
        let size = ids.reduce(0) { $0 &+ $1.size }
        guard (1...PatchHeader.baseLimit).contains(ids.count),
            size <= UInt64(PatchHeader.baseBytesLimit)
        else { return nil }
        budget = Self.readLimit
        var read = BlobRead()
        for (id, _) in ids { read.append(try base(id, below: PatchHeader.depthLimit + 1)) }
        let bytes = read.bytes
        guard Self.mayBeBases(read), bytes.count == Int(size) else { return nil }
        let bases = ids.map {
            BaseChunk(fingerprint: $0.id.fingerprint, size: Int(clamping: $0.size))
        }
        return PatchSource(
            header: PatchHeader(depth: read.depth + 1, bases: bases), bytes: bytes, place: place)
    }

    /// Bytes that may have to be read and decoded for one blob: enough for the longest chain of the
    /// largest bases.
    ///
    /// Without a limit, patches that each have many bases, which are such patches too, would cost
    /// sixteen to the eighth. Who stores a patch keeps to it.
    private static let costLimit = PatchHeader.depthLimit * PatchHeader.baseBytesLimit

    /// Plain bytes that are decoded for one blob before it counts as damaged: more than any blob
    /// costs that was stored within `costLimit`.
    static let readLimit = costLimit + PackFormat.blobSizeLimit

    static func mayBeBases(_ read: BlobRead) -> Bool {
        read.depth < PatchHeader.depthLimit && read.cost <= costLimit
    }

    /// Copies of one blob that are tried; more than several writers at once leave.
    private static let placeLimit = 64

    private func read(
        _ id: BlobID, below depth: Int, _ comparison: Comparison
    ) throws(RepositoryError) -> BlobRead {
        var tried: Set<BlobPlace> = []
        var failure: RepositoryError?
        for isLastAttempt in [false, true] {
            let places =
                try isLastAttempt ? repository.index.findAll(id) : repository.places(of: id)
            for place in places where tried.count < Self.placeLimit {
                guard tried.insert(place).inserted else { continue }
                do throws(RepositoryError) {
                    return try read(id, at: place, below: depth, comparison)
                } catch {
                    failure = failure ?? error
                }
            }
        }
        throw failure ?? RepositoryError(.missing, "blob \(id.fingerprint.hex)")
    }

    private func read(
        _ id: BlobID, at place: BlobPlace, below depth: Int, _ comparison: Comparison
    ) throws(RepositoryError) -> BlobRead {
        let origin = BlobOrigin.pack(place)
        let isTop = budget == Self.readLimit
        budget -= Int(place.plainSize)
        guard budget >= 0, !tooDear.contains(id) else {
            throw origin.damage("its bases cost more to read than any that varve stores")
        }
        let stored = EncodedBlob(
            place.codec, try repository.packReader(place.pack).stored(place),
            plainSize: Int(place.plainSize))
        let read: BlobRead
        do throws(RepositoryError) {
            read = try decode(stored, id, origin, below: depth)
        } catch {
            if isTop, budget < 0 { tooDear.insert(id) }
            throw error
        }
        let isRight =
            switch comparison {
            case .whole: BlobID(of: read.bytes.span, id.kind) == id
            case .xxh3: XXH3Digest(of: read.bytes.span) == id.fingerprint.xxh3
            case .nothing: true
            }
        guard isRight else { throw origin.otherContent }
        return read
    }

    /// Decodes a blob that must be no patch of depth `limit` or more.
    func decode(
        _ blob: EncodedBlob, _ id: BlobID, _ origin: BlobOrigin, below limit: Int
    ) throws(RepositoryError) -> BlobRead {
        guard blob.codec == .patch else {
            do throws(CompressionError) {
                return BlobRead(try decoder.decode(blob.bytes, blob.codec, size: blob.plainSize))
            } catch {
                throw origin.damage("\(error)")
            }
        }
        let header = try Self.header(of: blob, id, origin)
        guard header.depth < limit else {
            throw origin.damage("a patch of depth \(header.depth) where less is due")
        }
        let bases = try bases(header, origin, below: header.depth)
        var read = BlobRead(try apply(blob, bases.bytes, origin))
        read.depth = header.depth
        read.addCost(bases.cost)
        return read
    }

    /// Decodes a patch; `bases` holds what it is encoded against, one after the other.
    func apply(
        _ patch: EncodedBlob, _ bases: [UInt8], _ origin: BlobOrigin
    ) throws(RepositoryError) -> [UInt8] {
        do throws(PatchError) {
            return try patches.decode(patch.bytes, bases: bases.span, size: patch.plainSize)
        } catch {
            throw origin.damage("\(error)")
        }
    }

    /// The header of a patch.
    static func header(
        of patch: EncodedBlob, _ id: BlobID, _ origin: BlobOrigin
    ) throws(RepositoryError) -> PatchHeader {
        guard id.kind == .chunk else { throw origin.damage("a node that is a patch") }
        return try header(of: patch.bytes, origin)
    }

    /// The header at the beginning of a patch.
    static func header(
        of patch: [UInt8], _ origin: BlobOrigin
    ) throws(RepositoryError) -> PatchHeader {
        do throws(MalformedBytes) {
            return try PatchHeader(decoding: patch)
        } catch {
            throw origin.damage("\(error)")
        }
    }
}

// MARK: - Bases of patches

extension BlobReader {
    /// All bases as if they were one blob, of the depth of the deepest.
    func bases(
        _ header: PatchHeader, _ origin: BlobOrigin, below limit: Int
    ) throws(RepositoryError) -> BlobRead {
        var bases = BlobRead()
        for wanted in header.bases {
            let base: BlobRead
            do throws(RepositoryError) {
                base = try self.base(ChunkID(wanted.fingerprint), below: limit)
            } catch {
                guard error.isDamage else { throw error }
                throw origin.damage("its base cannot be read: \(error)")
            }
            guard base.bytes.count == wanted.size else {
                throw origin.damage("its base has another size than it says")
            }
            bases.append(base)
        }
        return bases
    }

    private func base(_ id: ChunkID, below depth: Int) throws(RepositoryError) -> BlobRead {
        if let known = recentBases.find(id) { return known }
        let read = try read(.chunk(id), below: depth, .whole)
        recentBases.add(id, read)
        return read
    }
}
