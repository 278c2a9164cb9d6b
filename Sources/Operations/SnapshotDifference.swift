internal import Bytes
package import Repository
package import Snapshots

/// The differences between two snapshots, or between parts of them.
package enum SnapshotDifference {
    /// Calls `body` with each difference at or below `path`, in path order.
    package static func forEachChange(
        _ before: SnapshotRecord,
        _ after: SnapshotRecord,
        below path: [UInt8],
        _ repository: Repository,
        _ body: (ManifestChange) throws -> Void
    ) throws {
        if !path.isEmpty,
            try ![before, after].contains(where: { record in
                try SnapshotListing(record, repository).entry(path) != nil
            })
        {
            throw PathError(kind: .missing, path: path)
        }
        // The walk throws errors of the repository only: another one travels round it.
        var stopped: (any Error)?
        do {
            try ManifestDiff.forEachChange(before.root, after.root, NodeSource(repository)) {
                change throws(RepositoryError) in
                guard PathBytes.isInside(change.path, path) else { return }
                do {
                    try body(change)
                } catch {
                    stopped = error
                    throw RepositoryError(.missing, "reader of the differences")
                }
            }
        } catch {
            throw stopped ?? error
        }
    }
}
