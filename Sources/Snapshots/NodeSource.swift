internal import Bytes
internal import Hashing
package import Repository

/// A node of a tree, decoded and checked.
package enum TreeNode {
    case inner([InnerItem])
    case entries([ManifestEntry])
    case pieces([ContentPiece])
}

/// Reads tree nodes from a repository, each checked against its id and its place in the tree.
package final class NodeSource {
    private let reader: BlobReader
    private let checkingSHA256: Bool
    /// Nodes read so far: what a diff or restore cost.
    package private(set) var nodesRead = 0

    package init(_ repository: Repository, checkingSHA256: Bool = true) {
        reader = BlobReader(repository)
        self.checkingSHA256 = checkingSHA256
    }

    /// The blob reader, for content that belongs to what was read.
    package var blobs: BlobReader { reader }

    package func node(_ root: TreeRoot, _ kind: TreeKind) throws(RepositoryError) -> TreeNode {
        nodesRead += 1
        let bytes = try reader.read(.node(root.id), checkingSHA256: checkingSHA256)
        do throws(MalformedBytes) {
            return try Self.decode(bytes, root, kind)
        } catch {
            throw RepositoryError(
                .damaged("\(error)"), "node \(root.id.fingerprint.hex)")
        }
    }

    private static func decode(
        _ bytes: [UInt8], _ root: TreeRoot, _ kind: TreeKind
    )
        throws(MalformedBytes) -> TreeNode
    {
        var reader = ByteReader(bytes)
        guard bytes.count <= TreeLimits.decodedSize else { throw reader.invalid("a smaller node") }
        let nodeKind = try reader.u8("the kind of a node")
        guard nodeKind == (root.level == 0 ? kind.leafKind : kind.innerKind) else {
            throw reader.invalid("a node of the kind that its parent names")
        }
        guard try reader.u8("a format version") == 1 else {
            throw reader.invalid("a node of format version 1")
        }
        guard Int(try reader.u8("a level")) == root.level else {
            throw reader.invalid("the level that the parent names")
        }
        let count = try reader.count(limit: TreeLimits.itemsPerNode, "a number of items")
        let node = try decodeItems(count, root, kind, &reader)
        try reader.finish()
        return node
    }

    private static func decodeItems(
        _ count: Int, _ root: TreeRoot, _ kind: TreeKind, _ reader: inout ByteReader
    ) throws(MalformedBytes) -> TreeNode {
        switch (root.level, kind) {
        case (0, .manifest): .entries(try decodeEntries(count, root, &reader))
        case (0, .content): .pieces(try decodePieces(count, root, &reader))
        default: .inner(try decodeInner(count, root, kind, &reader))
        }
    }

    private static func decodeEntries(
        _ count: Int, _ root: TreeRoot, _ reader: inout ByteReader
    )
        throws(MalformedBytes) -> [ManifestEntry]
    {
        var entries: [ManifestEntry] = []
        entries.reserveCapacity(count)
        var previous: [UInt8] = []
        var byteCount: UInt64 = 0
        for index in 0..<count {
            let entry = try ManifestCoding.decodeEntry(after: previous, from: &reader)
            guard index == 0 || PathBytes.isBefore(previous, entry.path) else {
                throw reader.invalid("paths in order, each once")
            }
            byteCount = byteCount.addingClamped(entry.size)
            previous = entry.path
            entries.append(entry)
        }
        try checkTotals(UInt64(count), byteCount, root, reader)
        return entries
    }

    private static func decodePieces(
        _ count: Int, _ root: TreeRoot, _ reader: inout ByteReader
    )
        throws(MalformedBytes) -> [ContentPiece]
    {
        var pieces: [ContentPiece] = []
        pieces.reserveCapacity(count)
        var byteCount: UInt64 = 0
        for _ in 0..<count {
            let piece = try ManifestCoding.decodePiece(&reader)
            byteCount = byteCount.addingClamped(piece.size)
            pieces.append(piece)
        }
        try checkTotals(UInt64(count), byteCount, root, reader)
        return pieces
    }

    private static func decodeInner(
        _ count: Int, _ root: TreeRoot, _ kind: TreeKind, _ reader: inout ByteReader
    ) throws(MalformedBytes) -> [InnerItem] {
        var items: [InnerItem] = []
        items.reserveCapacity(count)
        var previous: [UInt8] = []
        var (itemCount, byteCount): (UInt64, UInt64) = (0, 0)
        for index in 0..<count {
            let item = try InnerItem(decoding: &reader, after: previous, level: root.level - 1)
            guard kind == .content || index == 0 || PathBytes.isBefore(previous, item.key) else {
                throw reader.invalid("keys in order, each once")
            }
            itemCount = itemCount.addingClamped(item.root.itemCount)
            byteCount = byteCount.addingClamped(item.root.byteCount)
            previous = item.key
            items.append(item)
        }
        guard count > 0 else { throw reader.invalid("a child") }
        try checkTotals(itemCount, byteCount, root, reader)
        return items
    }

    private static func checkTotals(
        _ itemCount: UInt64, _ byteCount: UInt64, _ root: TreeRoot, _ reader: ByteReader
    ) throws(MalformedBytes) {
        guard itemCount == root.itemCount, byteCount == root.byteCount else {
            throw reader.invalid("the totals that the parent names")
        }
    }
}
