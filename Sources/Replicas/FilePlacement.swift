internal import Bytes
internal import Hashing
internal import Platform
internal import Snapshots
internal import SystemPackage
internal import Targets
internal import Trees
internal import Wire

/// Puts files, symlinks and special files where they belong.
struct FilePlacement {
    private let changes: TreeChanges

    private var tree: TargetTree { changes.tree }

    init(_ changes: TreeChanges) { self.changes = changes }

    /// False where the target cannot hold it, which is noted then.
    func put(_ put: ReplicaRecord) throws -> Bool {
        let path = put.entry.path
        switch put.action {
        case .keep: try keep(put.entry)
        case .place: try place(put)
        case .make:
            do {
                try make(put.entry)
            } catch let error as PlatformError where error.isUnsupported {
                changes.fail(.notMade, path, error)
                return false
            }
        case .build: throw RemoteFailure(.invalid, "content is missing", object: path)
        }
        if put.action == .keep { return true }
        if put.entry.isFile { changes.outcome.files += 1 } else { changes.outcome.others += 1 }
        return true
    }

    private func keep(_ entry: ManifestEntry) throws {
        if entry.isFile, var old = try changes.before.records.find(entry.path)?.entry {
            // After an interruption it has its new time already.
            let status = try changes.status(entry.path)
            if status?.mtime == entry.mtime { old.mtime = entry.mtime }
            guard let status, status.isOf(old), status.size == entry.size else {
                throw TreeChanges.changed(entry.path)
            }
        }
        try changes.apply(entry)
    }

    private func place(_ put: ReplicaRecord) throws {
        let (path, staged) = (put.entry.path, TargetPlaces.staged(put.key))
        guard try changes.status(staged) != nil else {
            let status = try changes.status(path)
            guard status?.type == .regular, status?.size == put.entry.size,
                status?.mtime == put.entry.mtime
            else { throw RemoteFailure(.missing, "a staged file is gone", object: path) }
            return changes.note(path)
        }
        if try isSecondName(staged, of: path) {
            // A rename that a hard link and a removal stand for was interrupted between the two.
            try tree.target.remove(staged)
            return changes.note(path)
        }
        try place(staged, at: path)
    }

    private func isSecondName(_ staged: [UInt8], of path: [UInt8]) throws(PlatformError) -> Bool {
        guard let one = try changes.status(staged), one.links > 1,
            let other = try changes.status(path)
        else { return false }
        return one.inode == other.inode && one.device == other.device
    }

    private func place(_ staged: [UInt8], at path: [UInt8]) throws {
        do {
            try changes.rename(staged, to: path, replacing: try changes.isOurs(path))
        } catch let error as PlatformError
            where error.errno == .fileExists || error.errno == .isDirectory
        {
            try changes.makeRoom(path)
            try changes.rename(staged, to: path, replacing: false)
        }
    }

    /// Symlinks and special files are made apart and renamed, so that the name is never gone.
    private func make(_ entry: ManifestEntry) throws {
        if try isMade(entry) {
            changes.note(entry.path)
            return try changes.apply(entry)
        }
        guard let other = entry.other else { preconditionFailure("files are placed") }
        let temporary = tree.temporary()
        try tree.target.makeOther(other, at: temporary)
        try tree.applyByName(entry.metadata, at: temporary, for: entry.path)
        try place(temporary, at: entry.path)
    }

    /// Whether it was made before an interruption.
    private func isMade(_ entry: ManifestEntry) throws -> Bool {
        guard let status = try changes.status(entry.path), status.type == entry.fileType,
            status.mtime == entry.mtime
        else { return false }
        guard case .symlink(let target) = entry.payload else { return true }
        let parent = try tree.target.openParent(entry.path)
        let name = Array(PathBytes.name(entry.path))
        return try FileOperations.readLink(name, at: parent.raw) == target
    }
}

extension PlatformError {
    /// Whether a file system, or the rights of this process, leave no way to make such a thing.
    fileprivate var isUnsupported: Bool {
        [.notPermitted, .notSupported, .noFunction].contains(errno)
    }
}
