internal import Bytes
internal import Compression
internal import Hashing
package import Platform
package import Repository
internal import SystemPackage

/// Why a capture produced no snapshot.
package enum CaptureError: Error {
    case source(PlatformError)
    case repository(RepositoryError)
    case interrupted(Interrupted)
    /// Two sources would have the same name in the snapshot.
    case sameName([UInt8])
}

/// Takes a snapshot of directories or files into a repository.
package enum Capture {
    /// Captures `sources`, absolute paths without symlinks, sorted.
    ///
    /// One directory is the top of the snapshot; several sources lie below their base names, and a
    /// file always does. Throws, with nothing committed, on faults of the repository; faults of
    /// the source are problems in the result.
    package static func run(
        _ sources: [[UInt8]], into repository: Repository, _ options: CaptureOptions,
        _ progress: WorkProgress
    ) throws(CaptureError) -> CaptureResult {
        do {
            return try CaptureRun(sources, repository, options, progress).run()
        } catch let error as CaptureError {
            throw error
        } catch let error as PlatformError {
            throw .source(error)
        } catch let error as RepositoryError {
            throw .repository(error)
        } catch let error as Interrupted {
            throw .interrupted(error)
        } catch {
            throw .repository(RepositoryError(.damaged("\(error)"), "capture"))
        }
    }
}

/// The state of one capture; used by one thread.
private final class CaptureRun {
    /// An entry that waits for its turn in path order.
    private enum Waiting {
        case ready(ManifestEntry)
        /// A file whose content is on its way.
        case reading(job: Int, ManifestEntry, base: Content?)
        /// A further name of a file that came before.
        case link(job: Int, ManifestEntry)
    }

    private let sources: [[UInt8]]
    private let repository: Repository
    private let options: CaptureOptions
    private let progress: WorkProgress
    private let writer: RepositoryWriter
    private let pipeline: ContentPipeline
    private let encoder: BlobEncoder
    private let start = Timestamp.now()
    private let clock = ContinuousClock.now

    private let parent: (id: SnapshotID, record: SnapshotRecord)?
    private var comparison: ParentComparison
    private var tree: TreeWriter<RepositoryError>

    /// Unchanged entries from the start of a leaf of the parent.
    private var kept: [ManifestEntry] = []
    private var keptLeaf: TreeRoot?
    private var waiting = Queue<Waiting>()
    private var nextRun: [FileJob] = []
    private var nextRunSize: UInt64 = 0
    private var nextJob = 0

    /// The job that reads a file with several names.
    private var linkJobs: [LinkKey: Int] = [:]
    private var linkFiles: [Int: (StoredFile, Content)] = [:]
    private var deviceNumbers: [UInt64: UInt32] = [:]

    /// What lies at and below this path is not in the snapshot.
    private var leftOut: [UInt8]?

    private var statistics = SnapshotStatistics()
    private var problems: [CaptureProblem] = []
    private var notes: [String] = []

    private struct LinkKey: Hashable {
        var device: UInt64
        var inode: UInt64
    }

    /// Files submitted together; enough that a run fills a good part of a buffer.
    private static let runFileLimit = 64
    private static let runSizeLimit: UInt64 = 2 << 20
    /// Entries that may wait for one slow file before it.
    private static let waitingLimit = 50_000
    /// Unchanged files are told to the progress by this many.
    private static let progressStep: UInt64 = 256

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
        comparison = ParentComparison(trusted, NodeSource(repository))
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
                        try visit(entry, walk)
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

    private func makeWalks() throws -> [SourceWalk] {
        var walks: [(name: [UInt8], walk: SourceWalk)] = []
        for source in sources {
            let name = Array(PathBytes.name(source))
            if try FileStatus.following(source).type == .directory {
                let prefix = sources.count == 1 ? [] : name
                walks.append(
                    (name, try SourceWalk(source, prefix: prefix, filter: options.filter)))
            } else {
                let directory = PathBytes.parent(source)
                let walk = try SourceWalk(
                    directory.isEmpty ? [PathBytes.separator] : directory, prefix: [],
                    onlyName: name, filter: options.filter)
                walks.append((name, walk))
            }
        }
        walks.sort { $0.name.lexicographicallyPrecedes($1.name) }
        for (one, other) in zip(walks, walks.dropFirst()) where one.name == other.name {
            throw CaptureError.sameName(one.name)
        }
        return walks.map(\.walk)
    }
}

