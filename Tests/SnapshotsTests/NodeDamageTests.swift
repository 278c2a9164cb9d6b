@testable import Restoring
@testable import Snapshots
@testable import Upkeep
import Bytes
import Hashing
import Platform
import Repository
import Testing
import TestSupport

/// Nodes with any byte wrong or missing, and trees that claim more than there is.
struct NodeDamageTests {
    /// One of everything that an entry can hold.
    private static let entries: [ManifestEntry] = {
        let chunk = ChunkID(of: [1].span)
        var linked = ManifestEntry(
            [UInt8]("linked"), .file(size: 9, .pieces([.chunk(chunk, size: 4), .hole(size: 5)])))
        linked.linkDevice = 3
        linked.attributes = [ExtendedAttribute(name: [UInt8]("user.a"), value: [1, 2])]
        linked.isIncomplete = true
        let tree = TreeRoot(
            id: NodeID(of: [2].span), level: 2, itemCount: 300, byteCount: 1 << 40)
        return [
            .directory(""), ManifestEntry([UInt8]("device"), .characterDevice(259)),
            ManifestEntry([UInt8]("fifo"), .fifo), linked,
            .symlink("symlink", to: "somewhere"),
            ManifestEntry([UInt8]("tree"), .file(size: 1 << 40, .tree(tree))),
        ]
    }()

    /// Decodes a leaf as if the repository held it.
    private func decode(_ bytes: [UInt8]) throws -> [ManifestEntry] {
        let store = try NodeStore()
        let root = try store.root(bytes, items: 6, bytes: 9 + (1 << 40))
        try store.seal()
        return try store.entries(root)
    }

    private static func encoded() throws -> [UInt8] {
        let store = try NodeStore()
        let root = try store.manifest(entries)
        return try #require(store.nodes[root.id])
    }

    @Test func `A leaf gives back what was encoded`() throws {
        #expect(try decode(Self.encoded()) == Self.entries)
    }

    @Test func `A leaf cut short anywhere is refused`() throws {
        let bytes = try Self.encoded()
        for count in 0..<bytes.count {
            let error = failure(RepositoryError.self) { try decode(Array(bytes.prefix(count))) }
            #expect(error?.isDamage == true, "\(count) of \(bytes.count) bytes")
        }
        #expect(failure(RepositoryError.self) { try decode(bytes + [0]) }?.isDamage == true)
    }

    /// Some bytes are just other values; what is decoded then encodes to just these bytes again.
    @Test func `A leaf with any byte wrong is refused, or is another manifest`() throws {
        let bytes = try Self.encoded()
        for index in bytes.indices {
            for mask: UInt8 in [1, 0x80, 0xff] {
                let wrong = bytes.flipped(index, mask)
                do {
                    let entries = try decode(wrong)
                    let store = try NodeStore()
                    let root = try store.manifest(entries)
                    // Another key may be a boundary, and end the node sooner.
                    #expect(root.level > 0 || store.nodes[root.id] == wrong, "byte \(index)")
                } catch let error as RepositoryError {
                    #expect(error.isDamage)
                }
            }
        }
    }

    @Test func `A tree deeper than the limit is refused`() throws {
        let store = try NodeStore()
        var root = try store.leaf([.directory("")])
        for level in 1...TreeLimits.levels + 1 {
            root = try store.root(
                ManifestForge.inner([([], root)], level: level), level: level, items: 1)
        }
        try store.seal()
        let record = NodeStore.record(root)
        let id = SnapshotID(SHA256Digest(of: record.encoded().span))
        let error = failure(RepositoryError.self) {
            try SnapshotRecord(decoding: record.encoded(), id)
        }
        #expect(error?.isDamage == true)
    }

    /// Ids are digests, so a node cannot lead back to itself; a level that does not fall is the
    /// only thing left to try.
    @Test func `A child on the level of its parent is refused`() throws {
        let store = try NodeStore()
        let leaf = try store.leaf([.directory("")])
        let inner = try store.root(
            ManifestForge.inner([([], leaf)], level: 1), level: 1, items: 1)
        let outer = try store.root(
            ManifestForge.inner([([], inner)], level: 1), level: 1, items: 1)
        try store.seal()
        #expect(failure(RepositoryError.self) { try store.entries(outer) }?.isDamage == true)
    }

    /// Sharing makes a few kilobytes stand for 2⁶⁰ pieces.
    @Test(.endsWithin(minutes: 5))
    func `A content tree that stands for too many pieces is refused`() throws {
        let store = try NodeStore()
        let pieces: [ManifestForge.Piece] = Array(repeating: .init(3, nil), count: 1024)
        var root = try store.root(ManifestForge.content(pieces), items: 1024, bytes: 1024)
        for level in 1...5 {
            let count = root.itemCount * 1024
            let children = Array(repeating: (key: [UInt8](), root: root), count: 1024)
            root = try store.root(
                ManifestForge.inner(children, level: level, kind: 4), level: level, items: count,
                bytes: count)
        }
        let size = root.byteCount
        let top = try store.leaf([.directory(""), .file("a", size: size, tree: root)], bytes: size)
        try store.seal()
        let directory = try TemporaryDirectory()
        let result = try Restore.run(
            NodeStore.record(top), from: store.repository, to: directory.path("target"),
            RestoreOptions(), WorkProgress())
        #expect(result.failures.map(\.path) == [[UInt8]("a")])
        #expect(result.filesWritten == 0)
        let nodes = NodeSource(store.repository)
        let error = failure(RepositoryError.self) { try nodes.pieces(.tree(root)) }
        #expect(error?.isDamage == true)
        _ = try store.repository.publishSnapshot(NodeStore.record(top).encoded())
        let report = try RepositoryCheck.run(
            store.repository, readDataPercent: nil, WorkProgress())
        #expect(report.damages.flatMap(\.affected).map(\.path) == [[UInt8]("a")])
    }

    /// Totals that wrap round could hide how much there is.
    @Test func `Totals beyond 64 bits are refused`() throws {
        let store = try NodeStore()
        let leaf = TreeRoot(id: NodeID(of: [1].span), level: 0, itemCount: 1 << 63, byteCount: 1)
        let children = Array(repeating: (key: [UInt8](), root: leaf), count: 2)
        let root = try store.root(
            ManifestForge.inner(children, level: 1, kind: 4), level: 1, items: 0, bytes: 2)
        try store.seal()
        let nodes = NodeSource(store.repository)
        let error = failure(RepositoryError.self) { try nodes.pieces(.tree(root)) }
        guard case .damaged = try #require(error).kind else {
            Issue.record("taken for \(String(describing: error))")
            return
        }
    }
}
