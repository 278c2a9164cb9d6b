internal import Bytes
internal import Platform
internal import Snapshots
internal import SystemPackage
internal import Trees

/// Lets threads share the tree.
final class SharedLiveTree: Sendable {
    let value: LiveTree
    init(_ value: consuming LiveTree) { self.value = value }
}

/// The tree that is restored into; nothing is there on a dry run into a directory that is none.
///
/// What is replaced is replaced by a rename, so that who uses it goes on using the old, and nobody
/// sees half of the new.
final class RestoreTarget: Sendable {
    let tree: SharedLiveTree?
    private let host: Host

    init(
        _ path: [UInt8], _ options: RestoreOptions, _ host: Host
    ) throws(PlatformError) {
        self.host = host
        do throws(PlatformError) {
            tree = SharedLiveTree(try LiveTree(path, options.attributes))
        } catch {
            guard options.isDryRun, error.isNotFound else { throw error }
            tree = nil
        }
    }

    /// A path next to `path` that nothing has.
    func temporary(_ path: [UInt8]) -> [UInt8] {
        PathBytes.join(PathBytes.parent(path), host.uniqueName(".varve-restore-"))
    }

    func status(_ path: [UInt8]) throws(RestoreFault) -> FileStatus? {
        guard let tree else { return nil }
        return try onTarget { () throws(PlatformError) in try tree.value.status(path) }
    }

    /// Runs a step on the tree, which must be there unless nothing is to be changed.
    func change(
        _ body: (borrowing LiveTree) throws(PlatformError) -> Void
    ) throws(RestoreFault) {
        guard let tree else { return }
        try onTarget { () throws(PlatformError) in try body(tree.value) }
    }

    /// Removes what may go at and below a path.
    func remove(
        _ path: [UInt8], isDryRun: Bool, _ plan: RestorePlan
    ) throws(RestoreFault) -> RemovalOutcome {
        guard let tree else { return RemovalOutcome() }
        return try onTarget { () throws(PlatformError) in
            try tree.value.removeCarefully(path, isDryRun: isDryRun) { path, status in
                plan.isOutside(path, isDirectory: status.type == .directory)
                    || plan.isUnread(path)
            }
        }
    }

    // MARK: Metadata

    func apply(
        _ entry: ManifestEntry, _ path: [UInt8]
    ) throws(RestoreFault) -> [UnsetMetadata] {
        guard let tree else { return [] }
        return try onTarget { () throws(PlatformError) in
            let file = try tree.value.root.open(path, [.readOnly, .nonBlocking])
            return try tree.value.applyEach(entry.metadata, to: file, path)
        }
    }

    func applyByName(
        _ entry: ManifestEntry, _ path: [UInt8]
    ) throws(RestoreFault) -> [UnsetMetadata] {
        guard let tree else { return [] }
        return try onTarget { () throws(PlatformError) in
            try tree.value.applyEachByName(entry.metadata, at: path)
        }
    }

    func applyToDirectory(
        _ metadata: FileMetadata, _ path: [UInt8]
    ) throws(RestoreFault) -> [UnsetMetadata] {
        guard let tree else { return [] }
        return try onTarget { () throws(PlatformError) in
            let directory = try tree.value.root.open(path, [.readOnly, .directory])
            return try tree.value.applyEach(metadata, to: directory, path)
        }
    }

    // MARK: Others

    /// Whether the symlink or special file at a path is the one of the snapshot.
    func isSame(
        _ entry: ManifestEntry, _ status: FileStatus?, _ path: [UInt8]
    ) throws(RestoreFault) -> Bool {
        guard let status, let tree else { return false }
        switch (entry.payload, status.type) {
        case (.symlink(let wanted), .symlink):
            return try onTarget { () throws(PlatformError) in
                let parent = try tree.value.openParent(path)
                return try FileOperations.readLink(Array(PathBytes.name(path)), at: parent.raw)
                    == wanted
            }
        case (.fifo, .fifo): return true
        case (.characterDevice(let device), .characterDevice),
            (.blockDevice(let device), .blockDevice):
            return status.specialDevice == device
        default: return false
        }
    }

    /// Makes a symlink or special file, and returns what could not be set.
    func makeOther(
        _ entry: ManifestEntry, _ path: [UInt8], isReplacing: Bool
    ) throws(RestoreFault) -> [UnsetMetadata] {
        guard let tree, let other = entry.other else { return [] }
        let made = isReplacing ? temporary(path) : path
        return try onTarget { () throws(PlatformError) in
            try tree.value.makeOther(other, at: made)
            do throws(PlatformError) {
                let unset = try tree.value.applyEachByName(entry.metadata, at: made)
                if isReplacing { try tree.value.rename(made, to: path) }
                return unset
            } catch {
                if isReplacing { try? tree.value.makeRoom(at: made) }
                throw error
            }
        }
    }

    // MARK: Links

    func isOneFile(_ status: FileStatus?, _ first: [UInt8]) throws(RestoreFault) -> Bool {
        guard let status, let other = try self.status(first) else { return false }
        return status.inode == other.inode && status.device == other.device
    }

    /// Gives a file a further name; false where the file system has no such thing, or not there.
    func link(
        _ first: [UInt8], as path: [UInt8], isReplacing: Bool
    ) throws(RestoreFault) -> Bool {
        guard let tree else { return true }
        return try onTarget { () throws(PlatformError) in
            let made = isReplacing ? temporary(path) : path
            do throws(PlatformError) {
                try tree.value.link(first, as: made)
            } catch {
                switch error.errno {
                case .notPermitted, .notSupported, .noFunction, .improperLink, .tooManyLinks:
                    return false
                default: throw error
                }
            }
            guard isReplacing else { return true }
            do throws(PlatformError) {
                try tree.value.rename(made, to: path)
            } catch {
                try? tree.value.makeRoom(at: made)
                throw error
            }
            return true
        }
    }
}
