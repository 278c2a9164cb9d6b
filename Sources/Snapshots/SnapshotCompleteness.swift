internal import Bytes
internal import Hashing
package import Repository

/// Whether a repository has all that a snapshot needs.
package enum SnapshotCompleteness {
    /// What the first path lacks that cannot be restored, as text; nil when nothing is missing.
    ///
    /// `base` is the root of a snapshot that is whole: what both share is not looked at again.
    /// Nodes are read and checked against their ids; chunks must be in the index, with the size
    /// that their file says.
    package static func firstMissing(
        _ root: TreeRoot, given base: TreeRoot?, _ repository: Repository, _ nodes: NodeSource
    ) throws(RepositoryError) -> String? {
        var missing: String?
        do throws(RepositoryError) {
            try ManifestDiff.forEachChange(base, root, nodes) { change throws(RepositoryError) in
                guard missing == nil, let entry = change.after,
                    case .file(_, let content) = entry.payload
                else { return }
                try nodes.forEachPiece(content) { piece throws(RepositoryError) in
                    guard case .chunk(let id, let size) = piece, missing == nil else { return }
                    let places = try repository.index.findPresent(.chunk(id))
                    if !places.contains(where: { UInt64($0.plainSize) == size }) {
                        let path = PathBytes.printable(entry.path)
                        missing = "'\(path)' needs the chunk \(id.fingerprint.hex)"
                    }
                }
            }
        } catch {
            guard error.isDamage else { throw error }
            return "\(error)"
        }
        return missing
    }
}
