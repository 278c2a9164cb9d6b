internal import Bytes
internal import Platform
internal import SystemPackage
internal import TableLog

/// How old files must be to go.
package struct VacuumOptions: Sendable {
    /// Files that were removed from the table, or never came into it, less than so long ago stay.
    ///
    /// Nil: what the table is set to, seven days otherwise.
    package var retention: Duration?
    /// Allows a retention that is shorter than the table's.
    package var force = false
    /// Nothing is removed.
    package var dryRun = false

    package init() {}
}

/// What a vacuum removed, or would.
package struct VacuumReport: Equatable, Sendable {
    /// Below the table, sorted.
    package var files: [[UInt8]] = []
    package var bytes: Int64 = 0
    /// Files that the table no longer has, or never had, and that stay because of the retention.
    package var waitingFiles = 0
    package var waitingBytes: Int64 = 0
    /// How old files had to be.
    package var retention: Duration = .zero
}

extension StoredTable {
    /// How long files stay that the table no longer has; throws when that is not understood.
    private func retention() throws(TableStoreError) -> Duration {
        if let milliseconds = snapshot.removedFileRetention { return .milliseconds(milliseconds) }
        let setting = TableSnapshot.removedFileSetting
        let text = snapshot.metadata.configuration[setting] ?? ""
        throw TableStoreError(
            .refused, "",
            "\(setting) is \"\(text)\", which is not understood here; --retention together with "
                + "--force says how long files stay")
    }

    private func retention(for options: VacuumOptions) throws(TableStoreError) -> Duration {
        if options.force, let wanted = options.retention { return wanted }
        let set = try retention()
        let wanted = options.retention ?? set
        guard wanted >= set else {
            throw TableStoreError(
                .refused, "",
                "a retention below \(RetentionText.describe(set)), which the table is set to, "
                    + "takes files from readers, and from writers that have not committed; "
                    + "--force does it all the same")
        }
        return wanted
    }

    /// Removes data files that no version within the retention needs, and what a writer that was
    /// killed left behind.
    ///
    /// Versions before that can no longer be read afterwards, except for what they have in common
    /// with those that can. What is hidden (`_…` and `.…` in the root) is left alone.
    package func vacuum(_ options: VacuumOptions) throws(TableStoreError) -> VacuumReport {
        try checkWritable()
        try logged { () throws(TableLogError) in try log.reader.checkNewestCommit() }
        let wanted = try retention(for: options)
        let limit = Timestamp.now().milliseconds &- wanted.wholeMilliseconds
        let walk = try VacuumWalk(path, partitioned: !partitionColumns.isEmpty)
        let files = try walk.files()
        // The log is read after the files were found: what a restore names meanwhile is needed.
        let now = try refreshed()
        try now.checkWritable()
        let live = try Self.paths(
            of: now.snapshot.files.values.map { ($0.path, $0.deletionVector) })
        let needed = try now.retainedFiles(for: wanted, since: limit)
        var report = VacuumReport()
        report.retention = wanted
        for found in files where !live.contains(found.path) {
            try Self.checkGoingOn(report, options)
            guard found.modified < limit, let needed, !needed.contains(found.path) else {
                report.waitingFiles += 1
                report.waitingBytes &+= found.size
                continue
            }
            report.files.append(found.path)
            report.bytes &+= found.size
            if !options.dryRun { try walk.remove(found.path) }
        }
        return report
    }

    private static func checkGoingOn(
        _ report: VacuumReport, _ options: VacuumOptions
    ) throws(TableStoreError) {
        do throws(Interrupted) {
            try Interruption.check()
        } catch {
            var error = TableStoreError(error)
            error.isPartial = !options.dryRun && !report.files.isEmpty
            throw error
        }
    }

    /// Paths of files that left the table at `limit` or after; nil when the log no longer tells of
    /// all.
    private func retainedFiles(
        for retention: Duration, since limit: Int64
    ) throws(TableStoreError) -> Set<[UInt8]>? {
        var removed = Array(snapshot.tombstones.values)
        // Checkpoints remember removals only as long as the table is set to.
        if retention > .milliseconds(snapshot.removedFileRetention ?? 0) {
            let found = try logged { () throws(TableLogError) in
                try log.reader.removals(since: limit)
            }
            guard let found else { return nil }
            removed += found
        }
        let young = removed.filter { $0.deletionTimestamp ?? 0 >= limit }
        return try Self.paths(of: young.map { ($0.path, $0.deletionVector) })
    }

    /// Paths of data files and of the deletion vectors that belong to them.
    private static func paths(
        of files: [(path: ExactText, vector: DeletionVectorReference?)]
    ) throws(TableStoreError) -> Set<[UInt8]> {
        var paths: Set<[UInt8]> = []
        try logged { () throws(TableLogError) in
            for file in files {
                paths.insert(Array(try DataPath.decode(file.path).utf8))
                if let path = try file.vector?.pathInTable { paths.insert(Array(path.utf8)) }
            }
        }
        return paths
    }
}

