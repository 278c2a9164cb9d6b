import Bytes
import Operations
import Platform
import Replicas
import Snapshots
import Testing
import TestSupport

/// What a crash must not do to a directory that follows a store.
struct ReplicaLaws {
    private static func replicate(
        _ source: CrashSource, _ item: Snapshot, _ place: CrashPlace
    ) throws -> ReplicationSummary {
        let replication = Replication(try Replication.local(place.path("target")))
        return try replication.run(
            item, of: try source.items(), in: try source.repository(), WorkProgress())
    }

    private static func listing(_ path: [UInt8]) throws -> [String] {
        try TreeListing.of(path).filter { !$0.hasPrefix(".varve-replica") }
    }

    @Test func `A replica is whole for its readers, and the next replication does the rest`()
        throws
    {
        let source = try CrashSource()
        let night = try Night(source)
        try CrashLaw("replica").holds { place in
            try place.makeDirectory("target")
            _ = try Self.replicate(source, night.first, place)
        } run: { place, isDone in
            _ = try Self.replicate(source, night.second, place)
            isDone()
        } law: { scene in
            try night.expectWhole(scene)
            if scene.done == 1 {
                let found = try Self.listing(scene.place.path("target"))
                scene.expectSame(found, night.listing, "it is not equal to the store")
            }
            let summary = try Self.replicate(source, night.second, scene.place)
            scene.expect(summary.changes.isEmpty, "changes are found: \(summary.changes)")
            let found = try Self.listing(scene.place.path("target"))
            scene.expectSame(found, night.listing, "the next one does not make it equal")
        }
    }

    /// Two snapshots of a store, and what must be found in a replica between them.
    private struct Night {
        let first: Snapshot
        let second: Snapshot
        let listing: [String]
        private let contents: [String: Set<[UInt8]>]

        init(_ source: CrashSource) throws {
            let table = RowTable(path: source.directory.path("source/table"))
            try table.create()
            try table.append(0..<2)
            try source.write("first", "plain")
            try source.write(String(repeating: "gone ", count: 300), "gone")
            try source.write("stays", "d/stays")
            first = try source.capture()
            var contents = Self.contents(source)
            try table.append(2..<3)
            try source.write(String(repeating: "second ", count: 200), "plain")
            try source.write("new", "new/file")
            try source.remove("gone")
            let path = source.directory.path("source/d/stays")
            try FileOperations.setMode(path, 0o600, at: Descriptor.workingDirectory)
            try FileOperations.makeSymlink(
                source.directory.path("source/symlink"), to: Array("plain".utf8),
                at: Descriptor.workingDirectory)
            second = try source.capture()
            listing = try ReplicaLaws.listing(source.path)
            contents.merge(Self.contents(source)) { $0.union($1) }
            self.contents = contents
        }

        private static func contents(_ source: CrashSource) -> [String: Set<[UInt8]>] {
            var contents: [String: Set<[UInt8]>] = [:]
            for name in ["plain", "gone", "d/stays", "new/file"] {
                let bytes = try? source.directory.read("source/\(name)")
                if let bytes { contents[name] = [bytes] }
            }
            return contents
        }

        func expectWhole(_ scene: CrashScene) throws {
            for (name, wanted) in contents {
                guard scene.place.status("target/\(name)") != nil else {
                    scene.expect(!["plain", "d/stays"].contains(name), "\(name) is missing")
                    continue
                }
                let bytes = try scene.place.read("target/\(name)")
                scene.expect(wanted.contains(bytes), "\(name) is neither old nor new")
            }
            let table = RowTable(path: scene.place.path("target/table"))
            let ids = try table.ids()
            scene.expect([[0, 1], [0, 1, 2]].contains(ids), "the table has other rows")
            scene.expect(try table.isSound(), "damage is found in the table")
        }
    }
}