// MARK: - Visiting

extension CaptureRun {
    private func visit(_ entry: WalkedEntry, _ walk: SourceWalk) throws {
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

    private func visit(_ entry: WalkedEntry, _ status: FileStatus, _ walk: SourceWalk) throws {
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
    private func leaveOut(_ path: [UInt8]) {
        leftOut = path
        statistics.unreadableFiles += 1
        let listed = Array(path.prefix(ManifestPath.pathLimit))
        problems.append(CaptureProblem(.unreadable, listed, "its path is too long to be stored"))
    }

    /// Drops attributes that no manifest can hold, and tells.
    private func dropOverlong(_ entry: inout ManifestEntry) {
        guard !ManifestCoding.canHold(entry.attributes) else { return }
        entry.attributes = []
        entry.isIncomplete = true
        statistics.unreadableFiles += 1
        problems.append(
            CaptureProblem(.unreadable, entry.path, "its attributes are too large to be stored"))
    }

    /// Takes over the parent's entry.
    private func keep(_ base: ManifestEntry, _ status: FileStatus) throws(RepositoryError) {
        switch base.payload {
        case .file:
            statistics.unchangedFiles += 1
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
            try keepInLeaf(entry)
        }
    }

    /// Holds an unchanged entry back while its whole leaf may be unchanged: the parent's node then
    /// serves again, and is neither encoded nor hashed.
    private func keepInLeaf(_ entry: ManifestEntry) throws(RepositoryError) {
        guard let position = comparison.lastPosition, position.index == kept.count,
            position.index == 0 ? tree.isAtLeafStart : position.leaf == keptLeaf
        else { return try write(entry) }
        keptLeaf = position.leaf
        kept.append(entry)
        guard kept.count == position.count else { return }
        let hash = TreeBoundary.hash(key: entry.path)
        if try tree.append(leaf: position.leaf, lastKey: entry.path, hash: hash) {
            kept.removeAll(keepingCapacity: true)
        } else {
            try writeKept()
        }
    }

    /// Writes entries one by one that were held back for a leaf that did not stay whole.
    private func writeKept() throws(RepositoryError) {
        guard !kept.isEmpty else { return }
        let entries = kept
        kept = []
        for entry in entries { try write(entry) }
    }

    /// A number for the file system of a file with several names; small and the same on every run.
    private func linkDevice(_ status: FileStatus) -> UInt32? {
        guard status.links > 1, status.type != .directory else { return nil }
        let next = UInt32(clamping: deviceNumbers.count)
        let number = deviceNumbers[status.device] ?? next
        deviceNumbers[status.device] = number
        return number
    }

    private func submit(
        _ path: [UInt8], _ status: FileStatus, _ base: ManifestEntry?, _ walk: SourceWalk
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
            inode: status.inode, base: baseContent)
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

    private func submitRun() {
        guard !nextRun.isEmpty else { return }
        pipeline.submit(nextRun)
        nextRun = []
        nextRunSize = 0
    }

    /// Directories, symlinks and special files: everything that has no content to read.
    private func addOther(_ entry: WalkedEntry, _ status: FileStatus, _ walk: SourceWalk) throws {
        do throws(PlatformError) {
            let path = walk.sourcePath(entry.path)
            var made = try OtherEntry.make(entry.path, path, status, walk.root)
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

    private func note(_ path: [UInt8], _ error: PlatformError) {
        let kind: CaptureProblem.Kind = error.isNotFound ? .vanished : .unreadable
        if kind == .unreadable { statistics.unreadableFiles += 1 }
        problems.append(CaptureProblem(kind, path, "\(error.errno)"))
    }
}

// MARK: - Settling in path order

extension CaptureRun {
    /// Writes entries whose turn has come; waits only when too many are held up.
    private func settleDone() throws {
        while waiting.count > Self.waitingLimit {
            submitRun()
            try settleFirst()
        }
        while let first = waiting.first {
            if case .reading(let job, let template, let base) = first {
                guard let outcome = pipeline.takeIfDone(job) else { return }
                waiting.removeFirst()
                try settle(job, outcome, template, base)
            } else {
                try settleFirst()
            }
        }
    }

    private func settleFirst() throws {
        try Interruption.check()
        guard let first = waiting.removeFirst() else { return }
        switch first {
        case .ready(let entry): try write(entry)
        case .reading(let job, let template, let base):
            guard let outcome = try pipeline.take(job) else { return try Interruption.check() }
            try settle(job, outcome, template, base)
        case .link(let job, let template):
            guard let (file, content) = linkFiles[job] else {
                problems.append(
                    CaptureProblem(.unreadable, template.path, "its other name was not readable"))
                statistics.unreadableFiles += 1
                return
            }
            try write(finished(template, file, content))
        }
    }

    private func settle(
        _ job: Int, _ outcome: FileOutcome, _ template: ManifestEntry, _ base: Content?
    ) throws {
        switch outcome {
        case .vanished: problems.append(CaptureProblem(.vanished, template.path, "vanished"))
        case .unreadable(let error): note(template.path, error)
        case .stored(let file):
            statistics.bytesRead &+= file.size
            if file.isChanging {
                problems.append(
                    CaptureProblem(.changedWhileRead, template.path, "changed while it was read"))
            }
            let content = try storeContent(file.pieces)
            switch base {
            case nil: statistics.newFiles += 1
            case content?: statistics.unchangedFiles += 1
            case .some: statistics.changedFiles += 1
            }
            if template.linkDevice != nil { linkFiles[job] = (file, content) }
            try write(finished(template, file, content))
        }
        progress.update { $0.filesDone += 1 }
    }

    private func storeContent(_ pieces: [ContentPiece]) throws(RepositoryError) -> Content {
        let (writer, encoder) = (self.writer, self.encoder)
        return try ContentWriter.content(pieces) { id, bytes throws(RepositoryError) in
            try writer.put(.node(id), bytes.span, encoder)
        }
    }

    private func finished(
        _ template: ManifestEntry, _ file: StoredFile, _ content: Content
    )
        -> ManifestEntry
    {
        var entry = ManifestEntry(
            path: template.path, payload: .file(size: file.size, content), status: file.status)
        entry.linkDevice = template.linkDevice
        entry.attributes = file.attributes
        entry.isIncomplete = file.isChanging
        dropOverlong(&entry)
        return entry
    }

    private func write(_ entry: ManifestEntry) throws(RepositoryError) {
        try writeKept()
        try tree.append(
            key: entry.path, hash: TreeBoundary.hash(key: entry.path), byteCount: entry.size
        ) { writer, previous in
            ManifestCoding.encode(entry, after: previous, into: &writer)
        }
    }
}

// MARK: - Committing

extension CaptureRun {
    private func commit() throws -> CaptureResult {
        try writeKept()
        let root = try tree.finish()
        if let failure = comparison.failure {
            notes.append("the parent snapshot is damaged, the rest was read anew: \(failure)")
        }
        try Interruption.check()
        let write = try writer.commit()
        statistics.newBytes = write.newBytes
        statistics.storedBytes = write.storedBytes
        statistics.durationMilliseconds = milliseconds(ContinuousClock.now - clock)
        let record = makeRecord(root)
        let bytes = record.encoded()
        var id: SnapshotID?
        if !options.isDryRun {
            id = SnapshotID(SHA256Digest(of: bytes.span))
            // Invariant 3: what is published was decoded again.
            if let id, try SnapshotRecord(decoding: bytes, id) != record {
                throw RepositoryError(.damaged("does not decode to what was encoded"), "snapshot")
            }
            id = try repository.publishSnapshot(bytes)
        }
        return CaptureResult(
            record: record, id: id, problems: problems, write: write, notes: notes)
    }

    private func makeRecord(_ root: TreeRoot) -> SnapshotRecord {
        let listed = SnapshotRecord.listed(problems)
        return SnapshotRecord(
            root: root, time: options.time ?? start, captureStart: start, host: options.host,
            sources: sources, tags: options.tags, parent: parent?.id,
            sequence: parent.map { $0.record.sequence + 1 } ?? 0, statistics: statistics,
            problems: listed, unlistedProblems: UInt64(problems.count - listed.count),
            programVersion: options.programVersion)
    }

    private func milliseconds(_ duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = duration.components
        return UInt64(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }
}
