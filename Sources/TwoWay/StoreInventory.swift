package import Bytes
internal import Hashing
package import Platform
internal import Snapshots
internal import Targets
internal import Wire

// What one store tells of itself at the beginning of a sync, as records (see TwoWayWire):
//
//     1 pair      id (16), which of the two it is (1): of each store that it was synced with
//     2 entry     path, kind (1), mode (4), time, size (varint), digest (32), target of a symlink
//     3 table     path, version (8), SHA-256 of its commit (32)
//     4 problem   path, reason: what is there could not be read whole, and is left alone
//
// path, reason and target: count (varint), bytes. time: seconds (signed varint), nanoseconds (4).

/// One of two stores that are synced with each other.
///
/// A copy of a store is the same end of its pair, so what both remember is not taken for what they
/// remember of each other.
package struct PairEnd: Hashable, Sendable {
    static let size = 16
    /// Names the pair.
    let id: [UInt8]
    private let isSecond: Bool

    /// The first end of a new pair.
    static func random(_ host: Host) -> Self {
        Self(id: host.randomBytes(size), isSecond: false)
    }

    private init(id: [UInt8], isSecond: Bool) {
        self.id = id
        self.isSecond = isSecond
    }

    /// The store that this one is synced with.
    var other: Self { Self(id: id, isSecond: !isSecond) }

    func encode(into writer: inout ByteWriter) {
        writer.raw(id)
        writer.u8(isSecond ? 1 : 0)
    }

    init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        id = Array(try reader.take(Self.size))
        let end = try reader.u8()
        guard end <= 1 else { throw reader.invalid("one of two ends") }
        isSecond = end == 1
    }

    var hex: String { Hex.encode(id) }
}

/// A file, directory or symlink outside of tables.
package struct PlainEntry: Equatable, Sendable {
    package enum Kind: UInt8, Sendable {
        case file = 1
        case directory = 2
        case symlink = 3
    }

    package var path: [UInt8]
    package var kind: Kind
    package var mode: UInt32
    package var mtime: Timestamp
    package var size: UInt64
    /// SHA-256 of the content, or of where a symlink leads; zeros for a directory.
    package var digest: SHA256Digest
    package var target: [UInt8] = []

    var fact: PlainFact { PlainFact(path: path, kind: kind, digest: digest) }
}

/// What both stores had at a path when they were synced.
package struct PlainFact: Hashable, Sendable {
    package var path: [UInt8]
    package var kind: PlainEntry.Kind
    package var digest: SHA256Digest

    func holds(for entry: PlainEntry?) -> Bool {
        entry.map { $0.kind == kind && $0.digest == digest } ?? false
    }
}

/// A commit that nothing else can be taken for.
package struct LogPoint: Hashable, Sendable {
    package var version: Int64
    /// SHA-256 of the file of the commit.
    package var digest: SHA256Digest
}

/// The newest version of a table.
package struct TableHead: Equatable, Sendable {
    package var path: [UInt8]
    package var latest: LogPoint
}

/// Versions at which a table had the same rows in both stores, seen from one of them.
package struct TableFact: Equatable, Sendable {
    package var path: [UInt8]
    package var here: LogPoint
    package var there: LogPoint

    /// The same, seen from the other store.
    var mirrored: Self { Self(path: path, here: there, there: here) }
}

/// Something that could not be read, with everything below it.
package struct StoreProblem: Equatable, Sendable {
    package var path: [UInt8]
    package var reason: String
}

/// What a store holds, by path in order.
package struct StoreInventory: Equatable, Sendable {
    package var pairs: [PairEnd] = []
    package var entries: [PlainEntry] = []
    package var tables: [TableHead] = []
    package var problems: [StoreProblem] = []

    package var isEmpty: Bool { entries.isEmpty && tables.isEmpty && problems.isEmpty }

    package init() {}

    func write(to sink: any ByteSink) throws {
        try Self.write(pairs: pairs, entries, tables, problems, to: sink)
    }

    /// The same for entries that need no array of their own.
    static func write(
        pairs: [PairEnd], _ entries: some Sequence<PlainEntry>, _ tables: [TableHead],
        _ problems: [StoreProblem], to sink: any ByteSink
    ) throws {
        var writer = RecordWriter(sink)
        for pair in pairs { try writer.write(Record.pair(pair)) }
        for entry in entries { try writer.write(Record.entry(entry)) }
        for table in tables { try writer.write(Record.table(table)) }
        for problem in problems { try writer.write(Record.problem(problem)) }
        try writer.end()
    }

    init(reading source: any ByteSource) throws {
        var reader = RecordReader(source)
        var count = 0
        while let record = try reader.next(Record.self) {
            count += 1
            guard count <= TwoWayLimits.paths else {
                throw RemoteFailure(.violation, "a store with too many paths")
            }
            try take(record)
        }
    }

    private mutating func take(_ record: Record) throws(RemoteFailure) {
        switch record {
        case .pair(let pair):
            guard pairs.count < TwoWayLimits.pairs else {
                throw RemoteFailure(.violation, "too many pairs")
            }
            pairs.append(pair)
        case .entry(let entry):
            if let last = entries.last, !PathBytes.isBefore(last.path, entry.path) {
                throw RemoteFailure(.violation, "paths out of order", object: entry.path)
            }
            entries.append(entry)
        case .table(let table):
            if let last = tables.last, !PathBytes.isBefore(last.path, table.path) {
                throw RemoteFailure(.violation, "tables out of order", object: table.path)
            }
            tables.append(table)
        case .problem(let problem): problems.append(problem)
        }
    }
}

