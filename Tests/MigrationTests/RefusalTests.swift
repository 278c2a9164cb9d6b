import Bytes
import Platform
import Testing
import TestSupport
import Trees

@testable import Migration

/// What a migration does not do, and what it says then.
struct RefusalTests {
    private static func refusal(
        from source: String, to target: String, journal: String? = nil, _ move: Move
    ) -> MigrationRefusal? {
        var request = MigrationRequest(
            source: move.directory.path(source), target: move.directory.path(target),
            filter: WalkFilter(patterns: ExcludePatterns()))
        request.journal = journal.map { move.directory.path($0) }
        return Move.refusal { () throws(MigrationError) in _ = try MigrationRun(request) }
    }

    @Test(arguments: [
        ("source", "source/inner/target", nil, "targetInSource"),
        ("source/inner", "source", nil, "sourceInTarget"),
        ("source", "source", nil, "PlaceOverlap.same"),
        ("source/file", "target", nil, "sourceIsNoDirectory"),
        ("source", "other/file", nil, "targetIsNoDirectory"),
        ("source", "other", nil, "targetNotEmpty"),
        ("source", "target", "source/inner/journal", "journalInside"),
        ("source", "empty", "empty/journal", "journalInside"),
    ])
    func `Places that cannot be are refused`(
        source: String, target: String, journal: String?, reason: String
    ) throws {
        let move = try Move()
        try move.write("1", "file")
        try move.write("1", "inner/file")
        try move.directory.write([1], "other/file")
        try move.directory.makeDirectories(Array("empty".utf8))
        let before = try TreeListing.of(move.directory.path)
        let refusal = Self.refusal(from: source, to: target, journal: journal, move)
        #expect(String(describing: refusal).contains(reason))
        expectSame(before, try TreeListing.of(move.directory.path))
    }

