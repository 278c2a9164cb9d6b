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
    private var budget = readLimit
    /// Blobs that cost more than that.
    private var tooDear: Set<BlobID> = []

    package init(_ repository: Repository) { self.repository = repository }

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
        let plain = try read(id, below: limit, checkingSHA256: checkingSHA256).bytes
        repository.nodeCache?.add(id, plain.span)
        return plain
    }

    /// Reads chunks: as `read` of each, but hashed faster, two at a time.
    ///
    /// All are held in memory.
    package func read(_ ids: [ChunkID]) throws(RepositoryError) -> [[UInt8]] {
        var contents: [[UInt8]] = []
        for id in ids { contents.append(try read(.chunk(id), checkingSHA256: ids.count == 1)) }
        guard ids.count > 1 else { return contents }
        let digests = SHA256Digest.digests(of: contents)
        for index in ids.indices where digests[index] != ids[index].fingerprint.sha256 {
            // Another copy may be right.
            contents[index] = try read(.chunk(ids[index]))
        }
        return contents
    }

    /// Reads the blob at one place.
    package func read(
        _ id: BlobID, at place: BlobPlace, checkingSHA256: Bool
    ) throws(RepositoryError) -> [UInt8] {
        let limit = PatchHeader.depthLimit + 1
        budget = Self.readLimit
        return try read(id, at: place, below: limit, checkingSHA256: checkingSHA256).bytes
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
    private static let readLimit = costLimit + PackFormat.blobSizeLimit

    private static func mayBeBases(_ read: BlobRead) -> Bool {
        read.depth < PatchHeader.depthLimit && read.cost <= costLimit
    }

    /// How a blob that came from elsewhere is to be stored.
    package enum Checked {
        /// With the bytes that came.
        case asSent
        /// As this patch: the same, with a depth that fits its bases here.
        case patch([UInt8])
        /// Encoded anew: its bases are patches of the greatest depth here, or too dear to read.
        case plain([UInt8])
    }

    /// Decodes a blob that came from elsewhere and compares it with its id, XXH3 and SHA-256.
    ///
    /// Sizes must have been checked against the caps. The bases of a patch must be in the
    /// repository. Throws `damaged` when it is not what its id says.
    package func check(_ blob: ForeignBlob) throws(RepositoryError) -> Checked {
        budget = Self.readLimit
        let (plain, checked) = try decode(blob)
        guard BlobID(of: plain.span, blob.id.kind) == blob.id else { throw blob.mismatch }
        return checked
    }

    /// As `check` of each, but hashed faster; all are held in memory.
    package func check(_ blobs: [ForeignBlob]) -> [Result<Checked, RepositoryError>] {
        var results: [Result<Checked, RepositoryError>] = []
        var chunks: [(index: Int, bytes: [UInt8])] = []
        for (index, blob) in blobs.enumerated() {
            do throws(RepositoryError) {
                guard blob.id.kind == .chunk else {
                    results.append(.success(try check(blob)))
                    continue
                }
                budget = Self.readLimit
                let (plain, checked) = try decode(blob)
                chunks.append((index, plain))
                results.append(.success(checked))
            } catch {
                results.append(.failure(error))
            }
        }
        let digests = SHA256Digest.digests(of: chunks.map(\.bytes))
        for (chunk, digest) in zip(chunks, digests) {
            let found = Fingerprint(xxh3: XXH3Digest(of: chunk.bytes.span), sha256: digest)
            let blob = blobs[chunk.index]
            if found != blob.id.fingerprint { results[chunk.index] = .failure(blob.mismatch) }
        }
        return results
    }

    private func decode(
        _ blob: ForeignBlob
    ) throws(RepositoryError) -> (plain: [UInt8], Checked) {
        let place = BlobPlace(
            pack: PackID(blob.id.fingerprint.sha256), codec: blob.codec, offset: 0,
            storedSize: UInt32(clamping: blob.stored.count),
            plainSize: UInt32(clamping: blob.plainSize))
        do throws(RepositoryError) {
            guard blob.codec == .patch else {
                return (try decode(blob.stored, blob.id, place, below: 1).bytes, .asSent)
            }
            guard blob.id.kind == .chunk else { throw Self.damage(place, "a node that is a patch") }
            let header = try Self.header(of: blob.stored, place)
            let bases = try bases(header, place, below: PatchHeader.depthLimit + 1)
            let plain = try apply(blob.stored, bases.bytes, place)
            guard Self.mayBeBases(bases) else { return (plain, .plain(plain)) }
            if header.depth > bases.depth { return (plain, .asSent) }
            let patch = PatchHeader.changingDepth(of: blob.stored, to: bases.depth + 1)
            return (plain, .patch(patch))
        } catch {
            guard case .damaged(let why) = error.kind else { throw error }
            throw blob.damage(why)
        }
    }

    /// Copies of one blob that are tried; more than several writers at once leave.
    private static let placeLimit = 64

    private func read(
        _ id: BlobID, below depth: Int, checkingSHA256: Bool
    ) throws(RepositoryError) -> BlobRead {
        var tried: Set<BlobPlace> = []
        var failure: RepositoryError?
        for isLastAttempt in [false, true] {
            let places =
                try isLastAttempt ? repository.index.findAll(id) : repository.places(of: id)
            for place in places where tried.count < Self.placeLimit {
                guard tried.insert(place).inserted else { continue }
                do throws(RepositoryError) {
                    return try read(id, at: place, below: depth, checkingSHA256: checkingSHA256)
                } catch {
                    failure = failure ?? error
                }
            }
        }
        throw failure ?? RepositoryError(.missing, "blob \(id.fingerprint.hex)")
    }

    private func read(
        _ id: BlobID, at place: BlobPlace, below depth: Int, checkingSHA256: Bool
    ) throws(RepositoryError) -> BlobRead {
        let isTop = budget == Self.readLimit
        budget -= Int(place.plainSize)
        guard budget >= 0, !tooDear.contains(id) else {
            throw Self.damage(place, "its bases cost more to read than any that varve stores")
        }
        let stored = try repository.packReader(place.pack).stored(place)
        let read: BlobRead
        do throws(RepositoryError) {
            read = try decode(stored, id, place, below: depth)
        } catch {
            if isTop, budget < 0 { tooDear.insert(id) }
            throw error
        }
        let fingerprint = id.fingerprint
        let isRight =
            checkingSHA256
            ? BlobID(of: read.bytes.span, id.kind).fingerprint == fingerprint
            : XXH3Digest(of: read.bytes.span) == fingerprint.xxh3
        guard isRight else { throw Self.otherContent(place) }
        return read
    }

    private func decode(
        _ stored: [UInt8], _ id: BlobID, _ place: BlobPlace, below depth: Int
    ) throws(RepositoryError) -> BlobRead {
        guard place.codec == .patch else {
            do throws(CompressionError) {
                let size = Int(place.plainSize)
                return BlobRead(try decoder.decode(stored, place.codec, size: size))
            } catch {
                throw Self.damage(place, "\(error)")
            }
        }
        guard id.kind == .chunk else { throw Self.damage(place, "a node that is a patch") }
        let header = try Self.header(of: stored, place)
        guard header.depth < depth else {
            throw Self.damage(place, "a patch of depth \(header.depth) where less is due")
        }
        let bases = try bases(header, place, below: header.depth)
        var read = BlobRead(try apply(stored, bases.bytes, place))
        read.depth = header.depth
        read.addCost(bases.cost)
        return read
    }

    private func apply(
        _ patch: [UInt8], _ bases: [UInt8], _ place: BlobPlace
    ) throws(RepositoryError) -> [UInt8] {
        do throws(PatchError) {
            return try patches.decode(patch, bases: bases.span, size: Int(place.plainSize))
        } catch {
            throw Self.damage(place, "\(error)")
        }
    }

    /// Decodes the header of a patch; `stored` may end behind it.
    static func header(
        of stored: [UInt8], _ place: BlobPlace
    ) throws(RepositoryError) -> PatchHeader {
        do throws(MalformedBytes) {
            return try PatchHeader(decoding: stored)
        } catch {
            throw damage(place, "\(error)")
        }
    }

    private static func otherContent(_ place: BlobPlace) -> RepositoryError {
        damage(place, "its content does not match its id")
    }

    private static func damage(_ place: BlobPlace, _ why: String) -> RepositoryError {
        RepositoryError(
            .damaged("blob at byte \(place.offset): \(why)"), .pack(place.pack))
    }
}

