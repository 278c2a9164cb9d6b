internal import Bytes
internal import Platform
internal import Repository
internal import Snapshots
internal import TableLog

/// Brings one version of a table, and the history before it, into a directory of its own.
struct VersionRestore {
    private let captured: CapturedTable
    private let record: SnapshotRecord
    private let repository: Repository
    private let options: TableRestoreOptions
    private let wanted: WantedTable
    private let nodes: NodeSource

    init(
        _ captured: CapturedTable, _ record: SnapshotRecord, _ repository: Repository,
        _ options: TableRestoreOptions
    ) throws {
        self.captured = captured
        self.record = record
        self.repository = repository
        self.options = options
        nodes = NodeSource(repository)
        wanted = try WantedTable(captured, record, nodes, options.at)
    }

    func run(_ target: [UInt8], _ progress: WorkProgress) throws -> TableRestoreResult {
        let contents: TableContents
        do throws(TableLogError) {
            contents = try wanted.reader.contents(version: wanted.table.version)
        } catch {
            throw TableRestoreError.snapshotLog(error)
        }
        var result = TableRestoreResult(wanted: wanted.table.version)
        let data = try files(contents)
        let log = logFiles(contents)
        result.logVersions = try wanted.reader.listing().versions
            .filter { $0 <= wanted.table.version }
        result.fetched = data.map { ($0.path, $0.entry.size) }
        guard !options.isDryRun else { return result }
        try Restore.makeDirectories(target)
        let directory = TableDirectory(try PinnedDirectory(target))
        let fetch = SegmentFetch(
            directory, repository, progress, options.bytesPerSecond, keepsTime: true)
        // Data first, then the log in an order in which a reader sees versions that are whole.
        try fetch.run(data)
        for file in log { try fetch.run([file]) }
        return result
    }

    /// Files that the version needs, and those of the history that the snapshot has.
    private func files(_ contents: TableContents) throws -> [MissingFile] {
        let paths = Set(contents.live.keys).union(contents.retained)
            .sorted { PathBytes.isBefore(Array($0.utf8), Array($1.utf8)) }
        var cursor = ManifestCursor(record.root, nodes)
        var files: [MissingFile] = []
        for path in paths {
            let place = PathBytes.join(captured.path, Array(path.utf8))
            try cursor.seek(to: place)
            if let entry = try cursor.peek(), entry.path == place, entry.isFile {
                files.append(MissingFile(path: path, entry: entry, replaces: false))
            } else if contents.live[path] != nil {
                throw TableRestoreError.notInSnapshot(
                    "version \(contents.table.version) needs \(path), which the snapshot does "
                        + "not have")
            }
        }
        return files
    }

    /// Sidecars, checkpoints, commits, then what is only of use with them.
    private func logFiles(_ contents: TableContents) -> [MissingFile] {
        func place(_ name: String) -> Int {
            if name.hasPrefix(".") { return 2 }
            if name.contains(".checkpoint.") { return 0 }
            return name.hasSuffix(".json") ? 1 : 2
        }
        var names: [ExactText] = contents.sidecars.sorted().map { "_sidecars/\($0)" }
        for group in 0...2 {
            names += contents.logNames.filter { place($0) == group }.map { ExactText($0) }
        }
        return names.compactMap { name in
            let path: ExactText = "\(TableDirectory.log)/\(name)"
            return wanted.log.entries[path].map {
                MissingFile(path: path, entry: $0, replaces: false)
            }
        }
    }
}
