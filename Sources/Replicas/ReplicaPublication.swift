internal import Trees
internal import Snapshots
internal import Targets
internal import Wire
internal import Bytes
internal import Hashing
internal import Platform
internal import SystemPackage

// The steps, each of which may be done again after an interruption:
//
// 1. Paths are removed that stand in the way of another kind of thing: what was below a directory
//    that became a file. The log of a table that was made anew is moved away as a whole: its
//    versions mean something else now, and no reader may see both.
// 2. Directories are made, outer ones first.
// 3. Files are renamed into place by `ReplicaOrder`, paths in order. Before commits, the
//    directories that anything went to are synced.
// 4. What is gone is removed: the log of a table that is gone as a whole in one step; then files,
//    the oldest of a log first; then directories, inner ones first.
// 5. Directories get their owner, attributes, mode and time, those that are there before commits
//    already, or readers could not enter them; all that got names or such is synced.
//
// What a step replaces or removes must be what the last replication left: what others made of it
// since it was compared stays, and the publication stops there, unless it may overwrite.

/// Makes a tree what a journal says.
final class ReplicaPublication {
    private let tree: ReplicaTree
    private let journal: ReplicaJournal
    private let before: ReplicaState
    /// For each put, whether it was done.
    private var isDone: [Bool]
    /// What the state named and is gone.
    private var removed: Set<[UInt8]> = []
    /// Directories in which names changed.
    private var touched: Set<[UInt8]> = []
    private var unsynced: Set<[UInt8]> = []
    private let gone: Set<[UInt8]>
    private var isWhole = false
    private(set) var outcome = ReplicaOutcome()

    /// More paths than this are synced by a sync of the whole file system.
    private static let singleSyncs = 8

    init(_ tree: ReplicaTree, _ before: ReplicaState, _ journal: ReplicaJournal) {
        self.tree = tree
        self.before = before
        self.journal = journal
        gone = Set(journal.removals)
        isDone = Array(repeating: false, count: journal.puts.count)
    }

    /// Does everything; after a failure `finalState` tells how far it came.
    func run() throws {
        // The last one may have failed while it synced directories.
        if before.origin.snapshot == .zero { try tree.target.root.descriptor.syncFileSystem([]) }
        try clearTheWay()
        try makeDirectories()
        try placeFiles()
        try removeGone()
        try finishDirectories()
        try syncPaths()
        isWhole = true
    }

    // MARK: Making way

    private func clearTheWay() throws {
        var logs: Set<[UInt8]> = []
        var obstacles: [[UInt8]] = []
        for index in 0..<journal.puts.count {
            let put = try journal.puts[index]
            guard put.action == .make || put.action == .place,
                let old = try before.records.find(put.entry.path)
            else { continue }
            if old.entry.isDirectory, !put.entry.isDirectory { obstacles.append(put.entry.path) }
            if !old.entry.isDirectory, put.entry.isDirectory, try isOurs(put.entry.path) {
                try removeOne(put.entry.path, isDirectory: false)
            }
            if put.action == .place, ReplicaOrder(put.entry.path) == .commit,
                let table = ReplicaOrder.table(put.entry.path)
            {
                logs.insert(PathBytes.join(table, ReplicaOrder.log))
            }
        }
        for path in obstacles { try clear(path) }
        for log in logs { try moveAway(log) }
    }

    /// Removes what the state names below a directory, and the directory.
    private func clear(_ path: [UInt8]) throws {
        for removal in journal.removals.reversed()
        where PathBytes.isInside(removal, path) && removal != path {
            try remove(removal)
        }
        let status = try tree.target.status(path)
        if status?.type == .directory { try removeOne(path, isDirectory: true) }
    }

    /// Moves the log of a table away and brings back what stays of it, in the order of a log.
    ///
    /// After an interruption what was put there already is put there again.
    private func moveAway(_ log: [UInt8]) throws {
        let away = awayName(log)
        if try tree.target.status(away) == nil {
            guard try !isLogDone(log), try tree.target.status(log) != nil else { return }
            try rename(log, to: away, replacing: false)
        }
        try syncPaths(and: log)
        try bringBack(log, from: away)
        try removeKnown(away, was: log)
    }

