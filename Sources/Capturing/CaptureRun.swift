internal import Bytes
internal import Platform
internal import Repository
internal import Snapshots
internal import SystemPackage
internal import Trees

/// One capture; used by one thread.
///
/// The walk comes to paths in manifest order. An entry that is known goes to the manifest at once;
/// behind a file that is being read, entries queue up.
final class CaptureRun {
    let context: CaptureContext
    let parent: Snapshot?
    let writer: RepositoryWriter
    let comparison: ParentComparison
    var manifest: ManifestBuilder
    var files: FileRuns
    var queue = EntryQueue()
    var links: LinkTable
    var ledger: CaptureLedger
    var tables = TableVisits()
    /// What lies at and below this path is not in the snapshot.
    var leftOut: [UInt8]?

    /// Unchanged files are told to the progress by this many.
    private static let progressStep: UInt64 = 256

    init(_ context: CaptureContext) throws(CaptureError) {
        self.context = context
        let (repository, options) = (context.repository, context.options)
        var ledger = CaptureLedger()
        let isComplete = try inRepository { () throws(RepositoryError) in
            try repository.isComplete()
        }
        if !isComplete { ledger.note(.incompleteRepository) }
        let series = try inRepository { () throws(RepositoryError) in
            try SnapshotSeries(repository)
        }
        for damaged in series.damaged { ledger.note(.damagedSnapshot(damaged)) }
        parent = series.newest(host: options.host, sources: context.sources)
        let trusted = options.ignoresParent || !isComplete ? nil : parent?.record
        let nodes = NodeSource(repository)
        comparison = ParentComparison(trusted, nodes)
        let writer = try inRepository { () throws(RepositoryError) in
            try RepositoryWriter(repository, isDryRun: options.isDryRun)
        }
        self.writer = writer
        files = FileRuns(ContentPipeline(context, writer, parent: trusted?.root))
        manifest = ManifestBuilder(writer, options.level, nodes)
        links = LinkTable(captureStart: context.start)
        self.ledger = ledger
    }

    func run() throws(CaptureError) -> CaptureResult {
        do throws(CaptureError) {
            try files.pipeline.run { () throws(CaptureError) in try visitAll() }
            try inRepository { () throws(RepositoryError) in try files.pipeline.checkFailure() }
            return try commit()
        } catch {
            writer.abandon()
            throw error
        }
    }

    private func visitAll() throws(CaptureError) {
        for walk in try makeWalks() {
            try walk.visit(listers: context.host.processors) { entry throws(CaptureError) in
                if try !visitTable(entry, walk) { try visit(entry, walk) }
            }
        }
        files.submit()
        context.progress.update { $0.isTotalKnown = true }
        while !queue.isEmpty { try settleFirst() }
    }

    private struct SourcePlace {
        var name: [UInt8]
        var source: [UInt8]
        var isDirectory: Bool
        /// Put before all its paths in the snapshot.
        var prefix: [UInt8]
    }

    private func places() throws(CaptureError) -> [SourcePlace] {
        var places: [SourcePlace] = []
        for source in context.sources {
            let isDirectory = try onSource { () throws(PlatformError) in
                try FileStatus.following(source).type == .directory
            }
            let name = Array(PathBytes.name(source))
            places.append(
                SourcePlace(
                    name: name, source: source, isDirectory: isDirectory,
                    prefix: context.sources.count == 1 ? [] : name))
        }
        places.sort { $0.name.lexicographicallyPrecedes($1.name) }
        for (one, other) in zip(places, places.dropFirst()) where one.name == other.name {
            throw .sameName(one.name)
        }
        return places
    }

    private func makeWalks() throws(CaptureError) -> [SourceWalk] {
        let places = try places()
        try planTables(places.filter(\.isDirectory).map { ($0.source, $0.prefix) })
        var walks: [SourceWalk] = []
        for place in places {
            walks.append(try onSource { () throws(PlatformError) in try walk(place) })
        }
        return walks
    }

    private func walk(_ place: SourcePlace) throws(PlatformError) -> SourceWalk {
        let filter = context.options.filter
        guard !place.isDirectory else {
            return try SourceWalk(
                place.source, prefix: place.prefix, filter: filter,
                tables: tables.notEntered(in: place.source))
        }
        let directory = PathBytes.parent(place.source)
        return try SourceWalk(
            directory.isEmpty ? [PathBytes.separator] : directory, prefix: [],
            onlyName: place.name, filter: filter)
    }
}

// MARK: - Visiting

extension CaptureRun {
    func visit(_ entry: WalkedEntry, _ walk: SourceWalk) throws(CaptureError) {
        try checkInterruption()
        if let leftOut, PathBytes.isInside(entry.path, leftOut) { return }
        guard ManifestPath.isStorable(entry.path) else { return leaveOut(entry.path) }
        switch entry.status {
        case .failure(let error): ledger.add(entry.path, error)
        case .success(let status):
            if let failure = entry.listingFailure { ledger.add(entry.path, failure) }
            if entry.isPseudo {
                ledger.add(
                    .skipped, entry.path,
                    "files of the kernel are mounted here, which are stored only when this is "
                        + "named as a source")
            }
            try visit(entry, status, walk)
        }
        if !queue.isEmpty { try settleDone() }
    }

