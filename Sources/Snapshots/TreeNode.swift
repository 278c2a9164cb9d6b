internal import Bytes
package import Hashing

// Manifests and long content lists are prolly trees: search trees whose node boundaries are decided
// by the hash of the key at the boundary, so that equal ranges of two snapshots are equal nodes.
//
// A node, version 1, before it is compressed:
//
//     offset  size
//          0     1  kind: 1 manifest leaf, 2 manifest inner, 3 content leaf, 4 content inner
//          1     1  format version, 1
//          2     1  level: 0 for leaves; a child's level is one less than its parent's
//          3     …  number of items (varint)
//          …     …  items
//
//     inner item     key: bytes shared with the key before (varint), rest (varint count, bytes);
//                    empty in content trees. It is the last key below the child.
//                    child's fingerprint (48), leaf items and bytes below it (varints)
//
// Boundaries: with h the low half of XXH3-128 of the key (of a chunk: of its id), a leaf ends after
// an item with h mod 128 = 0 (content: 64), a node of level n ≥ 1 after one with
// (h >> (7 + 6·(n-1))) mod 64 = 0; and where a node reaches its limit.

/// What a tree holds.
package enum TreeKind: Sendable {
    case manifest, content

    var leafKind: UInt8 { self == .manifest ? 1 : 3 }
    var innerKind: UInt8 { self == .manifest ? 2 : 4 }

    fileprivate var leafMask: UInt64 { self == .manifest ? 127 : 63 }
}

/// The top of a tree, and what is below it.
package struct TreeRoot: Hashable, Sendable {
    package var id: NodeID
    package var level: Int
    /// Items in all leaves.
    package var itemCount: UInt64
    /// Bytes of content in all items.
    package var byteCount: UInt64

    package init(id: NodeID, level: Int, itemCount: UInt64, byteCount: UInt64) {
        self.id = id
        self.level = level
        self.itemCount = itemCount
        self.byteCount = byteCount
    }
}

extension TreeRoot {
    func encode(into writer: inout ByteWriter) {
        writer.u8(UInt8(clamping: level))
        writer.fingerprint(id.fingerprint)
        writer.varint(itemCount)
        writer.varint(byteCount)
    }

    init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        let level = Int(try reader.u8())
        guard level <= TreeLimits.levels else { throw reader.invalid("a level of a tree") }
        let id = NodeID(try reader.fingerprint())
        let itemCount = try reader.varint()
        self.init(
            id: id, level: level, itemCount: itemCount, byteCount: try reader.varint())
    }
}

/// Limits that keep trees shallow and nodes small; a decoder refuses what exceeds them.
package enum TreeLimits {
    /// Enough for 128 · 64⁸ items.
    package static let levels = 9
    static let itemsPerNode = 1024
    /// A node ends once its items take this many bytes.
    static let nodeSize = 256 << 10
    /// Largest node: one item over the limit, an entry with all the attributes the kernel allows.
    package static let decodedSize = 4 << 20
}

/// Decides where nodes end.
package enum TreeBoundary {
    static func isAfter(hash: UInt64, level: Int, _ kind: TreeKind) -> Bool {
        if level == 0 { return hash & kind.leafMask == 0 }
        return (hash >> UInt64(7 + 6 * (level - 1))) & 63 == 0
    }

    package static func hash(key: [UInt8]) -> UInt64 { XXH3Digest(of: key.span).low }
}

/// One child in an inner node.
package struct InnerItem: Equatable, Sendable {
    /// The last key below the child; empty in content trees.
    package var key: [UInt8]
    package var root: TreeRoot

    func encode(into writer: inout ByteWriter, after previous: [UInt8]) {
        SharedPrefix.encode(key, after: previous, into: &writer)
        writer.fingerprint(root.id.fingerprint)
        writer.varint(root.itemCount)
        writer.varint(root.byteCount)
    }

    init(key: [UInt8], root: TreeRoot) {
        self.key = key
        self.root = root
    }

    init(
        decoding reader: inout ByteReader, after previous: [UInt8], level: Int
    )
        throws(MalformedBytes)
    {
        key = try SharedPrefix.decode(after: previous, from: &reader)
        let id = NodeID(try reader.fingerprint())
        let itemCount = try reader.varint()
        root = TreeRoot(
            id: id, level: level, itemCount: itemCount, byteCount: try reader.varint())
    }
}

/// Keys in a node are stored without what they share with the key before them.
enum SharedPrefix {
    static func encode(_ key: [UInt8], after previous: [UInt8], into writer: inout ByteWriter) {
        let limit = min(key.count, previous.count)
        var shared = 0
        while shared < limit, key[shared] == previous[shared] { shared += 1 }
        writer.count(shared)
        writer.string(key[shared...])
    }

    static func decode(
        after previous: [UInt8], from reader: inout ByteReader
    )
        throws(MalformedBytes) -> [UInt8]
    {
        let shared = try reader.count(limit: previous.count, "a shared prefix")
        let count = try reader.count(
            limit: ManifestPath.pathLimit, "a path within the limit of length")
        var key: [UInt8] = []
        key.reserveCapacity(shared + min(count, reader.remaining))
        key += previous[..<shared]
        key += try reader.take(count, "a path")
        return key
    }
}
