internal import Bytes
internal import Hashing
internal import Platform
internal import Repository
internal import Snapshots
internal import TableLog

/// The state of one restore of a table in its place.
final class TableRestoreRun {
    private let captured: CapturedTable
    private let record: SnapshotRecord
    private let repository: Repository
    private let target: [UInt8]
    private let options: TableRestoreOptions
    private let progress: WorkProgress
    private let nodes: NodeSource
    private let wanted: WantedTable

    /// Other writers may commit in between; then what differs is found anew.
    private static let attemptLimit = 20

    init(
        _ captured: CapturedTable, _ record: SnapshotRecord, _ repository: Repository,
        _ target: [UInt8], _ options: TableRestoreOptions, _ progress: WorkProgress
    ) throws {
        self.captured = captured
        self.record = record
        self.repository = repository
        self.target = target
        self.options = options
        self.progress = progress
        nodes = NodeSource(repository)
        wanted = try WantedTable(captured, record, nodes, options.at)
    }

    func run() throws -> TableRestoreResult {
        var result = TableRestoreResult(wanted: wanted.table.version)
        let directory = try openTarget()
        let present = try directory.flatMap { try self.present($0) }
        result.before = present?.version
        let lost = try lostVersions(directory, present)
        result.logVersions = lost
        let base = lost.isEmpty ? present : try wanted.reader.snapshot(version: wanted.newest)
        let change = try TableEquality(base, wanted.table, options.partition)
        result.note(change)
        var paths = change.wantedPaths
        // Where no table is, the versions before come back with it.
        if present == nil { paths.formUnion(try capturedPaths()) }
        // A version that comes back is seen whole, whatever part of it is restored then.
        if let base, !lost.isEmpty {
            paths.formUnion(try TableEquality(nil, base, [:]).wantedPaths)
        }
        let missing = try missingFiles(
            paths, directory, verifies: options.verifies, counting: &result)
        result.fetched = missing.map { ($0.path, $0.entry.size) }
        guard !options.isDryRun else { return result }
        let opened = try directory ?? makeTarget()
        try fetch(missing, opened)
        try bringBackLog(lost, opened)
        try commit(opened, &result)
        return result
    }

    private func fetch(_ missing: [MissingFile], _ directory: TableDirectory) throws {
        try SegmentFetch(directory, repository, progress, options.bytesPerSecond).run(missing)
    }

    /// All files that the snapshot has of the table, but for its log.
    private func capturedPaths() throws -> Set<ExactText> {
        var paths: Set<ExactText> = []
        var cursor = ManifestCursor(record.root, nodes)
        try cursor.seek(to: captured.path)
        while let entry = try cursor.next(), PathBytes.isInside(entry.path, captured.path) {
            let below =
                captured.path.isEmpty
                ? entry.path : Array(entry.path.dropFirst(captured.path.count + 1))
            guard entry.isFile, !entry.isIncomplete,
                !PathBytes.isInside(below, TableSearch.logName),
                let path = ExactText(utf8: below)
            else { continue }
            paths.insert(path)
        }
        return paths
    }

