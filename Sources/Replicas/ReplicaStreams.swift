internal import Bytes
internal import Hashing
internal import Platform
internal import Remote
internal import Repository
internal import Snapshots
internal import Targets
internal import Wire

// The records of each stream of a replication; their layout is drawn in ReplicaWire.

/// What a client offers.
enum OfferRecord: PeerRecord {
    case head(ReplicaOffers.Scope, ReplicaOrigin)
    /// The action of the record is not looked at.
    case put(ReplicaRecord)
    case remove([UInt8])

    var kind: UInt8 {
        switch self {
        case .head: 1
        case .put: 2
        case .remove: 3
        }
    }

    func encode(into writer: inout ByteWriter) {
        switch self {
        case .head(let scope, let origin):
            writer.u8(scope.rawValue)
            origin.encode(into: &writer)
        case .put(let record): record.encode(into: &writer)
        case .remove(let path): writer.string(path)
        }
    }

    init(kind: UInt8, decoding reader: inout ByteReader) throws(MalformedBytes) {
        switch kind {
        case 1:
            guard let scope = ReplicaOffers.Scope(rawValue: try reader.u8()) else {
                throw reader.invalid("a known scope of an offer")
            }
            self = .head(scope, try ReplicaOrigin(decoding: &reader))
        case 2: self = .put(try ReplicaRecord(decoding: &reader))
        case 3: self = .remove(try reader.string(limit: ManifestPath.pathLimit))
        default: throw reader.unknownKind(kind)
        }
    }
}

/// A piece of a file whose bytes are sent.
struct SentPiece: Equatable, Sendable {
    var id: ChunkID
    var codec: BlobCodec
    /// Of the decoded bytes.
    var size: Int
    /// Where the target has each base of a patch, in the order of the patch.
    var bases: [ReplicaPlace] = []
    /// Encoded by `codec`.
    var bytes: [UInt8]

    func encodeHead(into writer: inout ByteWriter) {
        writer.fingerprint(id.fingerprint)
        writer.u8(codec.rawValue)
        writer.count(size)
        guard codec == .patch else { return }
        writer.u8(UInt8(clamping: bases.count))
        for place in bases { place.encode(into: &writer) }
    }

    init(id: ChunkID, _ encoded: EncodedBlob, bases: [ReplicaPlace] = []) {
        self.id = id
        codec = encoded.codec
        size = encoded.plainSize
        self.bases = bases
        bytes = encoded.bytes
    }

    init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        id = ChunkID(try reader.fingerprint())
        guard let codec = BlobCodec(rawValue: try reader.u8()) else {
            throw reader.invalid("a known codec")
        }
        self.codec = codec
        size = try reader.count(limit: SizeLimits.blob, "a size")
        if codec == .patch {
            for _ in 0..<(try reader.u8()) { bases.append(try ReplicaPlace(decoding: &reader)) }
        }
        bytes = Array(try reader.take(reader.remaining))
    }
}

/// The content of wanted files: each begins with `file`, and its pieces follow in order.
enum ContentRecord: PeerRecord {
    /// Its number among the files offered.
    case file(UInt32)
    /// A path of a file at the target, which gets the next number.
    case path([UInt8])
    case hole(UInt64)
    case copy(ChunkID, size: Int, ReplicaPlace)
    case data(SentPiece)

    var kind: UInt8 {
        switch self {
        case .file: 1
        case .path: 2
        case .hole: 3
        case .copy: 4
        case .data: 5
        }
    }

    func encode(into writer: inout ByteWriter) {
        switch self {
        case .file(let number): writer.u32(number)
        case .path(let path): writer.string(path)
        case .hole(let size): writer.varint(size)
        case .copy(let id, let size, let place):
            writer.fingerprint(id.fingerprint)
            writer.count(size)
            place.encode(into: &writer)
        case .data(let piece): piece.encodeHead(into: &writer)
        }
    }

    var tail: [UInt8] { if case .data(let piece) = self { piece.bytes } else { [] } }

    init(kind: UInt8, decoding reader: inout ByteReader) throws(MalformedBytes) {
        switch kind {
        case 1: self = .file(try reader.u32())
        case 2: self = .path(try reader.string(limit: ManifestPath.pathLimit))
        case 3: self = .hole(try reader.varint())
        case 4:
            let id = ChunkID(try reader.fingerprint())
            let size = try reader.count(limit: SizeLimits.blob, "the size of a piece")
            self = .copy(id, size: size, try ReplicaPlace(decoding: &reader))
        case 5: self = .data(try SentPiece(decoding: &reader))
        default: throw reader.unknownKind(kind)
        }
    }
}

/// Pieces that were lacking: `at` comes before each.
enum SupplyRecord: PeerRecord {
    case data(SentPiece)
    case at(file: UInt32, offset: UInt64)

    var kind: UInt8 {
        switch self {
        case .data: 5
        case .at: 6
        }
    }

    func encode(into writer: inout ByteWriter) {
        switch self {
        case .data(let piece): piece.encodeHead(into: &writer)
        case .at(let file, let offset):
            writer.u32(file)
            writer.u64(offset)
        }
    }

    var tail: [UInt8] { if case .data(let piece) = self { piece.bytes } else { [] } }

    init(kind: UInt8, decoding reader: inout ByteReader) throws(MalformedBytes) {
        switch kind {
        case 5: self = .data(try SentPiece(decoding: &reader))
        case 6: self = .at(file: try reader.u32(), offset: try reader.u64())
        default: throw reader.unknownKind(kind)
        }
    }
}

/// A piece that was to be copied at the target and was not found there as it should be.
struct LackingPiece: Equatable, Sendable, PeerRecord {
    var file: UInt32
    /// Its number among the pieces of the file.
    var piece: UInt32
    var offset: UInt64

    var kind: UInt8 { 1 }

    func encode(into writer: inout ByteWriter) {
        writer.u32(file)
        writer.u32(piece)
        writer.u64(offset)
    }

    init(file: UInt32, piece: UInt32, offset: UInt64) {
        self.file = file
        self.piece = piece
        self.offset = offset
    }

    init(kind: UInt8, decoding reader: inout ByteReader) throws(MalformedBytes) {
        guard kind == 1 else { throw reader.unknownKind(kind) }
        file = try reader.u32()
        piece = try reader.u32()
        offset = try reader.u64()
    }
}

/// Where bytes lie that a target has.
enum ReplicaPlace: Equatable, Sendable {
    case live(path: UInt32, offset: UInt64)
    case offered(file: UInt32, offset: UInt64)

    func encode(into writer: inout ByteWriter) {
        switch self {
        case .live(let path, let offset):
            writer.u8(0)
            writer.varint(UInt64(path))
            writer.varint(offset)
        case .offered(let file, let offset):
            writer.u8(1)
            writer.varint(UInt64(file))
            writer.varint(offset)
        }
    }

    init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        let kind = try reader.u8()
        let number = UInt32(try reader.count(limit: Int(UInt32.max), "a number"))
        let offset = try reader.varint()
        guard kind <= 1, offset <= UInt64(Int64.max) else { throw reader.invalid("a place") }
        self =
            kind == 0
            ? .live(path: number, offset: offset) : .offered(file: number, offset: offset)
    }
}
