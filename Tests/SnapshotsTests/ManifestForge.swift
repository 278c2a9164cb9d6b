@testable import Snapshots
import Bytes
import Hashing
import Repository

/// Nodes put together by hand, field by field, to be wrong in one of them.
enum ManifestForge {
    /// A piece of content; its size is coded as in the format.
    struct Piece {
        var coded: UInt64
        var id: ChunkID?

        init(_ coded: UInt64, _ id: ChunkID?) {
            self.coded = coded
            self.id = id
        }

        func encode(_ writer: inout ByteWriter) {
            writer.varint(coded)
            if let id { writer.fingerprint(id.fingerprint) }
        }
    }

    /// A manifest entry before it is encoded; every field may lie.
    struct Item {
        var shared: UInt64 = 0
        var path: [UInt8]
        var flags: UInt8
        var mode: UInt64 = 0o644
        var uid: UInt64 = 0
        var nanoseconds: UInt64 = 0
        /// What follows the inode: link device, attributes, payload.
        var rest: [UInt8] = []

        init(_ path: String, _ flags: UInt8, _ rest: [UInt8] = []) {
            self.init(Array(path.utf8), flags, rest)
        }

        init(_ path: [UInt8], _ flags: UInt8, _ rest: [UInt8] = []) {
            self.path = path
            self.flags = flags
            self.rest = rest
        }

        static func directory(_ path: String) -> Self { Self(path, 1) }

        static func symlink(_ path: String, to target: [UInt8]) -> Self {
            Self(path, 2, bytes { $0.string(target) })
        }

        /// A file whose pieces are those given, each with its coded size.
        static func file(_ path: String, size: UInt64, _ pieces: [Piece]) -> Self {
            let rest = bytes { writer in
                writer.varint(size)
                writer.u8(UInt8(clamping: pieces.count))
                for piece in pieces { piece.encode(&writer) }
            }
            return Self(path, 0, rest)
        }

        /// A file whose content is in a tree.
        static func file(_ path: String, size: UInt64, tree: TreeRoot) -> Self {
            Self(
                path, 0,
                bytes { writer in
                    writer.varint(size)
                    writer.u8(255)
                    tree.encode(into: &writer)
                })
        }
    }

    static func bytes(_ fill: (inout ByteWriter) -> Void) -> [UInt8] {
        var writer = ByteWriter()
        fill(&writer)
        return writer.bytes
    }

    static func node(
        kind: UInt8, version: UInt8 = 1, level: UInt8, count: Int, _ items: [UInt8]
    ) -> [UInt8] {
        bytes { writer in
            writer.u8(kind)
            writer.u8(version)
            writer.u8(level)
            writer.count(count)
            writer.raw(items)
        }
    }

    static func encode(_ items: [Item]) -> [UInt8] {
        bytes { writer in
            for item in items {
                writer.varint(item.shared)
                writer.string(item.path)
                writer.u8(item.flags)
                writer.varint(item.mode)
                writer.varint(item.uid)
                writer.varint(0)
                for _ in 0..<2 {
                    writer.signed(0)
                    writer.varint(item.nanoseconds)
                }
                writer.varint(1)
                writer.raw(item.rest)
            }
        }
    }

    /// A manifest leaf.
    static func leaf(_ items: [Item], count: Int? = nil) -> [UInt8] {
        node(kind: 1, level: 0, count: count ?? items.count, encode(items))
    }

    static func inner(
        _ children: [(key: [UInt8], root: TreeRoot)], level: Int, kind: UInt8 = 2
    ) -> [UInt8] {
        let items = bytes { writer in
            for (key, root) in children {
                InnerItem(key: key, root: root).encode(into: &writer, after: [])
            }
        }
        return node(kind: kind, level: UInt8(clamping: level), count: children.count, items)
    }

    /// A content leaf; sizes are coded as in the format.
    static func content(_ pieces: [Piece]) -> [UInt8] {
        let items = bytes { writer in
            for piece in pieces { piece.encode(&writer) }
        }
        return node(kind: 3, level: 0, count: pieces.count, items)
    }
}

extension NodeStore {
    /// Stores a node and names it as a root.
    func root(
        _ bytes: [UInt8], level: Int = 0, items: UInt64, bytes byteCount: UInt64 = 0
    ) throws
        -> TreeRoot
    {
        TreeRoot(id: try put(bytes), level: level, itemCount: items, byteCount: byteCount)
    }

    /// Stores a leaf of forged entries, which together have `byteCount` bytes.
    func leaf(_ items: [ManifestForge.Item], bytes byteCount: UInt64 = 0) throws -> TreeRoot {
        try root(ManifestForge.leaf(items), items: UInt64(items.count), bytes: byteCount)
    }
}