extension StoreInventory {
    private enum Record: PeerRecord {
        case pair(PairEnd)
        case entry(PlainEntry)
        case table(TableHead)
        case problem(StoreProblem)

        var kind: UInt8 {
            switch self {
            case .pair: 1
            case .entry: 2
            case .table: 3
            case .problem: 4
            }
        }

        func encode(into writer: inout ByteWriter) {
            switch self {
            case .pair(let pair): pair.encode(into: &writer)
            case .entry(let entry): entry.encode(into: &writer)
            case .table(let table):
                writer.string(table.path)
                table.latest.encode(into: &writer)
            case .problem(let problem):
                writer.string(problem.path)
                writer.string(Array(problem.reason.utf8).prefix(TwoWayLimits.text))
            }
        }

        init(kind: UInt8, decoding reader: inout ByteReader) throws(MalformedBytes) {
            switch kind {
            case 1: self = .pair(try PairEnd(decoding: &reader))
            case 2:
                let entry = try PlainEntry(decoding: &reader)
                guard !entry.path.isEmpty else { throw reader.invalid("a path below the store") }
                self = .entry(entry)
            case 3:
                let path = try TwoWayPath.decode(&reader)
                self = .table(TableHead(path: path, latest: try LogPoint(decoding: &reader)))
            case 4:
                let path = try TwoWayPath.decode(&reader)
                let reason = try reader.string(limit: TwoWayLimits.text)
                self = .problem(
                    StoreProblem(path: path, reason: RemoteFailure.harmless(reason)))
            default: throw reader.unknownKind(kind)
            }
        }
    }
}

/// Paths that a peer names.
enum TwoWayPath {
    /// A path below a store that is none of varve's own; the empty one is the store itself.
    static func decode(_ reader: inout ByteReader) throws(MalformedBytes) -> [UInt8] {
        let path = try reader.string(limit: ManifestPath.pathLimit, "a path")
        guard isAllowed(path) else { throw reader.invalid("a path below the store") }
        return path
    }

    static func isAllowed(_ path: [UInt8]) -> Bool {
        ManifestPath.isValid(path) && !PathBytes.isInside(path, TargetPlaces.directory)
    }
}

extension PlainEntry {
    func encode(into writer: inout ByteWriter) {
        writer.string(path)
        writer.u8(kind.rawValue)
        writer.u32(mode)
        writer.time(mtime)
        writer.varint(size)
        writer.digest(digest)
        writer.string(target)
    }

    init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        path = try TwoWayPath.decode(&reader)
        guard let kind = Kind(rawValue: try reader.u8()) else {
            throw reader.invalid("a known kind of path")
        }
        self.kind = kind
        mode = try reader.u32() & 0o777
        mtime = try reader.time()
        size = try reader.varint()
        digest = try reader.sha256()
        target = try reader.string(limit: TwoWayLimits.target)
        guard kind == .symlink || target.isEmpty, size <= UInt64(Int64.max), !target.contains(0)
        else { throw reader.invalid("an entry of its kind") }
    }
}

extension LogPoint {
    func encode(into writer: inout ByteWriter) {
        writer.u64(UInt64(clamping: version))
        writer.digest(digest)
    }

    init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        guard let version = Int64(exactly: try reader.u64()), version < TwoWayLimits.version else {
            throw reader.invalid("a version of a table")
        }
        self.version = version
        digest = try reader.sha256()
    }
}

extension ByteWriter {
    mutating func time(_ time: Timestamp) {
        signed(time.seconds)
        u32(time.nanoseconds)
    }
}

extension ByteReader {
    mutating func time() throws(MalformedBytes) -> Timestamp {
        let seconds = try signed("a time")
        let nanoseconds = try u32("a time")
        guard nanoseconds < 1_000_000_000 else { throw invalid("nanoseconds") }
        return Timestamp(seconds: seconds, nanoseconds: nanoseconds)
    }
}
