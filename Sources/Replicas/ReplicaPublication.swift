internal import Bytes
internal import Platform
internal import Snapshots
internal import Targets
internal import Trees

// The steps, each of which may be done again after an interruption:
//
// 1. Paths are removed that stand in the way of another kind of thing: what was below a directory
//    that became a file. The log of a table that was made anew is moved away as a whole: its
//    versions mean something else now, and no reader may see both.
// 2. Directories are made, outer ones first.
// 3. Files are renamed into place by `TargetOrder`, paths in order. Before commits, the
//    directories that anything went to are synced.
// 4. What is gone is removed: the log of a table that is gone as a whole in one step; then files,
//    the oldest of a log first; then directories, inner ones first.
// 5. Directories get their owner, attributes, mode and time, those that are there before commits
//    already, or readers could not enter them; all that got names or such is synced.
//
// TreeChanges says what a step may replace or remove. What the target refuses to hold or to give up
// (an attribute, a device, a file that cannot be removed) is noted in the outcome, and the rest
// goes on; any other failure ends the publication, and the state says how far it came.

/// Makes a tree what a journal says.
final class ReplicaPublication {
    private let changes: TreeChanges
    private let logs: LogReplacement
    private let directories: DirectoryPass
    private let files: FilePlacement
    /// For each put, whether it was done.
    private var isDone: [Bool]
    private var isWhole = false

    private var journal: ReplicaJournal { changes.journal }
    private var before: ReplicaState { changes.before }

    init(_ tree: TargetTree, _ before: ReplicaState, _ journal: ReplicaJournal) {
        changes = TreeChanges(tree, before, journal)
        logs = LogReplacement(changes)
        directories = DirectoryPass(changes)
        files = FilePlacement(changes)
        isDone = Array(repeating: false, count: journal.puts.count)
    }

    /// What was done, with what could not be.
    var outcome: ReplicaOutcome { changes.outcome }

    /// Does everything; after a failure `finalState` has what was done until then.
    func run() throws {
        // The last one may have failed while it synced directories.
        if before.origin.snapshot == .zero {
            try changes.tree.target.root.descriptor.syncFileSystem([])
        }
        try clearTheWay()
        try logs.replaceLogs()
        try makeDirectories()
        try placeFiles()
        try removeGone()
        try directories.finish()
        try changes.sync()
        isWhole = changes.isWhole
    }

    // MARK: Making way

    private func clearTheWay() throws {
        var obstacles: [[UInt8]] = []
        for index in 0..<journal.puts.count {
            let put = try journal.puts[index]
            let path = put.entry.path
            guard put.action == .make || put.action == .place,
                let old = try before.records.find(path)
            else { continue }
            if old.entry.isDirectory, !put.entry.isDirectory { obstacles.append(path) }
            if !old.entry.isDirectory, put.entry.isDirectory, try changes.isOurs(path) {
                try changes.removeOne(path, isDirectory: false)
            }
        }
        for path in obstacles { try clear(path) }
    }

    /// Removes what the state names below a directory, and the directory.
    private func clear(_ path: [UInt8]) throws {
        for removal in journal.removals.reversed()
        where PathBytes.isInside(removal, path) && removal != path {
            try changes.remove(removal)
        }
        if try changes.status(path)?.type == .directory {
            try changes.removeOne(path, isDirectory: true)
        }
    }

    // MARK: Making and placing

    private func makeDirectories() throws {
        for index in 0..<journal.puts.count {
            let put = try journal.puts[index]
            guard put.entry.isDirectory else { continue }
            if !put.entry.path.isEmpty { try directories.make(put.entry.path) }
            isDone[index] = true
        }
    }

    private func placeFiles() throws {
        var ordered: [(order: TargetOrder, index: Int)] = []
        for index in 0..<journal.puts.count {
            let put = try journal.puts[index]
            guard !put.entry.isDirectory else { continue }
            ordered.append((TargetOrder(put.entry.path), index))
        }
        ordered.sort { ($0.order, $0.index) < ($1.order, $1.index) }
        var last = TargetOrder.data
        for (order, index) in ordered {
            if order != last, last < .commit, order >= .commit {
                try directories.finish()
                try changes.sync()
            }
            last = order
            isDone[index] = try files.put(try journal.puts[index])
        }
    }

    // MARK: Removing

    private func removeGone() throws {
        try changes.sync()
        try logs.removeLogs()
        var gone: [[UInt8]] = []
        for path in journal.removals {
            if try before.records.find(path)?.entry.isDirectory == true {
                gone.append(path)
            } else {
                try changes.remove(path)
            }
        }
        for path in gone.reversed() { try changes.remove(path) }
    }

    // MARK: The state afterwards

    /// What the state is to say: of a publication that failed, what was done of it.
    func finalState() throws -> ReplicaState {
        var state = ReplicaState()
        state.origin = journal.origin
        state.nonce = journal.nonce
        if !isWhole { state.origin.snapshot = .zero }
        var paths = ChangedPaths(journal.puts, isDone, changes.removed, changes.touched)
        state.records = try before.records.merging {
            guard let path = try paths.next() else { return nil }
            return (path, try stateRecord(path))
        }
        return state
    }

    private func stateRecord(_ path: [UInt8]) throws -> ReplicaRecord? {
        guard !changes.removed.contains(path),
            var record = try doneRecord(path) ?? before.records.find(path),
            let status = try changes.status(path), status.type == record.entry.fileType
        else { return nil }
        record.action = .keep
        record.entry.mode = status.mode
        record.entry.ctime = status.ctime
        record.entry.inode = status.inode
        // What was changed since keeps the time that it had, and so shows as changed.
        let isChanged = record.entry.isFile && !status.mtime.mayStand(for: record.entry.mtime)
        if !isChanged { record.entry.mtime = status.mtime }
        return record
    }

    private func doneRecord(_ path: [UInt8]) throws -> ReplicaRecord? {
        let (index, isThere) = try journal.puts.position(of: path)
        return isThere && isDone[index] ? try journal.puts[index] : nil
    }
}

/// The paths whose records a publication changed, in order, each once.
private struct ChangedPaths {
    private let puts: ReplicaRecords
    private let isDone: [Bool]
    private var nextPut = 0
    private let others: [[UInt8]]
    private var nextOther = 0

    init(
        _ puts: ReplicaRecords, _ isDone: [Bool], _ removed: Set<[UInt8]>, _ touched: Set<[UInt8]>
    ) {
        self.puts = puts
        self.isDone = isDone
        others = removed.union(touched).sorted(by: PathBytes.isBefore)
    }

    mutating func next() throws -> [UInt8]? {
        while nextPut < puts.count, !isDone[nextPut] { nextPut += 1 }
        let put = nextPut < puts.count ? try puts[nextPut].entry.path : nil
        let other = nextOther < others.count ? others[nextOther] : nil
        guard let first = [put, other].compactMap({ $0 }).min(by: PathBytes.isBefore) else {
            return nil
        }
        if put == first { nextPut += 1 }
        if other == first { nextOther += 1 }
        return first
    }
}
