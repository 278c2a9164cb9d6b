@testable import Snapshots
import Bytes
import Platform
import Repository
import Testing
import TestSupport

/// The diff by nodes against one that compares all entries.
struct ManifestDiffTests {
    private struct Change: Equatable, Comparable {
        var path: [UInt8]
        var kind: ManifestChange.Kind

        static func < (one: Self, other: Self) -> Bool {
            PathBytes.isBefore(one.path, other.path)
        }
    }

    private static func model(
        _ before: [[UInt8]: ManifestEntry], _ after: [[UInt8]: ManifestEntry]
    ) -> [Change] {
        let changes = Set(before.keys).union(after.keys).compactMap { path -> Change? in
            guard let old = before[path] else { return Change(path: path, kind: .added) }
            guard let new = after[path] else { return Change(path: path, kind: .removed) }
            if old.isFile != new.isFile || old.isDirectory != new.isDirectory {
                return Change(path: path, kind: .type)
            }
            if old.payload != new.payload { return Change(path: path, kind: .changed) }
            let isSameTime = old.isDirectory || old.mtime == new.mtime
            let isSame = old.mode == new.mode && isSameTime
            return isSame ? nil : Change(path: path, kind: .metadata)
        }
        return changes.sorted()
    }

    private static func start(_ random: inout SplitMix64) -> [[UInt8]: ManifestEntry] {
        var entries: [[UInt8]: ManifestEntry] = [[]: .directory("")]
        for number in 0..<random.below(1_500) {
            let entry = ManifestEntry.file("file \(number)")
            entries[entry.path] = entry
        }
        return entries
    }

    private static func edit(
        _ entries: inout [[UInt8]: ManifestEntry], _ random: inout SplitMix64
    ) {
        let name = "file \(random.below(1_600))"
        let path = Array(name.utf8)
        switch random.below(6) {
        case 0: entries[path] = nil
        case 1: entries[path] = .directory(name)
        case 2: entries[path] = .symlink(name, to: "target \(random.below(3))")
        case 3: entries[path]?.mode ^= 1
        case 4: entries[path]?.ctime.seconds += 1
        default: entries[path] = .file(name, version: UInt64(random.below(3)))
        }
    }

    private static func sorted(_ entries: [[UInt8]: ManifestEntry]) -> [ManifestEntry] {
        entries.values.sorted { PathBytes.isBefore($0.path, $1.path) }
    }

    @Test(arguments: Seed.some(8))
    func `A diff finds what a comparison of all entries finds`(seed: Seed) throws {
        var random = SplitMix64(seed)
        let store = try NodeStore()
        let before = Self.start(&random)
        var after = random.below(4) == 0 ? Self.start(&random) : before
        for _ in 0..<random.below(120) { Self.edit(&after, &random) }
        let roots = try [before, after].map { try store.manifest(Self.sorted($0)) }
        try store.seal()
        for (one, other, entries) in [
            (roots[0], roots[1], (before, after)), (roots[1], roots[0], (after, before)),
        ] {
            var found: [Change] = []
            let nodes = NodeSource(store.repository)
            var diff = ManifestDiff(one, other, nodes)
            while let change = try diff.next() {
                found.append(Change(path: change.path, kind: change.kind))
                if change.before != entries.0[change.path] { Issue.record("before") }
                if change.after != entries.1[change.path] { Issue.record("after") }
            }
            #expect(found == Self.model(entries.0, entries.1))
        }
    }

    @Test func `A diff with an empty tree tells of everything`() throws {
        let store = try NodeStore()
        let entries = (0..<300).map { ManifestEntry.file("file \(1000 + $0)") }
        let empty = try store.manifest([])
        let root = try store.manifest(entries)
        try store.seal()
        for (before, after, kind) in [
            (empty, root, ManifestChange.Kind.added), (root, empty, .removed),
        ] {
            var diff = ManifestDiff(before, after, NodeSource(store.repository))
            var kinds: [ManifestChange.Kind] = []
            while let change = try diff.next() { kinds.append(change.kind) }
            #expect(kinds == Array(repeating: kind, count: 300))
        }
    }

    @Test func `A diff that is not read to its end reads no further`() throws {
        let store = try NodeStore()
        let root = try store.manifest((0..<5_000).map { ManifestEntry.file("file \(10_000 + $0)") })
        try store.seal()
        let nodes = NodeSource(store.repository)
        var diff = ManifestDiff(nil, root, nodes)
        let first = try diff.next()
        #expect(first?.kind == .added)
        #expect(nodes.nodesRead == root.level + 1)
    }
}
