package import Remote
package import Repository
package import Snapshots

/// Something worth a word while an operation goes on.
package enum OperationNote {
    /// A snapshot that cannot be read, and so was not considered.
    case unreadable(RepositoryError)
    /// The repository lies in a source, at this path below it, and was left out of the snapshot.
    case repositoryLeftOut([UInt8])
    /// No snapshot is what was chosen to be brought.
    case nothingChosen
    /// A restored table that the snapshot does not have as a whole version.
    case notPinned(CapturedTable)
    /// A stream was applied.
    case received(ReceiveSummary)
    /// A file of a directory was left out.
    case streamLeftOut([UInt8], StreamObstacle)
}

/// Why a file of a directory of streams is not applied.
package enum StreamObstacle {
    /// It is none, or its head cannot be read: why, in words.
    case unusable(String)
    /// It is damaged; snapshots before the damage were received.
    case damaged(any Error)
    /// It needs snapshots that are not there.
    case lacks([SnapshotID])
}

/// Takes notes as they come.
///
/// What it throws ends the operation.
package typealias NoteTaker = (OperationNote) throws -> Void
