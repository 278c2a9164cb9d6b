package import Bytes
package import Hashing

// A pack, version 1:
//
//     offset  size
//          0     8  magic "varvepck"
//          8     1  format version, 1
//          9     1  cipher: 0 = none
//         10     6  zero
//         16     …  blobs, one after the other, no gaps
//          …     …  table of contents: 60 bytes a blob, in the order of the blobs
//          …    60  trailer
//
//     table of contents entry               trailer
//      0   1  kind: 0 chunk, 1 node          0   8  offset of the table of contents
//      1   1  codec: 0 stored, 1 zstd,       8   4  number of blobs
//             2 patch against others,       12   8  zero
//             3 gathered columns
//      2   2  zero                          20  32  SHA-256 of the 16 header bytes and the
//      4   4  stored size in bytes                  table of contents; it names the pack
//      8   4  plain size in bytes           52   8  magic "varveend"
//     12  48  fingerprint
//
// Where a blob lies follows from the sizes before it, so a table of contents cannot tell of
// overlaps, gaps or places outside. `PatchHeader` describes patches.

/// How the bytes of a blob are encoded in a pack.
package enum BlobCodec: UInt8, Sendable {
    case stored = 0
    case zstd = 1
    /// What differs from other blobs, its bases.
    case patch = 2
    /// The fields of text lines, column by column.
    case gathered = 3
}

extension BlobCodec {
    /// Decodes the number of a codec.
    ///
    /// Throws `unsupported` for one that there is not yet: the bytes round it must have proved that
    /// they are what was written.
    init(_ reader: inout ByteReader) throws(MalformedBytes) {
        let number = try reader.u8("a codec")
        guard let codec = Self(rawValue: number) else {
            throw reader.unsupported("blob codec \(number)")
        }
        self = codec
    }
}

/// One blob in a pack's table of contents, with its place.
struct PackEntry: Equatable, Sendable {
    var id: BlobID
    var codec: BlobCodec
    /// Byte offset in the pack.
    var offset: UInt32
    var storedSize: UInt32
    var plainSize: UInt32

    init(
        id: BlobID, codec: BlobCodec, offset: UInt32, storedSize: UInt32, plainSize: UInt32
    ) {
        self.id = id
        self.codec = codec
        self.offset = offset
        self.storedSize = storedSize
        self.plainSize = plainSize
    }
}

/// The parts of a pack round its blobs.
enum PackFormat {
    static let headerSize = 16
    static let entrySize = 60
    static let trailerSize = 60

    /// A pack is sealed once it is this large.
    static let targetSize = 32 << 20
    /// Or once it has this many blobs: its table of contents is held in memory.
    static let targetBlobCount = 32 << 10
    /// Blobs smaller than this are gathered in memory, up to `gatherSize` bytes, before they are
    /// written: a system call for each would cost more than the blob.
    static let gatherLimit = 64 << 10
    static let gatherSize = 1 << 20
    /// No pack is larger than this: the target, one largest blob, the table of contents.
    static let sizeLimit: UInt64 = 1 << 30
    /// Largest blob, plain or stored: four times the largest chunk that a repository may choose.
    static let blobSizeLimit = 64 << 20

    static let header: [UInt8] = {
        var writer = ByteWriter()
        writer.magic("varvepck")
        writer.u8(1)
        writer.u8(0)
        writer.raw([0, 0, 0, 0, 0, 0])
        return writer.bytes
    }()

    /// Encodes the table of contents and trailer of a pack whose blobs end at `end`.
    static func encodeTail(
        _ entries: [PackEntry], end: UInt64
    ) -> (
        bytes: [UInt8], id: PackID
    ) {
        var writer = ByteWriter(capacity: entries.count * entrySize + trailerSize)
        for entry in entries {
            writer.u8(entry.id.kind.rawValue)
            writer.u8(entry.codec.rawValue)
            writer.u16(0)
            writer.u32(entry.storedSize)
            writer.u32(entry.plainSize)
            writer.fingerprint(entry.id.fingerprint)
        }
        let id = PackID(digest(of: writer.bytes))
        writer.u64(end)
        writer.u32(UInt32(clamping: entries.count))
        writer.u64(0)
        writer.digest(id.digest)
        writer.magic("varveend")
        return (writer.bytes, id)
    }

    private static func digest(of tableOfContents: [UInt8]) -> SHA256Digest {
        var hasher = SHA256Hasher()
        hasher.update(header.span)
        hasher.update(tableOfContents.span)
        return hasher.finish()
    }
}

/// The last bytes of a pack.
struct PackTrailer: Equatable, Sendable {
    var tableOffset: UInt64
    var blobCount: Int
    var id: PackID

    /// Decodes the trailer of a pack of `packSize` bytes; the sizes must add up exactly.
    init(decoding bytes: [UInt8], packSize: UInt64) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        tableOffset = try reader.u64()
        blobCount = Int(try reader.u32())
        guard try reader.u64() == 0 else { throw reader.invalid("zero in reserved bytes") }
        id = PackID(try reader.sha256())
        try reader.magic("varveend")
        try reader.finish()
        let tail = UInt64(blobCount) * UInt64(PackFormat.entrySize) + UInt64(PackFormat.trailerSize)
        guard packSize <= PackFormat.sizeLimit, tableOffset >= UInt64(PackFormat.headerSize),
            tableOffset <= packSize, packSize - tableOffset == tail
        else { throw reader.invalid("sizes that add up to the size of the pack") }
    }
}

extension PackFormat {
    /// Decodes a table of contents that must match its trailer and the pack's name.
    static func decodeTable(
        _ bytes: [UInt8], _ trailer: PackTrailer
    ) throws(MalformedBytes) -> [PackEntry] {
        var reader = ByteReader(bytes)
        guard digest(of: bytes) == trailer.id.digest else {
            throw reader.invalid("a table of contents with the SHA-256 in the trailer")
        }
        var entries: [PackEntry] = []
        entries.reserveCapacity(min(trailer.blobCount, bytes.count / entrySize))
        var offset = UInt64(headerSize)
        for _ in 0..<trailer.blobCount {
            let entry = try decodeEntry(&reader, offset: offset)
            offset += UInt64(entry.storedSize)
            guard offset <= trailer.tableOffset else {
                throw reader.invalid("blobs that end before the table of contents")
            }
            entries.append(entry)
        }
        try reader.finish()
        guard offset == trailer.tableOffset else {
            throw reader.invalid("blobs without a gap before the table of contents")
        }
        return entries
    }

    private static func decodeEntry(
        _ reader: inout ByteReader, offset: UInt64
    )
        throws(MalformedBytes) -> PackEntry
    {
        guard let kind = BlobKind(rawValue: try reader.u8()) else {
            throw reader.invalid("a known kind of blob")
        }
        let codec = try BlobCodec(&reader)
        guard try reader.u16() == 0 else { throw reader.invalid("zero in reserved bytes") }
        let stored = try reader.u32()
        let plain = try reader.u32()
        let fingerprint = try reader.fingerprint()
        guard stored <= UInt32(blobSizeLimit), plain <= UInt32(blobSizeLimit),
            codec != .stored || stored == plain, let place = UInt32(exactly: offset)
        else { throw reader.invalid("sizes of a blob within the limits") }
        return PackEntry(
            id: BlobID(kind, fingerprint), codec: codec, offset: place, storedSize: stored,
            plainSize: plain)
    }
}
