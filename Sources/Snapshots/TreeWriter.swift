package import Bytes
package import Hashing

/// Builds a tree from items in order; the same items always give the same nodes.
///
/// `store` is called for each node, children before parents.
package struct TreeWriter<Failure: Error> {
    package typealias Store = (NodeID, [UInt8]) throws(Failure) -> Void

    private struct Level {
        var items = ByteWriter()
        var count = 0
        var lastKey: [UInt8] = []
        var lastHash: UInt64 = 0
        var itemCount: UInt64 = 0
        var byteCount: UInt64 = 0
        /// The only child so far, while there is just one; the top may turn out to be it.
        var onlyChild: TreeRoot?
        var hasFlushed = false
    }

    private let kind: TreeKind
    private let store: Store
    private var levels = [Level()]

    package init(_ kind: TreeKind, store: @escaping Store) {
        self.kind = kind
        self.store = store
    }

    /// Appends a leaf item; `encode` is given the key before it in the same node, or nothing.
    package mutating func append(
        key: [UInt8], hash: UInt64, byteCount: UInt64,
        encode: (inout ByteWriter, [UInt8]) -> Void
    ) throws(Failure) {
        encode(&levels[0].items, levels[0].lastKey)
        try didAppend(level: 0, key: key, hash: hash, itemCount: 1, byteCount: byteCount)
    }

    /// Whether a leaf begins with the next item.
    package var isAtLeafStart: Bool { levels[0].count == 0 }

    /// Appends a whole leaf that is stored already, in place of its items.
    ///
    /// Returns false, and does nothing, unless the leaf would have begun here and ended where it
    /// does whatever follows: then the tree is the same as if its items had been appended.
    package mutating func append(
        leaf root: TreeRoot, lastKey: [UInt8], hash: UInt64
    ) throws(Failure)
        -> Bool
    {
        guard root.level == 0, isAtLeafStart,
            TreeBoundary.isAfter(hash: hash, level: 0, kind)
        else { return false }
        levels[0].hasFlushed = true
        try append(child: root, key: lastKey, hash: hash)
        return true
    }

    /// Whether a node of each level up to `level` begins with the next item.
    package func isAtStart(upTo level: Int) -> Bool {
        levels.prefix(level + 1).allSatisfy { $0.count == 0 }
    }

    /// Appends a whole subtree that is stored already, in place of its items.
    ///
    /// In the tree that it comes from others must have followed it, and nodes of all its levels
    /// must begin here: then the tree is the same as if its items had been appended.
    package mutating func append(subtree root: TreeRoot, lastKey: [UInt8]) throws(Failure) {
        precondition(isAtStart(upTo: root.level))
        while levels.count <= root.level { levels.append(Level()) }
        for level in 0...root.level { levels[level].hasFlushed = true }
        try append(child: root, key: lastKey, hash: TreeBoundary.hash(key: lastKey))
    }

    private mutating func didAppend(
        level: Int, key: [UInt8], hash: UInt64, itemCount: UInt64, byteCount: UInt64
    ) throws(Failure) {
        levels[level].count += 1
        levels[level].lastKey = key
        levels[level].lastHash = hash
        levels[level].itemCount = levels[level].itemCount.addingClamped(itemCount)
        levels[level].byteCount = levels[level].byteCount.addingClamped(byteCount)
        let isFull =
            levels[level].count >= TreeLimits.itemsPerNode
            || levels[level].items.count >= TreeLimits.nodeSize
        // Two children at least, so that every level has fewer nodes than the one below it.
        let mayEnd = level == 0 || levels[level].count > 1
        if isFull || mayEnd && TreeBoundary.isAfter(hash: hash, level: level, kind) {
            try flush(level)
        }
    }

    private mutating func flush(_ level: Int) throws(Failure) {
        var writer = ByteWriter(capacity: levels[level].items.count + 8)
        writer.u8(level == 0 ? kind.leafKind : kind.innerKind)
        writer.u8(1)
        writer.u8(UInt8(clamping: level))
        writer.count(levels[level].count)
        writer.raw(levels[level].items.bytes)
        let id = NodeID(of: writer.bytes.span)
        try store(id, writer.bytes)
        let finished = levels[level]
        levels[level] = Level()
        levels[level].hasFlushed = true
        let root = TreeRoot(
            id: id, level: level, itemCount: finished.itemCount, byteCount: finished.byteCount)
        try append(child: root, key: finished.lastKey, hash: finished.lastHash)
    }

    private mutating func append(child root: TreeRoot, key: [UInt8], hash: UInt64) throws(Failure) {
        let level = root.level + 1
        if levels.count == level { levels.append(Level()) }
        let isFirst = levels[level].count == 0 && !levels[level].hasFlushed
        levels[level].onlyChild = isFirst ? root : nil
        let item = InnerItem(key: kind == .manifest ? key : [], root: root)
        item.encode(into: &levels[level].items, after: levels[level].lastKey)
        try didAppend(
            level: level, key: item.key, hash: hash, itemCount: root.itemCount,
            byteCount: root.byteCount)
    }

    /// Ends the tree; an empty one is a leaf without items.
    package mutating func finish() throws(Failure) -> TreeRoot {
        var level = 0
        while true {
            if level == levels.count - 1, let root = levels[level].onlyChild { return root }
            let isEmptyTree = level == 0 && !levels[0].hasFlushed
            if levels[level].count > 0 || isEmptyTree { try flush(level) }
            level += 1
        }
    }
}

extension UInt64 {
    /// The sum, or the largest number where it would be larger: totals of trees stay there.
    func addingClamped(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
