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
        do throws(RepositoryError) {
            var diff = ManifestDiff(base, root, nodes)
            while let change = try diff.next() {
                guard let entry = change.after, case .file(_, let content) = entry.payload else {
                    continue
                }
                guard let id = try firstMissing(content, repository, nodes) else { continue }
                let path = PathBytes.printable(entry.path)
                return "'\(path)' needs the chunk \(id.fingerprint.hex)"
            }
            return nil
        } catch {
            guard error.isDamage else { throw error }
            return "\(error)"
        }
    }

    private static func firstMissing(
        _ content: Content, _ repository: Repository, _ nodes: NodeSource
    ) throws(RepositoryError) -> ChunkID? {
        var missing: ChunkID?
        try nodes.forEachPiece(content) { piece throws(RepositoryError) in
            guard missing == nil, case .chunk(let id, let size) = piece else { return }
            if try !repository.contains(id, size: size) { missing = id }
        }
        return missing
    }
}