extension Duration {
    /// Whole milliseconds, as far as they go.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        return overflow ? .max / 2 : product &+ attoseconds / 1_000_000_000_000_000
    }
}

/// Finds the files of a table that vacuum may look at.
private final class VacuumWalk {
    struct Found {
        let path: [UInt8]
        let size: Int64
        let modified: Int64
    }

    private let root: PinnedDirectory
    private let isPartitioned: Bool
    private static let depthLimit = 32

    init(_ path: [UInt8], partitioned: Bool) throws(TableStoreError) {
        root = try calling("") { () throws(PlatformError) in try PinnedDirectory(path) }
        isPartitioned = partitioned
    }

    /// Data files and deletion vectors, and temporary files of the log, sorted by path.
    func files() throws(TableStoreError) -> [Found] {
        var found: [Found] = []
        try walk([], depth: 0, &found)
        try walkLog(&found)
        return found.sorted { PathBytes.isBefore($0.path, $1.path) }
    }

    private func entries(_ path: [UInt8]) throws(TableStoreError) -> [DirectoryEntry] {
        try calling("") { () throws(PlatformError) in
            try root.open(path, [.readOnly, .directory]).list(path)
        }
    }

    private func walk(
        _ directory: [UInt8], depth: Int, _ found: inout [Found]
    ) throws(TableStoreError) {
        guard depth < Self.depthLimit else { return }
        let entries = try entries(directory)
        // Another table lies here, and its files are its own.
        if depth > 0, entries.contains(where: { $0.name == Array("_delta_log".utf8) }) { return }
        for entry in entries {
            let isHidden = entry.name.first == 0x5f || entry.name.first == 0x2e
            // A partition column may begin with a low line.
            let isPartition = isPartitioned && entry.name.contains(UInt8(ascii: "="))
            guard !isHidden || isPartition, let status = try? entry.status.get() else { continue }
            let path = directory.isEmpty ? entry.name : PathBytes.join(directory, entry.name)
            switch status.type {
            case .directory: try walk(path, depth: depth + 1, &found)
            case .regular where Self.isOurs(entry.name):
                found.append(
                    Found(
                        path: path, size: Int64(clamping: status.size),
                        modified: status.mtime.milliseconds))
            default: continue
            }
        }
    }

    /// Files of other kinds belong to somebody else.
    private static func isOurs(_ name: [UInt8]) -> Bool {
        let isVector =
            name.starts(with: "deletion_vector_".utf8) && name.suffix(4).elementsEqual(".bin".utf8)
        return isVector || name.suffix(8).elementsEqual(".parquet".utf8)
    }

    private func walkLog(_ found: inout [Found]) throws(TableStoreError) {
        let log = Array("_delta_log".utf8)
        for entry in try entries(log)
        where entry.name.first == 0x2e && entry.name.suffix(4).elementsEqual(".tmp".utf8) {
            guard let status = try? entry.status.get(), status.type == .regular else { continue }
            found.append(
                Found(
                    path: PathBytes.join(log, entry.name), size: Int64(clamping: status.size),
                    modified: status.mtime.milliseconds))
        }
    }

    func remove(_ path: [UInt8]) throws(TableStoreError) {
        do throws(PlatformError) {
            let parent = PathBytes.parent(path)
            let above = try root.open(parent, [.readOnly, .directory])
            try FileOperations.remove(Array(PathBytes.name(path)), at: above.raw)
        } catch {
            guard error.isNotFound else { throw TableStoreError(error) }
        }
    }
}

/// Durations as they are typed: `7d`, `12h`, `1 week`.
package enum RetentionText {
    private static let units: [(String, Int64)] = [
        ("s", 1), ("second", 1), ("m", 60), ("minute", 60), ("h", 3600), ("hour", 3600),
        ("d", 86_400), ("day", 86_400), ("w", 604_800), ("week", 604_800),
    ]

    package static func parse(_ text: String) -> Duration? {
        var words = text.lowercased()
        if words.hasPrefix("interval ") { words.removeFirst("interval ".count) }
        let digits = words.prefix { $0.isASCII && $0.isNumber }
        let unit = words.dropFirst(digits.count).drop { $0 == " " }
        guard let number = Int64(digits), number <= 1_000_000,
            let size = units.first(where: { unit == $0.0 || unit == $0.0 + "s" })?.1
        else { return nil }
        return .seconds(number * size)
    }

    package static func describe(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        for (name, size) in [("day", 86_400), ("hour", 3600), ("minute", 60)] as [(String, Int64)]
        where seconds >= size && seconds % size == 0 {
            return seconds == size ? "1 \(name)" : "\(seconds / size) \(name)s"
        }
        return "\(seconds) seconds"
    }
}
