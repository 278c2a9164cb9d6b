import Bytes
import Capturing
import Platform
import Repository
import Restoring
import Snapshots
import Testing
import TestSupport
import Trees

/// A repository in memory, and a directory that snapshots are taken of.
final class CrashSource: Sendable {
    let directory: TemporaryDirectory
    let storage = SimulatedStorage()
    var path: [UInt8] { directory.path("source") }

    init() throws {
        directory = try TemporaryDirectory(inMemory: true)
        try FileOperations.makeDirectory(path)
        _ = try Repository.create(storage, chunking: TestTree.chunking)
    }

    func repository() throws -> Repository { try Repository(storage) }

    func write(_ text: String, _ relative: String) throws {
        try directory.write(Array(text.utf8), "source/\(relative)")
    }

    func remove(_ relative: String) throws {
        try FileOperations.remove(directory.path("source/\(relative)"))
    }

    func capture() throws -> Snapshot {
        let options = CaptureOptions(
            filter: WalkFilter(patterns: ExcludePatterns()), host: Array("host".utf8))
        let result = try Capture.run([path], into: try repository(), options, WorkProgress())
        return Snapshot(try #require(result.id), result.record)
    }

    func items() throws -> [Snapshot] { try SnapshotSeries(try repository()).items }

    func listing() throws -> [String] { try TreeListing.of(path) }
}

/// What a crash must not do to a directory that is restored to.
struct RestoreLaws {
    private static func restore(
        _ source: CrashSource, _ item: Snapshot, _ place: CrashPlace
    ) throws -> RestoreResult {
        var options = RestoreOptions()
        options.syncs = true
        options.deletes = true
        return try Restore.run(
            item.record, from: try source.repository(), to: place.path("target"), options,
            WorkProgress())
    }

    @Test func `What a restore that syncs reported is there, and the next one does the rest`()
        throws
    {
        let source = try CrashSource()
        try source.write("one", "a/one")
        try source.write(String(repeating: "two ", count: 600), "two")
        try source.write("", "empty")
        try source.write("linked", "linked")
        try FileOperations.link(
            source.directory.path("source/linked"), to: source.directory.path("source/b"),
            at: Descriptor.workingDirectory)
        try FileOperations.makeSymlink(
            source.directory.path("source/symlink"), to: Array("a/one".utf8),
            at: Descriptor.workingDirectory)
        let item = try source.capture()
        let listing = try source.listing()
        try CrashLaw("restore", points: 1_500).holds { place in
            try place.write(String(repeating: "old ", count: 700), "target/two")
            try place.write("not in the snapshot", "target/a/other")
            try place.write("beside it", "other")
        } run: { place, isDone in
            let result = try Self.restore(source, item, place)
            #expect(result.failures.isEmpty)
            isDone()
        } law: { scene in
            if scene.done == 0 {
                let result = try Self.restore(source, item, scene.place)
                scene.expect(result.failures.isEmpty, "the next restore fails")
            }
            let found = try TreeListing.of(scene.place.path("target"))
            scene.expectSame(found, listing, "it is not what the snapshot has")
            let beside = try scene.place.read("other")
            scene.expect(beside == Array("beside it".utf8), "another file was changed")
        }
    }
}
