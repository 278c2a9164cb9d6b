internal import Targets
internal import Wire
internal import Bytes
internal import Platform
internal import Repository
internal import TableLog

/// What is to be changed in a store, in the order in which it is done.
enum StoreChange: Equatable, Sendable {
    case directory([UInt8], mode: UInt32)
    /// Number of an offered file; whether one of that name is replaced.
    case put(UInt32, isReplacing: Bool)
    case symlink([UInt8], target: [UInt8], mtime: Timestamp, isReplacing: Bool)
    case remove([UInt8])
    /// What follows is of this table, up to the next; nil for a new one.
    case table([UInt8], version: Int64?)
    case data(UInt32, isNeeded: Bool)
    case log(UInt32, name: [UInt8])
    case commit(version: Int64, modified: Timestamp, bytes: [UInt8])

    func write(to writer: inout ReplicaRecordWriter) throws {
        switch self {
        case .directory(let path, let mode):
            try writer.write(1) {
                $0.string(path)
                $0.u32(mode)
            }
        case .put(let number, let isReplacing):
            try writer.write(2) {
                $0.u32(number)
                $0.u8(isReplacing ? 1 : 0)
            }
        case .symlink(let path, let target, let mtime, let isReplacing):
            try writer.write(3) {
                $0.string(path)
                $0.string(target)
                $0.time(mtime)
                $0.u8(isReplacing ? 1 : 0)
            }
        case .remove(let path): try writer.write(4) { $0.string(path) }
        case .table(let path, let version):
            try writer.write(5) {
                $0.string(path)
                $0.u64(version.map { UInt64(clamping: $0) + 1 } ?? 0)
            }
        case .data(let number, let isNeeded):
            try writer.write(6) {
                $0.u32(number)
                $0.u8(isNeeded ? 1 : 0)
            }
        case .log(let number, let name):
            try writer.write(7) {
                $0.u32(number)
                $0.string(name)
            }
        case .commit(let version, let modified, let bytes):
            try writer.write(
                8,
                {
                    $0.u64(UInt64(clamping: version))
                    $0.time(modified)
                }, bytes)
        }
    }

    init(_ type: UInt8, decoding reader: inout ByteReader) throws {
        switch type {
        case 1:
            self = .directory(try Self.path(&reader), mode: try reader.u32() & 0o777)
        case 2: self = .put(try reader.u32(), isReplacing: try reader.u8() == 1)
        case 3:
            let path = try Self.path(&reader)
            let target = try reader.string(limit: TwoWayLimits.target)
            guard !target.isEmpty, !target.contains(0) else { throw reader.invalid("a target") }
            self = .symlink(
                path, target: target, mtime: try reader.time(),
                isReplacing: try reader.u8() == 1)
        case 4: self = .remove(try Self.path(&reader))
        case 5:
            let path = try TwoWayPath.decode(&reader)
            let version = try reader.u64()
            guard version < UInt64(TwoWayLimits.version) else { throw reader.invalid("a version") }
            self = .table(path, version: version == 0 ? nil : Int64(version) - 1)
        case 6: self = .data(try reader.u32(), isNeeded: try reader.u8() == 1)
        case 7:
            let number = try reader.u32()
            let name = try TwoWayPath.decode(&reader)
            guard !name.isEmpty else { throw reader.invalid("a name in the log") }
            self = .log(number, name: name)
        case 8:
            let commit = try CommitRecord(decoding: &reader)
            self = .commit(
                version: commit.version, modified: commit.modified, bytes: commit.bytes)
        default: throw ReplicaRecordReader.unknown(type)
        }
        try reader.finish()
    }

    /// A path outside of logs: those change by commits alone.
    private static func path(_ reader: inout ByteReader) throws -> [UInt8] {
        let path = try TwoWayPath.decode(&reader)
        let parts = path.split(separator: PathBytes.separator)
        guard !path.isEmpty, !parts.contains(where: { $0.elementsEqual(ReplicaOrder.log) }) else {
            throw RemoteFailure(.forbidden, "a path in the log of a table", object: path)
        }
        return path
    }
}

/// What became of a table.
struct TableOutcome: Equatable, Sendable {
    enum State: UInt8, Sendable {
        case done = 0
        /// Another writer was first; what was published before it is whole.
        case overtaken = 1
        /// Nothing, or no further version, was published; `text` says why.
        case failed = 2
    }

    var path: [UInt8]
    var state: State
    var text = ""
}

/// What was done to a store.
struct StoreOutcome: Equatable, Sendable {
    struct PathFailure: Equatable, Sendable {
        var path: [UInt8]
        var text: String
    }

    var failures: [PathFailure] = []
    var tables: [TableOutcome] = []

    init() {}

    func write(to sink: any ByteSink) throws {
        var writer = ReplicaRecordWriter(sink)
        for failure in failures {
            try writer.write(1) {
                $0.string(failure.path)
                $0.string(Array(failure.text.utf8).prefix(TwoWayLimits.text))
            }
        }
        for table in tables {
            try writer.write(2) {
                $0.string(table.path)
                $0.u8(table.state.rawValue)
                $0.string(Array(table.text.utf8).prefix(TwoWayLimits.text))
            }
        }
        try writer.end()
    }

    init(reading source: any ByteSource) throws {
        var records = ReplicaRecordReader(source)
        while let next = try records.next() {
            var reader = next.reader
            guard failures.count + tables.count < TwoWayLimits.files else {
                throw RemoteFailure(.violation, "an answer that does not end")
            }
            let path = try TwoWayPath.decode(&reader)
            switch next.type {
            case 1:
                let text = try reader.string(limit: TwoWayLimits.text)
                failures.append(PathFailure(path: path, text: RemoteFailure.harmless(text)))
            case 2:
                guard let state = TableOutcome.State(rawValue: try reader.u8()) else {
                    throw reader.invalid("a known state")
                }
                let text = try reader.string(limit: TwoWayLimits.text)
                tables.append(
                    TableOutcome(path: path, state: state, text: RemoteFailure.harmless(text)))
            default: throw ReplicaRecordReader.unknown(next.type)
            }
            try reader.finish()
        }
    }
}
