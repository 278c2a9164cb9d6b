internal import Bytes
internal import Hashing
internal import Platform
internal import SystemPackage
internal import TableLog
internal import Targets
internal import Trees
internal import Wire

/// Brings files and commits to the tables of a store; StorePublication has the invariants.
final class TablePublication {
    private let tree: TargetTree
    private let staging: StoreStaging
    private let plain: PlainPublication
    private(set) var outcomes: [TableOutcome] = []
    private var table: OpenTable?

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

    init(_ tree: TargetTree, _ staging: StoreStaging, _ plain: PlainPublication) {
        self.tree = tree
        self.staging = staging
        self.plain = plain
    }

    func apply(_ change: StoreChange) throws {
        if case .table(let path, let version) = change {
            try finishTable()
            return try begin(path, version)
        }
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
    }

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
            try place(try staging.offer(number), isNeeded: isNeeded, in: &open)
        case .log(let number, let name): try placeLog(try staging.offer(number), name, in: &open)
        case .commit(let commit): try publish(commit, in: &open)
        default: break
        }
    }

    private func place(
        _ offer: OfferedFile, isNeeded: Bool, in open: inout OpenTable
    ) throws {
        let path = offer.path
        guard offer.isTableFile, PathBytes.isInside(path, open.path),
            TargetOrder.table(path) == nil
        else { throw RemoteFailure(.forbidden, "no file of the table", object: path) }
        let live = try tree.target.status(path)
        guard try staging.isStaged(offer) else {
            if isNeeded, live == nil {
                open.state = .failed
                open.text = "\(PathBytes.printable(path)) could not be read in the other store"
            }
            return
        }
        try plain.makeParents(path)
        let staged = TargetPlaces.staged(offer.key)
        do throws(PlatformError) {
            try tree.rename(staged, to: path, replacing: false)
            plain.touch(path)
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
        let path = PathBytes.join(PathBytes.join(open.path, TargetOrder.log), name)
        guard open.version == nil, offer.isTableFile, offer.path == path else {
            throw RemoteFailure(.forbidden, "no file of a new log", object: offer.path)
        }
        guard try staging.isStaged(offer) else {
            open.state = .failed
            open.text = "\(PathBytes.printable(path)) is gone in the other store"
            return
        }
        let log = open.newLog ?? tree.temporary()
        if open.newLog == nil { try tree.target.makeDirectory(log) }
        open.newLog = log
        let place = PathBytes.join(log, name)
        if try tree.target.status(PathBytes.parent(place)) == nil {
            try tree.target.makeDirectory(PathBytes.parent(place))
        }
        try tree.rename(TargetPlaces.staged(offer.key), to: place, replacing: false)
    }

    private func publish(_ commit: TableCommit, in open: inout OpenTable) throws {
        guard let version = open.version, commit.version == version + open.published + 1 else {
            throw RemoteFailure(.violation, "a commit out of order")
        }
        if !open.isSynced { try plain.syncTouched() }
        open.isSynced = true
        guard try StoreTable(open.path, tree).publish(commit) else {
            open.state = .overtaken
            return
        }
        open.published += 1
    }

    func finishTable() throws {
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
        outcomes.append(TableOutcome(path: open.path, state: open.state, text: open.text))
    }

    /// Gives the log of a new table its name.
    private func finishNew(_ open: inout OpenTable) throws {
        guard let log = open.newLog else {
            open.state = .failed
            open.text = "a table without a log"
            return
        }
        try plain.syncTouched()
        // The staged files are synced; what is left is their names in these directories.
        for path in [PathBytes.join(log, Array("_sidecars".utf8)), log] {
            try tree.directory(path)?.descriptor.sync(path)
        }
        let place = PathBytes.join(open.path, TargetOrder.log)
        try plain.makeParents(place)
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
        plain.touch(place)
        plain.touch(open.path)
        try plain.syncTouched()
    }
}
