package import Snapshots
package import Trees
internal import Bytes
package import Platform
package import Repository
internal import SystemPackage

/// What happens to files that are already in the target.
package enum OverwritePolicy: String, CaseIterable, Sendable {
    /// Content is compared by hash; regions that differ are rewritten in place.
    case always
    /// Files of equal size and modification time are taken to be equal.
    case ifChanged = "if-changed"
    /// Files that exist are left alone.
    case never
}

/// What a restore is asked for.
package struct RestoreOptions: Sendable {
    /// A directory or file in the snapshot; empty for everything.
    package var path: [UInt8] = []
    /// Restores only what matches, or lies below what matches; nil for everything.
    package var include: ExcludePatterns?
    package var exclude: ExcludePatterns?
    package var overwrite: OverwritePolicy = .always
    /// Removes from the target what the snapshot does not have.
    package var deletes = false
    package var isDryRun = false
    /// Reads back what was written and compares it.
    package var verifies = false
    package var attributes = AttributePolicy()
    package var restoresDevices = false
    /// Waits until everything is on the disk.
    package var syncs = false
    package var bytesPerSecond: UInt64?

    package init() {}
}

/// What a restore did, or on a dry run would do.
package struct RestoreResult: Sendable {
    package struct Failure: Sendable {
        package var path: [UInt8]
        package var reason: String
    }

    package var filesWritten: UInt64 = 0
    /// Files whose content was right already.
    package var filesUnchanged: UInt64 = 0
    package var filesSkipped: UInt64 = 0
    /// Directories, symlinks and special files that were made.
    package var othersWritten: UInt64 = 0
    package var deleted: UInt64 = 0
    package var bytesWritten: UInt64 = 0
    /// Bytes of existing files that were right already.
    package var bytesKept: UInt64 = 0
    package var failures: [Failure] = []
    /// Filled by a dry run, in path order.
    package var actions: [(action: String, path: [UInt8])] = []
    package var notes: [String] = []
}

/// Why a restore stopped.
package enum RestoreError: Error {
    case target(PlatformError)
    case repository(RepositoryError)
    case interrupted(Interrupted)
    /// The snapshot has nothing of that name.
    case noSuchPath([UInt8])
}

/// Brings a snapshot, or a part of it, back into a directory.
package enum Restore {
    /// Makes `target`, which is created if need be, hold what the snapshot does.
    ///
    /// A directory named by `options.path` becomes the target; a file goes into it. Paths that fail
    /// are told in the result, everything else is restored. Nothing outside the target is touched,
    /// whatever symlinks the target or the snapshot has. Can be run again after an interruption.
    package static func run(
        _ record: SnapshotRecord, from repository: Repository, to target: [UInt8],
        _ options: RestoreOptions, _ progress: WorkProgress
    ) throws(RestoreError) -> RestoreResult {
        do {
            try checkPath(options.path, record, repository)
            if !options.isDryRun { try makeDirectories(target) }
            return try RestoreRun(record, repository, target, options, progress).run()
        } catch let error as RestoreError {
            throw error
        } catch let error as PlatformError {
            throw .target(error)
        } catch let error as RepositoryError {
            throw .repository(error)
        } catch let error as Interrupted {
            throw .interrupted(error)
        } catch {
            throw .repository(RepositoryError(.damaged("\(error)"), "restore"))
        }
    }

    /// Refuses a path that the snapshot does not have, before anything is made.
    private static func checkPath(
        _ path: [UInt8], _ record: SnapshotRecord, _ repository: Repository
    ) throws {
        guard !path.isEmpty else { return }
        var cursor = ManifestCursor(record.root, NodeSource(repository))
        try cursor.seek(to: path)
        guard try cursor.peek()?.path == path else { throw RestoreError.noSuchPath(path) }
    }

    static func makeDirectories(_ path: [UInt8]) throws(PlatformError) {
        do throws(PlatformError) {
            try FileOperations.makeDirectory(path, mode: 0o700)
        } catch {
            switch error.errno {
            case .fileExists: return
            case .noSuchFileOrDirectory where !PathBytes.parent(path).isEmpty:
                try makeDirectories(PathBytes.parent(path))
                try makeDirectories(path)
            default: throw error
            }
        }
    }
}
