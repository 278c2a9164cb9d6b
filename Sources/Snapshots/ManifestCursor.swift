package import Bytes
package import Hashing
package import Repository

/// Visits the entries of a manifest in path order, reading nodes as it comes to them.
///
/// What it returns satisfies: paths rise strictly, and the directory of each path came before it.
/// A manifest that breaks this is damaged, and refused.
package struct ManifestCursor {
    /// What comes next: a whole subtree not yet read, or an entry.
    enum Head {
        case subtree(TreeRoot, lastKey: [UInt8]?)
        case entry(ManifestEntry)
    }

    private enum Frame {
        case children([InnerItem], next: Int)
        case entries([ManifestEntry], next: Int)
    }

    private let nodes: NodeSource
    private var frames: [Frame] = []
    private var root: TreeRoot?
    private var previousPath: [UInt8]?
    /// Directories that contain the previous path.
    private var openDirectories: [[UInt8]] = []
    /// False after subtrees were skipped: then the directory of an entry may not have been seen.
    private var sawEverything = true

    package init(_ root: TreeRoot, _ nodes: NodeSource) {
        self.nodes = nodes
        self.root = root
    }

    /// The next entry, without moving past it.
    package mutating func peek() throws(RepositoryError) -> ManifestEntry? {
        while let head = try head() {
            switch head {
            case .entry(let entry): return entry
            case .subtree: try expand()
            }
        }
        return nil
    }

    package mutating func next() throws(RepositoryError) -> ManifestEntry? {
        guard let entry = try peek() else { return nil }
        try check(entry)
        advance()
        return entry
    }

    /// Moves to the first entry that is not before `path`, reading only nodes on the way there.
    package mutating func seek(to path: [UInt8]) throws(RepositoryError) {
        while let head = try head() {
            switch head {
            case .subtree(_, let lastKey):
                if let lastKey, PathBytes.isBefore(lastKey, path) { skip() } else { try expand() }
            case .entry(let entry):
                guard PathBytes.isBefore(entry.path, path) else { return }
                skip()
            }
        }
    }

    /// What comes next, whole subtrees unread.
    mutating func head() throws(RepositoryError) -> Head? {
        if let root { return .subtree(root, lastKey: nil) }
        while let frame = frames.last {
            switch frame {
            case .children(let items, let next) where next < items.count:
                return .subtree(items[next].root, lastKey: items[next].key)
            case .entries(let entries, let next) where next < entries.count:
                return .entry(entries[next])
            default: frames.removeLast()
            }
        }
        return nil
    }

    /// Moves past what comes next, unread.
    mutating func skip() {
        sawEverything = false
        advance()
    }

    private mutating func advance() {
        if root != nil {
            root = nil
            return
        }
        guard let frame = frames.popLast() else { return }
        switch frame {
        case .children(let items, let next): frames.append(.children(items, next: next + 1))
        case .entries(let entries, let next): frames.append(.entries(entries, next: next + 1))
        }
    }

    /// Reads the subtree that comes next.
    mutating func expand() throws(RepositoryError) {
        guard case .subtree(let root, let lastKey)? = try head() else { return }
        advance()
        switch try nodes.node(root, .manifest) {
        case .inner(let items):
            try checkLastKey(items.last?.key, lastKey, root)
            frames.append(.children(items, next: 0))
        case .entries(let entries):
            try checkLastKey(entries.last?.path, lastKey, root)
            frames.append(.entries(entries, next: 0))
        case .pieces: throw Self.damage("a content node in a manifest")
        }
    }

    private func checkLastKey(_ found: [UInt8]?, _ wanted: [UInt8]?, _ root: TreeRoot)
        throws(RepositoryError)
    {
        guard let wanted, found != wanted else { return }
        throw RepositoryError(
            .damaged("its last key is not the one its parent names"),
            "node \(root.id.fingerprint.hex)")
    }

    private mutating func check(_ entry: ManifestEntry) throws(RepositoryError) {
        if let previousPath, !PathBytes.isBefore(previousPath, entry.path) {
            throw Self.damage("'\(PathBytes.printable(entry.path))' is out of order")
        }
        previousPath = entry.path
        let parent = PathBytes.parent(entry.path)
        while let last = openDirectories.last, !PathBytes.isInside(parent, last) {
            openDirectories.removeLast()
        }
        if sawEverything, !parent.isEmpty, openDirectories.last != parent {
            throw Self.damage("'\(PathBytes.printable(entry.path))' lies in no directory")
        }
        if entry.isDirectory { openDirectories.append(entry.path) }
    }

    private static func damage(_ why: String) -> RepositoryError {
        RepositoryError(.damaged(why), "manifest")
    }
}
