internal import Bytes
internal import Hashing
internal import Platform

/// One immutable sorted table from blob ids to places, mapped into memory.
final class IndexSegment: Sendable {
    let id: IndexID
    let packs: [PackID]
    let entryCount: Int

    private let object: any StoredObject
    private let fanOutBits: Int
    private let fanOut: [UInt32]
    private let blockChecksums: [UInt64]
    private let entriesOffset: Int
    /// Blocks whose checksum was found to be right.
    private let checkedBlocks: Monitor<[Bool]>

    /// Opens a segment and checks everything before its entries.
    init(_ id: IndexID, _ object: any StoredObject) throws(RepositoryError) {
        let name = ObjectName.index(id)
        let directory: Directory
        do throws(RepositoryError) {
            directory = try Directory(object, name)
        } catch {
            // Only what its name covers can be of another version; else it is damaged.
            if error.isUnsupported { try Self.checkDigest(id, object) }
            throw error
        }
        self.id = id
        self.object = object
        packs = directory.packs
        entryCount = directory.entryCount
        fanOutBits = directory.fanOutBits
        fanOut = directory.fanOut
        blockChecksums = directory.blockChecksums
        entriesOffset = directory.entriesOffset
        checkedBlocks = Monitor(Array(repeating: false, count: directory.blockChecksums.count))
    }

    /// All places of the blob in this segment; usually none or one.
    func find(_ id: BlobID) throws(RepositoryError) -> [BlobPlace] {
        let bucket = IndexFormat.bucket(id.fingerprint, bits: fanOutBits)
        let start = bucket == 0 ? 0 : Int(fanOut[bucket - 1])
        var low = start
        var high = Int(fanOut[bucket])
        while low < high {
            let middle = (low + high) / 2
            if try entry(middle).id.fingerprint < id.fingerprint {
                low = middle + 1
            } else {
                high = middle
            }
        }
        var places: [BlobPlace] = []
        while low < Int(fanOut[bucket]), places.count < IndexFormat.placeLimit {
            let found = try entry(low)
            guard found.id.fingerprint == id.fingerprint else { break }
            if found.id == id { places.append(found.place) }
            low += 1
        }
        return places
    }

    /// The entry at `index`, which must be below `entryCount`.
    func entry(_ index: Int) throws(RepositoryError) -> LocatedBlob {
        precondition(index >= 0 && index < entryCount)
        try checkBlock(index / IndexFormat.entriesPerBlock)
        let start = entriesOffset + index * IndexFormat.entrySize
        let bytes = try about(.index(id)) { () throws(StorageError) in
            try object.withBytes(start..<start + IndexFormat.entrySize) { span in
                [UInt8](copying: span)
            }
        }
        return try about(.index(id)) { () throws(MalformedBytes) in
            try IndexFormat.decodeEntry(bytes, packs: packs)
        }
    }

    private func checkBlock(_ block: Int) throws(RepositoryError) {
        if checkedBlocks.withState({ $0[block] }) { return }
        let size = IndexFormat.entriesPerBlock * IndexFormat.entrySize
        let start = entriesOffset + block * size
        let end = min(start + size, entriesOffset + entryCount * IndexFormat.entrySize)
        let digest = try about(.index(id)) { () throws(StorageError) in
            try object.withBytes(start..<end) { XXH3Digest(of: $0) }
        }
        guard digest.low == blockChecksums[block] else {
            let wrong = MalformedBytes(
                .invalid, at: start, expected: "entries with the right checksum")
            throw RepositoryError(wrong, .index(id))
        }
        checkedBlocks.update { $0[block] = true }
    }

    /// Throws unless the entries are in order, each once.
    ///
    /// Looking for a blob reads all entries of its fingerprint, so who may add a segment must not
    /// be able to repeat one.
    func checkOrder() throws(RepositoryError) {
        var previous: LocatedBlob?
        for number in 0..<entryCount {
            let entry = try entry(number)
            if let previous, !IndexFormat.isBefore(previous, entry) {
                let wrong = MalformedBytes(
                    .invalid, at: entriesOffset + number * IndexFormat.entrySize,
                    expected: "entries in order, each once")
                throw RepositoryError(wrong, .index(id))
            }
            previous = entry
        }
    }

    /// Compares all entries with their checksums.
    func checkEntries() throws(RepositoryError) {
        for block in blockChecksums.indices { try checkBlock(block) }
    }

    /// Reads every byte and compares its SHA-256 with the name.
    func checkDigest() throws(RepositoryError) {
        try Self.checkDigest(id, object)
    }

