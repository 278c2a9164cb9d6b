internal import Bytes
internal import Hashing
package import Platform
package import Repository

// A snapshot; its SHA-256 is its name:
//
//     offset  size
//          0     8  magic "varvesnp"
//          8     1  format version: 2 if it has tables, 1 if not
//          9     1  cipher: 0 = none
//         10     …  root of the manifest: level (1), fingerprint (48), entries, bytes (varints)
//                   time: seconds (zigzag varint), nanoseconds (varint)
//                   start of the capture: the same
//                   host (varint count, bytes)
//                   sources: number (varint), absolute path of each (varint count, bytes)
//                   tags: number (varint), each (varint count, bytes), sorted
//                   has parent (1), if 1 its id (32)
//                   sequence number in the series (varint), 0 for the first
//                   statistics: 9 varints, in the order of `SnapshotStatistics`
//                   problems: number (varint); each kind (1), path, reason (varint count, bytes)
//                   problems beyond those listed (varint)
//                   program version (varint count, bytes)
//                   version 2: tables: number (varint, at least 1), each as `CapturedTable`, sorted
//                   by path
//
// Releases that know only version 1 refuse such a repository by the number of the version. What has
// no tables keeps version 1, so that they go on where there are none.

/// What a capture met that keeps the snapshot from being whole.
package struct CaptureProblem: Equatable, Sendable {
    package enum Kind: UInt8, Sendable {
        /// Could not be read; what is there is not in the snapshot.
        case unreadable = 0
        /// Was there when listed, gone when read. Noted, not a fault.
        case vanished = 1
        /// Kept changing; what was read is stored, and may mix two states.
        case changedWhileRead = 2
        /// A socket or another thing that cannot be stored. Noted, not a fault.
        case skipped = 3
    }

    package var kind: Kind
    package var path: [UInt8]
    package var reason: [UInt8]

    package init(_ kind: Kind, _ path: [UInt8], _ reason: String) {
        self.kind = kind
        self.path = path
        self.reason = Array(reason.utf8)
    }

    /// Whether the snapshot lacks something because of it.
    package var isFault: Bool { kind == .unreadable || kind == .changedWhileRead }
}

/// What a capture did, in numbers.
package struct SnapshotStatistics: Equatable, Sendable {
    package var newFiles: UInt64 = 0
    package var changedFiles: UInt64 = 0
    package var unchangedFiles: UInt64 = 0
    package var unreadableFiles: UInt64 = 0
    package var directories: UInt64 = 0
    /// Content bytes read from the source.
    package var bytesRead: UInt64 = 0
    /// Plain bytes that the repository did not have.
    package var newBytes: UInt64 = 0
    /// Bytes that the repository grew by.
    package var storedBytes: UInt64 = 0
    package var durationMilliseconds: UInt64 = 0

    package init() {}

    package var files: UInt64 { newFiles + changedFiles + unchangedFiles }

    fileprivate var fields: [UInt64] {
        [
            newFiles, changedFiles, unchangedFiles, unreadableFiles, directories, bytesRead,
            newBytes, storedBytes, durationMilliseconds,
        ]
    }

    fileprivate init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        newFiles = try reader.varint()
        changedFiles = try reader.varint()
        unchangedFiles = try reader.varint()
        unreadableFiles = try reader.varint()
        directories = try reader.varint()
        bytesRead = try reader.varint()
        newBytes = try reader.varint()
        storedBytes = try reader.varint()
        durationMilliseconds = try reader.varint()
    }
}

