internal import Bytes
internal import Hashing

// An index segment, version 1; its SHA-256 is its name:
//
//     offset  size
//          0     8  magic "varveidx"
//          8     1  format version, 1
//          9     1  cipher: 0 = none
//         10     1  fan-out bits k
//         11     5  zero
//         16     4  number of packs p
//         20     4  number of entries n
//         24  32·p  pack ids
//          …  4·2^k fan-out: number of entries whose first k bits are at most the place's number
//          …   8·b  low half of XXH3-128 of each block of 1024 entries, b = n / 1024 rounded up
//          …    16  XXH3-128 of everything before
//          …  68·n  entries in the order of fingerprint, then kind, then pack
//
//     entry   0  48  fingerprint              56   4  stored size
//            48   4  number of the pack       60   4  plain size
//            52   4  offset in the pack       64   1  kind
//                                             65   1  codec
//                                             66   2  zero
//
// A reader maps the file and keeps only what stands before the entries; a block of entries is
// checked when it is first touched. So memory does not grow with the repository.

/// Sizes and limits of an index segment.
enum IndexFormat {
    static let fixedSize = 24
    static let entrySize = 68
    static let entriesPerBlock = 1024
    /// Merging stops here, so that a merge holds at most some 70 MB.
    static let entryLimit = 512 << 10
    static let fanOutBitsLimit = 24
    /// No segment is larger: entries, and a pack for each.
    static let sizeLimit = UInt64(1) << 32
    /// No segment names more packs, which are held in memory: they hold 128 TB.
    static let packLimit = 4 << 20
    /// Places of one blob that are read: each is a copy that a writer stored beside others.
    static let placeLimit = 256

    /// About 16 entries share a place of the fan-out.
    static func fanOutBits(entryCount: Int) -> Int {
        let bits = Int.bitWidth - max(entryCount - 1, 0).leadingZeroBitCount
        return min(max(bits - 4, 0), fanOutBitsLimit)
    }

    static func bucket(_ fingerprint: Fingerprint, bits: Int) -> Int {
        bits == 0 ? 0 : Int(fingerprint.xxh3.high >> UInt64(64 - bits))
    }

    /// Encodes entries in any order; equal ones are kept once.
    static func encode(_ blobs: [LocatedBlob]) -> [UInt8] {
        let sorted = sortedAndUnique(blobs)
        let packs = Array(Set(sorted.map(\.place.pack))).sorted { $0.digest < $1.digest }
        let numbers = Dictionary(uniqueKeysWithValues: zip(packs, UInt32(0)...))
        let bits = fanOutBits(entryCount: sorted.count)

        var entries = ByteWriter(capacity: sorted.count * entrySize)
        for blob in sorted { write(blob, numbers[blob.place.pack] ?? 0, &entries) }

        var writer = ByteWriter(capacity: fixedSize + packs.count * 32 + entries.count)
        writer.magic("varveidx")
        writer.u8(1)
        writer.u8(0)
        writer.u8(UInt8(clamping: bits))
        writer.raw([0, 0, 0, 0, 0])
        writer.u32(UInt32(clamping: packs.count))
        writer.u32(UInt32(clamping: sorted.count))
        for pack in packs { writer.digest(pack.digest) }
        for end in fanOut(sorted, bits: bits) { writer.u32(end) }
        for checksum in blockChecksums(entries.bytes) { writer.u64(checksum) }
        writer.xxh3(XXH3Digest(of: writer.bytes.span))
        writer.raw(entries.bytes)
        return writer.bytes
    }

    private static func sortedAndUnique(_ blobs: [LocatedBlob]) -> [LocatedBlob] {
        let sorted = blobs.sorted(by: isBefore)
        var unique: [LocatedBlob] = []
        unique.reserveCapacity(sorted.count)
        for blob in sorted {
            if let last = unique.last, last.id == blob.id, last.place == blob.place { continue }
            unique.append(blob)
        }
        return unique
    }

    /// The order of entries; false for two of the same blob at the same place.
    static func isBefore(_ one: LocatedBlob, _ other: LocatedBlob) -> Bool {
        let (first, second) = (one.id.fingerprint, other.id.fingerprint)
        if first != second { return first < second }
        if one.id.kind != other.id.kind { return one.id.kind.rawValue < other.id.kind.rawValue }
        if one.place.pack != other.place.pack {
            return one.place.pack.digest < other.place.pack.digest
        }
        return one.place.offset < other.place.offset
    }

    private static func write(_ blob: LocatedBlob, _ pack: UInt32, _ writer: inout ByteWriter) {
        writer.fingerprint(blob.id.fingerprint)
        writer.u32(pack)
        writer.u32(blob.place.offset)
        writer.u32(blob.place.storedSize)
        writer.u32(blob.place.plainSize)
        writer.u8(blob.id.kind.rawValue)
        writer.u8(blob.place.codec.rawValue)
        writer.u16(0)
    }

    private static func fanOut(_ sorted: [LocatedBlob], bits: Int) -> [UInt32] {
        var ends = [UInt32](repeating: 0, count: 1 << bits)
        for blob in sorted { ends[bucket(blob.id.fingerprint, bits: bits)] += 1 }
        for index in ends.indices.dropFirst() { ends[index] += ends[index - 1] }
        return ends
    }

    static func blockChecksums(_ entries: [UInt8]) -> [UInt64] {
        let size = entriesPerBlock * entrySize
        return stride(from: 0, to: entries.count, by: size).map { start in
            let block = entries.span.extracting(start..<min(start + size, entries.count))
            return XXH3Digest(of: block).low
        }
    }

    static func decodeEntry(_ bytes: [UInt8], packs: [PackID]) throws(MalformedBytes) -> LocatedBlob
    {
        var reader = ByteReader(bytes)
        let fingerprint = try reader.fingerprint()
        let pack = Int(try reader.u32())
        let offset = try reader.u32()
        let stored = try reader.u32()
        let plain = try reader.u32()
        let kind = BlobKind(rawValue: try reader.u8())
        let codec = try BlobCodec(&reader)
        guard let kind, try reader.u16() == 0, pack < packs.count,
            stored <= UInt32(PackFormat.blobSizeLimit), plain <= UInt32(PackFormat.blobSizeLimit)
        else { throw reader.invalid("an entry with known numbers") }
        let place = BlobPlace(
            pack: packs[pack], codec: codec, offset: offset, storedSize: stored, plainSize: plain)
        return LocatedBlob(id: BlobID(kind, fingerprint), place: place)
    }
}
