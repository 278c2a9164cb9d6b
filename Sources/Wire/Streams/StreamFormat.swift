package import Bytes
package import Hashing
package import Repository

// A delta stream, version 1: what turns snapshots that the receiver has into others.
//
//     offset  size
//          0     8  magic "varvestr"
//          8     1  format version, 1
//          9     1  cipher: 0 = none
//         10     2  features that a reader must know: 1 = there may be gathered columns
//         12    32  id of the sender's repository
//         44     4  number of snapshots that the receiver must have
//         48     4  number of snapshots in the stream
//         52    32  id of each, the former first
//          …    32  SHA-256 of everything before
//          …     …  records, to the end of the stream
//
//     record: type (1), size of what follows the head (4), then by type
//        1 blob      head: kind (1), codec (1), zero (2), plain size (4), fingerprint (48);
//                    stored bytes, encoded as in packs
//        2 snapshot  head: id (32); its record, whose SHA-256 is the id
//        3 end       head: number of blobs (8), of snapshots (4), SHA-256 of the header and of all
//                    heads, with type and size, up to and with the numbers (32); nothing follows
//
// Integers are little-endian. A snapshot comes after all blobs that it needs and the receiver may
// lack. A patch has as bases only chunks of snapshots that come before its own, in the stream or at
// the receiver. The digest covers the stored bytes through the fingerprints and ids in the heads.

/// What a reader of a stream must know beyond version 1.
package struct StreamFeatures: OptionSet, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Blobs may have the codec for gathered columns.
    package static let gatheredBlobs = StreamFeatures(rawValue: 1)

    /// All that this version knows.
    package static let known: StreamFeatures = [.gatheredBlobs]
}

/// The beginning of a delta stream.
package struct StreamHeader: Equatable, Sendable {
    package var features: StreamFeatures
    /// The sender's repository.
    package var repository: RepositoryID
    /// Snapshots that the receiver must have.
    package var needed: [SnapshotID]
    /// Snapshots in the stream, in order.
    package var snapshots: [SnapshotID]

    package static let fixedSize = 52
    package static let snapshotLimit = 64 << 10

    package init(
        repository: RepositoryID, needed: [SnapshotID], snapshots: [SnapshotID],
        features: StreamFeatures = .known
    ) {
        self.features = features
        self.repository = repository
        self.needed = needed
        self.snapshots = snapshots
    }

    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.magic("varvestr")
        writer.u8(1)
        writer.u8(0)
        writer.u16(features.rawValue)
        writer.digest(repository.digest)
        writer.u32(UInt32(clamping: needed.count))
        writer.u32(UInt32(clamping: snapshots.count))
        for id in needed + snapshots { writer.digest(id.digest) }
        writer.digest(SHA256Digest(of: writer.bytes.span))
        return writer.bytes
    }

    /// Numbers of ids, from the fixed part of a header.
    static func counts(_ fixed: [UInt8]) throws -> (needed: Int, snapshots: Int) {
        var reader = ByteReader(fixed)
        _ = try features(&reader)
        _ = try reader.take(SHA256Digest.size)
        let (needed, snapshots) = (Int(try reader.u32()), Int(try reader.u32()))
        guard needed <= snapshotLimit, (1...snapshotLimit).contains(snapshots) else {
            throw reader.invalid("one to \(snapshotLimit) snapshots")
        }
        return (needed, snapshots)
    }

    /// Decodes what comes before the id of the repository.
    private static func features(_ reader: inout ByteReader) throws -> StreamFeatures {
        try reader.magic("varvestr")
        let (version, cipher) = (try reader.u8(), try reader.u8())
        let features = StreamFeatures(rawValue: try reader.u16())
        guard version == 1, cipher == 0, features.isSubset(of: .known) else {
            let numbers = "\(version), cipher \(cipher), features \(features.rawValue)"
            throw StreamError(.unsupported("stream format \(numbers)"), at: 0)
        }
        return features
    }

    /// Reads the header at the beginning of a stream.
    package init(reading cursor: inout StreamCursor) throws {
        do {
            let fixed = try cursor.take(Self.fixedSize)
            let (needed, snapshots) = try Self.counts(fixed)
            let rest = try cursor.take((needed + snapshots + 1) * SHA256Digest.size)
            try self.init(decoding: fixed + rest)
        } catch let error as MalformedBytes {
            throw StreamError(.damaged("its header: \(error)"), at: cursor.offset)
        }
    }

    /// Decodes a header of which `counts` told the size.
    package init(decoding bytes: [UInt8]) throws {
        let (needed, snapshots) = try Self.counts(bytes)
        var reader = ByteReader(bytes)
        features = try Self.features(&reader)
        repository = RepositoryID(try reader.sha256())
        _ = try reader.take(8)
        self.needed = []
        self.snapshots = []
        for _ in 0..<needed { self.needed.append(SnapshotID(try reader.sha256())) }
        for _ in 0..<snapshots { self.snapshots.append(SnapshotID(try reader.sha256())) }
        let digest = SHA256Digest(of: Array(bytes.prefix(reader.offset)).span)
        guard try reader.sha256() == digest else {
            throw reader.invalid("a header with the SHA-256 that follows it")
        }
        try reader.finish()
    }
}

