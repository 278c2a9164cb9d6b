@testable import Snapshots
import Bytes
import Hashing
import Platform
import Repository
import Testing
import TestSupport

/// Equal ranges of two manifests are equal nodes, whatever came before.
struct ProllyTreeTests {
    /// `count` files in directories of a hundred.
    private static func entries(_ count: Int) -> [ManifestEntry] {
        var entries = [ManifestEntry.directory("")]
        for number in 0..<count {
            if number.isMultiple(of: 100) {
                entries.append(.directory("directory \(100_000 + number / 100)"))
            }
            let directory = "directory \(100_000 + number / 100)"
            entries.append(.file("\(directory)/file \(100_000 + number)"))
        }
        return entries
    }

    private static func changed(_ entry: ManifestEntry, version: UInt64) -> ManifestEntry {
        .file(String(decoding: entry.path, as: UTF8.self), version: version)
    }

    @Test(arguments: Seed.some(1))
    func `Ten changed files among 100,000 write fewer than 80 nodes`(seed: Seed) throws {
        let store = try NodeStore()
        let before = Self.entries(100_000)
        var after = before
        var random = SplitMix64(seed)
        var wanted: Set<[UInt8]> = []
        while wanted.count < 10 {
            let place = random.below(after.count)
            guard after[place].isFile else { continue }
            after[place] = Self.changed(after[place], version: 7)
            wanted.insert(after[place].path)
        }
        let first = try store.manifest(before)
        let nodesBefore = store.nodes.count
        let second = try store.manifest(after)
        let written = store.nodes.count - nodesBefore
        #expect(written < 80)
        #expect(written >= first.level)
        try store.seal()

        let nodes = NodeSource(store.repository)
        var found: Set<[UInt8]> = []
        var diff = ManifestDiff(first, second, nodes)
        while let change = try diff.next() { found.insert(change.path) }
        #expect(found == wanted)
        // Each node that differs once in either tree; nothing that both have.
        #expect(nodes.nodesRead <= 2 * written)
    }

    @Test func `A diff of a snapshot with itself reads nothing`() throws {
        let store = try NodeStore()
        let root = try store.manifest(Self.entries(2_000))
        try store.seal()
        let nodes = NodeSource(store.repository)
        var diff = ManifestDiff(root, root, nodes)
        if try diff.next() != nil { Issue.record("a change") }
        #expect(nodes.nodesRead == 0)
    }

    /// Whoever inserts, removes and changes his way to some entries gets the tree of these entries.
    @Test(arguments: Seed.some(3))
    func `The tree follows from the entries alone`(seed: Seed) throws {
        let store = try NodeStore()
        var random = SplitMix64(seed)
        let all = Self.entries(3_000)
        let wanted = try store.manifest(all)
        for _ in 0..<5 {
            let part = all.filter { $0.isDirectory || random.below(3) > 0 }
            _ = try store.manifest(part)
            #expect(try store.manifest(all) == wanted)
        }
        try store.seal()
        #expect(try store.entries(wanted) == all)
    }

    /// Inserting and removing anywhere leaves all but a few nodes as they were.
    @Test(arguments: Seed.some(1))
    func `A path more or less writes a few nodes`(seed: Seed) throws {
        let store = try NodeStore()
        var random = SplitMix64(seed)
        let all = Self.entries(10_000)
        _ = try store.manifest(all)
        for _ in 0..<10 {
            var part = all
            while case let place = random.below(part.count), part[place].isFile {
                part.remove(at: place)
                break
            }
            let before = store.nodes.count
            _ = try store.manifest(part)
            #expect(store.nodes.count - before <= 12)
        }
    }

    @Test func `Nodes stay within their limits`() throws {
        let store = try NodeStore()
        var entries = Self.entries(5_000)
        let large = ExtendedAttribute(
            name: Array("user.large".utf8), value: [UInt8](repeating: 7, count: 60 << 10))
        for place in entries.indices.dropFirst(100).prefix(50) {
            entries[place].attributes = [large]
        }
        let root = try store.manifest(entries)
        for bytes in store.nodes.values {
            #expect(bytes.count <= TreeLimits.decodedSize)
            #expect(bytes.count <= TreeLimits.nodeSize + (64 << 10))
        }
        try store.seal()
        #expect(root.itemCount == UInt64(entries.count))
        #expect(root.byteCount == entries.reduce(0) { $0 + $1.size })
        #expect(try store.entries(root) == entries)
    }

    @Test(arguments: [0, 1, 2, 127, 128, 129, 1023, 1024, 1025, 4000])
    func `A tree of any number of entries gives them back`(count: Int) throws {
        let store = try NodeStore()
        let entries = Array(Self.entries(count).dropFirst(count == 0 ? 1 : 0).prefix(count))
        let root = try store.manifest(entries)
        try store.seal()
        #expect(root.itemCount == UInt64(count))
        #expect(try store.entries(root) == entries)
    }

    /// Keys whose hash is nowhere a boundary: nodes end at their limit of items.
    @Test func `A tree without boundaries still has bounded nodes`() throws {
        let store = try NodeStore()
        let all = (0..<12_000).map { ManifestEntry.file("file \(100_000 + $0)") }
        let entries = all.filter { TreeBoundary.hash(key: $0.path) & 127 != 0 }
        let root = try store.manifest(entries)
        try store.seal()
        let leaves = store.nodes.values.count { $0[2] == 0 }
        let limit = TreeLimits.itemsPerNode
        #expect(leaves == (entries.count + limit - 1) / limit)
        #expect(try store.entries(root) == entries)
    }

    /// Crafted names that end every node: each level still has half as many nodes.
    @Test func `A tree of boundaries only stays shallow`() throws {
        let store = try NodeStore()
        var entries: [ManifestEntry] = []
        var number = 0
        while entries.count < 60 {
            number += 1
            let entry = ManifestEntry.file("f\(1_000_000 + number)")
            if TreeBoundary.hash(key: entry.path) & 8191 == 0 { entries.append(entry) }
        }
        let root = try store.manifest(entries)
        try store.seal()
        #expect(root.level <= TreeLimits.levels)
        #expect(try store.entries(root) == entries)
    }

    @Test(arguments: Seed.some(1))
    func `Finding a path reads one node of each level`(seed: Seed) throws {
        let store = try NodeStore()
        let entries = Self.entries(20_000)
        let root = try store.manifest(entries)
        try store.seal()
        var random = SplitMix64(seed)
        for _ in 0..<20 {
            let wanted = random.pick(entries)
            let nodes = NodeSource(store.repository)
            var cursor = ManifestCursor(root, nodes)
            try cursor.seek(to: wanted.path)
            #expect(try cursor.next() == wanted)
            #expect(nodes.nodesRead <= root.level + 1)
        }
    }
}
