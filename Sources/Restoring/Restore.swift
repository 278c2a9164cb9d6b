internal import Bytes
package import Platform
package import Repository
package import Snapshots
internal import SystemPackage
package import Trees

/// What happens to files that are already in the target.
package enum OverwritePolicy: String, CaseIterable, Sendable {
    /// Content is compared by hash; regions that differ are rewritten.
    case always
    /// Files of equal size and modification time are taken to be equal.
    case ifChanged = "if-changed"
    /// Whatever is there is left alone.
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
    /// A directory named by `options.path` becomes the target. A file goes into the target if that
    /// is a directory, or ends in a slash; else the target becomes the file. Paths that fail are in
    /// the result, everything else is restored. Nothing outside the target is touched, whatever
    /// symlinks the target or the snapshot has. Can be run again after an interruption.
    package static func run(
        _ record: SnapshotRecord, from repository: Repository, to target: [UInt8],
        _ options: RestoreOptions, _ progress: WorkProgress, host: Host = .system
    ) throws(RestoreError) -> RestoreResult {
        do throws(RestoreFault) {
            let place = try place(target, options.path, record, repository)
            if !options.isDryRun {
                try onTarget { () throws(PlatformError) in try makeDirectories(place.directory) }
            }
            let plan = RestorePlan(record, options, place)
            let execution = try RestoreExecution(
                plan, repository, place.directory, progress, host)
            return try RestoreRun(plan, execution, NodeSource(repository), progress).run()
        } catch {
            throw RestoreError(error, options.path)
        }
    }

    /// Finds where to restore to; refuses a path that the snapshot does not have, before anything
    /// is made.
    private static func place(
        _ target: [UInt8], _ path: [UInt8], _ record: SnapshotRecord, _ repository: Repository
    ) throws(RestoreFault) -> RestorePlace {
        guard !path.isEmpty else { return RestorePlace(directory: target, base: []) }
        let entry = try inRepository { () throws(RepositoryError) in
            var cursor = ManifestCursor(record.root, NodeSource(repository))
            try cursor.seek(to: path)
            return try cursor.peek()
        }
        guard let entry, entry.path == path else { throw .noSuchPath }
        if entry.isDirectory { return RestorePlace(directory: target, base: path) }
        let base = PathBytes.parent(path)
        let name = Array(PathBytes.name(target))
        if isDirectory(target) || RelativePath.root.appending(name) == nil {
            return RestorePlace(directory: target, base: base)
        }
        let parent = PathBytes.parent(target)
        let isAtTop = parent.isEmpty && target.first == PathBytes.separator
        let directory = isAtTop ? [PathBytes.separator] : parent.isEmpty ? [0x2e] : parent
        return RestorePlace(directory: directory, base: base, fileName: name)
    }

    private static func isDirectory(_ path: [UInt8]) -> Bool {
        (try? FileStatus.following(path))?.type == .directory
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

extension RestoreError {
    fileprivate init(_ fault: RestoreFault, _ path: [UInt8]) {
        switch fault {
        case .system(let error): self = .target(error)
        case .repository(let error): self = .repository(error)
        case .interrupted(let error): self = .interrupted(error)
        case .noSuchPath: self = .noSuchPath(path)
        case .differs, .otherName, .inTheWay:
            preconditionFailure("faults of single paths do not end a restore")
        }
    }
}
