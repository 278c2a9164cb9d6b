internal import Bytes
internal import Platform
internal import Repository
internal import Snapshots
internal import SystemPackage
internal import Trees

/// Does to the target what a plan says, or on a dry run notes what it would do.
///
/// One thread makes directories and others, and hands files to the writers; further names of files
/// and the metadata of directories come last.
final class RestoreExecution {
    let plan: RestorePlan
    let target: RestoreTarget
    let outcome = Monitor(RestoreResult())
    private let files: FileQueue
    private let nodes: NodeSource
    let progress: WorkProgress
    private var directories = RestoredDirectories()
    private var names = RestoredNames()

    init(
        _ plan: RestorePlan, _ repository: Repository, _ directory: [UInt8],
        _ progress: WorkProgress, _ host: Host
    ) throws(RestoreFault) {
        self.plan = plan
        self.progress = progress
        nodes = NodeSource(repository)
        let options = plan.options
        target = try onTarget { () throws(PlatformError) in
            try RestoreTarget(directory, options, host)
        }
        files = FileQueue(repository, target, outcome, progress, options, host)
    }

    private var isDryRun: Bool { plan.options.isDryRun }

    // MARK: Beginning

    /// Notes what can be told before anything is done.
    func begin() {
        outcome.withState { result in
            result.missing = plan.missing
            result.unlistedMissing = plan.record.unlistedProblems
        }
        let needed = plan.record.root.byteCount
        if let free = target.tree?.value.root.descriptor.freeSpace(), free < needed {
            note(.space(needed: needed, free: free))
        }
        if plan.options.deletes, !plan.mayDelete { note(.nothingDeleted) }
    }

    /// Runs `body`, which restores files, with the threads that write them.
    func writing(_ body: () throws(RestoreFault) -> Void) throws(RestoreFault) {
        try files.writing(body)
    }

    // MARK: Noting

    func note(_ note: RestoreNote) { outcome.withState { $0.notes.append(note) } }

    func act(_ action: RestoreAction, _ path: [UInt8]) {
        outcome.withState { $0.actions.append((action, path)) }
    }

    private func add(_ unset: [UnsetMetadata], _ path: [UInt8]) {
        guard !unset.isEmpty else { return }
        outcome.withState { result in
            result.shortfalls += unset.map { .init(path: path, part: .metadata($0)) }
        }
    }

    /// Runs a step for one path; a fault is noted, and the restore goes on.
    func attempt(_ path: [UInt8], _ body: () throws(RestoreFault) -> Void) {
        do throws(RestoreFault) {
            try body()
        } catch {
            outcome.withState { $0.failures.append(.init(path: path, fault: error)) }
        }
    }
}

// MARK: - Directories, symlinks, special files

extension RestoreExecution {
    /// Makes a directory; returns its number, or nil where nothing can be restored in it.
    func makeDirectory(_ entry: ManifestEntry, at path: [UInt8], in parent: Int?) -> Int? {
        var isThere = false
        attempt(path) { () throws(RestoreFault) in isThere = try makeDirectory(entry, path) }
        return isThere ? directories.add(path, in: parent, entry.metadata) : nil
    }

    private func makeDirectory(
        _ entry: ManifestEntry, _ path: [UInt8]
    ) throws(RestoreFault) -> Bool {
        let status = try target.status(path)
        switch plan.step(entry, status) {
        case .update, .keep:
            try target.change { tree throws(PlatformError) in
                if !isDryRun { _ = try tree.openForChange(path) }
            }
            return true
        case .skip:
            outcome.withState { $0.filesSkipped += 1 }
            return false
        case .refuse(let obstacle): throw .inTheWay(obstacle)
        case .replace:
            if isDryRun { act(.replace, path) }
            try clear(path, status)
            try target.change { tree throws(PlatformError) in
                if !isDryRun { try tree.makeRoom(at: path) }
            }
        case .make: if isDryRun { act(.makeDirectory, path) }
        }
        guard !isDryRun else { return true }
        try target.change { tree throws(PlatformError) in try tree.makeDirectory(path) }
        outcome.withState { $0.othersWritten += 1 }
        return true
    }

    /// Restores everything but directories.
    func restore(_ entry: ManifestEntry, at path: [UInt8]) {
        if entry.isDevice, !plan.options.restoresDevices {
            return note(.deviceLeftOut(path))
        }
        if names.isFurther(entry, path) { return }
        attempt(path) { () throws(RestoreFault) in
            if entry.isFile { try restoreFile(entry, path) } else { try restoreOther(entry, path) }
        }
        if !entry.isFile { progress.update { $0.filesDone += 1 } }
    }

    private func restoreOther(_ entry: ManifestEntry, _ path: [UInt8]) throws(RestoreFault) {
        let status = try target.status(path)
        let isThere = try target.isSame(entry, status, path)
        switch plan.step(entry, status) {
        case .skip: return skip(entry)
        case .refuse(let obstacle): throw .inTheWay(obstacle)
        case .replace: try clear(path, status)
        case .make, .update, .keep: break
        }
        guard !isDryRun else { return isThere ? () : act(.make, path) }
        if isThere {
            add(try target.applyByName(entry, path), path)
        } else {
            add(try target.makeOther(entry, path, isReplacing: status != nil), path)
            outcome.withState { $0.othersWritten += 1 }
        }
    }

