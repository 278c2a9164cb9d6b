import Bytes
import Capturing
import Platform
import Repository
import Snapshots
import Testing
import TestSupport
import Trees
import Upkeep

/// What a crash must not do to a repository in a directory.
struct RepositoryLaws {
    private static func open(_ place: CrashPlace) throws -> Repository {
        try Repository(try DirectoryStorage(place.path("repository")))
    }

    private static func capture(_ source: CrashSource, _ place: CrashPlace) throws {
        let options = CaptureOptions(
            filter: WalkFilter(patterns: ExcludePatterns()), host: Array("host".utf8))
        let result = try Capture.run([source.path], into: try open(place), options, WorkProgress())
        #expect(result.record.isComplete)
    }

    private static func create(_ place: CrashPlace) throws {
        _ = try Repository.create(
            try DirectoryStorage.create(place.path("repository")), chunking: TestTree.chunking)
    }

    /// Every snapshot that is there is whole, and there are at least `count`.
    private static func expectSound(_ scene: CrashScene, atLeast count: Int) throws {
        let report = try RepositoryCheck.run(
            try open(scene.place), readDataPercent: 100, WorkProgress())
        scene.expect(report.damages.isEmpty, "\(report.damages.map(\.message))")
        scene.expect(report.snapshots >= count, "\(report.snapshots) of \(count) snapshots")
    }

    @Test func `A repository is made as a whole or not at all`() throws {
        try CrashLaw("init", points: 200).holds(kills: 0) { _ in
        } run: { place, isDone in
            try Self.create(place)
            isDone()
        } law: { scene in
            if scene.done == 0 {
                guard scene.place.status("repository/config") != nil else { return }
            }
            try Self.expectSound(scene, atLeast: 0)
        }
    }

    /// With the eighth snapshot the segments of the index are merged.
    @Test func `What a snapshot or a merge of the index reported is there, and nothing is lost`()
        throws
    {
        let source = try CrashSource()
        var serial = 0
        func change() throws {
            serial += 1
            try source.write(String(repeating: "\(serial) ", count: 200), "file \(serial)")
        }
        try CrashLaw("snapshot", points: 150).holds(kills: 2) { place in
            try Self.create(place)
            for _ in 0..<7 {
                try change()
                try Self.capture(source, place)
            }
        } run: { place, isDone in
            for _ in 0..<2 {
                try change()
                try Self.capture(source, place)
                isDone()
            }
        } law: { scene in
            try Self.expectSound(scene, atLeast: 7 + scene.done)
            let before = try SnapshotSeries(try Self.open(scene.place)).items.count
            try Self.capture(source, scene.place)
            let after = try SnapshotSeries(try Self.open(scene.place)).items.count
            scene.expect(after >= before, "the next snapshot")
        }
    }
}
