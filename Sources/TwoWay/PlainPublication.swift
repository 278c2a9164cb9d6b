internal import Bytes
internal import Platform
internal import SystemPackage
internal import Targets
internal import Trees
internal import Wire

/// Changes plain paths of a store: directories, files and symlinks outside of tables.
///
/// What a path is made of comes from the other store, and how it is kept from this one: see
/// EntryManners.
final class PlainPublication {
    private let tree: TargetTree
    private let staging: StoreStaging
    /// What plain paths were when the sync began.
    private let stamps: StoreStamps
    private(set) var failures: [StoreOutcome.PathFailure] = []
    /// Plain paths that have what the other store has now.
    private(set) var placed: [[UInt8]: FileStamp] = [:]
    private var touched: Set<[UInt8]> = []

    init(_ tree: TargetTree, _ staging: StoreStaging, _ stamps: StoreStamps) {
        self.tree = tree
        self.staging = staging
        self.stamps = stamps
    }

    /// What the target could not hold besides content.
    var unset: [TargetFailure] { tree.failures.listed }

    func apply(_ change: StoreChange) throws {
        switch change {
        case .directory(let path, let mode): try trying(path) { try make(path, mode: mode) }
        case .put(let number, let isReplacing):
            let offer = try staging.offer(number)
            guard !offer.isTableFile, TargetOrder.table(offer.path) == nil else {
                throw RemoteFailure(.forbidden, "a file of a table", object: offer.path)
            }
            try trying(offer.path) { try put(offer, isReplacing) }
        case .symlink(let path, let target, let mtime, let isReplacing):
            try trying(path) { try putSymlink(path, target, mtime, isReplacing) }
        case .remove(let path): try trying(path) { try remove(path) }
        default: break
        }
    }

    /// A path that the system refuses does not keep others from being synced.
    private func trying(_ path: [UInt8], _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as PlatformError {
            fail(path, "\(error)")
        }
    }

    private func fail(_ path: [UInt8], _ text: String) {
        failures.append(StoreOutcome.PathFailure(path: path, text: text))
    }

    // MARK: Directories

    private func make(_ path: [UInt8], mode: UInt32) throws {
        if let status = try tree.target.status(path) {
            if status.type == .directory { return note(path, status) }
            guard try takeAway(path) else { return }
        }
        try makeParents(path)
        note(path, try EntryManners(tree).makeDirectory(path, mode: mode))
        touch(path)
    }

    /// Makes the directories above a path that are missing.
    func makeParents(_ path: [UInt8]) throws(PlatformError) {
        let parent = PathBytes.parent(path)
        guard !parent.isEmpty, try tree.target.status(parent) == nil else { return }
        try makeParents(parent)
        _ = try EntryManners(tree).makeDirectory(parent, mode: 0o755)
        touch(parent)
    }

    private func note(_ path: [UInt8], _ status: FileStatus) { placed[path] = FileStamp(status) }

    /// Notes that a name changed: its directory is to be synced.
    func touch(_ path: [UInt8]) { touched.insert(PathBytes.parent(path)) }

    /// Waits until all names that changed are durable.
    func syncTouched() throws(PlatformError) {
        guard !touched.isEmpty else { return }
        try tree.target.sync(directories: touched)
        touched = []
    }

    // MARK: Files and symlinks

    private func put(_ offer: OfferedFile, _ isReplacing: Bool) throws {
        guard try staging.isStaged(offer) else {
            return fail(offer.path, "it changed while it was read")
        }
        let staged = TargetPlaces.staged(offer.key)
        try makeParents(offer.path)
        try EntryManners(tree).dress(
            file: staged, for: offer.path, mode: offer.mode, isReplacing: isReplacing)
        try put(staged, at: offer.path, isReplacing)
    }

    private func putSymlink(
        _ path: [UInt8], _ target: [UInt8], _ mtime: Timestamp, _ isReplacing: Bool
    ) throws {
        let temporary = tree.temporary()
        let parent = try tree.target.openParent(temporary)
        let name = Array(PathBytes.name(temporary))
        try FileOperations.makeSymlink(name, to: target, at: parent.raw)
        try makeParents(path)
        try EntryManners(tree).dress(symlink: temporary, for: path, isReplacing: isReplacing)
        try FileOperations.setModificationTime(name, mtime, at: parent.raw)
        try put(temporary, at: path, isReplacing)
    }

    /// Gives what is staged its name.
    private func put(_ staged: [UInt8], at path: [UInt8], _ isReplacing: Bool) throws {
        if isReplacing {
            // Under a name that nobody takes for the new content once the two have changed places.
            let leaving = tree.leaving()
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
        touch(path)
        if let status = try tree.target.status(path) { note(path, status) }
    }

    // MARK: Removing

    /// Takes away what a plain path names, if it is still what was looked at.
    ///
    /// With `leaving`, that takes its place in the same step. False, and noted as a failure, where
    /// it is something else by now, or a directory with something in it.
    private func takeAway(_ path: [UInt8], leaving staged: [UInt8]? = nil) throws -> Bool {
        guard let stamp = stamps[path], let status = try tree.target.status(path),
            FileStamp(status).isSameFile(stamp) || status.type == .directory
        else {
            fail(path, "it changed while the sync went on")
            return false
        }
        let away = staged ?? tree.leaving()
        try swap(path, away, isExchange: staged != nil)
        touch(path)
        do throws(PlatformError) {
            guard let moved = try tree.target.status(away) else {
                throw PlatformError("replace", path, .noSuchFileOrDirectory)
            }
            guard moved.type == .directory || FileStamp(moved).isSameFile(stamp) else {
                throw PlatformError("replace", path, .resourceBusy)
            }
            let place = try tree.target.openParent(away)
            try FileOperations.remove(
                Array(PathBytes.name(away)), at: place.raw, isDirectory: moved.type == .directory)
            return true
        } catch {
            try swap(away, path, isExchange: staged != nil)
            let isFull = error.errno == .directoryNotEmpty
            fail(path, isFull ? "something else is in it" : "it changed while the sync went on")
            return false
        }
    }

    private func swap(
        _ one: [UInt8], _ other: [UInt8], isExchange: Bool
    ) throws(PlatformError) {
        guard isExchange else { return try tree.rename(one, to: other, replacing: false) }
        let isLeaving = PathBytes.isInside(other, TargetPlaces.directory)
        try tree.exchange(isLeaving ? other : one, with: isLeaving ? one : other)
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
            touch(path)
        } catch {
            // Something is in it that stays.
            guard error.errno == .directoryNotEmpty else { throw error }
        }
    }
}