    private func openTarget() throws -> TableDirectory? {
        do throws(PlatformError) {
            return TableDirectory(try PinnedDirectory(target))
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    private func makeTarget() throws -> TableDirectory {
        try Restore.makeDirectories(target)
        return TableDirectory(try PinnedDirectory(target))
    }

    /// The table that is in the target now; nil when there is none.
    private func present(_ directory: TableDirectory) throws -> TableSnapshot? {
        guard let files = try directory.listLog(), !files.isEmpty else { return nil }
        let reader = LogReader(ListedLog(files, of: directory))
        guard let newest = LogListing(files).newestWhole, !newest.isGapped else {
            guard LogListing(files).latest != nil else { return nil }
            throw TableRestoreError.table(
                TableLogError(.damaged, "", "the log in the target has gaps"))
        }
        return try reader.snapshot(version: newest.version)
    }
}

// MARK: - The log
extension TableRestoreRun {
    /// Versions that the snapshot has and the target's log has lost; throws where the two are not
    /// one history.
    private func lostVersions(
        _ directory: TableDirectory?, _ present: TableSnapshot?
    ) throws -> [Int64] {
        let kept = try wanted.reader.listing().versions.filter { $0 <= wanted.newest }
        guard let present, let directory else {
            guard options.partition.isEmpty else {
                throw TableRestoreError.notInSnapshot(
                    "there is no table to restore a partition of")
            }
            return kept
        }
        guard present.metadata.id == wanted.table.metadata.id else {
            throw TableRestoreError.otherTable(
                "the table there has the id \(present.metadata.id), that of the snapshot "
                    + "\(wanted.table.metadata.id)")
        }
        let common = min(present.version, wanted.newest)
        let name = LogListing.name(common, ".json")
        if let mine = try wanted.log.readLog(name), let theirs = try directory.readLog(name),
            mine != theirs
        {
            throw TableRestoreError.otherTable(
                "version \(common) there is not that of the snapshot: the histories differ")
        }
        let lost = kept.filter { $0 > present.version }
        guard lost.isEmpty || lost.first == present.version + 1 else {
            throw TableRestoreError.otherTable(
                "the log there ends at \(present.version), and the snapshot does not have "
                    + "version \(present.version + 1)")
        }
        return lost
    }

    /// Publishes lost versions, those that others stand on first: checkpoints, then commits in
    /// order.
    private func bringBackLog(_ lost: [Int64], _ directory: TableDirectory) throws {
        guard let first = lost.first else { return }
        try directory.makeLog()
        if first > 0, try directory.readLog(LogListing.name(first - 1, ".json")) == nil {
            try bringBackCheckpoints(directory)
        }
        for version in lost {
            let name = LogListing.name(version, ".json")
            // What a power cut left of it is a name without content.
            let isEmpty = try directory.readLog(name)?.isEmpty == true
            try bringBack(Self.logPath(name), directory, replaces: isEmpty)
            guard try directory.readLog(name) == wanted.log.readLog(name) else {
                throw TableRestoreError.otherTable(
                    "another writer committed version \(version) meanwhile, in place of that of "
                        + "the snapshot")
            }
            try bringBack(Self.logPath(LogListing.name(version, ".crc")), directory)
        }
    }

    private func bringBackCheckpoints(_ directory: TableDirectory) throws {
        let sidecars: ExactText = "\(TableDirectory.log)/_sidecars/"
        for path in wanted.log.entries.keys.sorted() where path.hasPrefix(sidecars) {
            try bringBack(path, directory)
        }
        for file in try wanted.log.listLog() ?? [] where file.name.contains(".checkpoint.") {
            try bringBack(Self.logPath(file.name), directory)
        }
    }

    private static func logPath(_ name: String) -> ExactText { "\(TableDirectory.log)/\(name)" }

    private func bringBack(
        _ path: ExactText, _ directory: TableDirectory, replaces: Bool = false
    ) throws {
        guard let entry = wanted.log.entries[path] else { return }
        let file = MissingFile(path: path, entry: entry, replaces: replaces)
        try SegmentFetch(directory, repository, progress, nil, keepsTime: true).run([file])
    }

    /// Commits what makes the table equal, found anew whenever another writer was faster.
    private func commit(_ directory: TableDirectory, _ result: inout TableRestoreResult) throws {
        let log = CommitLog(directory)
        for _ in 0..<Self.attemptLimit {
            try Interruption.check()
            let base = try log.snapshot()
            let change = try TableEquality(base, wanted.table, options.partition)
            if change.isNothing { return }
            try bringBack(change.wantedPaths, directory)
            do throws(TableLogError) {
                let version = try log.commit(
                    TableChange("RESTORE", change.actions, reads: .everything), to: base,
                    attempts: 1)
                result.committed = version
                result.note(change)
            } catch {
                guard error.kind == .conflict else { throw error }
                continue
            }
            // A vacuum that listed before the commit may have taken what nobody named then.
            do {
                try bringBack(change.wantedPaths, directory)
            } catch let error where !(error is Interrupted) {
                throw TableRestoreError.hollow(result.committed ?? 0, "\(error)")
            }
            return result.upkeepProblem = Self.maintain(log, result.committed ?? 0)
        }
        throw TableRestoreError.table(
            TableLogError(
                .conflict, "", "other writers were faster \(Self.attemptLimit) times"))
    }

    /// Brings back what went missing since it was looked for.
    private func bringBack(_ paths: Set<ExactText>, _ directory: TableDirectory) throws {
        var ignored = TableRestoreResult(wanted: 0)
        try fetch(
            try missingFiles(paths, directory, verifies: false, counting: &ignored), directory)
    }

    /// What the commit may lack and still hold: why it could not be written, if so.
    private static func maintain(_ log: CommitLog, _ version: Int64) -> String? {
        do throws(TableLogError) {
            if try !log.maintain(version) {
                try log.writeChecksum(try log.snapshot(version: version))
            }
            return nil
        } catch {
            return "\(error)"
        }
    }
}

// MARK: - Segments
extension TableRestoreRun {
    /// The files that the wanted version needs and the target lacks, in path order.
    private func missingFiles(
        _ wantedPaths: Set<ExactText>, _ directory: TableDirectory?, verifies: Bool,
        counting result: inout TableRestoreResult
    ) throws -> [MissingFile] {
        let paths = wantedPaths.sorted { PathBytes.isBefore(Array($0.utf8), Array($1.utf8)) }
        var cursor = ManifestCursor(record.root, nodes)
        var missing: [MissingFile] = []
        for path in paths {
            try Interruption.check()
            let inSnapshot = PathBytes.join(captured.path, Array(path.utf8))
            try cursor.seek(to: inSnapshot)
            guard let entry = try cursor.peek(), entry.path == inSnapshot, entry.isFile,
                !entry.isIncomplete
            else {
                throw TableRestoreError.notInSnapshot(
                    "version \(wanted.table.version) needs \(path), which the snapshot does not "
                        + "have")
            }
            switch try state(of: path, entry, directory, verifies: verifies) {
            case .right:
                result.filesKept += 1
                result.bytesKept &+= entry.size
            case .missing: missing.append(MissingFile(path: path, entry: entry, replaces: false))
            case .wrong: missing.append(MissingFile(path: path, entry: entry, replaces: true))
            }
        }
        return missing
    }

    private enum FileState { case right, missing, wrong }

    private func state(
        of path: ExactText, _ entry: ManifestEntry, _ directory: TableDirectory?, verifies: Bool
    ) throws -> FileState {
        guard let directory else { return .missing }
        let bytes = Array(path.utf8)
        do {
            let file = try directory.root.open(bytes, [.readOnly, .nonBlocking])
            let status = try file.status(bytes)
            guard status.type == .regular, status.size == entry.size else { return .wrong }
            guard verifies else { return .right }
            return try ContentComparison.isEqual(file, entry, nodes) ? .right : .wrong
        } catch let error as PlatformError {
            guard error.isNotFound else { throw error }
            return .missing
        }
    }
}

/// Compares files with what a snapshot has of them.
enum ContentComparison {
    static func isEqual(
        _ file: borrowing Descriptor, _ entry: ManifestEntry, _ nodes: NodeSource
    ) throws -> Bool {
        guard case .file(_, let content) = entry.payload else { return false }
        var offset: UInt64 = 0
        for piece in try nodes.pieces(content) {
            guard let size = Int(exactly: piece.size), size <= 1 << 30 else { return false }
            let bytes = try file.read(size, at: offset, entry.path)
            switch piece {
            case .chunk(let id, _): guard ChunkID(of: bytes.span) == id else { return false }
            case .hole:
                guard bytes.count == size, bytes.allSatisfy({ $0 == 0 }) else { return false }
            }
            offset &+= piece.size
        }
        return true
    }
}

extension TableRestoreResult {
    fileprivate mutating func note(_ change: TableEquality) {
        added = UInt64(change.added.count)
        removed = UInt64(change.removed.count)
        rowsAdded = change.added.reduce(0) { sum, file in
            sum.flatMap { sum in file.rowCount.map { sum.addingClamped($0) } }
        }
        rowsRemoved = change.removed.reduce(0) { sum, file in
            sum.flatMap { sum in file.rowCount.map { sum.addingClamped($0) } }
        }
    }
}
