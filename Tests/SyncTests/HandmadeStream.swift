@testable import Wire
import Bytes
import Hashing
import Repository

/// A delta stream taken apart, or put together by hand, so that each part can lie.
struct HandmadeStream {
    struct Record {
        var record: StreamRecord
        var bytes: [UInt8]
    }

    var header: StreamHeader
    /// All but the end.
    var records: [Record] = []
    /// Nil: what is right.
    var totals: StreamTotals?

    init(_ header: StreamHeader) { self.header = header }

    /// Takes a whole stream apart.
    init(_ stream: [UInt8]) throws {
        var cursor = StreamCursor(PieceSource(stream, stream.count))
        header = try StreamHeader(reading: &cursor)
        while true {
            let prefix = try cursor.take(StreamRecord.prefixSize)
            let head = try cursor.take(StreamRecord.headSize(type: prefix[0]) ?? 0)
            let record = try StreamRecord(decoding: prefix + head)
            switch record {
            case .blob(_, _, _, let storedSize):
                records.append(Record(record: record, bytes: try cursor.take(storedSize)))
            case .snapshot(_, let size):
                records.append(Record(record: record, bytes: try cursor.take(size)))
            case .end: return
            }
        }
    }

    mutating func add(_ id: BlobID, _ codec: BlobCodec, _ stored: [UInt8], plainSize: Int) {
        let record = StreamRecord.blob(
            id, codec, plainSize: plainSize, storedSize: stored.count)
        records.append(Record(record: record, bytes: stored))
    }

    /// Adds a blob that is sent as it is.
    mutating func add(_ plain: [UInt8], _ kind: BlobKind = .chunk) {
        add(BlobID(of: plain.span, kind), .stored, plain, plainSize: plain.count)
    }

    mutating func addSnapshot(_ bytes: [UInt8], as id: SnapshotID? = nil) {
        let id = id ?? SnapshotID(SHA256Digest(of: bytes.span))
        records.append(Record(record: .snapshot(id, size: bytes.count), bytes: bytes))
    }

    /// The blobs in it, in order.
    var blobs: [(id: BlobID, codec: BlobCodec)] {
        records.compactMap { record in
            guard case .blob(let id, let codec, _, _) = record.record else { return nil }
            return (id, codec)
        }
    }

    private var rightTotals: StreamTotals {
        let blobs = UInt64(blobs.count)
        return StreamTotals(blobs: blobs, snapshots: UInt32(records.count) - UInt32(blobs))
    }

    /// The bytes, with digests that are right.
    func encoded() -> [UInt8] {
        var hasher = SHA256Hasher()
        var stream = header.encoded()
        hasher.update(stream.span)
        for record in records {
            let head = record.record.head()
            hasher.update(head.span)
            stream += head + record.bytes
        }
        let end = StreamRecord.end(totals ?? rightTotals).head()
        hasher.update(end.span)
        return stream + end + hasher.finish().bytes
    }
}

extension BlobID {
    init(ofChunk bytes: [UInt8]) { self.init(of: bytes.span, .chunk) }
}
