internal import Bytes
internal import Platform
internal import Snapshots
internal import SystemPackage
internal import Targets
internal import Trees
internal import Wire

/// Changes a tree step by step: what is replaced or removed must be what the last replication left.
///
/// What others made of it since it was compared stays, and the change throws `changedThere`, unless
/// the journal says that it may be replaced.
final class TreeChanges {
    let tree: TargetTree
    let journal: ReplicaJournal
    /// What the last replication left.
    let before: ReplicaState
    var outcome = ReplicaOutcome()
    /// Whether nothing was left that the next run must try again.
    private(set) var isWhole = true
    /// What the state named and is gone, or is no longer the replica's.
    private(set) var removed: Set<[UInt8]> = []
    /// Directories in which names changed.
    private(set) var touched: Set<[UInt8]> = []
    /// Paths that got names or metadata and were not synced since.
    private var unsynced: Set<[UInt8]> = []

    init(_ tree: TargetTree, _ before: ReplicaState, _ journal: ReplicaJournal) {
        self.tree = tree
        self.before = before
        self.journal = journal
    }

    // MARK: What is there

    func status(_ path: [UInt8]) throws(PlatformError) -> FileStatus? {
        try tree.target.status(path)
    }

    /// Whether what is there is what the last replication left, or was found when it was compared.
    func isOurs(_ path: [UInt8]) throws -> Bool {
        guard let old = try before.records.find(path)?.entry else { return false }
        return try status(path)?.isOf(old) ?? false
    }

    // MARK: Names

    func rename(_ path: [UInt8], to target: [UInt8], replacing: Bool) throws {
        try tree.rename(path, to: target, replacing: replacing)
        note(path)
        note(target)
    }

    /// Removes one name, whatever it is; a directory must be empty.
    func removeOne(_ path: [UInt8], isDirectory: Bool, isCounted: Bool = true) throws {
        let parent = try tree.target.openForChange(PathBytes.parent(path))
        try FileOperations.remove(
            Array(PathBytes.name(path)), at: parent.raw, isDirectory: isDirectory)
        note(path)
        if isCounted { outcome.removed += 1 }
    }

    /// Removes what the state names; what others made of it stays, and a directory with that in it.
    ///
    /// What the system refuses to remove is noted, and stays the replica's: the next one tries it
    /// again.
    func remove(_ path: [UInt8]) throws {
        guard let old = try before.records.find(path) else { return }
        if let status = try status(path), status.type == old.entry.fileType,
            old.entry.isDirectory || status.isOf(old.entry)
        {
            do {
                try removeOne(path, isDirectory: old.entry.isDirectory)
            } catch let error as PlatformError where error.errno == .directoryNotEmpty {
                // Others made something in it, or something in it could not be removed.
                if holdsUnremoved(path) { return }
            } catch let error as PlatformError where !error.isNotFound {
                return fail(.notRemoved, path, error)
            }
        }
        removed.insert(path)
    }

    private func holdsUnremoved(_ path: [UInt8]) -> Bool {
        tree.failures.listed.contains {
            $0.kind == .notRemoved && PathBytes.isInside($0.path, path)
        }
    }

    /// Notes what was not done, and why; the rest goes on.
    func fail(_ kind: TargetFailure.Kind, _ path: [UInt8], _ error: PlatformError) {
        tree.note(TargetFailure(kind, path, error))
        if kind == .notMade || kind == .notRemoved { isWhole = false }
    }

    /// Moves away what others made where something of the replica is due, or refuses.
    func makeRoom(_ path: [UInt8]) throws {
        guard journal.options.contains(.overwrite) else { throw Self.changed(path) }
        try setAside(path, named: path)
    }

    static func changed(_ path: [UInt8]) -> RemoteFailure {
        RemoteFailure(
            .changedThere, "another made or changed it while the replica was written", object: path)
    }

    func setAside(_ path: [UInt8], named name: [UInt8]) throws {
        try tree.setAside(path, named: name)
        note(path)
        outcome.setAside.append(name)
    }

    // MARK: Metadata

    /// Sets owner, attributes, mode and time of what is there.
    func apply(_ entry: ManifestEntry) throws {
        guard entry.isFile || entry.isDirectory else {
            return try tree.applyByName(entry.metadata, at: entry.path, for: entry.path)
        }
        let flags: OpenFlags =
            entry.isFile ? [.readOnly, .nonBlocking] : [.readOnly, .directory]
        let file = try tree.target.root.open(entry.path, flags)
        guard try file.status(entry.path).type == entry.fileType else {
            throw RemoteFailure(.invalid, "it was changed meanwhile", object: entry.path)
        }
        try tree.apply(entry.metadata, to: file, entry.path, for: entry.path)
        unsynced.insert(entry.path)
    }

    // MARK: Directories

    /// Notes that a name changed in the directory of `path`.
    func note(_ path: [UInt8]) {
        let parent = PathBytes.parent(path)
        guard !PathBytes.isInside(parent, TargetPlaces.directory) else { return }
        touched.insert(parent)
        unsynced.insert(parent)
    }

    /// Notes that something in `path` may have been done before an interruption.
    func noteInside(_ path: [UInt8]) { touched.insert(path) }

    /// Waits until all names and metadata that changed are durable.
    func sync() throws(PlatformError) {
        try tree.sync(paths: unsynced)
        unsynced = []
    }
}

extension FileStatus {
    /// Whether it is that of what `entry`, as seen at the target, tells of; a rename changes the
    /// change time, so that does not count.
    func isOf(_ entry: ManifestEntry) -> Bool {
        type == entry.fileType && inode == entry.inode && mtime == entry.mtime
            && (!entry.isFile || size == entry.size)
    }
}

extension Timestamp {
    /// Whether it may be what a file system with coarser times, of two seconds at most, keeps of
    /// `time`.
    func mayStand(for time: Timestamp) -> Bool {
        if self == time { return true }
        let (difference, overflow) = seconds.subtractingReportingOverflow(time.seconds)
        return nanoseconds % 100 == 0 && !overflow && (-2...2).contains(difference)
    }
}
