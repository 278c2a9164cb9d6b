internal import Bytes
internal import Hashing
internal import Platform
internal import Repository

/// Finds which paths of snapshots cannot be restored.
///
/// Trees that were found whole are not visited again: snapshots share most of them.
final class ReferenceWalk {
    private let nodes: NodeSource
    private let problem: (BlobID) throws -> Int?
    private var wholeTrees: Set<NodeID> = []

    typealias Finding = (problem: Int, path: [UInt8])

    /// `problem` gives the number of the damage that makes a blob unusable.
    init(_ repository: Repository, problem: @escaping (BlobID) throws -> Int?) {
        nodes = NodeSource(repository, checkingSHA256: true)
        self.problem = problem
    }

    /// All paths below the root that cannot be restored, with why.
    func check(_ root: TreeRoot) throws -> [Finding] {
        var findings: [Finding] = []
        var cursor = ManifestCursor(root, nodes)
        var visited: [NodeID] = []
        while let head = try cursor.head() {
            switch head {
            case .subtree(let subtree, let lastKey):
                if wholeTrees.contains(subtree.id) {
                    cursor.skip()
                } else if let number = try problem(.node(subtree.id)) {
                    findings.append((number, Self.range(lastKey)))
                    cursor.skip()
                } else {
                    visited.append(subtree.id)
                    try cursor.expand()
                }
            case .entry(let entry):
                try checkContent(entry, &findings)
                _ = try cursor.next()
            }
        }
        if findings.isEmpty { wholeTrees.formUnion(visited) }
        return findings
    }

    private static func range(_ lastKey: [UInt8]?) -> [UInt8] {
        guard let lastKey else { return Array("(all of it)".utf8) }
        return Array("(paths up to '".utf8) + lastKey + Array("')".utf8)
    }

    private func checkContent(_ entry: ManifestEntry, _ findings: inout [Finding]) throws {
        guard case .file(_, let content) = entry.payload else { return }
        var pending: [TreeRoot] = []
        switch content {
        case .tree(let root): pending = [root]
        case .pieces(let pieces): try checkPieces(pieces, entry, &findings)
        }
        while let next = pending.popLast() {
            if wholeTrees.contains(next.id) { continue }
            if let number = try problem(.node(next.id)) {
                findings.append((number, entry.path))
                return
            }
            switch try nodes.node(next, .content) {
            case .inner(let items): pending += items.map(\.root)
            case .pieces(let pieces):
                let before = findings.count
                try checkPieces(pieces, entry, &findings)
                if findings.count == before { wholeTrees.insert(next.id) }
            case .entries:
                throw RepositoryError(.damaged("a manifest node in a content tree"), "manifest")
            }
        }
    }

    /// Tells of a file once, however many of its chunks are bad.
    private func checkPieces(
        _ pieces: [ContentPiece], _ entry: ManifestEntry, _ findings: inout [Finding]
    ) throws {
        for case .chunk(let id, _) in pieces {
            guard let number = try problem(.chunk(id)) else { continue }
            if findings.last?.path != entry.path { findings.append((number, entry.path)) }
        }
    }
}
