internal import Bytes
internal import Hashing
package import Repository

/// Visits the entries of a manifest in path order, reading nodes as it comes to them.
///
/// What it returns satisfies: paths rise strictly, and the directory of each path came before it.
/// A manifest that breaks this is damaged, and refused.
package struct ManifestCursor {
    /// What comes next: a whole subtree not yet read, or an entry.
    package enum Head {
        case subtree(TreeRoot, lastKey: [UInt8]?)
        case entry(ManifestEntry)
    }

    /// The children of an inner node, from the next one on.
    private struct Frame {
        var items: [InnerItem]
        var next = 0
    }

    private let nodes: NodeSource
    private var root: TreeRoot?
    private var frames: [Frame] = []
    /// The entries of the current leaf.
    private var leaf: [ManifestEntry] = []
    private var leafIndex = 0
    private var leafRoot: TreeRoot?
    private var previousPath: [UInt8]?
    /// Directories that contain the previous path.
    private var openDirectories: [[UInt8]] = []
    /// False after subtrees were skipped: then the directory of an entry may not have been seen.
    private var sawEverything = true

    /// Visits what is below `root`; nothing when there is none.
    package init(_ root: TreeRoot?, _ nodes: NodeSource) {
        self.nodes = nodes
        self.root = root
    }

    /// The next entry, without moving past it.
    package mutating func peek() throws(RepositoryError) -> ManifestEntry? {
        try readLeaf() ? leaf[leafIndex] : nil
    }

    package mutating func next() throws(RepositoryError) -> ManifestEntry? {
        guard try readLeaf() else { return nil }
        try check(leaf[leafIndex])
        leafIndex += 1
        return leaf[leafIndex - 1]
    }

    /// Where in its leaf an entry stands.
    package struct LeafPosition {
        package var leaf: TreeRoot
        package var index: Int
        /// All entries of the leaf.
        package var entries: [ManifestEntry]
    }

    /// Where the entry that `next` returned last stands.
    package var lastPosition: LeafPosition? {
        leafRoot.map { LeafPosition(leaf: $0, index: leafIndex - 1, entries: leaf) }
    }

    /// How the next entry's path compares with `path`.
    package enum Order { case before, equal, after, end }

    package mutating func order(of path: [UInt8]) throws(RepositoryError) -> Order {
        guard try readLeaf() else { return .end }
        if leaf[leafIndex].path == path { return .equal }
        return PathBytes.isBefore(leaf[leafIndex].path, path) ? .before : .after
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

    /// Reads nodes until an entry comes next; false at the end.
    private mutating func readLeaf() throws(RepositoryError) -> Bool {
        while leafIndex >= leaf.count {
            guard try head() != nil else { return false }
            try expand()
        }
        return true
    }

    /// What comes next, whole subtrees unread.
    package mutating func head() throws(RepositoryError) -> Head? {
        if leafIndex < leaf.count { return .entry(leaf[leafIndex]) }
        if let root { return .subtree(root, lastKey: nil) }
        while let frame = frames.last {
            if frame.next < frame.items.count {
                let item = frame.items[frame.next]
                return .subtree(item.root, lastKey: item.key)
            }
            frames.removeLast()
        }
        return nil
    }

    /// Whether anything follows the subtree that comes next.
    package var hasMoreAfterHead: Bool {
        guard let top = frames.last else { return false }
        return top.next + 1 < top.items.count
            || frames.dropLast().contains { $0.next < $0.items.count }
    }

    /// Moves past what comes next, unread.
    package mutating func skip() {
        sawEverything = false
        if leafIndex >= leaf.count, root == nil, let frame = frames.last,
            frame.next < frame.items.count
        {
            previousPath = frame.items[frame.next].key
        }
        advance()
    }

    /// Whether this one passed a path that lies behind all that the other passed.
    func isAhead(of other: Self) -> Bool {
        guard let path = previousPath else { return false }
        return other.previousPath.map { PathBytes.isBefore($0, path) } ?? true
    }

    private mutating func advance() {
        if leafIndex < leaf.count {
            leafIndex += 1
        } else if root != nil {
            root = nil
        } else if !frames.isEmpty {
            frames[frames.count - 1].next += 1
        }
    }

    /// Reads the subtree that comes next.
    package mutating func expand() throws(RepositoryError) {
        guard case .subtree(let root, let lastKey)? = try head() else { return }
        advance()
        switch try nodes.node(root, .manifest) {
        case .inner(let items):
            try checkLastKey(items.last?.key, lastKey, root)
            frames.append(Frame(items: items))
        case .entries(let entries):
            try checkLastKey(entries.last?.path, lastKey, root)
            leaf = entries
            leafIndex = 0
            leafRoot = root
        case .pieces: throw Self.damage("a content node in a manifest")
        }
    }

    private func checkLastKey(
        _ found: [UInt8]?, _ wanted: [UInt8]?, _ root: TreeRoot
    )
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
        let parent = entry.path[..<(entry.path.lastIndex(of: PathBytes.separator) ?? 0)]
        while let last = openDirectories.last, !PathBytes.isInside(parent, last) {
            openDirectories.removeLast()
        }
        let isInPlace = parent.isEmpty || openDirectories.last?.count == parent.count
        if sawEverything, !isInPlace {
            throw Self.damage("'\(PathBytes.printable(entry.path))' lies in no directory")
        }
        if entry.isDirectory { openDirectories.append(entry.path) }
    }

    private static func damage(_ why: String) -> RepositoryError {
        RepositoryError(.damaged(why), "manifest")
    }
}
