internal import Bytes
internal import Snapshots
package import Targets
package import Wire

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
        var writer = RecordWriter(sink)
        try writer.write(
            Record.status(kind, origin, changeCount: changeCount, pathCount: pathCount))
        for change in changes { try writer.write(Record.change(change)) }
        try writer.end()
    }

    package init() {}

    package init(reading source: any ByteSource) throws {
        var reader = RecordReader(source)
        while let record = try reader.next(Record.self) {
            switch record {
            case .status(let kind, let origin, let changeCount, let pathCount):
                self.kind = kind
                self.origin = origin
                self.changeCount = changeCount
                self.pathCount = pathCount
            case .change(let change):
                if changes.count < ReplicaLimits.changes { changes.append(change) }
            }
        }
    }
}

extension ReplicaStatus {
    private enum Record: PeerRecord {
        case status(Kind, ReplicaOrigin, changeCount: UInt64, pathCount: UInt64)
        case change(LocalChange)

        var kind: UInt8 {
            switch self {
            case .status: 1
            case .change: 2
            }
        }

        func encode(into writer: inout ByteWriter) {
            switch self {
            case .status(let kind, let origin, let changeCount, let pathCount):
                writer.u8(kind.rawValue)
                origin.encode(into: &writer)
                writer.u64(changeCount)
                writer.u64(pathCount)
            case .change(let change):
                writer.u8(change.kind.rawValue)
                writer.string(change.path)
            }
        }

        init(kind: UInt8, decoding reader: inout ByteReader) throws(MalformedBytes) {
            switch kind {
            case 1:
                guard let kind = Kind(rawValue: try reader.u8()) else {
                    throw reader.invalid("a known kind of target")
                }
                self = .status(
                    kind, try ReplicaOrigin(decoding: &reader), changeCount: try reader.u64(),
                    pathCount: try reader.u64())
            case 2:
                guard let kind = LocalChange.Kind(rawValue: try reader.u8()) else {
                    throw reader.invalid("a known kind of change")
                }
                let path = try reader.string(limit: ManifestPath.pathLimit)
                self = .change(LocalChange(kind: kind, path: path))
            default: throw reader.unknownKind(kind)
            }
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
    /// What the target could not hold or give up: the first of them, and how many there are.
    package var failures: [TargetFailure] = []
    package var failureCount: UInt64 = 0

    package func write(to sink: any ByteSink) throws {
        var writer = RecordWriter(sink)
        try writer.write(Record.done(files: files, others: others, removed: removed))
        if failureCount > 0 { try writer.write(Record.failures(count: failureCount)) }
        for failure in failures { try writer.write(Record.failure(failure)) }
        for path in setAside.prefix(ReplicaLimits.changes) {
            try writer.write(Record.aside(path))
        }
        try writer.end()
    }

    package init() {}

    package init(reading source: any ByteSource) throws {
        var reader = RecordReader(source)
        while let record = try reader.next(Record.self) {
            switch record {
            case .done(let files, let others, let removed):
                (self.files, self.others, self.removed) = (files, others, removed)
            case .failures(let count): failureCount = count
            case .failure(let failure):
                if failures.count < ReplicaLimits.changes { failures.append(failure) }
            case .aside(let path):
                if setAside.count < ReplicaLimits.changes { setAside.append(path) }
            }
        }
    }
}

extension ReplicaOutcome {
    private enum Record: PeerRecord {
        case done(files: UInt64, others: UInt64, removed: UInt64)
        case aside([UInt8])
        case failures(count: UInt64)
        case failure(TargetFailure)

        var kind: UInt8 {
            switch self {
            case .done: 1
            case .aside: 2
            case .failures: 3
            case .failure: 4
            }
        }

        func encode(into writer: inout ByteWriter) {
            switch self {
            case .done(let files, let others, let removed):
                for number in [files, others, removed] { writer.u64(number) }
            case .aside(let path): writer.string(path)
            case .failures(let count): writer.u64(count)
            case .failure(let failure):
                writer.string(failure.path)
                failure.encode(into: &writer)
            }
        }

        init(kind: UInt8, decoding reader: inout ByteReader) throws(MalformedBytes) {
            switch kind {
            case 1:
                self = .done(
                    files: try reader.u64(), others: try reader.u64(), removed: try reader.u64())
            case 2: self = .aside(try reader.string(limit: ManifestPath.pathLimit))
            case 3: self = .failures(count: try reader.u64())
            case 4:
                let path = try reader.string(limit: ManifestPath.pathLimit)
                self = .failure(try TargetFailure(path, decoding: &reader))
            default: throw reader.unknownKind(kind)
            }
        }
    }
}
