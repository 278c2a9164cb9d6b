internal import Targets
internal import Trees
internal import Wire
internal import Bytes
internal import Hashing
internal import Platform
internal import SystemPackage
internal import TableLog

// Invariants of what changes a store:
//
// 1. What is new lies whole and synced in the staging directory before any name is touched.
// 2. A file is replaced or removed only while it is the one that was looked at when the sync began:
//    it is first moved to the staging directory, looked at there, and moved back if it is another.
// 3. Files of tables are never replaced. They and their directories are synced before the first
//    commit that may name them, and each commit is published under a number that nobody had.
// 4. The log of a new table gets its name as a whole, after everything that it speaks of.
// 5. Nothing needs to be finished after an interruption: the next sync finds in both stores what
//    was done, and does the rest.

/// Does to a store what the other one asks for, change by change.
final class StorePublication {
    private let tree: ReplicaTree
    private let staging: StoreStaging
    /// What plain paths were when the sync began.
    private let stamps: [[UInt8]: FileStamp]
    private(set) var outcome = StoreOutcome()
    /// Plain paths that have what the other store has now.
    private(set) var placed: [[UInt8]: FileStamp] = [:]
    private var table: OpenTable?
    private var touched: Set<[UInt8]> = []

    private struct OpenTable {
        var path: [UInt8]
        /// Nil for one that is being made.
        var version: Int64?
        var published: Int64 = 0
        var state = TableOutcome.State.done
        var text = ""
        /// Where the log of a new table is put together.
        var newLog: [UInt8]?
        var isSynced = false
    }

    private static let directorySyncs = 8

    init(_ tree: ReplicaTree, _ staging: StoreStaging, _ stamps: [[UInt8]: FileStamp]) {
        self.tree = tree
        self.staging = staging
        self.stamps = stamps
    }

    func receive(_ source: any ByteSource) throws {
        var records = ReplicaRecordReader(source)
        while let next = try records.next() {
            try Interruption.check()
            var reader = next.reader
            try apply(try StoreChange(next.type, decoding: &reader))
        }
        try finishTable()
        try syncTouched()
    }

    private func apply(_ change: StoreChange) throws {
        switch change {
        case .table(let path, let version):
            try finishTable()
            try begin(path, version)
        case .data, .log, .commit:
            guard var open = table else { throw RemoteFailure(.violation, "a part of no table") }
            guard open.state == .done else { return }
            do {
                try apply(change, to: &open)
            } catch let error as PlatformError {
                (open.state, open.text) = (.failed, "\(error)")
            } catch let error as TableLogError {
                (open.state, open.text) = (.failed, "\(error)")
            }
            table = open
        default: try applyPlain(change)
        }
    }

    private func offer(_ number: UInt32) throws -> OfferedFile {
        guard Int(number) < staging.offers.count else {
            throw RemoteFailure(.violation, "a file that was not offered")
        }
        return staging.offers[Int(number)]
    }

    // MARK: Plain paths

    private func applyPlain(_ change: StoreChange) throws {
        var path: [UInt8] = []
        do {
            switch change {
            case .directory(let directory, let mode):
                path = directory
                try make(path, mode: mode)
            case .put(let number, let isReplacing):
                let offer = try offer(number)
                path = offer.path
                guard !offer.isTableFile, ReplicaOrder.table(path) == nil else {
                    throw RemoteFailure(.forbidden, "a file of a table", object: path)
                }
                guard try staging.isStaged(offer) else {
                    return fail(path, "it changed while it was read")
                }
                try put(ReplicaPlaces.staged(offer.key), at: path, isReplacing)
            case .symlink(let link, let target, let mtime, let isReplacing):
                path = link
                try putSymlink(path, target, mtime, isReplacing)
            case .remove(let gone):
                path = gone
                try remove(path)
            default: break
            }
        } catch let error as PlatformError {
            fail(path, "\(error)")
        }
    }

    private func fail(_ path: [UInt8], _ text: String) {
        outcome.failures.append(StoreOutcome.PathFailure(path: path, text: text))
    }

    private func make(_ path: [UInt8], mode: UInt32) throws {
        if let status = try tree.target.status(path) {
            if status.type == .directory { return note(path, status) }
            guard try takeAway(path) else { return }
        }
        try makeParents(path)
        try tree.target.makeDirectory(path)
        let directory = try tree.target.root.open(path, [.readOnly, .directory])
        try directory.setMode(mode | 0o700, path)
        touched.insert(PathBytes.parent(path))
        note(path, try directory.status(path))
    }

    private func makeParents(_ path: [UInt8]) throws {
        let parent = PathBytes.parent(path)
        guard !parent.isEmpty, try tree.target.status(parent) == nil else { return }
        try makeParents(parent)
        try tree.target.makeDirectory(parent)
        try tree.target.root.open(parent, [.readOnly, .directory]).setMode(0o755, parent)
        touched.insert(PathBytes.parent(parent))
    }

