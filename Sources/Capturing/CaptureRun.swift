internal import Snapshots
internal import Trees
internal import Bytes
internal import Compression
internal import Hashing
internal import Platform
internal import Repository
internal import SystemPackage

/// The state of one capture; used by one thread.
final class CaptureRun {
    /// An entry that waits for its turn in path order.
    enum Waiting {
        case ready(ManifestEntry)
        /// A file whose content is on its way.
        case reading(job: Int, ManifestEntry, base: Content?)
        /// A further name of a file that came before.
        case link(job: Int, ManifestEntry)
        /// What the parent has of a table.
        case range([ParentComparison.Piece])
    }

    let sources: [[UInt8]]
    let repository: Repository
    let options: CaptureOptions
    let progress: WorkProgress
    let writer: RepositoryWriter
    let pipeline: ContentPipeline
    let encoder: BlobEncoder
    /// Reads nodes of the parent that do not stay whole.
    let nodes: NodeSource
    let start = Timestamp.now()
    let clock = ContinuousClock.now

    let parent: (id: SnapshotID, record: SnapshotRecord)?
    var comparison: ParentComparison
    var tree: TreeWriter<RepositoryError>

    /// Unchanged entries from the start of a leaf of the parent: its entries up to an index.
    var kept: (leaf: ManifestCursor.LeafPosition, count: Int)?
    var waiting = Queue<Waiting>()
    var nextRun: [FileJob] = []
    var nextRunSize: UInt64 = 0
    var nextJob = 0

    /// The job that reads a file with several names.
    var linkJobs: [LinkKey: Int] = [:]
    var linkFiles: [Int: (StoredFile, Content)] = [:]
    var deviceNumbers: [UInt64: UInt32] = [:]

    /// What lies at and below this path is not in the snapshot.
    var leftOut: [UInt8]?

    /// Tables by their paths in the snapshot, until they were visited.
    var tablePlans: [[UInt8]: (TableSite, TablePlan)] = [:]
    var captured: [CapturedTable] = []
    /// Jobs of files without which a version is not whole.
    var neededJobs: Set<Int> = []
    /// Files of tables that were lost.
    var lacking: [[UInt8]] = []
    var filesLeftOut: UInt64 = 0

    var statistics = SnapshotStatistics()
    var problems: [CaptureProblem] = []
    var notes: [String] = []

    struct LinkKey: Hashable {
        var device: UInt64
        var inode: UInt64
    }

    /// Files submitted together; enough that a run fills a good part of a buffer.
    static let runFileLimit = 64
    static let runSizeLimit: UInt64 = 2 << 20
    /// Entries that may wait for one slow file before it.
    static let waitingLimit = 50_000
    /// Unchanged files are told to the progress by this many.
    static let progressStep: UInt64 = 256

    init(
        _ sources: [[UInt8]], _ repository: Repository, _ options: CaptureOptions,
        _ progress: WorkProgress
    ) throws(RepositoryError) {
        self.sources = sources
        self.repository = repository
        self.options = options
        self.progress = progress
        let isComplete = try repository.index.isComplete()
        if !isComplete {
            notes.append(
                "the repository lacks packs or index; files are read again instead of trusted")
        }
        let series = try SnapshotSeries(repository)
        for damaged in series.damaged { notes.append("\(damaged) (not used as parent)") }
        parent = series.newest(host: options.host, sources: sources)
        let trusted = options.ignoresParent || !isComplete ? nil : parent?.record
        nodes = NodeSource(repository)
        comparison = ParentComparison(trusted, nodes)
        writer = try RepositoryWriter(repository, isDryRun: options.isDryRun)
        pipeline = ContentPipeline(
            repository, writer, options, parent: trusted?.root, progress)
        let encoder = BlobEncoder(options.level)
        self.encoder = encoder
        let writer = self.writer
        tree = TreeWriter(.manifest) { id, bytes throws(RepositoryError) in
            try writer.put(.node(id), bytes.span, encoder)
        }
    }

    func run() throws -> CaptureResult {
        do {
            try pipeline.run { () throws(any Error) in
                for walk in try makeWalks() {
                    try walk.visit(listers: Processors.count) { entry throws(any Error) in
                        if try !visitTable(entry, walk) { try visit(entry, walk) }
                    }
                }
                submitRun()
                progress.update { $0.isTotalKnown = true }
                while !waiting.isEmpty { try settleFirst() }
            }
            try pipeline.checkFailure()
            return try commit()
        } catch {
            writer.abandon()
            throw error
        }
    }

