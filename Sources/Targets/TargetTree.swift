internal import Bytes
package import Platform
internal import SystemPackage
package import Trees
internal import Wire

/// The tree of a replica or of a synced store, reached below its descriptor.
package final class TargetTree {
    package let target: LiveTree
    /// What this tree could not hold or give up, since it was opened.
    package private(set) var failures = TargetFailures()
    private let host: Host

    package init(_ target: consuming LiveTree, host: Host) {
        self.target = target
        self.host = host
    }

    /// A directory that names are looked up in.
    package final class Directory {
        package let descriptor: Descriptor
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }

    /// Whether the top is the stand-in for a directory that a dry run does not make: it has no name
    /// any more, and cannot be listed (getdents(2), ENOENT).
    package func isStandIn() throws(PlatformError) -> Bool {
        try target.root.descriptor.status([]).links == 0
    }

    /// Opens a directory; nil when there is none.
    package func directory(_ path: [UInt8]) throws(PlatformError) -> Directory? {
        do throws(PlatformError) {
            return Directory(try target.root.open(path, [.readOnly, .directory]))
        } catch {
            // A symlink in its way means that it is gone.
            guard error.isNotFound || error.errno == .tooManySymbolicLinkLevels else {
                throw error
            }
            return nil
        }
    }

    /// Up to this many paths are synced one by one.
    private static let singleSyncs = 8

    /// Waits until files and directories are on the disk; what else may be there comes with its
    /// name, and what is gone is left out.
    package func sync(paths: Set<[UInt8]>) throws(PlatformError) {
        if paths.count > Self.singleSyncs {
            return try target.root.descriptor.syncFileSystem([])
        }
        for path in paths {
            if let directory = try directory(path) {
                try directory.descriptor.sync(path)
            } else if try target.status(path)?.type == .regular {
                try target.root.open(path, [.readOnly, .nonBlocking]).sync(path)
            }
        }
    }

    /// Notes what could not be done while the rest goes on.
    package func note(_ failure: TargetFailure) { failures.note(failure) }

    // MARK: Names of varve's own

    /// A name for what is on its way out; found after an interruption, it is set aside.
    package func leaving() -> [UInt8] {
        PathBytes.join(TargetPlaces.staging, host.uniqueName("x-"))
    }

    /// A name for what is made apart; found after an interruption, it is removed.
    package func temporary() -> [UInt8] {
        PathBytes.join(TargetPlaces.staging, host.uniqueName("o-"))
    }

    /// Makes the directory of varve's own files at the top, and locks it.
    ///
    /// The lock ends with the descriptor. Throws `RemoteFailure` of the kind `held` when another
    /// process has it, and `PlatformError`.
    package func takeLock() throws -> Descriptor {
        for path in [TargetPlaces.directory, TargetPlaces.staging, TargetPlaces.setAside]
        where try target.status(path) == nil {
            try target.makeDirectory(path)
            try target.openParent(path).sync(path)
        }
        let path = TargetPlaces.lock
        let file = try target.root.open(path, [.readWrite, .create], mode: 0o600)
        guard try file.lock(path) else {
            throw RemoteFailure(.held, "another varve is writing to this directory")
        }
        return file
    }

    // MARK: Renaming

    /// Renames; unless `replacing`, fails with `fileExists` where `destination` is there.
    package func rename(
        _ path: [UInt8], to destination: [UInt8], replacing: Bool
    ) throws(PlatformError) {
        let from = try target.openForChange(PathBytes.parent(path))
        let to = try target.openForChange(PathBytes.parent(destination))
        let (name, newName) = (Array(PathBytes.name(path)), Array(PathBytes.name(destination)))
        guard !replacing else {
            return try FileOperations.rename(
                name, to: newName, at: from.raw, toDirectory: to.raw)
        }
        try FileOperations.renameWithoutReplacing(
            name, to: newName, at: from.raw, toDirectory: to.raw)
    }

    /// Swaps what two names stand for, so that `path` is at no moment without a file.
    ///
    /// File systems that cannot do it in one call get a second name for the old file first, and
    /// those without hard links, and directories, a moment without any. What another process
    /// renames to `path` within these calls is lost.
    package func exchange(
        _ staged: [UInt8], with path: [UInt8]
    ) throws(PlatformError) {
        let from = try target.openForChange(PathBytes.parent(staged))
        let to = try target.openForChange(PathBytes.parent(path))
        let (stagedName, name) = (Array(PathBytes.name(staged)), Array(PathBytes.name(path)))
        if try FileOperations.exchange(
            stagedName, with: name, at: from.raw, toDirectory: to.raw)
        {
            return
        }
        // Removed by the next run after an interruption: the file still has its name.
        let second = Array(PathBytes.name(temporary()))
        do throws(PlatformError) {
            try FileOperations.link(name, to: second, at: to.raw, toDirectory: from.raw)
        } catch {
            guard !error.isNotFound else { throw error }
            return try exchangeApart(staged, with: path)
        }
        do throws(PlatformError) {
            try FileOperations.rename(stagedName, to: name, at: from.raw, toDirectory: to.raw)
        } catch {
            try? FileOperations.remove(second, at: from.raw)
            throw error
        }
        try FileOperations.rename(second, to: stagedName, at: from.raw)
    }

    private func exchangeApart(
        _ staged: [UInt8], with path: [UInt8]
    ) throws(PlatformError) {
        let away = leaving()
        try rename(path, to: away, replacing: false)
        do throws(PlatformError) {
            try rename(staged, to: path, replacing: false)
        } catch {
            try rename(away, to: path, replacing: false)
            throw error
        }
        try rename(away, to: staged, replacing: false)
    }

    /// Moves what others made to a place where nothing is lost.
    package func setAside(_ path: [UInt8], named name: [UInt8]) throws(PlatformError) {
        let flat = name.map { $0 == PathBytes.separator ? UInt8(ascii: "+") : $0 }
        let unique = host.uniqueName("-").prefix(9)
        let place = PathBytes.join(TargetPlaces.setAside, Array(flat.suffix(200)) + unique)
        try rename(path, to: place, replacing: false)
    }
}