// MARK: - Checking packs

extension BlobReader {
    /// Compares blobs of one pack with their ids, XXH3 and SHA-256; returns those that are not what
    /// their ids say, with why.
    ///
    /// Several at once are hashed faster, but all are held in memory.
    package func check(
        _ entries: ArraySlice<PackEntry>, in pack: PackID
    ) -> [(BlobID, RepositoryError)] {
        var failures: [(BlobID, RepositoryError)] = []
        var chunks: [(id: BlobID, place: BlobPlace, bytes: [UInt8])] = []
        for entry in entries {
            let place = BlobPlace(entry, in: pack)
            let isChunk = entry.id.kind == .chunk
            do throws(RepositoryError) {
                let bytes = try read(entry.id, at: place, checkingSHA256: !isChunk)
                if isChunk { chunks.append((entry.id, place, bytes)) }
            } catch {
                failures.append((entry.id, error))
            }
        }
        let digests = SHA256Digest.digests(of: chunks.map(\.bytes))
        for (chunk, digest) in zip(chunks, digests) where digest != chunk.id.fingerprint.sha256 {
            failures.append((chunk.id, Self.otherContent(chunk.place)))
        }
        return failures
    }
}

// MARK: - Bases of patches

extension BlobReader {
    /// All bases as if they were one blob, of the depth of the deepest.
    private func bases(
        _ header: PatchHeader, _ place: BlobPlace, below limit: Int
    ) throws(RepositoryError) -> BlobRead {
        var bases = BlobRead()
        for wanted in header.bases {
            let base: BlobRead
            do throws(RepositoryError) {
                base = try self.base(ChunkID(wanted.fingerprint), below: limit)
            } catch {
                guard error.isDamage else { throw error }
                throw Self.damage(place, "its base cannot be read: \(error)")
            }
            guard base.bytes.count == wanted.size else {
                throw Self.damage(place, "its base has another size than it says")
            }
            bases.append(base)
        }
        return bases
    }

