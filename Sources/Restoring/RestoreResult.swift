package import Platform
package import Repository
package import Snapshots
package import Trees

/// What a restore did, or on a dry run would do.
package struct RestoreResult: Sendable {
    /// Files of which anything was written.
    package var filesWritten: UInt64 = 0
    /// Files whose content was right already.
    package var filesUnchanged: UInt64 = 0
    package var filesSkipped: UInt64 = 0
    /// Directories, symlinks and special files that were made.
    package var othersWritten: UInt64 = 0
    /// Files, directories and others that went, whether to be deleted or to make room.
    package var deleted: UInt64 = 0
    /// Bytes of content that were written.
    package var bytesWritten: UInt64 = 0
    /// Bytes of existing files that were right already.
    package var bytesKept: UInt64 = 0
    /// Paths that are not what the snapshot has of them.
    package var failures: [RestoreFailure] = []
    /// Paths that are there with their content, and lack something else.
    package var shortfalls: [RestoreShortfall] = []
    /// What the snapshot itself lacks of the part that was asked for.
    package var missing: [CaptureProblem] = []
    /// Further problems of the snapshot, which it does not list.
    package var unlistedMissing: UInt64 = 0
    /// Filled by a dry run, in path order.
    package var actions: [(action: RestoreAction, path: [UInt8])] = []
    package var notes: [RestoreNote] = []

    /// Nothing was done yet.
    package init() {}

    /// Whether the target has everything that the source of the snapshot had.
    package var isComplete: Bool {
        failures.isEmpty && shortfalls.isEmpty && missing.isEmpty && unlistedMissing == 0
    }
}

/// A path that was not restored, and why.
package struct RestoreFailure: Sendable {
    package var path: [UInt8]
    package var fault: RestoreFault
}

/// Why a path was not restored.
package enum RestoreFault: Error, Sendable {
    case system(PlatformError)
    case repository(RepositoryError)
    case interrupted(Interrupted)
    /// The snapshot has nothing of the name that was asked for.
    case noSuchPath
    /// What was read back is not what the snapshot has.
    case differs
    /// The file whose further name it is was not restored.
    case otherName([UInt8])
    /// What is there stays where nothing is to be deleted.
    case inTheWay(Obstacle)

    /// What has the name of something that is to be restored.
    package enum Obstacle: Equatable, Sendable {
        /// A directory with something in it.
        case directory
        /// A file with content, where the snapshot has something else.
        case file
        /// Something is mounted at, or below, the name.
        case mount
        case socket
        /// Something below the name stays in any case.
        case kept
    }
}

/// Something besides content that a path in the target does not have as it should.
package struct RestoreShortfall: Equatable, Sendable {
    package enum Part: Equatable, Sendable {
        case metadata(UnsetMetadata)
        /// It is a file of its own: the target could not make it a name of this one.
        case link([UInt8])
    }

    package var path: [UInt8]
    package var part: Part
}

/// What a dry run would do with a path.
package enum RestoreAction: Sendable {
    case makeDirectory, make, write, update, link, replace, delete
}

/// Something worth telling that keeps nothing from being restored.
package enum RestoreNote: Equatable, Sendable {
    /// The snapshot holds more bytes than the target has free.
    case space(needed: UInt64, free: UInt64)
    /// Nothing is deleted: the snapshot does not list all that it could not read.
    case nothingDeleted
    /// Not deleted: the snapshot could not read it.
    case unreadKept([UInt8])
    /// Not deleted, whatever the snapshot has.
    case kept([UInt8], KeptReason)
    /// Nothing is deleted in a directory of which the snapshot left out the content as a cache.
    case cacheKept([UInt8])
    /// A device that was not asked for.
    case deviceLeftOut([UInt8])
}

// MARK: - Faults of steps

/// Runs a step on the target.
func onTarget<Value: ~Copyable>(
    _ body: () throws(PlatformError) -> Value
) throws(RestoreFault) -> Value {
    do throws(PlatformError) { return try body() } catch { throw .system(error) }
}

/// Runs a step that reads the repository.
func inRepository<Value>(
    _ body: () throws(RepositoryError) -> Value
) throws(RestoreFault) -> Value {
    do throws(RepositoryError) { return try body() } catch { throw .repository(error) }
}

/// Throws where the user wants the work to end.
func checkInterruption() throws(RestoreFault) {
    do throws(Interrupted) { try Interruption.check() } catch { throw .interrupted(error) }
}