/// What precedes the bytes of a record.
package enum StreamRecord: Equatable {
    case blob(BlobID, BlobCodec, plainSize: Int, storedSize: Int)
    case snapshot(SnapshotID, size: Int)
    case end(StreamTotals)

    /// Type and size, which every record begins with.
    package static let prefixSize = 5

    private static let blobType: UInt8 = 1
    private static let snapshotType: UInt8 = 2
    private static let endType: UInt8 = 3

    /// Size of the head that follows type and size; nil for a type that there is not.
    package static func headSize(type: UInt8) -> Int? {
        switch type {
        case blobType: 8 + Fingerprint.size
        case snapshotType: SHA256Digest.size
        case endType: 12 + SHA256Digest.size
        default: nil
        }
    }

    /// Type, size and head; of the end without its digest, which is over these bytes too.
    package func head() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .blob(let id, let codec, let plainSize, let storedSize):
            writer.u8(Self.blobType)
            writer.u32(UInt32(clamping: storedSize))
            writer.u8(id.kind.rawValue)
            writer.u8(codec.rawValue)
            writer.u16(0)
            writer.u32(UInt32(clamping: plainSize))
            writer.fingerprint(id.fingerprint)
        case .snapshot(let id, let size):
            writer.u8(Self.snapshotType)
            writer.u32(UInt32(clamping: size))
            writer.digest(id.digest)
        case .end(let totals):
            writer.u8(Self.endType)
            writer.u32(0)
            writer.u64(totals.blobs)
            writer.u32(totals.snapshots)
        }
        return writer.bytes
    }

    /// Decodes type, size and head.
    package init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        let type = try reader.u8()
        let size = Int(try reader.u32())
        switch type {
        case Self.blobType:
            guard let kind = BlobKind(rawValue: try reader.u8()) else {
                throw reader.invalid("a known kind of blob")
            }
            guard let codec = BlobCodec(rawValue: try reader.u8()), try reader.u16() == 0 else {
                throw reader.invalid("a known codec")
            }
            let plainSize = Int(try reader.u32())
            let limit = SizeLimits.blob
            guard size <= limit, plainSize <= limit, codec != .stored || size == plainSize else {
                throw reader.invalid("sizes of a blob within the limits")
            }
            let id = BlobID(kind, try reader.fingerprint())
            self = .blob(id, codec, plainSize: plainSize, storedSize: size)
        case Self.snapshotType:
            guard size <= Repository.snapshotSizeLimit else {
                throw reader.invalid("a snapshot of at most \(Repository.snapshotSizeLimit) bytes")
            }
            self = .snapshot(SnapshotID(try reader.sha256()), size: size)
        case Self.endType:
            guard size == 0 else { throw reader.invalid("an end of no size") }
            let blobs = try reader.u64()
            self = .end(StreamTotals(blobs: blobs, snapshots: try reader.u32()))
        default: throw reader.invalid("a known type of record")
        }
    }
}

/// What a stream held, as its end tells.
package struct StreamTotals: Equatable {
    package var blobs: UInt64
    package var snapshots: UInt32

    package init(blobs: UInt64 = 0, snapshots: UInt32 = 0) {
        self.blobs = blobs
        self.snapshots = snapshots
    }
}

/// Why a stream was refused.
package struct StreamError: Error {
    package enum Kind: Sendable {
        /// A format of another version, or a feature that this version cannot read.
        case unsupported(String)
        /// Bytes that are not what was sent.
        case damaged(String)
        /// It ended before its end.
        case cutShort
        /// Snapshots that the receiver must have and has not.
        case lacks([SnapshotID])
        /// A snapshot whose blobs are neither in the stream nor at the receiver.
        case incomplete(SnapshotID, String)
    }

    package var kind: Kind
    /// Byte offset in the stream.
    package var offset: UInt64

    package init(_ kind: Kind, at offset: UInt64) {
        self.kind = kind
        self.offset = offset
    }
}

extension StreamError: CustomStringConvertible {
    package var description: String {
        switch kind {
        case .unsupported(let what): "delta stream: \(what)"
        case .damaged(let why): "delta stream damaged at byte \(offset): \(why)"
        case .cutShort: "delta stream cut short at byte \(offset)"
        case .lacks(let ids):
            "the receiver lacks the snapshot \(ids.map(\.digest.hex).joined(separator: ", "))"
        case .incomplete(let id, let why):
            "snapshot \(id.digest.hex) is not complete: \(why)"
        }
    }
}
