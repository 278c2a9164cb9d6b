@testable import Restoring
@testable import Snapshots
@testable import Upkeep
import Bytes
import Hashing
import Platform
import Repository
import Testing
import TestSupport

/// Nodes whose ids are right and whose bytes are not.
///
/// Whoever can write into the repository can make them. Each is refused with an error naming it;
/// nothing traps, nothing gets written outside the target.
struct HostileManifestTests {
    private typealias Item = ManifestForge.Item
    private static let nothing: [UInt8] = []

    /// A manifest that must be refused.
    struct Forgery: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let make: @Sendable (NodeStore) throws -> TreeRoot

        init(_ what: String, _ make: @escaping @Sendable (NodeStore) throws -> TreeRoot) {
            testDescription = what
            self.make = make
        }

        /// A leaf with a top directory and these entries.
        init(_ what: String, bytes: UInt64 = 0, _ items: ManifestForge.Item...) {
            self.init(what) { store in
                try store.leaf([.directory("")] + items, bytes: bytes)
            }
        }
    }

    private static let chunk = ChunkID(of: [1, 2, 3].span)

    private static let paths = [
        "/absolute", "..", "../outside", "a/../../b", ".", "a/.", "./a", "a//b", "a/", "/", "a\0b",
        String(repeating: "x", count: 256), "d/" + String(repeating: "x", count: 256) + "/y",
    ].map { path in
        Forgery(
            "path \(path.prefix(20).debugDescription)", .directory("a"), .directory("d"),
            .directory(path))
    }

    private static let order = [
        Forgery("unsorted", .directory("b"), .directory("a")),
        Forgery("twice", .directory("a"), .directory("a")),
        Forgery("byte order instead of order by component", .directory("a b"), .directory("a/b")),
        Forgery("below a file", .file("a", size: 0, []), .file("a/b", size: 0, [])),
        Forgery(
            "below a symlink", .symlink("a", to: [UInt8]("/tmp")), .file("a/b", size: 0, [])),
        Forgery("in no directory", .file("a/b", size: 0, [])),
        Forgery("in a directory of like name", .directory("a"), .file("ab/c", size: 0, [])),
        Forgery("the top is a file") { try $0.leaf([.file("", size: 0, [])]) },
        Forgery("the top is a symlink") { try $0.leaf([.symlink("", to: [UInt8]("/tmp"))]) },
    ]

    private static let fields = [
        Forgery("type 6", Item("a", 6)), Forgery("type 15", Item("a", 15)),
        Forgery("flag 128", Item("a", 129)),
        Forgery("mode too large", with(.directory("a")) { $0.mode = 0o10000 }),
        Forgery("mode is huge", with(.directory("a")) { $0.mode = .max }),
        Forgery("user id too large", with(.directory("a")) { $0.uid = 1 << 32 }),
        Forgery("nanoseconds", with(.directory("a")) { $0.nanoseconds = 1_000_000_000 }),
        Forgery("shares more than there is", with(.directory("a")) { $0.shared = 9 }),
        Forgery("shares without end", with(.directory("a")) { $0.shared = .max }),
        Forgery("empty symlink", .symlink("a", to: [])),
        Forgery("NUL in a symlink", .symlink("a", to: [65, 0, 65])),
        Forgery("symlink too long", .symlink("a", to: [UInt8](repeating: 65, count: 4097))),
        Forgery("no attributes behind the flag", Item("a", 1 | 32)),
        Forgery("attributes that lie of their number", Item("a", 1 | 32, [255, 255, 3])),
        Forgery("attributes beyond any number", Item("a", 1 | 32, [255, 255, 255, 255, 15])),
        Forgery("attribute without a name", Item("a", 1 | 32, [1, 0, 1, 65])),
        Forgery("attribute with NUL in its name", Item("a", 1 | 32, [1, 2, 65, 0, 1, 65])),
        Forgery("link device too large", Item("a", 1 | 16, [255, 255, 255, 255, 255, 1])),
    ]

    private static let contents = [
        Forgery("size without pieces", bytes: 5, .file("a", size: 5, [])),
        Forgery("pieces beyond the size", bytes: 2, .file("a", size: 2, [.init(6, chunk)])),
        Forgery("five pieces in the entry", bytes: 5, .file("a", size: 5, few(5))),
        Forgery("254 pieces in the entry", bytes: 254, .file("a", size: 254, few(254))),
        Forgery("an empty chunk", .file("a", size: 0, [.init(0, chunk)])),
        Forgery("an empty hole", .file("a", size: 0, [.init(1, nil)])),
        Forgery(
            "sizes that overflow", bytes: 1,
            .file("a", size: 1, [.init(.max, nil), .init(.max, nil), .init(7, nil)])),
        Forgery(
            "a size beyond any file", bytes: 1 << 63,
            .file("a", size: 1 << 63, [.init(.max, nil), .init(3, nil)])),
        Forgery("a tree of another size") { store in
            let root = try store.root(ManifestForge.content([.init(9, nil)]), items: 1, bytes: 4)
            return try store.leaf([.directory(""), .file("a", size: 5, tree: root)], bytes: 5)
        },
    ]

    private static let nodes = [
        Forgery("empty") { try $0.root([], items: 0) },
        Forgery("version 2") {
            try $0.root(
                ManifestForge.node(
                    kind: 1, version: 2, level: 0, count: 0, []), items: 0)
        },
        Forgery("kind 0") {
            try $0.root(
                ManifestForge.node(
                    kind: 0, level: 0, count: 0, []), items: 0)
        },
        Forgery("a content node") {
            try $0.root(ManifestForge.content([.init(2, chunk)]), items: 1)
        },
        Forgery("a level that is not the parent's") { store in
            try store.root(ManifestForge.node(kind: 1, level: 1, count: 0, []), items: 0)
        },
        Forgery("an inner node without children") { store in
            try store.root(ManifestForge.inner([], level: 1), level: 1, items: 0)
        },
        Forgery("fewer items than counted") { store in
            try store.root(ManifestForge.leaf([.directory("")], count: 2), items: 2)
        },
        Forgery("more items than counted") { store in
            let items: [Item] = [.directory(""), .directory("a")]
            return try store.root(ManifestForge.leaf(items, count: 1), items: 1)
        },
        Forgery("more items than a node has") { store in
            let items = (0..<1025).map { Item.directory("\(10_000 + $0)") }
            return try store.leaf(items)
        },
        Forgery("a count without end") { store in
            try store.root(
                ManifestForge.bytes { writer in
                    writer.raw([1, 1, 0])
                    writer.varint(.max)
                }, items: .max)
        },
        Forgery("another number of items than the record says") { store in
            try store.root(ManifestForge.leaf([.directory("")]), items: 2)
        },
        Forgery("other bytes than the record says") { store in
            try store.root(ManifestForge.leaf([.directory("")]), items: 1, bytes: 1)
        },
    ]

    private static let trees = [
        Forgery("a child that ends at another key") { store in
            let leaf = try store.leaf([.directory(""), .directory("a")])
            return try store.root(
                ManifestForge.inner([(Array("b".utf8), leaf)], level: 1), level: 1, items: 2)
        },
        Forgery("children in the wrong order") { store in
            let first = try store.leaf([.directory(""), .directory("b")])
            let second = try store.leaf([.directory("a")])
            let children = [([UInt8]("b"), first), ([UInt8]("a"), second)]
            return try store.root(ManifestForge.inner(children, level: 1), level: 1, items: 3)
        },
        Forgery("a child that begins before its place") { store in
            let first = try store.leaf([.directory(""), .directory("m")])
            let second = try store.leaf([.directory("a"), .directory("z")])
            let children = [([UInt8]("m"), first), ([UInt8]("z"), second)]
            return try store.root(ManifestForge.inner(children, level: 1), level: 1, items: 4)
        },
        Forgery("the same child twice") { store in
            let leaf = try store.leaf([.directory(""), .directory("b")])
            let children = [([UInt8]("b"), leaf), ([UInt8]("c"), leaf)]
            return try store.root(ManifestForge.inner(children, level: 1), level: 1, items: 4)
        },
        Forgery("an empty child") { store in
            let leaf = try store.leaf([])
            return try store.root(
                ManifestForge.inner([(nothing, leaf)], level: 1), level: 1, items: 0)
        },
        Forgery("a child that is not there") { store in
            var leaf = try store.leaf([.directory("")])
            leaf.id = NodeID(of: [1].span)
            return try store.root(
                ManifestForge.inner([(nothing, leaf)], level: 1), level: 1, items: 1)
        },
        Forgery("a chunk as a node") { store in
            let bytes = ManifestForge.leaf([.directory("")])
            let id = NodeID(try store.putChunk(bytes).fingerprint)
            return TreeRoot(id: id, level: 0, itemCount: 1, byteCount: 0)
        },
    ]

    static let forgeries = paths + order + fields + contents + nodes + trees

    private static func with(_ item: Item, _ change: (inout Item) -> Void) -> Item {
        var item = item
        change(&item)
        return item
    }

    private static func few(_ count: Int) -> [ManifestForge.Piece] {
        Array(repeating: .init(2, chunk), count: count)
    }

    @Test(arguments: forgeries)
    func `A forged manifest is refused with the name of the object`(forgery: Forgery) throws {
        let store = try NodeStore()
        let root = try forgery.make(store)
        try store.seal()
        let error = failure(RepositoryError.self) { try store.entries(root) }
        #expect(error?.isDamage == true)
        #expect(error?.object.isEmpty == false)
        let empty = try NodeStore.empty(in: store)
        for (before, after) in [(empty, root), (root, empty)] {
            let failure = failure(RepositoryError.self) {
                var diff = ManifestDiff(before, after, NodeSource(store.repository))
                while try diff.next() != nil {}
            }
            if let failure { #expect(failure.isDamage) }
        }
    }

    /// Beside the target lies what a path that leads out would hit.
    @Test(arguments: forgeries)
    func `Restoring a forged manifest touches nothing outside`(forgery: Forgery) throws {
        let store = try NodeStore()
        let root = try forgery.make(store)
        try store.seal()
        let directory = try TemporaryDirectory()
        try directory.write([1], "outside/b")
        try directory.write([2], "target/mine")
        let before = try TreeListing.of(directory.path("outside"))
        var options = RestoreOptions()
        options.deletes = true
        let error = failure(RestoreError.self) {
            try Restore.run(
                NodeStore.record(root), from: store.repository, to: directory.path("target"),
                options, WorkProgress())
        }
        guard case .repository(let damage)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(damage.isDamage)
        expectSame(before, try TreeListing.of(directory.path("outside")))
        let top = try Descriptor.open(directory.path, [.readOnly, .directory])
        #expect(try top.names([]).count == 2)
        #expect(try directory.read("target/mine") == [2])
    }

    @Test func `A check tells of a forged manifest and goes on`() throws {
        for forgery in Self.trees + Self.order {
            let store = try NodeStore()
            let root = try forgery.make(store)
            let good = try store.manifest([.directory("")])
            try store.seal()
            for root in [root, good] {
                _ = try store.repository.publishSnapshot(NodeStore.record(root).encoded())
            }
            let report = try RepositoryCheck.run(
                try Repository(store.storage), readDataPercent: nil, WorkProgress())
            #expect(report.snapshots == 2)
            #expect(report.damages.count == 1, "\(forgery.testDescription)")
            #expect(report.damages.first?.affected.count == 1, "\(forgery.testDescription)")
        }
    }
}

extension NodeStore {
    /// The id of an empty manifest; known without being stored.
    static func empty(in store: NodeStore) throws -> TreeRoot {
        let bytes = ManifestForge.leaf([])
        return TreeRoot(id: NodeID(of: bytes.span), level: 0, itemCount: 0, byteCount: 0)
    }
}
