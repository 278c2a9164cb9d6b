internal import Snapshots
internal import Trees
internal import Bytes
internal import Platform
internal import Repository
internal import SystemPackage

/// The state of one restore.
///
/// One thread visits the manifest and makes directories; workers write files; links and the
/// metadata of directories come last.
final class RestoreRun {
    private let record: SnapshotRecord
    private let options: RestoreOptions
    private let progress: WorkProgress
    private let nodes: NodeSource
    /// Nil on a dry run into a directory that does not exist.
    private let target: SharedLiveTree?
    private let targetPath: [UInt8]
    private let outcome = Monitor(RestoreResult())
    private let writers: FileWriters?

    /// Paths that were in the source and could not be read.
    private let unread: Set<[UInt8]>
    /// The directory in the snapshot that becomes the target.
    private var base: [UInt8] = []
    private var nextParts: [FileRestore.Part] = []
    private var nextSize: UInt64 = 0
    /// Directories to be given their metadata, in path order.
    private var directories: [(path: [UInt8], entry: ManifestEntry)] = []
    /// Directories that the visit is inside of.
    private var open: [OpenDirectory] = []
    /// Further names of files, made once all files are written.
    private var links: [(path: [UInt8], first: [UInt8], entry: ManifestEntry)] = []
    private var firstNames: [LinkKey: [UInt8]] = [:]

    private struct LinkKey: Hashable {
        var device: UInt32
        var inode: UInt64
    }

    private struct OpenDirectory {
        var path: [UInt8]
        var entry: ManifestEntry
        /// Not made yet: it counts only if something in it is selected.
        var isPending: Bool
        var names: Set<[UInt8]> = []
    }

    /// Parts of files are at most about this large, so that threads share large files.
    private static let partSize: UInt64 = 8 << 20
    /// Small files per run: enough that threads are mostly in different directories, whose locks
    /// they would otherwise wait for.
    private static let partsPerRun = 512

    init(
        _ record: SnapshotRecord, _ repository: Repository, _ target: [UInt8],
        _ options: RestoreOptions, _ progress: WorkProgress
    ) throws {
        self.record = record
        self.options = options
        self.progress = progress
        unread = Set(record.problems.filter { $0.kind == .unreadable }.map(\.path))
        nodes = NodeSource(repository)
        targetPath = target
        let shared = try SharedLiveTree.open(target, options)
        self.target = shared
        writers = shared.map { [outcome] in
            FileWriters(
                repository, $0, outcome, progress, bytesPerSecond: options.bytesPerSecond)
        }
    }

    func run() throws -> RestoreResult {
        noteFreeSpace()
        if options.deletes, !isUnreadKnown {
            let note = "nothing is deleted: the snapshot does not list all that it could not read"
            outcome.withState { $0.notes.append(note) }
        }
        if let writers {
            try writers.run { () throws(any Error) in
                try visitAll()
                submitParts()
            }
        } else {
            try visitAll()
        }
        try Interruption.check()
        try makeLinks()
        finishDirectories()
        if options.syncs, let target { try target.value.root.descriptor.syncFileSystem(targetPath) }
        return outcome.withState { $0 }
    }

    private func noteFreeSpace() {
        guard let free = target?.value.root.descriptor.freeSpace(), free < record.root.byteCount
        else { return }
        let (needed, left) = (ByteCount(record.root.byteCount), ByteCount(free))
        outcome.withState {
            $0.notes.append("the snapshot holds \(needed), the target has \(left) free")
        }
    }

    private func fail(_ path: [UInt8], _ reason: String) {
        outcome.withState { $0.failures.append(.init(path: path, reason: reason)) }
    }

    /// Runs a step for one path; a fault is told, and the restore goes on.
    private func attempt(_ path: [UInt8], _ body: () throws -> Void) {
        do { try body() } catch { fail(path, "\(error)") }
    }
}

// MARK: - Visiting the manifest