    private func visit(
        _ entry: WalkedEntry, _ status: FileStatus, _ walk: SourceWalk
    ) throws(CaptureError) {
        let base = comparison.entry(for: entry.path)
        if let base, comparison.isUnchanged(base, status), entry.listingFailure == nil {
            return try keep(base, status)
        }
        switch status.type {
        case .regular: submit(entry.path, status, base, walk)
        case .socket, .unknown: ledger.add(.skipped, entry.path, "sockets are not stored")
        default: addOther(entry, status, walk)
        }
    }

    /// Leaves out a path that no manifest can hold; a reader would refuse all that is with it.
    func leaveOut(_ path: [UInt8]) {
        leftOut = path
        ledger.addUnread(
            Array(path.prefix(ManifestPath.pathLimit)), "its path is too long to be stored")
    }

    /// Drops attributes that no manifest can hold.
    func dropOverlong(_ entry: inout ManifestEntry) {
        guard !ManifestCoding.canHold(entry.attributes) else { return }
        entry.attributes = []
        entry.isIncomplete = true
        ledger.addUnread(entry.path, "its attributes are too large to be stored")
    }

    /// Notes attributes that could not be read; the path is looked at again the next time.
    func note(_ unread: [ExtendedAttributes.Failure], of entry: inout ManifestEntry) {
        guard !unread.isEmpty else { return }
        ledger.add(entry.path, unread)
        entry.ctime = FileStamp.unknown.ctime
    }

    /// Takes over the parent's entry.
    func keep(_ base: ManifestEntry, _ status: FileStatus) throws(CaptureError) {
        ledger.addKept(base)
        if base.isFile { context.progress.tell(.unchanged, base.path) }
        let count = ledger.statistics.unchangedFiles
        if base.isFile, count.isMultiple(of: Self.progressStep) {
            context.progress.update { counters in
                counters.filesFound += Self.progressStep
                counters.filesDone += Self.progressStep
            }
        }
        var entry = base
        if status.links > 1 { entry.linkDevice = links.number(status) }
        guard queue.isEmpty else {
            return queue.append(
                entry.linkDevice == nil ? .ready(entry) : .named(entry, device: status.device))
        }
        links.settle(&entry, device: status.device)
        try inRepository { () throws(RepositoryError) in
            if entry.linkDevice != base.linkDevice {
                try manifest.write(entry)
            } else {
                try manifest.keep(entry, comparison.lastPosition)
            }
        }
    }

    /// Takes over the parent's entry of a segment that was not looked at.
    func keepUnseen(_ base: ManifestEntry) throws(CaptureError) {
        ledger.addKept(base)
        if base.isFile { context.progress.tell(.unchanged, base.path) }
        guard queue.isEmpty else { return queue.append(.ready(base)) }
        try inRepository { () throws(RepositoryError) in
            try manifest.keep(base, comparison.lastPosition)
        }
    }

    /// Queues a file to be read, or a further name of one that is being read.
    func submit(
        _ path: [UInt8], _ status: FileStatus, _ base: ManifestEntry?, _ walk: SourceWalk,
        pin: PinnedFile? = nil, isNeeded: Bool = false
    ) {
        var baseContent: Content?
        if case .file(_, let content)? = base?.payload { baseContent = content }
        if pin == nil, !isNeeded, let job = links.job(reading: status) {
            return queue.append(
                .furtherName(
                    .init(job: job, path: path, status: status, base: baseContent, walk: walk)))
        }
        let job = files.add(path, status, baseContent, walk, pin: pin)
        links.began(job, status)
        let template = ManifestEntry(path: path, payload: .file(size: 0, .empty), status: status)
        queue.append(
            .reading(.init(job: job, template: template, base: baseContent, isNeeded: isNeeded)))
        context.progress.update { counters in
            counters.filesFound += 1
            counters.bytesFound &+= status.size
        }
    }

    /// Directories, symlinks and special files: everything that has no content to read.
    private func addOther(_ entry: WalkedEntry, _ status: FileStatus, _ walk: SourceWalk) {
        do throws(PlatformError) {
            let path = walk.sourcePath(entry.path)
            let (other, attributes, unread) = try OtherFile.readEach(path, status, walk.root)
            var made = ManifestEntry(
                path: entry.path, other, status: status, attributes: attributes)
            made.linkDevice = links.number(status)
            made.isIncomplete = entry.listingFailure != nil
            note(unread, of: &made)
            dropOverlong(&made)
            if made.isDirectory { ledger.statistics.directories += 1 }
            queue.append(
                made.linkDevice == nil ? .ready(made) : .named(made, device: status.device))
        } catch {
            ledger.add(entry.path, error)
            // It may be back by now; without an entry for it there can be none below it.
            if status.type == .directory { leftOut = entry.path }
        }
    }
}