    /// Whether a file of the journal is in the log already: then it was moved away before.
    private func isLogDone(_ log: [UInt8]) throws -> Bool {
        for index in try journal.puts.indices(below: log) {
            let put = try journal.puts[index]
            guard put.action == .place else { continue }
            if try tree.target.status(ReplicaPlaces.staged(put.key)) == nil { return true }
        }
        return false
    }

    /// Brings back from the log that was moved away what stays as it is.
    private func bringBack(_ log: [UInt8], from away: [UInt8]) throws {
        if try tree.target.status(log) == nil {
            try tree.target.makeDirectory(log)
            if let record = try journal.puts.find(log) ?? before.records.find(log) {
                try apply(record.entry)
            }
        }
        note(log)
        var kept: [[UInt8]] = []
        for index in try before.records.indices(below: log) {
            let path = try before.records[index].entry.path
            guard !gone.contains(path), try journal.puts.find(path)?.action ?? .keep == .keep
            else { continue }
            kept.append(path)
        }
        // Of one order in the order of paths, as they came.
        let orders = kept.map(ReplicaOrder.init)
        for index in kept.indices.sorted(by: { (orders[$0], $0) < (orders[$1], $1) }) {
            let path = kept[index]
            let moved = PathBytes.join(away, Array(path.dropFirst(log.count + 1)))
            guard try tree.target.status(moved) != nil, try tree.target.status(path) == nil else {
                continue
            }
            try rename(moved, to: path, replacing: false)
        }
    }

    /// The same after an interruption.
    private func awayName(_ log: [UInt8]) -> [UInt8] {
        let digest = SHA256Digest(of: (journal.nonce + log).span)
        return PathBytes.join(ReplicaPlaces.staging, Array("o-\(digest.hex)".utf8))
    }

    /// Removes what the state names from a directory that was moved; what is left is set aside.
    private func removeKnown(_ away: [UInt8], was path: [UInt8]) throws {
        for index in try before.records.indices(below: path).reversed() {
            let entry = try before.records[index].entry
            let inside = Array(entry.path.dropFirst(path.count + 1))
            let moved = PathBytes.join(away, inside)
            guard let status = try tree.target.status(moved) else { continue }
            touched.insert(entry.path)
            guard entry.isDirectory || status.isOf(entry) else { continue }
            _ = try? removeOne(moved, isDirectory: entry.isDirectory, isCounted: false)
        }
        do {
            try removeOne(away, isDirectory: true, isCounted: false)
        } catch let error as PlatformError where error.errno == .directoryNotEmpty {
            try setAside(away, named: path)
        }
    }

    // MARK: Making and placing

    private func makeDirectories() throws {
        for index in 0..<journal.puts.count {
            let put = try journal.puts[index]
            guard put.entry.isDirectory else { continue }
            if !put.entry.path.isEmpty { try make(directory: put.entry.path) }
            isDone[index] = true
        }
    }

    private func make(directory path: [UInt8]) throws {
        if let status = try tree.target.status(path) {
            if status.type == .directory { return }
            try makeRoom(path)
        }
        try tree.target.makeDirectory(path)
        note(path)
        outcome.others += 1
    }

    private func placeFiles() throws {
        var ordered: [(order: ReplicaOrder, index: Int)] = []
        for index in 0..<journal.puts.count {
            let put = try journal.puts[index]
            guard !put.entry.isDirectory else { continue }
            ordered.append((ReplicaOrder(put.entry.path), index))
        }
        ordered.sort { ($0.order, $0.index) < ($1.order, $1.index) }
        var last = ReplicaOrder.data
        for (order, index) in ordered {
            if order != last, last < .commit, order >= .commit {
                try finishDirectories()
                try syncPaths()
            }
            last = order
            try put(try journal.puts[index])
            isDone[index] = true
        }
    }

    private func put(_ put: ReplicaRecord) throws {
        let path = put.entry.path
        switch put.action {
        case .keep: try keep(put.entry)
        case .place: try place(put)
        case .make: try make(put.entry)
        case .build: throw RemoteFailure(.invalid, "content is missing", object: path)
        }
        if put.action == .keep { return }
        if put.entry.isFile { outcome.files += 1 } else { outcome.others += 1 }
    }

