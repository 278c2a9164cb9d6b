internal import Bytes
package import Hashing
internal import Platform
package import Repository

/// Finds which paths of snapshots cannot be restored.
///
/// Trees that were found whole are not visited again: snapshots share most of them.
package final class ReferenceWalk {
    private let nodes: NodeSource
    private let damages: any DamageLedger
    private var wholeTrees: Set<TreeRoot> = []

    package typealias Finding = (problem: Int, path: [UInt8])

    package init(_ repository: Repository, _ damages: any DamageLedger) {
        nodes = NodeSource(repository, checkingSHA256: true)
        self.damages = damages
    }

    /// All paths below the root that cannot be restored, with why.
    package func check(_ root: TreeRoot) throws(RepositoryError) -> [Finding] {
        var findings: [Finding] = []
        var cursor = ManifestCursor(root, nodes)
        var visited: [TreeRoot] = []
        while let head = try cursor.head() {
            switch head {
            case .subtree(let subtree, let lastKey):
                if wholeTrees.contains(subtree) {
                    cursor.skip()
                } else if let number = try expand(subtree, &cursor) {
                    findings.append((number, Self.range(lastKey)))
                } else {
                    visited.append(subtree)
                }
            case .entry(let entry):
                try checkContent(entry, &findings)
                guard
                    let number = try noting({ () throws(RepositoryError) in _ = try cursor.next() })
                else { continue }
                // What breaks the order of entries is refused as a whole by whoever reads it.
                findings.append((number, Self.range(nil)))
                return findings
            }
        }
        if findings.isEmpty { wholeTrees.formUnion(visited) }
        return findings
    }

    /// Reads a subtree, or moves past it and returns the number of the damage.
    private func expand(
        _ subtree: TreeRoot, _ cursor: inout ManifestCursor
    ) throws(RepositoryError) -> Int? {
        if let number = try damages.number(of: .node(subtree.id), size: nil) {
            cursor.skip()
            return number
        }
        return try noting { () throws(RepositoryError) in try cursor.expand() }
    }

    /// Runs `body`; the number of the damage that it meets.
    private func noting(_ body: () throws(RepositoryError) -> Void) throws(RepositoryError) -> Int?
    {
        do throws(RepositoryError) {
            try body()
            return nil
        } catch {
            guard error.isDamage else { throw error }
            return damages.number(of: error)
        }
    }

    private static func range(_ lastKey: [UInt8]?) -> [UInt8] {
        guard let lastKey else { return Array("(all of it)".utf8) }
        return Array("(paths up to '".utf8) + lastKey + Array("')".utf8)
    }

    private func checkContent(
        _ entry: ManifestEntry, _ findings: inout [Finding]
    ) throws(RepositoryError) {
        guard case .file(_, let content) = entry.payload else { return }
        var number: Int?
        switch content {
        case .pieces(let pieces): number = try checkPieces(pieces)
        case .tree(let root): number = try checkTree(root)
        }
        if let number { findings.append((number, entry.path)) }
    }

    /// The number of the first damage in a content tree.
    private func checkTree(_ root: TreeRoot) throws(RepositoryError) -> Int? {
        if let number = try noting({ () throws(RepositoryError) in try nodes.checkPieceCount(root) }
        ) {
            return number
        }
        var pending = [root]
        while let next = pending.popLast() {
            if wholeTrees.contains(next) { continue }
            if let number = try damages.number(of: .node(next.id), size: nil) { return number }
            var found: Int?
            let unreadable = try noting { () throws(RepositoryError) in
                switch try nodes.node(next, .content) {
                case .inner(let items): pending += items.map(\.root)
                case .pieces(let pieces):
                    found = try checkPieces(pieces)
                    if found == nil { wholeTrees.insert(next) }
                case .entries:
                    throw RepositoryError(
                        .damaged("a manifest node in a content tree"),
                        "node \(next.id.fingerprint.hex)")
                }
            }
            if let number = found ?? unreadable { return number }
        }
        return nil
    }

    private func checkPieces(_ pieces: [ContentPiece]) throws(RepositoryError) -> Int? {
        for case .chunk(let id, let size) in pieces {
            if let number = try damages.number(of: .chunk(id), size: size) { return number }
        }
        return nil
    }
}

/// Numbers the damages that a check finds.
package protocol DamageLedger: AnyObject {
    /// The number of the damage that makes a blob unusable; nil for a good one. A chunk must have
    /// the size that its file says.
    func number(of id: BlobID, size: UInt64?) throws(RepositoryError) -> Int?

    /// The number of a damage that was met on the way.
    func number(of error: RepositoryError) -> Int
}