    private func base(_ id: ChunkID, below depth: Int) throws(RepositoryError) -> BlobRead {
        if let known = recentBases.find(id) { return known }
        let read = try read(.chunk(id), below: depth, checkingSHA256: true)
        recentBases.add(id, read)
        return read
    }
}

/// A blob that came from elsewhere, encoded as it was there.
package struct ForeignBlob: Sendable {
    package var id: BlobID
    package var codec: BlobCodec
    package var stored: [UInt8]
    package var plainSize: Int

    package init(_ id: BlobID, _ codec: BlobCodec, _ stored: [UInt8], plainSize: Int) {
        self.id = id
        self.codec = codec
        self.stored = stored
        self.plainSize = plainSize
    }

    fileprivate func damage(_ why: String) -> RepositoryError {
        RepositoryError(.damaged(why), "received blob \(id.fingerprint.hex)")
    }

    fileprivate var mismatch: RepositoryError { damage("its content does not match its id") }
}

/// A blob that was read.
private struct BlobRead {
    private(set) var bytes: [UInt8] = []
    /// How deep a patch it is; 0 for what is no patch.
    var depth = 0
    /// Bytes of it and of all blobs that it needs, each as often as it is needed.
    private(set) var cost = 0

    init() {}

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        cost = bytes.count
    }

    /// Adds what another blob holds and needs.
    mutating func append(_ other: Self) {
        // A single base is not copied.
        if bytes.isEmpty { bytes = other.bytes } else { bytes += other.bytes }
        depth = max(depth, other.depth)
        addCost(other.cost)
    }

    mutating func addCost(_ more: Int) {
        // Of what others stored the sum may be as large as you like.
        let (sum, overflow) = cost.addingReportingOverflow(more)
        cost = overflow ? .max : sum
    }
}

/// The bases that were read last, so that each is read once for all that needs it.
private struct RecentBases {
    private var blobs: [(id: ChunkID, read: BlobRead)] = []
    private var size = 0

    private static let sizeLimit = 12 << 20

    func find(_ id: ChunkID) -> BlobRead? { blobs.last { $0.id == id }?.read }

    mutating func add(_ id: ChunkID, _ read: BlobRead) {
        blobs.append((id, read))
        size += read.bytes.count
        while size > Self.sizeLimit, blobs.count > 1 {
            size -= blobs.removeFirst().read.bytes.count
        }
    }
}