    private func keep(_ entry: ManifestEntry) throws {
        if entry.isFile, var old = try before.records.find(entry.path)?.entry {
            // After an interruption it has its new time already.
            let status = try tree.target.status(entry.path)
            if status?.mtime == entry.mtime { old.mtime = entry.mtime }
            guard let status, status.isOf(old), status.size == entry.size else {
                throw Self.changed(entry.path)
            }
        }
        try apply(entry)
    }

    private func place(_ put: ReplicaRecord) throws {
        let (path, staged) = (put.entry.path, ReplicaPlaces.staged(put.key))
        guard try tree.target.status(staged) != nil else {
            let status = try tree.target.status(path)
            guard status?.type == .regular, status?.size == put.entry.size,
                status?.mtime == put.entry.mtime
            else { throw RemoteFailure(.missing, "a staged file is gone", object: path) }
            return note(path)
        }
        try place(staged, at: path)
    }

    private func place(_ staged: [UInt8], at path: [UInt8]) throws {
        do {
            try rename(staged, to: path, replacing: try isOurs(path))
        } catch let error as PlatformError
            where error.errno == .fileExists || error.errno == .isDirectory
        {
            try makeRoom(path)
            try rename(staged, to: path, replacing: false)
        }
    }

    /// Symlinks and special files are made apart and renamed, so that the name is never gone.
    private func make(_ entry: ManifestEntry) throws {
        if try isMade(entry) {
            note(entry.path)
            return try apply(entry)
        }
        guard let other = entry.other else { preconditionFailure("files are placed") }
        let temporary = ReplicaPlaces.temporary()
        try tree.target.makeOther(other, at: temporary)
        try tree.target.applyByName(entry.metadata, at: temporary)
        try place(temporary, at: entry.path)
    }

    /// Whether it was made before an interruption.
    private func isMade(_ entry: ManifestEntry) throws -> Bool {
        guard let status = try tree.target.status(entry.path), status.type == entry.fileType,
            status.mtime == entry.mtime
        else { return false }
        guard case .symlink(let target) = entry.payload else { return true }
        let parent = try tree.target.openParent(entry.path)
        let name = Array(PathBytes.name(entry.path))
        return try FileOperations.readLink(name, at: parent.raw) == target
    }

    /// Whether what is there is what the last replication left, or was found when it was compared.
    private func isOurs(_ path: [UInt8]) throws -> Bool {
        guard let old = try before.records.find(path)?.entry else { return false }
        return try tree.target.status(path)?.isOf(old) ?? false
    }

    private static func changed(_ path: [UInt8]) -> RemoteFailure {
        RemoteFailure(
            .changedThere, "another made or changed it while the replica was written", object: path)
    }

    /// Sets owner, attributes, mode and time of what is there.
    private func apply(_ entry: ManifestEntry) throws {
        guard entry.isFile || entry.isDirectory else {
            return try tree.target.applyByName(entry.metadata, at: entry.path)
        }
        let flags: OpenFlags =
            entry.isFile ? [.readOnly, .nonBlocking] : [.readOnly, .directory]
        let file = try tree.target.root.open(entry.path, flags)
        guard try file.status(entry.path).type == entry.fileType else {
            throw RemoteFailure(.invalid, "it was changed meanwhile", object: entry.path)
        }
        try tree.target.apply(entry.metadata, to: file, entry.path)
        unsynced.insert(entry.path)
    }

    /// Moves away what others made where something of the replica is due, or refuses.
    private func makeRoom(_ path: [UInt8]) throws {
        guard journal.options.contains(.overwrite) else { throw Self.changed(path) }
        try setAside(path, named: path)
    }

    private func setAside(_ path: [UInt8], named name: [UInt8]) throws {
        try tree.setAside(path, named: name)
        note(path)
        outcome.setAside.append(name)
    }

    // MARK: Removing

    private func removeGone() throws {
        try syncPaths()
        for log in journal.removals where ReplicaOrder.isLog(log) {
            let away = awayName(log)
            if try tree.target.status(away) == nil {
                guard try tree.target.status(log) != nil else { continue }
                try rename(log, to: away, replacing: false)
            }
            try syncPaths(and: log)
            try removeKnown(away, was: log)
        }
        var directories: [[UInt8]] = []
        for path in journal.removals {
            if try before.records.find(path)?.entry.isDirectory == true {
                directories.append(path)
            } else {
                try remove(path)
            }
        }
        for path in directories.reversed() { try remove(path) }
    }

