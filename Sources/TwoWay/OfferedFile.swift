internal import Bytes
internal import Hashing
internal import Platform
internal import Repository
internal import Snapshots
internal import Wire

/// A file that the other store will send.
struct OfferedFile: Equatable, Sendable, PeerRecord {
    var path: [UInt8]
    var size: UInt64?
    /// SHA-256 of its content; zeros where that is not known yet.
    var digest: SHA256Digest
    /// Names what is staged: equal keys, equal content.
    var key: SHA256Digest
    var mode: UInt32
    var mtime: Timestamp
    /// It belongs to a table: one that is there already is compared, and never replaced.
    var isTableFile: Bool

    var kind: UInt8 { 1 }

    func encode(into writer: inout ByteWriter) {
        writer.string(path)
        writer.varint(size.map { $0 + 1 } ?? 0)
        writer.digest(digest)
        writer.digest(key)
        writer.u32(mode)
        writer.time(mtime)
        writer.u8(isTableFile ? 1 : 0)
    }

    init(
        path: [UInt8], size: UInt64?, digest: SHA256Digest = .zero, key: SHA256Digest,
        mode: UInt32 = 0o644, mtime: Timestamp = Timestamp(seconds: 0, nanoseconds: 0),
        isTableFile: Bool
    ) {
        self.path = path
        self.size = size
        self.digest = digest
        self.key = key
        self.mode = mode
        self.mtime = mtime
        self.isTableFile = isTableFile
    }

    init(kind: UInt8, decoding reader: inout ByteReader) throws(MalformedBytes) {
        guard kind == 1 else { throw reader.unknownKind(kind) }
        path = try TwoWayPath.decode(&reader)
        let size = try reader.varint()
        self.size = size == 0 ? nil : size - 1
        digest = try reader.sha256()
        key = try reader.sha256()
        mode = try reader.u32() & 0o777
        mtime = try reader.time()
        isTableFile = try reader.u8() == 1
        guard !path.isEmpty, self.size ?? 0 <= UInt64(Int64.max) else {
            throw reader.invalid("a file")
        }
    }
}

/// Whether an offered file is to be sent.
enum FileNeed: Equatable, Sendable, PeerRecord {
    /// It lies in the staging directory.
    case no
    case yes
    /// A file of that name is there, with this content.
    case isThere(SHA256Digest)

    var kind: UInt8 { 1 }

    func encode(into writer: inout ByteWriter) {
        switch self {
        case .no: writer.u8(0)
        case .yes: writer.u8(1)
        case .isThere: writer.u8(2)
        }
        if case .isThere(let digest) = self { writer.digest(digest) } else { writer.digest(.zero) }
    }

    init(kind: UInt8, decoding reader: inout ByteReader) throws(MalformedBytes) {
        guard kind == 1 else { throw reader.unknownKind(kind) }
        let need = try reader.u8()
        let digest = try reader.sha256()
        switch need {
        case 0: self = .no
        case 1: self = .yes
        case 2: self = .isThere(digest)
        default: throw reader.invalid("a known need")
        }
    }
}

/// Files that are wanted from the store that has them.
enum WantRecord: PeerRecord {
    /// The number of a file in the offer, and its path.
    case file(UInt32, [UInt8])
    /// A part of the file before that need not be sent.
    case copy(PieceCopy)

    var kind: UInt8 {
        switch self {
        case .file: 1
        case .copy: 2
        }
    }

    func encode(into writer: inout ByteWriter) {
        switch self {
        case .file(let number, let path):
            writer.u32(number)
            writer.string(path)
        case .copy(let copy): copy.encode(into: &writer)
        }
    }

    init(kind: UInt8, decoding reader: inout ByteReader) throws(MalformedBytes) {
        switch kind {
        case 1: self = .file(try reader.u32(), try TwoWayPath.decode(&reader))
        case 2: self = .copy(try PieceCopy(decoding: &reader))
        default: throw reader.unknownKind(kind)
        }
    }
}

/// The content of wanted files, one after the other: `file`, its pieces in order, `end`.
enum FileRecord: PeerRecord {
    /// Size and modification time; nil where there is no such file any more.
    case file(UInt32, (size: UInt64, mtime: Timestamp)?)
    /// A piece of `size` bytes, encoded.
    case data(BlobCodec, size: Int, ChunkID, [UInt8])
    /// SHA-256 of the whole file.
    case end(SHA256Digest)
    /// A piece that the receiving store has in its file `path`.
    case copy(size: Int, ChunkID, path: [UInt8], place: UInt64)

    var kind: UInt8 {
        switch self {
        case .file: 1
        case .data: 2
        case .end: 3
        case .copy: 4
        }
    }

    func encode(into writer: inout ByteWriter) {
        switch self {
        case .file(let number, let file):
            writer.u32(number)
            writer.u8(file == nil ? 0 : 1)
            writer.u64(file?.size ?? 0)
            writer.time(file?.mtime ?? Timestamp(seconds: 0, nanoseconds: 0))
        case .data(let codec, let size, let id, _):
            writer.u8(codec.rawValue)
            writer.count(size)
            writer.fingerprint(id.fingerprint)
        case .end(let digest): writer.digest(digest)
        case .copy(let size, let id, let path, let place):
            writer.count(size)
            writer.fingerprint(id.fingerprint)
            writer.string(path)
            writer.varint(place)
        }
    }

    var tail: [UInt8] { if case .data(_, _, _, let bytes) = self { bytes } else { [] } }

    init(kind: UInt8, decoding reader: inout ByteReader) throws(MalformedBytes) {
        switch kind {
        case 1:
            let number = try reader.u32()
            let isThere = try reader.u8() == 1
            let (size, mtime) = (try reader.u64(), try reader.time())
            self = .file(number, isThere ? (size, mtime) : nil)
        case 2:
            guard let codec = BlobCodec(rawValue: try reader.u8()), codec != .patch else {
                throw reader.invalid("a codec without bases")
            }
            let size = try reader.count(limit: TwoWayLimits.piece, "a size")
            let id = ChunkID(try reader.fingerprint())
            self = .data(codec, size: size, id, Array(try reader.take(reader.remaining)))
        case 3: self = .end(try reader.sha256())
        case 4:
            let size = try reader.count(limit: TwoWayLimits.copy, "a size")
            let id = ChunkID(try reader.fingerprint())
            let path = try TwoWayPath.decode(&reader)
            self = .copy(size: size, id, path: path, place: try reader.varint())
        default: throw reader.unknownKind(kind)
        }
    }
}
