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
        var diff = ManifestDiff(before.root, after.root, NodeSource(repository))
        while let change = try diff.next() {
            if PathBytes.isInside(change.path, path) { try body(change) }
        }
    }
}