    func makeWalks() throws -> [SourceWalk] {
        let names = sources.map { Array(PathBytes.name($0)) }
        var places: [(name: [UInt8], source: [UInt8], isDirectory: Bool)] = []
        for (source, name) in zip(sources, names) {
            places.append((name, source, try FileStatus.following(source).type == .directory))
        }
        places.sort { $0.name.lexicographicallyPrecedes($1.name) }
        for (one, other) in zip(places, places.dropFirst()) where one.name == other.name {
            throw CaptureError.sameName(one.name)
        }
        let directories = places.filter(\.isDirectory).map { name, source, _ in
            (source: source, prefix: sources.count == 1 ? [] : name)
        }
        try planTables(directories)
        return try places.map { name, source, isDirectory in
            guard !isDirectory else {
                return try SourceWalk(
                    source, prefix: sources.count == 1 ? [] : name, filter: options.filter,
                    tables: tables(in: source))
            }
            let directory = PathBytes.parent(source)
            return try SourceWalk(
                directory.isEmpty ? [PathBytes.separator] : directory, prefix: [],
                onlyName: name, filter: options.filter)
        }
    }
}

// MARK: - Visiting

extension CaptureRun {
    func visit(_ entry: WalkedEntry, _ walk: SourceWalk) throws {
        try Interruption.check()
        if let leftOut, PathBytes.isInside(entry.path, leftOut) { return }
        guard ManifestPath.isStorable(entry.path) else { return leaveOut(entry.path) }
        switch entry.status {
        case .failure(let error): note(entry.path, error)
        case .success(let status):
            if let failure = entry.listingFailure { note(entry.path, failure) }
            try visit(entry, status, walk)
        }
        try settleDone()
    }

    func visit(_ entry: WalkedEntry, _ status: FileStatus, _ walk: SourceWalk) throws {
        let base = comparison.entry(for: entry.path)
        if let base, comparison.isUnchanged(base, status), entry.listingFailure == nil {
            return try keep(base, status)
        }
        switch status.type {
        case .regular: submit(entry.path, status, base, walk)
        case .socket, .unknown:
            problems.append(CaptureProblem(.skipped, entry.path, "sockets are not stored"))
        default: try addOther(entry, status, walk)
        }
    }

    /// Tells of a path that no manifest can hold; a reader would refuse all that is with it.
    func leaveOut(_ path: [UInt8]) {
        leftOut = path
        statistics.unreadableFiles += 1
        let listed = Array(path.prefix(ManifestPath.pathLimit))
        problems.append(CaptureProblem(.unreadable, listed, "its path is too long to be stored"))
    }

    /// Drops attributes that no manifest can hold, and tells.
    func dropOverlong(_ entry: inout ManifestEntry) {
        guard !ManifestCoding.canHold(entry.attributes) else { return }
        entry.attributes = []
        entry.isIncomplete = true
        statistics.unreadableFiles += 1
        problems.append(
            CaptureProblem(.unreadable, entry.path, "its attributes are too large to be stored"))
    }

    /// Takes over the parent's entry.
    func keep(_ base: ManifestEntry, _ status: FileStatus) throws(RepositoryError) {
        switch base.payload {
        case .file:
            statistics.unchangedFiles += 1
            progress.tell(.unchanged, base.path)
            if statistics.unchangedFiles.isMultiple(of: Self.progressStep) {
                progress.update { counters in
                    counters.filesFound += Self.progressStep
                    counters.filesDone += Self.progressStep
                }
            }
        case .directory: statistics.directories += 1
        default: break
        }
        var entry = base
        if status.links > 1 { entry.linkDevice = linkDevice(status) }
        if !waiting.isEmpty {
            waiting.append(.ready(entry))
        } else if entry.linkDevice != base.linkDevice {
            try write(entry)
        } else {
            try keepInLeaf(entry, comparison.lastPosition)
        }
    }

    /// Takes over the parent's entry of a segment that was not looked at.
    func keepUnseen(_ base: ManifestEntry) throws(RepositoryError) {
        if base.isDirectory {
            statistics.directories += 1
        } else {
            statistics.unchangedFiles += 1
            progress.tell(.unchanged, base.path)
        }
        if waiting.isEmpty {
            try keepInLeaf(base, comparison.lastPosition)
        } else {
            waiting.append(.ready(base))
        }
    }

