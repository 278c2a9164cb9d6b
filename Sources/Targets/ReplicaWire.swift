internal import Snapshots
package import Wire
package import Bytes
internal import Hashing
internal import Platform
internal import Repository

// A replication, through the streams of the wire; the purpose in the hello is `replica`:
//
//     client                             server, which has the target
//     download  begin, options   ──▶     lock; finish what was interrupted; compare with the state
//                                ◀──     status
//     upload    offer: all that changed, or everything, in path order   ──▶
//     download  wants            ◀──     for each file offered: no; yes; yes, and one is there
//     upload    content          ──▶     pieces of the wanted files, staged
//     download  lacking          ◀──     pieces to be copied that were not found as they should be
//     upload    supply           ──▶     those
//     download  publish          ◀──     what was done, when all is durable
//     download  release          ◀──     nothing; in place of all that follows the status
//
// request: version (1), step (1), options (1).
//
// Streams are records: type (1), size (4), payload; the last has the type 0 and holds the number of
// those before it (8). Integers are little-endian.
//
//     offer     1 head     what changed (0), everything (1), or all that could be read of it (2);
//                          origin: repository, series, snapshot
//               2 put      a record (ReplicaRecords); its action counts for nothing
//               3 remove   path (varint count, bytes)
//     content   1 file     number among the files offered (4); its pieces follow
//               2 path     path of a file at the target; gets the next number
//               3 hole     size (varint)
//               4 copy     fingerprint (48), size (varint), place
//               5 data     fingerprint (48), codec (1), size (varint), if it is a patch: number of
//                          bases (1) and the place of each; then its bytes, as in packs
//     supply    6 at       number of the file (4), offset (8); its data follows
//     lacking   1 piece    number of the file (4), number of the piece (4), offset (8)
//     status    1 status   kind (1), origin, numbers of changes, of paths (8)
//               2 change   kind (1), path
//     wants     bytes, without records
//     publish   1 done     files, others, removed, set aside (8 each)
//               2 aside    path
//
// place: 0 and the number of a path (varint), or 1 and the number of a file that came before; then
// the offset (varint).

/// A step of a replication.
package enum ReplicaStep: UInt8 {
    case begin = 1
    case offer = 2
    case wants = 3
    case content = 4
    case lacking = 5
    case supply = 6
    case publish = 7
    /// Gives the target up without changing it.
    case release = 8
}

/// What a target is asked to do beyond the usual.
package struct ReplicaOptions: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// What was changed at the target may be replaced.
    package static let overwrite = ReplicaOptions(rawValue: 1)
    /// Nothing is to be changed.
    package static let dryRun = ReplicaOptions(rawValue: 2)
    /// Restores set-user-id and set-group-id bits.
    package static let setID = ReplicaOptions(rawValue: 4)
}

package struct ReplicaRequest: Equatable {
    static let version: UInt8 = 1
    package var step: ReplicaStep
    package var options: ReplicaOptions = []

    package func encoded() -> [UInt8] { [Self.version, step.rawValue, options.rawValue] }

    package init(_ step: ReplicaStep, _ options: ReplicaOptions = []) {
        self.step = step
        self.options = options
    }

    package init(decoding bytes: [UInt8]) throws(RemoteFailure) {
        guard bytes.count == 3, bytes[0] == Self.version, let step = ReplicaStep(rawValue: bytes[1])
        else { throw RemoteFailure(.unsupported, "a replication of another version") }
        self.step = step
        options = ReplicaOptions(rawValue: bytes[2])
    }
}

/// Limits of the streams; a peer cannot raise them.
package enum ReplicaLimits {
    static let bases = 16
    /// A chunk with what stands before it.
    static let record = PackFormat.blobSizeLimit + (64 << 10)
    package static let lacking = 1 << 20
    /// Changes that are told one by one.
    package static let changes = 1000
    package static let puts = 1 << 26
    /// Bytes of the records of a journal and of a state together: so both can be read again.
    package static let recordBytes = 2 << 30
    /// Bytes of the paths that are told besides.
    package static let pathBytes = 256 << 20
}

/// Writes records.
package struct ReplicaRecordWriter {
    private let sink: any ByteSink
    private var count: UInt64 = 0

    package init(_ sink: any ByteSink) { self.sink = sink }

    package mutating func write(_ type: UInt8, _ payload: (inout ByteWriter) -> Void) throws {
        try write(type, payload, [])
    }

    /// Writes a record that ends with `rest`.
    package mutating func write(
        _ type: UInt8, _ payload: (inout ByteWriter) -> Void, _ rest: [UInt8]
    ) throws {
        var writer = ByteWriter(capacity: 128)
        writer.u8(type)
        writer.u32(0)
        payload(&writer)
        writer.patch(u32: UInt32(clamping: writer.count - 5 + rest.count), at: 1)
        try sink.write(writer.bytes)
        if !rest.isEmpty { try sink.write(rest) }
        count += 1
    }

    package mutating func end() throws {
        let total = count
        try write(0) { $0.u64(total) }
    }
}

