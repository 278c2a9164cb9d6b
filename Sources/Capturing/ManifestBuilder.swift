internal import Compression
internal import Hashing
internal import Repository
internal import Snapshots

/// Writes the manifest of a capture, in which nodes of the parent's stay whole where they can.
struct ManifestBuilder {
    private let writer: RepositoryWriter
    private let encoder: BlobEncoder
    /// Reads nodes of the parent that do not stay whole.
    private let nodes: NodeSource
    private var tree: TreeWriter<RepositoryError>
    /// Unchanged entries from the start of a leaf of the parent: its entries up to an index.
    private var kept: (leaf: ManifestCursor.LeafPosition, count: Int)?

    init(_ writer: RepositoryWriter, _ level: CompressionLevel, _ nodes: NodeSource) {
        let encoder = BlobEncoder(level)
        self.writer = writer
        self.encoder = encoder
        self.nodes = nodes
        tree = TreeWriter(.manifest) { id, bytes throws(RepositoryError) in
            try writer.put(.node(id), bytes.span, encoder)
        }
    }

    func content(_ pieces: [ContentPiece]) throws(RepositoryError) -> Content {
        let (writer, encoder) = (self.writer, self.encoder)
        return try ContentWriter.content(pieces) { id, bytes throws(RepositoryError) in
            try writer.put(.node(id), bytes.span, encoder)
        }
    }

    mutating func write(_ entry: ManifestEntry) throws(RepositoryError) {
        try writeKept()
        try tree.append(
            key: entry.path, hash: TreeBoundary.hash(key: entry.path), byteCount: entry.size
        ) { writer, previous in
            ManifestCoding.encode(entry, after: previous, into: &writer)
        }
    }

    /// Holds an unchanged entry back while its whole leaf may be unchanged: the parent's node then
    /// serves again, and is neither encoded nor hashed.
    mutating func keep(
        _ entry: ManifestEntry, _ position: ManifestCursor.LeafPosition?
    ) throws(RepositoryError) {
        guard let position, continuesLeaf(position) else { return try write(entry) }
        let count = position.index + 1
        kept = (position, count)
        guard count == position.entries.count else { return }
        let hash = TreeBoundary.hash(key: entry.path)
        if try tree.append(leaf: position.leaf, lastKey: entry.path, hash: hash) {
            kept = nil
        } else {
            try writeKept()
        }
    }

    /// Whether all entries of the leaf before this one are held back, and nothing else.
    private func continuesLeaf(_ position: ManifestCursor.LeafPosition) -> Bool {
        guard let kept else { return position.index == 0 && tree.isAtLeafStart }
        return kept.count == position.index && kept.leaf.leaf == position.leaf
    }

    /// Writes entries one by one that were held back for a leaf that did not stay whole.
    private mutating func writeKept() throws(RepositoryError) {
        guard let (position, count) = kept else { return }
        kept = nil
        for entry in position.entries[..<count] { try write(entry) }
    }

    /// Writes a part of the parent's manifest: where nodes begin as they did there, whole nodes.
    mutating func write(range pieces: [ParentComparison.Piece]) throws(RepositoryError) {
        for piece in pieces {
            switch piece {
            case .entry(let entry, let position): try keep(entry, position)
            case .subtree(let root, let lastKey): try write(subtree: root, lastKey: lastKey)
            }
        }
    }

    private mutating func write(
        subtree root: TreeRoot, lastKey: [UInt8]
    ) throws(RepositoryError) {
        try writeKept()
        if tree.isAtStart(upTo: root.level) {
            return try tree.append(subtree: root, lastKey: lastKey)
        }
        switch try nodes.node(root, .manifest) {
        case .inner(let items):
            for item in items { try write(subtree: item.root, lastKey: item.key) }
        case .entries(let entries): for entry in entries { try write(entry) }
        case .pieces: throw RepositoryError(.damaged("a content node in a manifest"), "manifest")
        }
    }

    mutating func finish() throws(RepositoryError) -> TreeRoot {
        try writeKept()
        return try tree.finish()
    }
}
