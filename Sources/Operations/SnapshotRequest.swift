package import Capturing
package import Platform
internal import Remote
internal import Repository

/// Takes a snapshot of directories or files into a repository.
package struct SnapshotRequest {
    /// Paths as they were named.
    package var sources: [[UInt8]]
    /// Where the snapshot goes.
    package var repository: RepositoryAccess
    /// A repository in a source is left out besides.
    package var options: CaptureOptions

    /// A snapshot of everything that the options leave.
    package init(_ sources: [[UInt8]], into repository: RepositoryAccess, _ options: CaptureOptions)
    {
        self.sources = sources
        self.repository = repository
        self.options = options
    }

    /// Throws a `CaptureError`, or what opening the repository throws.
    package func run(_ progress: WorkProgress, _ note: NoteTaker) throws -> CaptureResult {
        let place =
            options.isDryRun ? try repository.place() : try repository.writablePlace()
        let selection = try SourceSelection(sources, repository)
        if let inside = selection.repositoryInside { try note(.repositoryLeftOut(inside)) }
        return try Capture.run(
            selection.sources, into: place.repository, selection.options(options), progress)
    }
}
