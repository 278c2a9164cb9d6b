internal import Bytes
internal import Hashing
internal import Platform
internal import Targets
internal import Trees
internal import Wire

// What a sync remembers, in .varve-replica/sync-<pair> of both stores; version 1:
//
//     offset  size
//          0     8  magic "varvesyn"
//          8     1  format version, 1
//          9    16  id of the pair
//         25     1  which of the two stores this is: 0 or 1
//         26     8  number of paths
//         34     …  paths in order: path (varint count, bytes), kind (1), digest (32), then the
//                   stamp that this store's file had: size (varint), time of modification, of
//                   change (signed varint and 4 bytes each), inode (varint); an inode of 0 stands
//                   for a stamp that cannot be trusted
//          …     8  number of tables
//          …     …  tables in order: path, version here (8), SHA-256 of its commit (32), the
//                   same of the other store
//          …     8  low half of XXH3-128 of everything before
//
// It proves nothing but what both stores say alike: a path counts where both states have it with
// the same digest, a table where the commits that the two versions speak of are still those. So a
// state that is older than the other one, after an interruption or a restored backup, costs
// knowledge, and with it perhaps a question to the user; never a file.

extension FileStamp {
    func encode(into writer: inout ByteWriter) {
        writer.varint(size)
        writer.time(mtime)
        writer.time(ctime)
        writer.varint(inode)
    }

    init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        self.init(
            size: try reader.varint(), mtime: try reader.time(), ctime: try reader.time(),
            inode: try reader.varint())
    }
}

/// What the last sync of two stores left, as one of them keeps it.
struct TwoWayState: Equatable, Sendable {
    struct Plain: Equatable, Sendable {
        var fact: PlainFact
        var stamp: FileStamp
    }

    var pair: PairEnd
    var plain: [Plain] = []
    var tables: [TableFact] = []

    private static let version: UInt8 = 1

    init(_ pair: PairEnd) { self.pair = pair }

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 128 + plain.count * 128)
        writer.magic("varvesyn")
        writer.u8(Self.version)
        pair.encode(into: &writer)
        writer.u64(UInt64(plain.count))
        for entry in plain {
            entry.fact.encode(into: &writer)
            entry.stamp.encode(into: &writer)
        }
        writer.u64(UInt64(tables.count))
        for table in tables { table.encode(into: &writer) }
        writer.u64(XXH3Digest(of: writer.bytes.span).low)
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var reader = try TargetFile.checked(bytes, "varvesyn", Self.version)
        pair = try PairEnd(decoding: &reader)
        for _ in 0..<(try reader.u64()) {
            let fact = try PlainFact(decoding: &reader)
            if let last = plain.last, !PathBytes.isBefore(last.fact.path, fact.path) {
                throw reader.invalid("paths in order, each once")
            }
            plain.append(Plain(fact: fact, stamp: try FileStamp(decoding: &reader)))
        }
        for _ in 0..<(try reader.u64()) {
            let table = try TableFact(decoding: &reader)
            if let last = tables.last, !PathBytes.isBefore(last.path, table.path) {
                throw reader.invalid("tables in order, each once")
            }
            tables.append(table)
        }
        try reader.finish()
    }
}

extension PlainFact {
    func encode(into writer: inout ByteWriter) {
        writer.string(path)
        writer.u8(kind.rawValue)
        writer.digest(digest)
    }

    init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        path = try TwoWayPath.decode(&reader)
        guard !path.isEmpty, let kind = PlainEntry.Kind(rawValue: try reader.u8()) else {
            throw reader.invalid("a known kind of path")
        }
        self.kind = kind
        digest = try reader.sha256()
    }
}

extension TableFact {
    func encode(into writer: inout ByteWriter) {
        writer.string(path)
        here.encode(into: &writer)
        there.encode(into: &writer)
    }

    init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        path = try TwoWayPath.decode(&reader)
        here = try LogPoint(decoding: &reader)
        there = try LogPoint(decoding: &reader)
    }
}

/// What two stores remember of each other, as they tell it at the beginning of a sync.
///
///     1 plain    path, kind (1), digest (32)
///     2 table    path, version and digest here, version and digest there
struct TwoWayFacts: Equatable, Sendable {
    var plain: [PlainFact] = []
    var tables: [TableFact] = []

    init() {}

    init(_ state: TwoWayState) {
        plain = state.plain.map(\.fact)
        tables = state.tables
    }

    func write(to sink: any ByteSink) throws {
        var writer = RecordWriter(sink)
        for fact in plain { try writer.write(Record.plain(fact)) }
        for table in tables { try writer.write(Record.table(table)) }
        try writer.end()
    }

    init(reading source: any ByteSource) throws {
        var reader = RecordReader(source)
        while let record = try reader.next(Record.self) {
            guard plain.count + tables.count < TwoWayLimits.paths else {
                throw RemoteFailure(.violation, "a store with too many paths")
            }
            switch record {
            case .plain(let fact): plain.append(fact)
            case .table(let fact): tables.append(fact)
            }
        }
        let isOrdered =
            zip(plain, plain.dropFirst()).allSatisfy { PathBytes.isBefore($0.path, $1.path) }
            && zip(tables, tables.dropFirst()).allSatisfy { PathBytes.isBefore($0.path, $1.path) }
        guard isOrdered else { throw RemoteFailure(.violation, "paths out of order") }
    }

    /// What both stores say alike of plain paths, in the order of paths.
    static func agreed(_ here: Self, _ there: Self) -> [PlainFact] {
        here.plain.filter { there.plain.find($0.path) == $0 }
    }
}

extension TwoWayFacts {
    private enum Record: PeerRecord {
        case plain(PlainFact)
        case table(TableFact)

        var kind: UInt8 {
            switch self {
            case .plain: 1
            case .table: 2
            }
        }

        func encode(into writer: inout ByteWriter) {
            switch self {
            case .plain(let fact): fact.encode(into: &writer)
            case .table(let fact): fact.encode(into: &writer)
            }
        }

        init(kind: UInt8, decoding reader: inout ByteReader) throws(MalformedBytes) {
            switch kind {
            case 1: self = .plain(try PlainFact(decoding: &reader))
            case 2: self = .table(try TableFact(decoding: &reader))
            default: throw reader.unknownKind(kind)
            }
        }
    }
}