    private func note(_ path: [UInt8], _ status: FileStatus) { placed[path] = FileStamp(status) }

    /// Gives what is staged its name.
    private func put(_ staged: [UInt8], at path: [UInt8], _ isReplacing: Bool) throws {
        try makeParents(path)
        if isReplacing {
            // Under a name that nobody takes for the new content once the two have changed places.
            let leaving = ReplicaPlaces.leaving()
            try tree.rename(staged, to: leaving, replacing: false)
            guard try takeAway(path, leaving: leaving) else {
                try tree.target.remove(leaving)
                return
            }
        } else {
            do throws(PlatformError) {
                try tree.rename(staged, to: path, replacing: false)
            } catch {
                guard error.errno == .fileExists else { throw error }
                return fail(path, "it was made while the sync went on")
            }
        }
        touched.insert(PathBytes.parent(path))
        if let status = try tree.target.status(path) { note(path, status) }
    }

    private func putSymlink(
        _ path: [UInt8], _ target: [UInt8], _ mtime: Timestamp, _ isReplacing: Bool
    ) throws {
        let temporary = ReplicaPlaces.temporary()
        let parent = try tree.target.openParent(temporary)
        let name = Array(PathBytes.name(temporary))
        try FileOperations.makeSymlink(name, to: target, at: parent.raw)
        try FileOperations.setModificationTime(name, mtime, at: parent.raw)
        try put(temporary, at: path, isReplacing)
    }

    /// Takes away what a plain path names, if it is still what was looked at.
    ///
    /// With `leaving`, that takes its place in the same step. False, and told, where it is not.
    private func takeAway(_ path: [UInt8], leaving staged: [UInt8]? = nil) throws -> Bool {
        guard let stamp = stamps[path], let status = try tree.target.status(path),
            FileStamp(status).isSameFile(stamp) || status.type == .directory
        else {
            fail(path, "it changed while the sync went on")
            return false
        }
        let away = staged ?? ReplicaPlaces.leaving()
        let parent = try tree.target.openForChange(PathBytes.parent(path))
        let place = try tree.target.openForChange(PathBytes.parent(away))
        let name = Array(PathBytes.name(path))
        let awayName = Array(PathBytes.name(away))
        try FileOperations.rename(
            name, to: awayName, at: parent.raw, toDirectory: place.raw,
            flags: staged == nil ? 1 : 2)
        touched.insert(PathBytes.parent(path))
        let moved = try FileStatus.of(awayName, at: place.raw)
        do throws(PlatformError) {
            guard moved.type == .directory || FileStamp(moved).isSameFile(stamp) else {
                throw PlatformError("replace", path, .resourceBusy)
            }
            try FileOperations.remove(
                awayName, at: place.raw, isDirectory: moved.type == .directory)
            return true
        } catch {
            try FileOperations.rename(
                awayName, to: name, at: place.raw, toDirectory: parent.raw,
                flags: staged == nil ? 1 : 2)
            fail(path, "it changed while the sync went on")
            return false
        }
    }

    private func remove(_ path: [UInt8]) throws {
        guard let status = try tree.target.status(path) else { return }
        guard status.type == .directory else {
            _ = try takeAway(path)
            return
        }
        let parent = try tree.target.openForChange(PathBytes.parent(path))
        do throws(PlatformError) {
            try FileOperations.remove(
                Array(PathBytes.name(path)), at: parent.raw, isDirectory: true)
            touched.insert(PathBytes.parent(path))
        } catch {
            // Something is in it that stays.
            guard error.errno == .directoryNotEmpty else { throw error }
        }
    }

    private func syncTouched() throws {
        guard !touched.isEmpty else { return }
        if touched.count > Self.directorySyncs {
            try tree.target.root.descriptor.syncFileSystem([])
        } else {
            for path in touched { try tree.directory(path)?.descriptor.sync(path) }
        }
        touched = []
    }

    // MARK: Tables

    private func begin(_ path: [UInt8], _ version: Int64?) throws {
        var open = OpenTable(path: path, version: version)
        do throws(TableLogError) {
            if let version, try !StoreTable(path, tree).isAt(version) { open.state = .overtaken }
        } catch {
            (open.state, open.text) = (.failed, "\(error)")
        }
        table = open
    }

    private func apply(_ change: StoreChange, to open: inout OpenTable) throws {
        switch change {
        case .data(let number, let isNeeded):
            guard open.published == 0 else { throw RemoteFailure(.violation, "data after commits") }
            try place(try offer(number), isNeeded: isNeeded, in: &open)
        case .log(let number, let name): try placeLog(try offer(number), name, in: &open)
        case .commit(let version, let modified, let bytes):
            let commit = (version: version, modified: modified, bytes: bytes)
            try publish(commit, in: &open)
        default: break
        }
    }