extension RestoreRun {
    private func visitAll() throws {
        var cursor = ManifestCursor(record.root, nodes)
        try cursor.seek(to: options.path)
        guard let first = try cursor.peek() else { return }
        // Below a directory its path is dropped; a single file keeps its name.
        let isDirectory = first.isDirectory || options.path.isEmpty
        base = isDirectory ? options.path : PathBytes.parent(options.path)
        progress.update { counters in
            counters.isTotalKnown = options.path.isEmpty
            counters.filesFound = record.root.itemCount
            counters.bytesFound = record.root.byteCount
        }
        var skipped: [UInt8]?
        while let entry = try cursor.next(), PathBytes.isInside(entry.path, options.path) {
            try Interruption.check()
            if let skipped, PathBytes.isInside(entry.path, skipped) { continue }
            if isExcluded(entry) {
                skipped = entry.path
                leave(upTo: targetPath(entry.path))
                if !open.isEmpty { open[open.count - 1].names.insert(name(entry)) }
                continue
            }
            visit(entry, at: targetPath(entry.path))
        }
        while !open.isEmpty { leaveLast() }
    }

    private func name(_ entry: ManifestEntry) -> [UInt8] { Array(PathBytes.name(entry.path)) }

    private func targetPath(_ path: [UInt8]) -> [UInt8] {
        if base.isEmpty || path == base { return path == base ? [] : path }
        return Array(path.dropFirst(base.count + 1))
    }

    private func isExcluded(_ entry: ManifestEntry) -> Bool {
        options.exclude?.isExcluded(entry.path, isDirectory: entry.isDirectory) == true
    }

    private func isSelected(_ entry: ManifestEntry) -> Bool {
        guard let include = options.include else { return true }
        return include.isExcludedWithParents(entry.path, isDirectory: entry.isDirectory)
    }

    private func visit(_ entry: ManifestEntry, at path: [UInt8]) {
        leave(upTo: path)
        if !open.isEmpty { open[open.count - 1].names.insert(Array(PathBytes.name(path))) }
        if entry.isDirectory {
            open.append(OpenDirectory(path: path, entry: entry, isPending: true))
            if isSelected(entry) { makeOpenDirectories() }
            return
        }
        guard isSelected(entry) else { return }
        makeOpenDirectories()
        if entry.isFile { restoreFile(entry, path) } else { restoreOther(entry, path) }
    }

    /// Leaves the directories that do not contain `path`.
    private func leave(upTo path: [UInt8]) {
        let parent = PathBytes.parent(path)
        while let last = open.last,
            path.isEmpty || !PathBytes.isInside(parent, last.path)
        {
            leaveLast()
        }
    }

    /// Leaves a directory: only now all its names are known, so only now others may be deleted.
    private func leaveLast() {
        guard let directory = open.popLast(), options.deletes, !directory.isPending,
            !directory.entry.isIncomplete, isUnreadKnown, let target
        else { return }
        attempt(directory.path) {
            guard let status = try target.value.status(directory.path), status.type == .directory
            else { return }
            let names = try target.value.openForChange(directory.path).names(directory.path)
            for name in names where !directory.names.contains(name) {
                try delete(PathBytes.join(directory.path, name), target.value)
            }
        }
    }

    /// Whether the snapshot names all that it could not read; else nothing may be deleted.
    private var isUnreadKnown: Bool { record.unlistedProblems == 0 }

    private func keepUnread(_ path: [UInt8]) {
        outcome.withState { result in
            result.notes.append(
                "\(PathBytes.printable(path)): not deleted, the snapshot could not read it")
        }
    }

    private func delete(_ path: [UInt8], _ target: borrowing LiveTree) throws {
        let isDirectory = try target.status(path)?.type == .directory
        // Patterns are about paths in the snapshot.
        let source = PathBytes.join(base, path)
        if options.exclude?.isExcluded(source, isDirectory: isDirectory) == true { return }
        if options.include?.isExcludedWithParents(source, isDirectory: isDirectory) == false {
            return
        }
        // The snapshot lacks it because it could not be read, not because it was not there.
        if unread.contains(source) { return keepUnread(path) }
        if options.isDryRun {
            outcome.withState { result in
                result.deleted += 1
                result.actions.append(("delete", path))
            }
        } else {
            let count = try target.remove(path)
            outcome.withState { $0.deleted += count }
            progress.tell(.removed, path)
        }
    }
}