    /// Holds an unchanged entry back while its whole leaf may be unchanged: the parent's node then
    /// serves again, and is neither encoded nor hashed.
    func keepInLeaf(
        _ entry: ManifestEntry, _ position: ManifestCursor.LeafPosition?
    ) throws(RepositoryError) {
        guard let position, continuesLeaf(position) else { return try write(entry) }
        let count = position.index + 1
        kept = (position, count)
        guard count == position.entries.count else { return }
        let hash = TreeBoundary.hash(key: entry.path)
        if try tree.append(leaf: position.leaf, lastKey: entry.path, hash: hash) {
            kept = nil
        } else {
            try writeKept()
        }
    }

    /// Whether all entries of the leaf before this one are held back, and nothing else.
    private func continuesLeaf(_ position: ManifestCursor.LeafPosition) -> Bool {
        guard let kept else { return position.index == 0 && tree.isAtLeafStart }
        return kept.count == position.index && kept.leaf.leaf == position.leaf
    }

    /// Writes entries one by one that were held back for a leaf that did not stay whole.
    func writeKept() throws(RepositoryError) {
        guard let (position, count) = kept else { return }
        kept = nil
        for entry in position.entries[..<count] { try write(entry) }
    }

    /// A number for the file system of a file with several names; small and the same on every run.
    func linkDevice(_ status: FileStatus) -> UInt32? {
        guard status.links > 1, status.type != .directory else { return nil }
        let next = UInt32(clamping: deviceNumbers.count)
        let number = deviceNumbers[status.device] ?? next
        deviceNumbers[status.device] = number
        return number
    }

    func submit(
        _ path: [UInt8], _ status: FileStatus, _ base: ManifestEntry?, _ walk: SourceWalk,
        pin: PinnedFile? = nil, isNeeded: Bool = false
    ) {
        var template = ManifestEntry(path: path, payload: .file(size: 0, .empty), status: status)
        template.linkDevice = linkDevice(status)
        let key = LinkKey(device: status.device, inode: status.inode)
        if template.linkDevice != nil, let job = linkJobs[key] {
            waiting.append(.link(job: job, template))
            return
        }
        if template.linkDevice != nil { linkJobs[key] = nextJob }
        var baseContent: Content?
        if case .file(_, let content)? = base?.payload { baseContent = content }
        let job = FileJob(
            number: nextJob, walk: walk, path: walk.sourcePath(path), size: status.size,
            inode: status.inode, base: baseContent, pin: pin)
        if isNeeded { neededJobs.insert(nextJob) }
        nextJob += 1
        waiting.append(.reading(job: job.number, template, base: baseContent))
        nextRun.append(job)
        nextRunSize &+= status.size
        progress.update { counters in
            counters.filesFound += 1
            counters.bytesFound &+= status.size
            counters.currentPath = path
        }
        if nextRun.count >= Self.runFileLimit || nextRunSize >= Self.runSizeLimit { submitRun() }
    }

    func submitRun() {
        guard !nextRun.isEmpty else { return }
        pipeline.submit(nextRun)
        nextRun = []
        nextRunSize = 0
    }

    /// Directories, symlinks and special files: everything that has no content to read.
    func addOther(_ entry: WalkedEntry, _ status: FileStatus, _ walk: SourceWalk) throws {
        do throws(PlatformError) {
            let path = walk.sourcePath(entry.path)
            let (other, attributes) = try OtherFile.read(path, status, walk.root)
            var made = ManifestEntry(
                path: entry.path, other, status: status, attributes: attributes)
            made.linkDevice = linkDevice(status)
            made.isIncomplete = entry.listingFailure != nil
            dropOverlong(&made)
            if made.isDirectory { statistics.directories += 1 }
            waiting.append(.ready(made))
        } catch {
            note(entry.path, error)
            // It may be back by now; without an entry for it there can be none below it.
            if status.type == .directory { leftOut = entry.path }
        }
    }

    func note(_ path: [UInt8], _ error: PlatformError) {
        let kind: CaptureProblem.Kind = error.isNotFound ? .vanished : .unreadable
        if kind == .unreadable { statistics.unreadableFiles += 1 }
        problems.append(CaptureProblem(kind, path, "\(error.errno)"))
    }
}
