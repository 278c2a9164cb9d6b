internal import Bytes
internal import Hashing
internal import Platform
internal import Repository
internal import Snapshots
internal import SystemPackage
internal import Targets
internal import Trees
internal import Wire

// Invariants of a target:
//
// 1. What the state names is what the last replication left. Whatever differs from it was done by
//    others, and is replaced only when that is asked for.
// 2. New content is written to staging and synced, whole, before the journal names it.
// 3. Names in the tree change only while a journal is there that says how to go on; whoever finds
//    one does that first. So the tree is only for the time of a publication between two states.
// 4. A publication puts data before what points at it (TargetOrder): a table is at any moment at
//    one version of its log that is whole.
// 5. Only paths that the state names are removed, and they last.
// 6. Nothing outside the target is reached: each path is resolved below its descriptor, without
//    symlinks, and none leads into .varve-replica.

/// A live directory that replications write, held by one of them.
final class ReplicaTarget {
    let tree: TargetTree
    let options: ReplicaOptions
    /// Released with the object.
    private let lock: Descriptor?
    private(set) var state = ReplicaState()
    private(set) var status = ReplicaStatus()
    private var addedToLogs: [[UInt8]] = []

    /// Takes the directory; finishes a publication that was interrupted.
    init(
        _ root: consuming PinnedDirectory, _ options: ReplicaOptions, _ host: Host = .system
    ) throws {
        let policy = AttributePolicy(setsSetID: options.contains(.setID))
        tree = TargetTree(LiveTree(root, policy), host: host)
        self.options = options
        let all = try tree.isStandIn() ? [] : tree.target.root.descriptor.names([])
        let names = all.filter { $0 != TargetPlaces.directory }
        let isNew = try tree.target.status(TargetPlaces.directory) == nil
        lock = options.contains(.dryRun) ? nil : try tree.takeLock()
        if lock != nil { try recover() }
        let bytes = isNew ? nil : try TargetFile.read(TargetPlaces.state, tree.target.root)
        if let bytes {
            state = try Self.decode(bytes)
            status.kind = .replica
        } else {
            status.kind = names.isEmpty ? .empty : .foreign
        }
        try compare()
        status.origin = state.origin
        status.pathCount = UInt64(state.records.count)
    }

    private static func decode(_ bytes: [UInt8]) throws(RemoteFailure) -> ReplicaState {
        do throws(MalformedBytes) {
            return try ReplicaState(decoding: bytes)
        } catch {
            throw RemoteFailure(
                .damaged, "the state of the replica: \(error)", object: TargetPlaces.state)
        }
    }

    // MARK: Recovery

    /// Finishes what a journal tells.
    private func recover() throws {
        guard let bytes = try TargetFile.read(TargetPlaces.journal, tree.target.root) else {
            return
        }
        let journal: ReplicaJournal
        do throws(MalformedBytes) {
            journal = try ReplicaJournal(decoding: bytes)
        } catch {
            // It has its name only once it is synced: this is damage, and nothing can be concluded.
            throw RemoteFailure(
                .damaged, "the journal of the replica: \(error)", object: TargetPlaces.journal)
        }
        if let bytes = try TargetFile.read(TargetPlaces.state, tree.target.root) {
            state = try Self.decode(bytes)
        }
        _ = try publish(journal)
    }

    /// Makes the tree equal to what a journal says, and the state with it.
    func publish(_ journal: ReplicaJournal) throws -> ReplicaOutcome {
        if state.nonce != journal.nonce {
            let publication = ReplicaPublication(tree, state, journal)
            let result = Result { try publication.run() }
            state = try publication.finalState()
            try SmallFile.replace(
                at: TargetPlaces.state, with: state.encoded(), in: tree.target.root)
            try tree.target.remove(TargetPlaces.journal)
            try result.get()
            return publication.outcome
        }
        try tree.target.remove(TargetPlaces.journal)
        return ReplicaOutcome()
    }

    /// Publishes what was staged: writes the journal, and does what it says.
    func publish(new journal: ReplicaJournal) throws -> ReplicaOutcome {
        try SmallFile.replace(
            at: TargetPlaces.journal, with: journal.encoded(), in: tree.target.root)
        let moved = try setAsideAdded()
        var outcome = try publish(journal)
        outcome.setAside += moved
        outcome.failures = tree.failures.listed
        outcome.failureCount = tree.failures.count
        try clearStaging()
        return outcome
    }

    /// Moves away what others added to the logs of tables: it would be part of them.
    private func setAsideAdded() throws -> [[UInt8]] {
        guard options.contains(.overwrite) else { return [] }
        let moved = addedToLogs
        for path in moved { try tree.setAside(path, named: path) }
        return moved
    }

    /// Removes what was staged by replications that were given up.
    private func clearStaging() throws {
        let path = TargetPlaces.staging
        guard let names = try tree.directory(path)?.descriptor.names(path) else { return }
        for name in names { try tree.target.remove(PathBytes.join(path, name)) }
    }

