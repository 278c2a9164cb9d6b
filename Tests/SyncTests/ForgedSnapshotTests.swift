import Remote
@testable import Snapshots
@testable import Wire
import Bytes
import Hashing
import Platform
import Repository
import Testing
import TestSupport

/// Streams whose blobs are what their ids say, and whose snapshots could not be restored.
struct ForgedSnapshotTests {
    private let delta: SmallDelta

    init() throws { delta = try SmallDelta() }

    @Test func `A file whose chunk has another size is not restorable and not taken`() throws {
        let forged = try Self.forge(delta.items[1].record) { entry in
            guard case .file(let size, .pieces(let pieces)) = entry.payload, size == 6_000,
                case .chunk(let id, _)? = pieces.first
            else { return }
            entry.payload = .file(size: 5_999, .pieces([.chunk(id, size: 5_999)]))
        } from: {
            try delta.source.repository()
        }
        var stream = try HandmadeStream(delta.stream)
        stream.header.snapshots = [forged.id]
        stream.records.removeLast()
        for node in forged.nodes { stream.add(node, .node) }
        stream.addSnapshot(forged.bytes, as: forged.id)
        try delta.expectRefused(stream.encoded(), says: "not complete")
    }

    private struct Forged {
        var id: SnapshotID
        var bytes: [UInt8]
        var nodes: [[UInt8]]
    }

    /// The snapshot with every entry changed by `change`, in a manifest of one leaf.
    private static func forge(
        _ record: SnapshotRecord, _ change: (inout ManifestEntry) -> Void,
        from repository: () throws -> Repository
    ) throws -> Forged {
        var nodes: [[UInt8]] = []
        var tree = TreeWriter<RepositoryError>(.manifest) { _, bytes in nodes.append(bytes) }
        var cursor = ManifestCursor(record.root, NodeSource(try repository()))
        while var entry = try cursor.next() {
            change(&entry)
            let hash = TreeBoundary.hash(key: entry.path)
            try tree.append(key: entry.path, hash: hash, byteCount: entry.size) {
                ManifestCoding.encode(entry, after: $1, into: &$0)
            }
        }
        var forged = record
        forged.root = try tree.finish()
        let bytes = forged.encoded()
        return Forged(id: SnapshotID(SHA256Digest(of: bytes.span)), bytes: bytes, nodes: nodes)
    }

    // MARK: - Manifests out of order

    private typealias Leaf = (root: TreeRoot, bytes: [UInt8], lastKey: [UInt8])

    /// A manifest leaf of empty files; the empty path is the directory itself.
    private func leaf(_ names: [String]) throws -> Leaf {
        var nodes: [[UInt8]] = []
        var tree = TreeWriter<RepositoryError>(.manifest) { _, bytes in nodes.append(bytes) }
        let status = try FileStatus.following(delta.directory.path("source"))
        for name in names {
            let entry = ManifestEntry(
                path: Array(name.utf8), payload: name.isEmpty ? .directory : .file(size: 0, .empty),
                status: status)
            try tree.append(key: entry.path, hash: 1, byteCount: 0) {
                ManifestCoding.encode(entry, after: $1, into: &$0)
            }
        }
        let root = try tree.finish()
        return (root, try #require(nodes.first), Array((names.last ?? "").utf8))
    }

    /// Adds a snapshot whose manifest has these leaves, in this order.
    private func add(_ leaves: [Leaf], to stream: inout HandmadeStream) {
        var writer = ByteWriter()
        for byte in [2, 1, 1] as [UInt8] { writer.u8(byte) }
        writer.count(leaves.count)
        var previous: [UInt8] = []
        var items: UInt64 = 0
        for leaf in leaves {
            InnerItem(key: leaf.lastKey, root: leaf.root).encode(into: &writer, after: previous)
            previous = leaf.lastKey
            items += leaf.root.itemCount
        }
        let node = writer.bytes
        var record = delta.items[0].record
        record.root = TreeRoot(
            id: NodeID(of: node.span), level: 1, itemCount: items, byteCount: 0)
        record.parent = stream.header.snapshots.last
        for bytes in leaves.map(\.bytes) + [node] { stream.add(bytes, .node) }
        let bytes = record.encoded()
        stream.header.snapshots.append(SnapshotID(SHA256Digest(of: bytes.span)))
        stream.addSnapshot(bytes)
    }

    private func emptyStream() throws -> HandmadeStream {
        var header = try HandmadeStream(delta.stream).header
        (header.needed, header.snapshots) = ([], [])
        return HandmadeStream(header)
    }

    @Test func `Manifests whose leaves are in order are taken`() throws {
        var stream = try emptyStream()
        let last = try leaf(["k", "t"])
        add([try leaf(["", "a"]), last], to: &stream)
        add([try leaf(["", "a", "b"]), last], to: &stream)
        add([try leaf([""]), last], to: &stream)
        #expect(try delta.target.receive(stream.encoded()).newSnapshots.count == 3)
        try delta.target.expectSound()
    }

    @Test func `A manifest whose leaves overlap is refused`() throws {
        var stream = try emptyStream()
        add([try leaf(["", "a", "n"]), try leaf(["k", "t"])], to: &stream)
        try delta.expectRefused(stream.encoded(), says: "'k' is out of order")
    }

    @Test func `A manifest that overlaps a leaf which is there already is refused`() throws {
        let last = try leaf(["k", "t"])
        for names in [["", "a", "n"], ["", "n"], ["", "k"]] {
            var stream = try emptyStream()
            add([try leaf(["", "a"]), last], to: &stream)
            add([try leaf(names), last], to: &stream)
            let target = delta.target.copy()
            let error = target.refusal(of: stream.encoded()) as? StreamError
            let message = error.map { "\($0)" } ?? "nothing"
            #expect(message.contains("'k' is out of order"), "\(message)")
            #expect(try target.snapshotIDs().count == 2)
            try target.expectSound()
        }
    }
}
