internal import Bytes
internal import Platform
internal import Repository
internal import TableLog
internal import Targets
internal import Wire

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
    case commit(TableCommit)
}

extension StoreChange: PeerRecord {
    var kind: UInt8 {
        switch self {
        case .directory: 1
        case .put: 2
        case .symlink: 3
        case .remove: 4
        case .table: 5
        case .data: 6
        case .log: 7
        case .commit: 8
        }
    }

    func encode(into writer: inout ByteWriter) {
        switch self {
        case .directory(let path, let mode):
            writer.string(path)
            writer.u32(mode)
        case .put(let number, let isReplacing):
            writer.u32(number)
            writer.u8(isReplacing ? 1 : 0)
        case .symlink(let path, let target, let mtime, let isReplacing):
            writer.string(path)
            writer.string(target)
            writer.time(mtime)
            writer.u8(isReplacing ? 1 : 0)
        case .remove(let path): writer.string(path)
        case .table(let path, let version):
            writer.string(path)
            writer.u64(version.map { UInt64(clamping: $0) + 1 } ?? 0)
        case .data(let number, let isNeeded):
            writer.u32(number)
            writer.u8(isNeeded ? 1 : 0)
        case .log(let number, let name):
            writer.u32(number)
            writer.string(name)
        case .commit(let commit): commit.encodeHead(into: &writer)
        }
    }

    var tail: [UInt8] { if case .commit(let commit) = self { commit.bytes } else { [] } }

    init(kind: UInt8, decoding reader: inout ByteReader) throws(MalformedBytes) {
        switch kind {
        case 1: self = .directory(try Self.path(&reader), mode: try reader.u32() & 0o777)
        case 2: self = .put(try reader.u32(), isReplacing: try reader.u8() == 1)
        case 3: self = try Self.symlink(&reader)
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
        case 8: self = .commit(try TableCommit(decoding: &reader))
        default: throw reader.unknownKind(kind)
        }
    }

    private static func symlink(_ reader: inout ByteReader) throws(MalformedBytes) -> Self {
        let path = try path(&reader)
        let target = try reader.string(limit: TwoWayLimits.target)
        guard !target.isEmpty, !target.contains(0) else { throw reader.invalid("a target") }
        let mtime = try reader.time()
        return .symlink(path, target: target, mtime: mtime, isReplacing: try reader.u8() == 1)
    }

    /// A path outside of logs: those change by commits alone.
    private static func path(_ reader: inout ByteReader) throws(MalformedBytes) -> [UInt8] {
        let path = try TwoWayPath.decode(&reader)
        let parts = path.split(separator: PathBytes.separator)
        guard !path.isEmpty, !parts.contains(where: { $0.elementsEqual(TargetOrder.log) }) else {
            throw reader.invalid("a path outside of the logs of tables")
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
    /// What the store could not keep besides content of paths that were brought to it.
    var unset: [TargetFailure] = []
    var tables: [TableOutcome] = []

    init() {}

    /// A client that does not understand `unset` gets it as failures.
    func write(to sink: any ByteSink, listsUnset: Bool) throws {
        var writer = RecordWriter(sink)
        for failure in failures { try writer.write(Record.failure(failure)) }
        for unset in unset {
            let failure = PathFailure(path: unset.path, text: "it could not be set as it was here")
            try writer.write(listsUnset ? Record.unset(unset) : .failure(failure))
        }
        for table in tables { try writer.write(Record.table(table)) }
        try writer.end()
    }

    init(reading source: any ByteSource) throws {
        for record in try RecordReader.all(Record.self, in: source, limit: TwoWayLimits.files) {
            switch record {
            case .failure(let failure): failures.append(failure)
            case .unset(let failure): unset.append(failure)
            case .table(let table): tables.append(table)
            }
        }
    }
}

extension StoreOutcome {
    private enum Record: PeerRecord {
        case failure(PathFailure)
        case table(TableOutcome)
        case unset(TargetFailure)

        var kind: UInt8 {
            switch self {
            case .failure: 1
            case .table: 2
            case .unset: 3
            }
        }

        func encode(into writer: inout ByteWriter) {
            switch self {
            case .failure(let failure):
                writer.string(failure.path)
                writer.string(Array(failure.text.utf8).prefix(TwoWayLimits.text))
            case .table(let table):
                writer.string(table.path)
                writer.u8(table.state.rawValue)
                writer.string(Array(table.text.utf8).prefix(TwoWayLimits.text))
            case .unset(let failure):
                writer.string(failure.path)
                failure.encode(into: &writer)
            }
        }

        init(kind: UInt8, decoding reader: inout ByteReader) throws(MalformedBytes) {
            let path = try TwoWayPath.decode(&reader)
            switch kind {
            case 1: self = .failure(PathFailure(path: path, text: try Self.text(&reader)))
            case 2:
                guard let state = TableOutcome.State(rawValue: try reader.u8()) else {
                    throw reader.invalid("a known state")
                }
                let text = try Self.text(&reader)
                self = .table(TableOutcome(path: path, state: state, text: text))
            case 3: self = .unset(try TargetFailure(path, decoding: &reader))
            default: throw reader.unknownKind(kind)
            }
        }

        private static func text(_ reader: inout ByteReader) throws(MalformedBytes) -> String {
            RemoteFailure.harmless(try reader.string(limit: TwoWayLimits.text))
        }
    }
}