    private func place(
        _ offer: OfferedFile, isNeeded: Bool, in open: inout OpenTable
    ) throws {
        let path = offer.path
        guard offer.isTableFile, PathBytes.isInside(path, open.path),
            ReplicaOrder.table(path) == nil
        else { throw RemoteFailure(.forbidden, "no file of the table", object: path) }
        let live = try tree.target.status(path)
        guard try staging.isStaged(offer) else {
            if isNeeded, live == nil {
                open.state = .failed
                open.text = "\(PathBytes.printable(path)) could not be read in the other store"
            }
            return
        }
        try makeParents(path)
        let staged = ReplicaPlaces.staged(offer.key)
        do throws(PlatformError) {
            try tree.rename(staged, to: path, replacing: false)
            touched.insert(PathBytes.parent(path))
        } catch {
            guard error.errno == .fileExists else { throw error }
            let one = try tree.target.root.open(staged, [.readOnly, .nonBlocking])
            let other = try tree.target.root.open(path, [.readOnly, .nonBlocking])
            guard try StoreWalk.digest(one, staged) == StoreWalk.digest(other, path) else {
                open.state = .failed
                open.text = "another file is called \(PathBytes.printable(path))"
                return
            }
            try tree.target.remove(staged)
        }
    }

    private func placeLog(
        _ offer: OfferedFile, _ name: [UInt8], in open: inout OpenTable
    ) throws {
        let path = PathBytes.join(PathBytes.join(open.path, ReplicaOrder.log), name)
        guard open.version == nil, offer.isTableFile, offer.path == path else {
            throw RemoteFailure(.forbidden, "no file of a new log", object: offer.path)
        }
        guard try staging.isStaged(offer) else {
            open.state = .failed
            open.text = "\(PathBytes.printable(path)) is gone in the other store"
            return
        }
        let log = open.newLog ?? ReplicaPlaces.temporary()
        if open.newLog == nil { try tree.target.makeDirectory(log) }
        open.newLog = log
        let place = PathBytes.join(log, name)
        if try tree.target.status(PathBytes.parent(place)) == nil {
            try tree.target.makeDirectory(PathBytes.parent(place))
        }
        try tree.rename(ReplicaPlaces.staged(offer.key), to: place, replacing: false)
    }

    private func publish(
        _ commit: (version: Int64, modified: Timestamp, bytes: [UInt8]), in open: inout OpenTable
    ) throws {
        guard let version = open.version, commit.version == version + open.published + 1 else {
            throw RemoteFailure(.violation, "a commit out of order")
        }
        if !open.isSynced { try syncTouched() }
        open.isSynced = true
        let stored = StoreTable.Commit(
            version: commit.version, modified: commit.modified, bytes: commit.bytes)
        guard try StoreTable(open.path, tree).publish(stored) else {
            open.state = .overtaken
            return
        }
        open.published += 1
    }

    private func finishTable() throws {
        guard var open = table else { return }
        table = nil
        if open.state == .done, open.version == nil {
            do {
                try finishNew(&open)
            } catch let error as PlatformError {
                (open.state, open.text) = (.failed, "\(error)")
            }
        }
        if let log = open.newLog { try tree.target.remove(log) }
        if let version = open.version, open.published > 0 {
            try? StoreTable(open.path, tree)
                .maintain(after: version + open.published, open.published)
        }
        outcome.tables.append(
            TableOutcome(path: open.path, state: open.state, text: open.text))
    }

    /// Gives the log of a new table its name.
    private func finishNew(_ open: inout OpenTable) throws {
        guard let log = open.newLog else {
            open.state = .failed
            open.text = "a table without a log"
            return
        }
        try syncTouched()
        // The staged files are synced; what is left is their names in these directories.
        for path in [PathBytes.join(log, Array("_sidecars".utf8)), log] {
            try tree.directory(path)?.descriptor.sync(path)
        }
        let place = PathBytes.join(open.path, ReplicaOrder.log)
        try makeParents(place)
        try tree.target.root.open(log, [.readOnly, .directory]).setMode(0o755, log)
        do throws(PlatformError) {
            // An empty directory of that name is replaced by the system, another one is not.
            try tree.rename(log, to: place, replacing: true)
        } catch {
            guard error.errno == .directoryNotEmpty || error.errno == .fileExists else {
                throw error
            }
            open.state = .overtaken
            return
        }
        open.newLog = nil
        touched.insert(open.path)
        touched.insert(PathBytes.parent(open.path))
        try syncTouched()
    }
}