    /// Leaves alone what is there; it is not the file that further names are to be given to.
    private func skip(_ entry: ManifestEntry) {
        outcome.withState { $0.filesSkipped += 1 }
        names.forget(entry)
    }

    /// Makes a directory go that is in the way, or counts what will be replaced.
    private func clear(_ path: [UInt8], _ status: FileStatus?) throws(RestoreFault) {
        guard let status, status.type == .directory else {
            outcome.withState { $0.deleted += 1 }
            return
        }
        let trial = try target.remove(path, isDryRun: true, plan)
        if let kept = trial.kept.first {
            throw .inTheWay(kept.reason == .mount ? .mount : .kept)
        }
        guard plan.mayDelete || trial.removed == 1 else { throw .inTheWay(.directory) }
        let removal = try target.remove(path, isDryRun: isDryRun, plan)
        outcome.withState { $0.deleted += removal.removed }
    }
}

extension ManifestEntry {
    fileprivate var isDevice: Bool {
        switch payload {
        case .characterDevice, .blockDevice: true
        default: false
        }
    }
}

// MARK: - Files

extension RestoreExecution {
    private func restoreFile(_ entry: ManifestEntry, _ path: [UInt8]) throws(RestoreFault) {
        let status = try target.status(path)
        switch plan.step(entry, status) {
        case .skip:
            skip(entry)
            progress.tell(.skipped, path)
        case .refuse(let obstacle): throw .inTheWay(obstacle)
        case .keep:
            outcome.withState { result in
                result.filesUnchanged += 1
                result.bytesKept &+= entry.size
            }
            add(try target.apply(entry, path), path)
            progress.tell(.unchanged, path)
            progress.update { $0.bytesDone &+= entry.size }
        case .replace:
            try clear(path, status)
            try write(entry, path, isNew: false)
        case .make, .update: try write(entry, path, isNew: status == nil)
        }
    }

    private func write(
        _ entry: ManifestEntry, _ path: [UInt8], isNew: Bool
    ) throws(RestoreFault) {
        guard isDryRun else {
            return try inRepository { () throws(RepositoryError) in
                try files.submit(entry, path, nodes)
            }
        }
        act(isNew ? .write : .update, path)
        outcome.withState { result in
            result.filesWritten += 1
            result.bytesWritten &+= entry.size
        }
    }
}

// MARK: - The end

extension RestoreExecution {
    /// Makes further names, gives directories their metadata, and waits for the disk if asked to.
    func finish() throws(RestoreFault) -> RestoreResult {
        let own = try makeLinks()
        if !own.isEmpty {
            try files.writing { () throws(RestoreFault) in
                for name in own { restoreAlone(name) }
            }
        }
        finishDirectories()
        if plan.options.syncs {
            try target.change { tree throws(PlatformError) in
                try tree.root.descriptor.syncFileSystem(tree.root.path)
            }
        }
        return outcome.withState { $0 }
    }

    /// Gives files their further names; returns those that must be files of their own.
    private func makeLinks() throws(RestoreFault) -> [RestoredNames.FurtherName] {
        var own: [RestoredNames.FurtherName] = []
        let failed = Dictionary(
            outcome.withState { $0.failures }.map { ($0.path, $0.fault) }
        ) { one, _ in one }
        for name in names.further {
            try checkInterruption()
            switch failed[name.first] {
            case nil:
                attempt(name.path) { () throws(RestoreFault) in
                    if try !makeLink(name) { own.append(name) }
                }
            case .repository, .differs:
                attempt(name.path) { () throws(RestoreFault) in throw .otherName(name.first) }
            default: own.append(name)
            }
        }
        return own
    }

    /// False where the target cannot have a second name of the file.
    private func makeLink(_ name: RestoredNames.FurtherName) throws(RestoreFault) -> Bool {
        let status = try target.status(name.path)
        if try target.isOneFile(status, name.first) {
            outcome.withState { $0.filesUnchanged += 1 }
            return true
        }
        switch plan.step(name.entry, status) {
        case .skip:
            outcome.withState { $0.filesSkipped += 1 }
            return true
        case .refuse(let obstacle): throw .inTheWay(obstacle)
        case .replace: try clear(name.path, status)
        case .make, .update, .keep: break
        }
        if isDryRun {
            act(.link, name.path)
            return true
        }
        guard try target.link(name.first, as: name.path, isReplacing: status != nil) else {
            return false
        }
        outcome.withState { $0.filesWritten += 1 }
        progress.tell(.written, name.path)
        return true
    }

    /// Restores a further name as a file of its own, which is told.
    private func restoreAlone(_ name: RestoredNames.FurtherName) {
        outcome.withState { result in
            result.shortfalls.append(.init(path: name.path, part: .link(name.first)))
        }
        attempt(name.path) { () throws(RestoreFault) in
            if name.entry.isFile {
                try restoreFile(name.entry, name.path)
            } else {
                try restoreOther(name.entry, name.path)
            }
        }
    }

    /// Gives directories their metadata, inner ones first: whatever is made in a directory changes
    /// its time, and may need permissions that it does not keep.
    private func finishDirectories() {
        guard !isDryRun else { return }
        for number in (0..<directories.count).reversed() {
            let path = directories.path(number)
            attempt(path) { () throws(RestoreFault) in
                add(try target.applyToDirectory(directories.metadata(number), path), path)
            }
        }
    }
}
