internal import Bytes
internal import Compression
internal import Hashing
internal import Platform

// Whatever comes from a peer is checked here before it is published (invariant 3): names are
// digests of content, so a wrong object under a right name would be found by everyone and help
// nobody.

/// Checks objects against their names, byte by byte.
package enum ObjectVerification {
    private static let blockSize = 1 << 20

    /// Throws unless `object` is what `name` says: a configuration or index segment that decodes, a
    /// snapshot of that SHA-256, a pack whose every blob decodes and has its id.
    ///
    /// The bases of patches and the packs of a segment must be in `storage`.
    package static func verify(
        _ name: ObjectName, _ object: any StoredObject, in storage: any Storage
    ) throws(RepositoryError) {
        switch name {
        case .config:
            let bytes = try wholeBytes(name, object, limit: RepositoryConfig.sizeLimit)
            _ = try RepositoryConfig(decoding: bytes)
        case .snapshot(let id):
            let bytes = try wholeBytes(name, object, limit: Repository.snapshotSizeLimit)
            guard SHA256Digest(of: bytes.span) == id.digest else { throw wrongDigest(name) }
        case .index(let id):
            guard try digest(name, object) == id.digest else { throw wrongDigest(name) }
            let segment = try IndexSegment(id, object)
            try segment.checkEntries()
            try segment.checkOrder()
            guard try IndexAgreement.strayCount(segment, in: storage) == 0 else {
                throw RepositoryError(.damaged("its packs do not hold what it says"), name)
            }
        case .pack(let id): try verifyPack(id, object, storage)
        }
    }

    private static func wrongDigest(_ name: ObjectName) -> RepositoryError {
        RepositoryError(.damaged("its SHA-256 is not its name"), name)
    }

    private static func wholeBytes(
        _ name: ObjectName, _ object: any StoredObject, limit: Int
    ) throws(RepositoryError) -> [UInt8] {
        guard object.size <= UInt64(limit) else {
            throw RepositoryError(.damaged("larger than \(limit) bytes"), name)
        }
        return try about(name) { () throws(StorageError) in
            try object.read(Int(object.size), at: 0)
        }
    }

    private static func digest(
        _ name: ObjectName, _ object: any StoredObject
    ) throws(RepositoryError) -> SHA256Digest {
        var hasher = SHA256Hasher()
        var offset: UInt64 = 0
        while true {
            let position = offset
            let bytes = try about(name) { () throws(StorageError) in
                try object.read(blockSize, at: position)
            }
            if bytes.isEmpty { return hasher.finish() }
            hasher.update(bytes.span)
            offset += UInt64(bytes.count)
        }
    }

    private static func verifyPack(
        _ pack: PackID, _ object: any StoredObject, _ storage: any Storage
    ) throws(RepositoryError) {
        let reader = PackReader(pack, object)
        let entries = try reader.entries()
        let decoder = LoneBlobDecoder()
        var blobs: BlobReader?
        for entry in entries {
            let place = BlobPlace(entry, in: pack)
            let stored = try reader.stored(place)
            guard entry.codec != .patch else {
                // Opened only now, so that bases are found wherever they were stored last.
                if blobs == nil { blobs = BlobReader(try Repository(storage)) }
                if let blobs { try verifyPatch(entry, stored, place, blobs) }
                continue
            }
            let plain = try plain(stored, place, decoder)
            guard BlobID(of: plain.span, entry.id.kind) == entry.id else {
                throw damage(place, "its content does not match its id")
            }
        }
    }

    private static func verifyPatch(
        _ entry: PackEntry, _ stored: [UInt8], _ place: BlobPlace, _ blobs: BlobReader
    ) throws(RepositoryError) {
        let encoded = EncodedBlob(entry.codec, stored, plainSize: Int(place.plainSize))
        let blob = ForeignBlob(entry.id, encoded)
        guard case .asSent = try blobs.check(blob) else {
            throw damage(place, "a patch no deeper than its base")
        }
    }

    private static func plain(
        _ stored: [UInt8], _ place: BlobPlace, _ decoder: LoneBlobDecoder
    ) throws(RepositoryError) -> [UInt8] {
        do throws(CompressionError) {
            return try decoder.decode(stored, place.codec, size: Int(place.plainSize))
        } catch {
            throw damage(place, "\(error)")
        }
    }

    private static func damage(_ place: BlobPlace, _ why: String) -> RepositoryError {
        RepositoryError(.damaged("blob at byte \(place.offset): \(why)"), .pack(place.pack))
    }
}

extension ObjectVerification {
    /// Whether other index segments say all that a segment says of packs that are there, so that
    /// nothing is lost with it; true for one that is gone already.
    package static func isSuperseded(
        _ id: IndexID, in storage: any Storage
    ) throws(RepositoryError) -> Bool {
        guard let old = try segment(id, storage) else { return true }
        var others: [IndexSegment] = []
        for digest in try BlobIndex.listed(storage, .index) where digest != id.digest {
            if let other = try segment(IndexID(digest), storage) { others.append(other) }
        }
        let packs = Set(try BlobIndex.listed(storage, .pack))
        for number in 0..<old.entryCount {
            let entry = try old.entry(number)
            guard packs.contains(entry.place.pack.digest) else { continue }
            var isKept = false
            for other in others where !isKept {
                isKept = try other.find(entry.id).contains(entry.place)
            }
            guard isKept else { return false }
        }
        return true
    }

    /// Nil where there is none of that name.
    private static func segment(
        _ id: IndexID, _ storage: any Storage
    ) throws(RepositoryError) -> IndexSegment? {
        do throws(RepositoryError) {
            let name = ObjectName.index(id)
            let object = try about(name) { () throws(StorageError) in try storage.open(name) }
            return try IndexSegment(id, object)
        } catch {
            guard error.isMissing else { throw error }
            return nil
        }
    }
}