/// An immutable record of a store at one moment.
package struct SnapshotRecord: Equatable, Sendable {
    package var root: TreeRoot
    /// When the snapshot counts as taken; the user may set it.
    package var time: Timestamp
    /// The clock when the capture began; younger change times than this are not trusted.
    package var captureStart: Timestamp
    package var host: [UInt8]
    /// Absolute paths, sorted.
    package var sources: [[UInt8]]
    package var tags: [[UInt8]]
    package var parent: SnapshotID?
    /// Position in the series of this host and these sources.
    package var sequence: UInt64
    package var statistics: SnapshotStatistics
    /// The first thousand; `unlistedProblems` counts the others.
    package var problems: [CaptureProblem]
    package var unlistedProblems: UInt64
    package var programVersion: [UInt8]
    /// Sorted by path.
    package var tables: [CapturedTable] = []

    package init(
        root: TreeRoot, time: Timestamp, captureStart: Timestamp, host: [UInt8], sources: [[UInt8]],
        tags: [[UInt8]], parent: SnapshotID? = nil, sequence: UInt64,
        statistics: SnapshotStatistics, problems: [CaptureProblem], unlistedProblems: UInt64,
        programVersion: [UInt8], tables: [CapturedTable] = []
    ) {
        self.root = root
        self.time = time
        self.captureStart = captureStart
        self.host = host
        self.sources = sources
        self.tags = tags
        self.parent = parent
        self.sequence = sequence
        self.statistics = statistics
        self.problems = problems
        self.unlistedProblems = unlistedProblems
        self.programVersion = programVersion
        self.tables = tables
    }

    package static let problemLimit = 1000
    /// Bytes of paths and reasons that a record lists; far below the limit of a record.
    private static let problemSizeLimit = 1 << 20
    private static let stringLimit = 128 << 10
    private static let listLimit = 4096
    /// Numbers of files, problems and snapshots in a record are below this, so that no sum of a few
    /// of them overflows.
    private static let numberLimit: UInt64 = 1 << 60
    /// Times of a record lie within this of 1970.
    private static let secondsLimit: Int64 = 1 << 40
    private static let tableLimit = 100_000
    /// Bytes that tables take in a record, half of what it may have.
    private static let tablesSizeLimit = 2 << 20
}

extension SnapshotRecord {
    /// Whether nothing that should be there is missing.
    ///
    /// Faults are listed before other problems.
    package var isComplete: Bool { !problems.contains(where: \.isFault) }

    /// As many problems, from the first, as a record has room for.
    package static func listed(_ problems: [CaptureProblem]) -> [CaptureProblem] {
        var size = 0
        let faultsFirst = problems.filter(\.isFault) + problems.filter { !$0.isFault }
        return Array(
            faultsFirst.prefix(problemLimit).prefix { problem in
                size += problem.path.count + problem.reason.count
                return size <= problemSizeLimit
            })
    }

    /// The tables as far as a record has room for them: seals are left out first, then tables.
    package static func listed(_ tables: [CapturedTable]) -> [CapturedTable] {
        func size(_ table: CapturedTable) -> Int {
            var writer = ByteWriter()
            table.encode(into: &writer)
            return writer.count
        }
        var total = 0
        let slim = tables.map { table in
            var slim = table
            total += size(table)
            if total > tablesSizeLimit / 2 { slim.seal = nil }
            return slim
        }
        total = 0
        return Array(
            slim.prefix(tableLimit).prefix { table in
                total += size(table)
                return total <= tablesSizeLimit
            })
    }