    @Test func `A target that is reached through a symlink into the source is refused`() throws {
        let move = try Move()
        try move.write("1", "inner/file")
        try FileOperations.makeSymlink(
            move.directory.path("way"), to: move.directory.path("source/inner"),
            at: Descriptor.workingDirectory)
        let refusal = Self.refusal(from: "source", to: "way/target", move)
        #expect(
            refusal
                == .overlapping(
                    .targetInSource, source: move.source,
                    target: move.directory.path("source/inner/target")))
    }

    @Test func `A source that is not there is an error of the source`() throws {
        let move = try Move()
        try FileOperations.remove(move.source, isDirectory: true)
        guard case .source = Move.failure({ () throws(MigrationError) in try move.run() }) else {
            Issue.record("not refused")
            return
        }
    }

    @Test func `A target that is too small is refused before anything is made`() throws {
        let move = try Move()
        try move.write("1", "file")
        let run = try MigrationRun(move.request)
        var plan = try run.plan(backsUp: false, cleans: false)
        for change: (inout SpaceNeed) -> Void in [{ $0.freeBytes = 10 }, { $0.freeFiles = 0 }] {
            var small = plan
            change(&small.space)
            let refusal = Move.refusal { () throws(MigrationError) in try run.start(small) }
            #expect(try refusal == .noRoom(#require(small.space.shortage)))
        }
        plan.space.freeFiles = nil
        #expect(plan.space.shortage == nil)
        #expect((try? FileStatus.of(move.target)) == nil)
    }

    @Test func `A plan leaves nothing behind`() throws {
        let move = try Move()
        try move.write(String(repeating: "x", count: 300_000), "file")
        let before = try TreeListing.of(move.directory.path)
        _ = try MigrationRun(move.request).plan(backsUp: true, cleans: true)
        let after = try TreeListing.of(move.directory.path)
        // The probe was made and removed: only the time of the directory tells.
        expectSame(Array(before.dropFirst()), Array(after.dropFirst()))
    }

    @Test func `A migration that goes on must have the same scope`() throws {
        var move = try Move()
        try move.write("1", "file")
        try move.run()
        move.excluded = ["*.tmp"]
        let refusal = Move.refusal { () throws(MigrationError) in try move.run() }
        #expect(refusal == .otherScope([]))
    }

    @Test func `A source that was exchanged is refused, and the target keeps what it has`() throws {
        let move = try Move()
        try move.write("1", "file")
        try move.run()
        try FileOperations.rename(
            move.source, to: move.directory.path("old"), at: Descriptor.workingDirectory)
        try move.directory.makeDirectories(Array("source".utf8))
        let refusal = Move.refusal { () throws(MigrationError) in try move.run() }
        #expect(refusal == .otherDirectory(move.source, .source))
        #expect(try move.read("target/file") == "1")
    }

    @Test func `What others put into the target or changed there is named and kept`() throws {
        let move = try Move()
        try move.write("1", "file")
        try move.run()
        try move.directory.write(Array("theirs".utf8), "target/new")
        var refusal = Move.refusal { () throws(MigrationError) in try move.run() }
        #expect(refusal == .foreignPaths([Array("new".utf8)]))
        try FileOperations.remove(move.directory.path("target/new"))
        try move.directory.write(Array("theirs".utf8), "target/file")
        refusal = Move.refusal { () throws(MigrationError) in try move.run() }
        #expect(refusal == .foreignPaths([Array("file".utf8)]))
        #expect(try move.read("target/file") == "theirs")
        // Removed, it is copied again.
        try FileOperations.remove(move.directory.path("target/file"))
        #expect(try move.run().receipt != nil)
        #expect(try move.read("target/file") == "1")
    }

    @Test func `What others put where nothing was copied yet is named and kept`() throws {
        let move = try Move()
        try move.write("1", "file")
        _ = try move.started()
        try move.directory.write(Array("theirs".utf8), "target/file")
        let refusal = Move.refusal { () throws(MigrationError) in try move.run() }
        #expect(refusal == .foreignPaths([Array("file".utf8)]))
        #expect(try move.read("target/file") == "theirs")
    }

    @Test func `A symlink that others put in the place of a copied file is named`() throws {
        let move = try Move()
        try move.write("1", "file")
        HostSystem.sleep(.milliseconds(40))
        try move.run()
        let place = move.directory.path("target/file")
        try FileOperations.remove(place)
        try FileOperations.makeSymlink(
            place, to: Array("elsewhere".utf8), at: Descriptor.workingDirectory)
        let refusal = Move.refusal { () throws(MigrationError) in try move.run() }
        #expect(refusal == .foreignPaths([Array("file".utf8)]))
        #expect(try FileStatus.of(place).type == .symlink)
    }

    @Test func `Two runs at once are not let in`() throws {
        let move = try Move()
        try move.write("1", "file")
        let first = try move.started()
        guard case .held = Move.failure({ () throws(MigrationError) in _ = try move.started() })
        else {
            Issue.record("a second run was let in")
            return
        }
        _ = try first.execute()
        #expect(try first.verify().receipt != nil)
    }

    /// Somebody exchanges a directory of the target for a symlink while it is written.
    @Test func `A symlink in the target leads nowhere`() throws {
        let move = try Move()
        try move.write("1", "dir/file")
        try move.directory.makeDirectories(Array("outside".utf8))
        let run = try move.started()
        _ = try run.execute()
        try TemporaryDirectory.remove(move.directory.path("target/dir"))
        try FileOperations.makeSymlink(
            move.directory.path("target/dir"), to: move.directory.path("outside"),
            at: Descriptor.workingDirectory)
        try move.write("2", "dir/file")
        _ = Move.failure { () throws(MigrationError) in
            _ = try run.execute()
            _ = try run.verify()
        }
        let outside = try Descriptor.open(
            move.directory.path("outside"), [.readOnly, .directory])
        #expect(try outside.names([]) == [])
    }

    @Test func `A symlink in the place of a file is replaced, not followed`() throws {
        let move = try Move()
        try move.write("1", "file")
        let outside = try move.directory.write(Array("theirs".utf8), "outside")
        let run = try move.started()
        _ = try run.execute()
        let place = move.directory.path("target/file")
        try FileOperations.remove(place)
        try FileOperations.makeSymlink(place, to: outside, at: Descriptor.workingDirectory)
        let report = try run.verify()
        #expect(report.repaired == 1)
        #expect(try FileStatus.of(place).type == .regular)
        #expect(try Fixtures.read(outside) == Array("theirs".utf8))
    }
}
