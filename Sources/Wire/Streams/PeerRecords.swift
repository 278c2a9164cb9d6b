package import Bytes
internal import Platform
internal import Repository

// A stream of records:
//
//     kind     1
//     size     4, little-endian: bytes of the payload
//     payload
//
// The last record has the kind 0; its payload is the number of records before it (8 bytes).

/// What a stream consists of: an enum with a case for each kind, used by both sides.
package protocol PeerRecord {
    /// The number of the kind in the stream; never 0.
    var kind: UInt8 { get }

    /// Writes the payload without its `tail`.
    func encode(into writer: inout ByteWriter)

    /// Large contents that end the payload; written without being copied first.
    var tail: [UInt8] { get }

    /// Decodes a payload that came with `kind`.
    ///
    /// The caller checks that nothing is left of it.
    init(kind: UInt8, decoding reader: inout ByteReader) throws(MalformedBytes)
}

extension PeerRecord {
    /// Nothing follows the fields of most records.
    package var tail: [UInt8] { [] }
}

/// Writes records to a stream.
package struct RecordWriter {
    private let sink: any ByteSink
    private var count: UInt64 = 0

    /// Writes records to a sink.
    package init(_ sink: any ByteSink) { self.sink = sink }

    /// Writes one record.
    package mutating func write(_ record: some PeerRecord) throws {
        try write(record.kind, { record.encode(into: &$0) }, record.tail)
    }

    /// Writes a record whose payload is what `payload` writes, followed by `tail`.
    package mutating func write(
        _ kind: UInt8, _ payload: (inout ByteWriter) -> Void, _ tail: [UInt8] = []
    ) throws {
        var writer = ByteWriter(capacity: 128)
        writer.u8(kind)
        writer.u32(0)
        payload(&writer)
        writer.patch(u32: UInt32(clamping: writer.count - 5 + tail.count), at: 1)
        try sink.write(writer.bytes)
        if !tail.isEmpty { try sink.write(tail) }
        count += 1
    }

    /// Writes the last record.
    package mutating func end() throws {
        let total = count
        try write(0, { $0.u64(total) })
    }
}

/// Reads records until the last, which must hold their right number.
package struct RecordReader {
    private var cursor: StreamCursor
    private var count: UInt64 = 0

    /// Bytes of a payload: a chunk and what stands before it.
    private static let payloadLimit = SizeLimits.blob + (64 << 10)

    /// Reads records from a source.
    package init(_ source: any ByteSource) { cursor = StreamCursor(source) }

    /// The next record; nil after the last.
    ///
    /// Throws `MalformedBytes` for a payload that is none of a `Record`.
    package mutating func next<Record: PeerRecord>(_: Record.Type) throws -> Record? {
        guard let (kind, payload) = try next() else { return nil }
        var reader = payload
        let record = try Record(kind: kind, decoding: &reader)
        try reader.finish()
        return record
    }

    /// All records up to the last; more than `limit` are a violation.
    package static func all<Record: PeerRecord>(
        _: Record.Type, in source: any ByteSource, limit: Int
    ) throws -> [Record] {
        var reader = RecordReader(source)
        var records: [Record] = []
        while let record = try reader.next(Record.self) {
            guard records.count < limit else {
                throw RemoteFailure(.violation, "more than \(limit) records")
            }
            records.append(record)
        }
        return records
    }

    private mutating func next() throws -> (kind: UInt8, payload: ByteReader)? {
        var head = ByteReader(try cursor.take(5))
        let (kind, size) = (try head.u8(), Int(try head.u32()))
        guard size <= Self.payloadLimit else {
            throw RemoteFailure(.violation, "a record of \(size) bytes")
        }
        var payload = ByteReader(try cursor.take(size))
        guard kind == 0 else {
            count += 1
            return (kind, payload)
        }
        guard try payload.u64() == count, try cursor.isAtEnd() else {
            throw RemoteFailure(.violation, "a stream of another length")
        }
        return nil
    }
}

extension ByteReader {
    /// The error for a record of a kind that this version does not know.
    package func unknownKind(_ kind: UInt8) -> MalformedBytes {
        invalid("a record of a known kind, and not \(kind)")
    }
}