// MARK: - Directories, symlinks, special files

extension RestoreRun {
    /// Makes the directories that the visit is inside of, where that was put off.
    private func makeOpenDirectories() {
        for index in open.indices where open[index].isPending {
            open[index].isPending = false
            let (path, entry) = (open[index].path, open[index].entry)
            directories.append((path, entry))
            attempt(path) { try makeDirectory(path) }
        }
    }

    private func makeDirectory(_ path: [UInt8]) throws {
        guard let target else { return plan("make directory", path) }
        if let status = try target.value.status(path) {
            if status.type == .directory {
                if !options.isDryRun { _ = try target.value.openForChange(path) }
                return
            }
            if options.isDryRun { return plan("replace", path) }
            try target.value.remove(path)
        }
        if options.isDryRun { return plan("make directory", path) }
        try target.value.makeDirectory(path)
        outcome.withState { $0.othersWritten += 1 }
    }

    private func plan(_ action: String, _ path: [UInt8]) {
        outcome.withState { $0.actions.append((action, path)) }
    }

    private func restoreOther(_ entry: ManifestEntry, _ path: [UInt8]) {
        switch entry.payload {
        case .characterDevice, .blockDevice:
            guard options.restoresDevices else {
                outcome.withState { result in
                    result.notes.append(
                        "\(PathBytes.printable(path)): device not restored without --devices")
                }
                return
            }
        default: break
        }
        if isFurtherName(entry, path) { return }
        attempt(path) {
            let status = try target?.value.status(path)
            if let status, options.overwrite == .never, status.type != .directory {
                return skip(entry)
            }
            let isThere = try isSame(entry, status, path)
            guard !options.isDryRun, let target, let other = entry.other else {
                if !isThere { plan("make", path) }
                return
            }
            if !isThere {
                try target.value.makeOther(other, at: path)
                outcome.withState { $0.othersWritten += 1 }
            }
            try target.value.applyByName(entry.metadata, at: path)
        }
        progress.update { $0.filesDone += 1 }
    }

    private func isSame(
        _ entry: ManifestEntry, _ status: FileStatus?, _ path: [UInt8]
    ) throws
        -> Bool
    {
        guard let status, let target else { return false }
        switch (entry.payload, status.type) {
        case (.symlink(let wanted), .symlink):
            let parent = try target.value.openParent(path)
            return try FileOperations.readLink(Array(PathBytes.name(path)), at: parent.raw)
                == wanted
        case (.fifo, .fifo): return true
        case (.characterDevice(let device), .characterDevice),
            (.blockDevice(let device), .blockDevice):
            return status.specialDevice == device
        default: return false
        }
    }
}

// MARK: - Files

extension RestoreRun {
    private func restoreFile(_ entry: ManifestEntry, _ path: [UInt8]) {
        if isFurtherName(entry, path) { return }
        attempt(path) {
            let status = try target?.value.status(path)
            switch decide(entry, status) {
            case .skip:
                skip(entry)
                progress.tell(.skipped, path)
            case .keep:
                outcome.withState { result in
                    result.filesUnchanged += 1
                    result.bytesKept += entry.size
                }
                try applyMetadata(entry, path)
                progress.tell(.unchanged, path)
                progress.update { $0.bytesDone += entry.size }
            case .write where options.isDryRun:
                plan(status == nil ? "write" : "update", path)
                outcome.withState { result in
                    result.filesWritten += 1
                    result.bytesWritten += entry.size
                }
            case .write: try submit(entry, path)
            }
        }
    }

    /// Remembers the first name of a file that has several; true for the others, which come last.
    private func isFurtherName(_ entry: ManifestEntry, _ path: [UInt8]) -> Bool {
        guard let device = entry.linkDevice else { return false }
        let key = LinkKey(device: device, inode: entry.inode)
        if let first = firstNames[key] {
            links.append((path, first, entry))
            return true
        }
        firstNames[key] = path
        return false
    }