/// Reads records until the last, which must tell how many there were.
package struct ReplicaRecordReader {
    private var cursor: StreamCursor
    private var count: UInt64 = 0

    package init(_ source: any ByteSource) { cursor = StreamCursor(source) }

    /// The next record; nil after the last.
    package mutating func next() throws -> (type: UInt8, reader: ByteReader)? {
        let head = try cursor.take(5)
        var reader = ByteReader(head)
        let (type, size) = (try reader.u8(), Int(try reader.u32()))
        guard size <= ReplicaLimits.record else {
            throw RemoteFailure(.violation, "a record of \(size) bytes")
        }
        var payload = ByteReader(try cursor.take(size))
        guard type == 0 else {
            count += 1
            return (type, payload)
        }
        guard try payload.u64() == count, try cursor.isAtEnd() else {
            throw RemoteFailure(.violation, "a stream of another length")
        }
        return nil
    }

    package static func unknown(_ type: UInt8) -> RemoteFailure {
        RemoteFailure(.violation, "a record of the unknown type \(type)")
    }
}

/// Where bytes lie that a target has.
package enum ReplicaPlace: Equatable, Sendable {
    case live(path: UInt32, offset: UInt64)
    case offered(file: UInt32, offset: UInt64)

    package func encode(into writer: inout ByteWriter) {
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

    package init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        let kind = try reader.u8()
        let number = UInt32(try reader.count(limit: Int(UInt32.max), "a number"))
        let offset = try reader.varint()
        guard kind <= 1, offset <= UInt64(Int64.max) else { throw reader.invalid("a place") }
        self =
            kind == 0
            ? .live(path: number, offset: offset) : .offered(file: number, offset: offset)
    }
}

/// What a target holds that a replication did not leave there.
package struct LocalChange: Equatable, Sendable {
    package enum Kind: UInt8, Sendable {
        case changed = 1
        case removed = 2
        case added = 3
    }

    package var kind: Kind
    package var path: [UInt8]

    package init(kind: Kind, path: [UInt8]) {
        self.kind = kind
        self.path = path
    }
}

/// What a target is before a replication.
package struct ReplicaStatus: Equatable, Sendable {
    package enum Kind: UInt8, Sendable {
        /// Nothing is there.
        case empty = 0
        /// Files that no replication left.
        case foreign = 1
        case replica = 2
    }

    package var kind = Kind.empty
    package var origin = ReplicaOrigin()
    package var changeCount: UInt64 = 0
    /// Paths that the last replication left, with the target itself.
    package var pathCount: UInt64 = 0
    /// The first of them.
    package var changes: [LocalChange] = []

    package func write(to sink: any ByteSink) throws {
        var writer = ReplicaRecordWriter(sink)
        try writer.write(1) {
            $0.u8(kind.rawValue)
            origin.encode(into: &$0)
            $0.u64(changeCount)
            $0.u64(pathCount)
        }
        for change in changes {
            try writer.write(2) {
                $0.u8(change.kind.rawValue)
                $0.string(change.path)
            }
        }
        try writer.end()
    }

    package init() {}

    package init(reading source: any ByteSource) throws {
        var records = ReplicaRecordReader(source)
        while let next = try records.next() {
            var reader = next.reader
            switch next.type {
            case 1:
                guard let kind = Kind(rawValue: try reader.u8()) else {
                    throw reader.invalid("a known kind of target")
                }
                self.kind = kind
                origin = try ReplicaOrigin(decoding: &reader)
                changeCount = try reader.u64()
                pathCount = try reader.u64()
            case 2:
                guard let kind = LocalChange.Kind(rawValue: try reader.u8()) else {
                    throw reader.invalid("a known kind of change")
                }
                let path = try reader.string(limit: ManifestPath.pathLimit)
                guard changes.count < ReplicaLimits.changes else { break }
                changes.append(LocalChange(kind: kind, path: path))
            default: throw ReplicaRecordReader.unknown(next.type)
            }
            try reader.finish()
        }
    }
}

/// What a replication did at the target.
package struct ReplicaOutcome: Equatable, Sendable {
    package var files: UInt64 = 0
    package var others: UInt64 = 0
    package var removed: UInt64 = 0
    /// Paths that others had made where the replica has its own, now in `.varve-replica/set-aside`.
    package var setAside: [[UInt8]] = []

    package func write(to sink: any ByteSink) throws {
        var writer = ReplicaRecordWriter(sink)
        try writer.write(1) { for number in [files, others, removed] { $0.u64(number) } }
        for path in setAside.prefix(ReplicaLimits.changes) {
            try writer.write(2) { $0.string(path) }
        }
        try writer.end()
    }

    package init() {}

    package init(reading source: any ByteSource) throws {
        var records = ReplicaRecordReader(source)
        while let next = try records.next() {
            var reader = next.reader
            switch next.type {
            case 1:
                files = try reader.u64()
                others = try reader.u64()
                removed = try reader.u64()
            case 2:
                let path = try reader.string(limit: ManifestPath.pathLimit)
                if setAside.count < ReplicaLimits.changes { setAside.append(path) }
            default: throw ReplicaRecordReader.unknown(next.type)
            }
            try reader.finish()
        }
    }
}