    /// Whether both belong to one series: same host, same sources.
    package func isSameSeries(_ other: Self) -> Bool {
        host == other.host && sources == other.sources
    }

    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.magic("varvesnp")
        writer.u8(tables.isEmpty ? 1 : 2)
        writer.u8(0)
        root.encode(into: &writer)
        for moment in [time, captureStart] {
            writer.signed(moment.seconds)
            writer.varint(UInt64(moment.nanoseconds))
        }
        writer.string(host)
        for list in [sources, tags] {
            writer.count(list.count)
            for item in list { writer.string(item) }
        }
        writer.u8(parent == nil ? 0 : 1)
        if let parent { writer.digest(parent.digest) }
        writer.varint(sequence)
        for field in statistics.fields { writer.varint(field) }
        writer.count(problems.count)
        for problem in problems {
            writer.u8(problem.kind.rawValue)
            writer.string(problem.path)
            writer.string(problem.reason)
        }
        writer.varint(unlistedProblems)
        writer.string(programVersion)
        guard !tables.isEmpty else { return writer.bytes }
        writer.count(tables.count)
        for table in tables { table.encode(into: &writer) }
        return writer.bytes
    }

    package init(decoding bytes: [UInt8], _ id: SnapshotID) throws(RepositoryError) {
        var unsupported: String?
        do throws(MalformedBytes) {
            var reader = ByteReader(bytes)
            try reader.magic("varvesnp")
            let version = try reader.u8()
            unsupported = Self.unsupported(version: version, cipher: try reader.u8())
            guard unsupported == nil else { throw reader.invalid("format version 1 or 2") }
            try self.init(decoding: &reader)
            if version > 1 { tables = try Self.decodeTables(&reader) }
            try reader.finish()
        } catch {
            if let unsupported { throw RepositoryError(.unsupported(unsupported), .snapshot(id)) }
            throw RepositoryError(error, .snapshot(id))
        }
    }

    private static func unsupported(version: UInt8, cipher: UInt8) -> String? {
        if (1...2).contains(version), cipher == 0 { return nil }
        return "snapshot format \(version), cipher \(cipher); a newer varve may read it"
    }

    private init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        root = try TreeRoot(decoding: &reader)
        time = try Self.decodeTime(&reader)
        captureStart = try Self.decodeTime(&reader)
        host = try reader.string(limit: Self.stringLimit, "a host")
        sources = try Self.decodeList(&reader)
        tags = try Self.decodeList(&reader)
        let hasParent = try reader.u8()
        guard hasParent <= 1 else { throw reader.invalid("0 or 1") }
        parent = hasParent == 0 ? nil : SnapshotID(try reader.sha256())
        sequence = try reader.varint()
        guard sequence <= Self.numberLimit else { throw reader.invalid("a smaller sequence") }
        statistics = try SnapshotStatistics(decoding: &reader)
        problems = []
        for _ in 0..<(try reader.count(limit: Self.problemLimit, "a number of problems")) {
            guard let kind = CaptureProblem.Kind(rawValue: try reader.u8()) else {
                throw reader.invalid("a known kind of problem")
            }
            let path = try reader.string(limit: Self.stringLimit, "a path")
            let reason = try reader.string(limit: Self.stringLimit, "a reason")
            problems.append(
                CaptureProblem(kind, path, String(decoding: reason, as: UTF8.self)))
        }
        unlistedProblems = try reader.varint()
        guard unlistedProblems <= Self.numberLimit,
            statistics.fields.prefix(5).allSatisfy({ $0 <= Self.numberLimit })
        else { throw reader.invalid("smaller numbers") }
        programVersion = try reader.string(limit: Self.stringLimit, "a version")
    }

    private static func decodeTables(
        _ reader: inout ByteReader
    ) throws(MalformedBytes) -> [CapturedTable] {
        let count = try reader.count(limit: tableLimit, "a number of tables")
        guard count > 0 else { throw reader.invalid("a table") }
        var tables: [CapturedTable] = []
        for _ in 0..<count {
            let table = try CapturedTable(decoding: &reader)
            if let last = tables.last, !PathBytes.isBefore(last.path, table.path) {
                throw reader.invalid("tables in order, each once")
            }
            tables.append(table)
        }
        return tables
    }

    private static func decodeTime(_ reader: inout ByteReader) throws(MalformedBytes) -> Timestamp {
        let seconds = try reader.signed("seconds")
        let nanoseconds = try reader.count(limit: 999_999_999, "nanoseconds")
        guard (-secondsLimit...secondsLimit).contains(seconds) else {
            throw reader.invalid("a time within 30,000 years")
        }
        return Timestamp(seconds: seconds, nanoseconds: UInt32(nanoseconds))
    }

    private static func decodeList(_ reader: inout ByteReader) throws(MalformedBytes) -> [[UInt8]] {
        var list: [[UInt8]] = []
        for _ in 0..<(try reader.count(limit: listLimit, "a list")) {
            list.append(try reader.string(limit: stringLimit, "an item of a list"))
        }
        return list
    }
}