    /// Removes what the state names; what others made of it stays, and a directory with that in it.
    private func remove(_ path: [UInt8]) throws {
        guard let old = try before.records.find(path) else { return }
        removed.insert(path)
        guard let status = try tree.target.status(path), status.type == old.entry.fileType,
            old.entry.isDirectory || status.isOf(old.entry)
        else { return }
        do {
            try removeOne(path, isDirectory: old.entry.isDirectory)
        } catch let error as PlatformError where error.errno == .directoryNotEmpty {
            // Others made something in it.
        }
    }

    private func removeOne(
        _ path: [UInt8], isDirectory: Bool, isCounted: Bool = true
    ) throws {
        let parent = try tree.target.openForChange(PathBytes.parent(path))
        try FileOperations.remove(
            Array(PathBytes.name(path)), at: parent.raw, isDirectory: isDirectory)
        note(path)
        if isCounted { outcome.removed += 1 }
    }

    // MARK: Directories

    private func note(_ path: [UInt8]) {
        let parent = PathBytes.parent(path)
        guard !PathBytes.isInside(parent, ReplicaPlaces.directory) else { return }
        touched.insert(parent)
        unsynced.insert(parent)
    }

    private func rename(
        _ path: [UInt8], to target: [UInt8], replacing: Bool
    ) throws {
        try tree.rename(path, to: target, replacing: replacing)
        note(path)
        note(target)
    }

    private func finishDirectories() throws {
        var paths = touched
        for index in 0..<journal.puts.count {
            let put = try journal.puts[index]
            if put.entry.isDirectory { paths.insert(put.entry.path) }
        }
        for path in paths.sorted(by: { PathBytes.isBefore($1, $0) }) {
            let found = try journal.puts.find(path) ?? before.records.find(path)
            guard let record = found, record.entry.isDirectory, !removed.contains(path),
                try tree.target.status(path)?.type == .directory
            else { continue }
            try apply(record.entry)
        }
    }

    /// Nothing of a `log` that was moved away may go before its name is gone for good.
    private func syncPaths(and log: [UInt8]? = nil) throws {
        if let log { note(log) }
        if unsynced.count > Self.singleSyncs {
            try tree.target.root.descriptor.syncFileSystem([])
        } else {
            for path in unsynced { try tree.sync(path) }
        }
        unsynced = []
    }

    // MARK: The state afterwards

    /// What the state is to say: of a publication that failed, what was done of it.
    func finalState() throws -> ReplicaState {
        var state = ReplicaState()
        state.origin = journal.origin
        state.nonce = journal.nonce
        if !isWhole { state.origin.snapshot = .zero }
        var changes = ReplicaChanges(journal.puts, isDone, removed, touched)
        state.records = try before.records.merging {
            guard let path = try changes.next() else { return nil }
            return (path, try stateRecord(path))
        }
        return state
    }

    private func stateRecord(_ path: [UInt8]) throws -> ReplicaRecord? {
        guard !removed.contains(path),
            var record = try doneRecord(path) ?? before.records.find(path),
            let status = try tree.target.status(path), status.type == record.entry.fileType
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

extension FileStatus {
    /// Whether it is that of what `entry`, as seen at the target, tells of; a rename changes the
    /// change time, so that does not count.
    fileprivate func isOf(_ entry: ManifestEntry) -> Bool {
        type == entry.fileType && inode == entry.inode && mtime == entry.mtime
            && (!entry.isFile || size == entry.size)
    }
}

extension Timestamp {
    /// Whether it may be what a file system with coarser times, of two seconds at most, keeps of
    /// `time`.
    fileprivate func mayStand(for time: Timestamp) -> Bool {
        if self == time { return true }
        let (difference, overflow) = seconds.subtractingReportingOverflow(time.seconds)
        return nanoseconds % 100 == 0 && !overflow && (-2...2).contains(difference)
    }
}

/// The paths whose records a publication changed, in order, each once.
private struct ReplicaChanges {
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