    /// Throws where others changed the target and may not be overruled.
    func requireUnchanged() throws(RemoteFailure) {
        guard !options.contains(.overwrite) else { return }
        if status.kind == .foreign {
            throw RemoteFailure(.changedThere, "the target holds files that no replication left")
        }
        guard let first = status.changes.first else { return }
        throw RemoteFailure(
            .changedThere, "the target was changed in \(status.changeCount) places",
            object: first.path)
    }

    // MARK: Comparing

    /// Finds what others changed, and makes the state forget what it knew of it.
    private func compare() throws {
        var comparison = ReplicaComparison(tree, state.records)
        try comparison.run()
        status.changes = comparison.changes
        status.changeCount = comparison.changeCount
        addedToLogs = comparison.addedToLogs
        guard !comparison.doubtful.isEmpty || !addedToLogs.isEmpty else { return }
        var doubtful = comparison.doubtful.makeIterator()
        state.records = try state.records.merging { doubtful.next() }
        // Everything is to be offered then: a comparison of snapshots would not tell of these.
        state.origin.snapshot = .zero
    }
}

/// Compares a tree with what a replication left, by the status of each path.
struct ReplicaComparison {
    private let tree: TargetTree
    private let records: ReplicaRecords
    private var parent: (path: [UInt8], directory: TargetTree.Directory?)?

    private(set) var changes: [LocalChange] = []
    private(set) var changeCount: UInt64 = 0
    private(set) var addedToLogs: [[UInt8]] = []
    /// Paths whose content must be looked at again, without the keys of what they held; those that
    /// are gone without a record.
    private(set) var doubtful: [(path: [UInt8], record: ReplicaRecord?)] = []

    init(_ tree: TargetTree, _ records: ReplicaRecords) {
        self.tree = tree
        self.records = records
    }

    mutating func run() throws {
        for index in 0..<records.count {
            let record = try records[index]
            let status = try status(record.entry.path)
            try compare(record, status)
        }
    }

    private mutating func status(_ path: [UInt8]) throws -> FileStatus? {
        if path.isEmpty { return try tree.directory([])?.descriptor.status([]) }
        let directory = PathBytes.parent(path)
        if parent?.path != directory { parent = (directory, try tree.directory(directory)) }
        guard let directory = parent?.directory else { return nil }
        do throws(PlatformError) {
            return try FileStatus.of(Array(PathBytes.name(path)), at: directory.descriptor.raw)
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    private mutating func compare(_ record: ReplicaRecord, _ status: FileStatus?) throws {
        let entry = record.entry
        guard let status else {
            note(.removed, entry.path)
            doubtful.append((entry.path, nil))
            return
        }
        let isSame =
            status.type == entry.fileType && status.mtime == entry.mtime
            && status.ctime == entry.ctime && status.inode == entry.inode
            && (!entry.isFile || status.size == entry.size)
        if isSame { return }
        if entry.isDirectory, status.type == .directory {
            try compareNames(entry.path)
            if status.mode == entry.mode { return }
        }
        // A backup or another name changes the change time alone: looked at again, not refused.
        let isTouched =
            entry.isFile && status.type == .regular && status.mtime == entry.mtime
            && status.inode == entry.inode && status.size == entry.size
            && status.mode == entry.mode
        if !isTouched { note(.changed, entry.path) }
        // What has no content is made anew, and so is what became another kind of thing.
        let stays = status.type == entry.fileType && (entry.isFile || entry.isDirectory)
        doubtful.append((entry.path, stays ? ReplicaRecord(entry.seen(as: status)) : nil))
    }

    private mutating func compareNames(_ path: [UInt8]) throws {
        guard let directory = try tree.directory(path) else { return }
        for name in try directory.descriptor.names(path).sorted(by: {
            $0.lexicographicallyPrecedes($1)
        }) {
            let inner = PathBytes.join(path, name)
            guard inner != TargetPlaces.directory, try !records.contains(inner) else { continue }
            note(.added, inner)
            if TargetOrder.table(inner) != nil { addedToLogs.append(inner) }
        }
    }

    private mutating func note(_ kind: LocalChange.Kind, _ path: [UInt8]) {
        changeCount += 1
        guard changes.count < ReplicaLimits.changes else { return }
        changes.append(LocalChange(kind: kind, path: path))
    }
}

extension ManifestEntry {
    /// As it was found at a target.
    fileprivate func seen(as status: FileStatus) -> ManifestEntry {
        var entry = self
        entry.mode = status.mode
        entry.mtime = status.mtime
        entry.ctime = status.ctime
        entry.inode = status.inode
        if case .file(_, let content) = payload {
            entry.payload = .file(size: status.size, content)
            entry = entry.withoutContent
        }
        return entry
    }
}