    private static func checkDigest(
        _ id: IndexID, _ object: any StoredObject
    )
        throws(RepositoryError)
    {
        let name = ObjectName.index(id)
        let digest = try about(name) { () throws(StorageError) in
            try object.withBytes(0..<Int(object.size)) { SHA256Digest(of: $0) }
        }
        guard digest == id.digest else {
            throw RepositoryError(.damaged("its SHA-256 is not its name"), name)
        }
    }
}

/// What stands before the entries of a segment.
private struct Directory {
    let packs: [PackID]
    let entryCount: Int
    let fanOutBits: Int
    let fanOut: [UInt32]
    let blockChecksums: [UInt64]
    let entriesOffset: Int

    init(_ object: any StoredObject, _ name: ObjectName) throws(RepositoryError) {
        let fixed = try about(name) { () throws(StorageError) in
            try object.read(IndexFormat.fixedSize, at: 0)
        }
        let head = try about(name) { () throws(MalformedBytes) in
            try IndexHead(decoding: fixed, size: object.size)
        }
        let bytes = try about(name) { () throws(StorageError) in
            try object.read(head.entriesOffset, at: 0)
        }
        self = try about(name) { () throws(MalformedBytes) in try Self(head, bytes) }
    }

    private init(_ head: IndexHead, _ bytes: [UInt8]) throws(MalformedBytes) {
        fanOutBits = head.fanOutBits
        entryCount = head.entryCount
        entriesOffset = head.entriesOffset
        var reader = ByteReader(bytes)
        _ = try reader.take(IndexFormat.fixedSize)
        var packs: [PackID] = []
        for _ in 0..<head.packCount { packs.append(PackID(try reader.sha256())) }
        var fanOut: [UInt32] = []
        for _ in 0..<1 << head.fanOutBits { fanOut.append(try reader.u32()) }
        var blockChecksums: [UInt64] = []
        for _ in 0..<head.blockCount { blockChecksums.append(try reader.u64()) }
        (self.packs, self.fanOut, self.blockChecksums) = (packs, fanOut, blockChecksums)
        let checksum = try reader.xxh3()
        try reader.finish()
        let covered = bytes.span.extracting(0..<head.checksumOffset)
        guard checksum == XXH3Digest(of: covered) else {
            throw reader.invalid("a head of the index with the right checksum")
        }
        try checkFanOut(reader)
    }

    private func checkFanOut(_ reader: ByteReader) throws(MalformedBytes) {
        let isRising = zip(fanOut, fanOut.dropFirst()).allSatisfy { $0 <= $1 }
        guard isRising, fanOut.last.map(Int.init) == entryCount else {
            throw reader.invalid("a fan-out that ends at the number of entries")
        }
    }
}

/// The first bytes of a segment, and what follows from their counts.
private struct IndexHead {
    let fanOutBits: Int
    let packCount: Int
    let entryCount: Int

    var blockCount: Int {
        (entryCount + IndexFormat.entriesPerBlock - 1) / IndexFormat.entriesPerBlock
    }

    var checksumOffset: Int {
        IndexFormat.fixedSize + packCount * SHA256Digest.size + (4 << fanOutBits) + blockCount * 8
    }

    var entriesOffset: Int { checksumOffset + XXH3Digest.size }

    /// Decodes the head of a segment of `size` bytes; its counts must add up to them.
    init(decoding bytes: [UInt8], size: UInt64) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        try reader.magic("varveidx")
        let version = try reader.u8()
        let cipher = try reader.u8()
        guard version == 1, cipher == 0 else {
            throw reader.unsupported("index format \(version), cipher \(cipher)")
        }
        fanOutBits = Int(try reader.u8())
        let reserved = try reader.take(5)
        packCount = Int(try reader.u32())
        entryCount = Int(try reader.u32())
        guard fanOutBits <= IndexFormat.fanOutBitsLimit, reserved.allSatisfy({ $0 == 0 }) else {
            throw reader.invalid("known numbers in the head of the index")
        }
        // Before the entries come a few bytes for each, which are held in memory.
        guard packCount <= min(entryCount, IndexFormat.packLimit),
            1 << fanOutBits <= max(entryCount, 1)
        else { throw reader.invalid("no more packs and places than entries") }
        guard size <= IndexFormat.sizeLimit,
            size == UInt64(entriesOffset + entryCount * IndexFormat.entrySize)
        else { throw reader.invalid("counts that add up to the size of the index") }
    }
}