    /// Leaves alone what is there; it is not the file that further names are to be given to.
    private func skip(_ entry: ManifestEntry) {
        outcome.withState { $0.filesSkipped += 1 }
        guard let device = entry.linkDevice else { return }
        firstNames[LinkKey(device: device, inode: entry.inode)] = nil
    }

    private enum Decision { case skip, keep, write }

    private func decide(_ entry: ManifestEntry, _ status: FileStatus?) -> Decision {
        guard let status else { return .write }
        if options.overwrite == .never { return .skip }
        let isAlike =
            status.type == .regular && status.size == entry.size && status.mtime == entry.mtime
        let trustsStatus = options.overwrite == .ifChanged || options.isDryRun
        return isAlike && trustsStatus ? .keep : .write
    }

    private func applyMetadata(_ entry: ManifestEntry, _ path: [UInt8]) throws {
        guard !options.isDryRun, let target else { return }
        let file = try target.value.root.open(path, [.readOnly, .nonBlocking])
        try target.value.apply(entry.metadata, to: file, path)
    }

    /// Cuts the file into parts and queues them.
    private func submit(_ entry: ManifestEntry, _ path: [UInt8]) throws {
        guard case .file(_, let content) = entry.payload else { return }
        var groups: [(offset: UInt64, pieces: [ContentPiece])] = []
        var offset: UInt64 = 0
        var groupSize: UInt64 = 0
        for piece in try nodes.pieces(content) {
            if groups.isEmpty || groupSize >= Self.partSize {
                groups.append((offset, []))
                groupSize = 0
            }
            groups[groups.count - 1].pieces.append(piece)
            groupSize += piece.size
            offset += piece.size
        }
        if groups.isEmpty { groups.append((0, [])) }
        let file = FileRestore(
            entry, path: path, parts: groups.count, verifies: options.verifies)
        let parts = groups.map {
            FileRestore.Part(file: file, offset: $0.offset, pieces: $0.pieces)
        }
        if parts.count > 1 {
            writers?.push(largeFile: parts)
        } else {
            nextParts += parts
            nextSize += entry.size
            if nextParts.count >= Self.partsPerRun || nextSize >= Self.partSize { submitParts() }
        }
    }

    private func submitParts() {
        guard !nextParts.isEmpty else { return }
        writers?.push(smallFiles: nextParts)
        nextParts = []
        nextSize = 0
    }
}

// MARK: - The end

extension RestoreRun {
    /// Gives files their further names.
    private func makeLinks() throws {
        let failed = Set(outcome.withState { $0.failures.map(\.path) })
        for (path, first, entry) in links {
            try Interruption.check()
            if failed.contains(first) {
                fail(path, "its other name, \(PathBytes.printable(first)), was not restored")
            } else {
                attempt(path) { try makeLink(path, first, entry) }
            }
        }
    }

    private func makeLink(_ path: [UInt8], _ first: [UInt8], _ entry: ManifestEntry) throws {
        guard let target else { return plan("link", path) }
        let status = try target.value.status(path)
        if status != nil, options.overwrite == .never {
            outcome.withState { $0.filesSkipped += 1 }
            return
        }
        let existing = try target.value.status(first)
        if let status, let existing, status.inode == existing.inode,
            status.device == existing.device
        {
            outcome.withState { $0.filesUnchanged += 1 }
            return
        }
        if options.isDryRun { return plan("link", path) }
        try target.value.remove(path)
        try target.value.link(first, as: path)
        outcome.withState { $0.filesWritten += 1 }
        progress.tell(.written, path)
    }

    /// Gives directories their metadata, inner ones first: whatever is made in a directory changes
    /// its time, and may need permissions that it does not keep.
    private func finishDirectories() {
        guard let target, !options.isDryRun else { return }
        for (path, entry) in directories.reversed() {
            attempt(path) {
                let directory = try target.value.root.open(path, [.readOnly, .directory])
                try target.value.apply(entry.metadata, to: directory, path)
            }
        }
    }
}
