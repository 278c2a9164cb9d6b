import Bytes
import Platform
import Testing
import TestSupport

@testable import Migration

/// What is in the target afterwards.
struct CopyTests {
    @Test(arguments: CopyStrategy.allCases, Seed.some(2))
    func `Every strategy makes the target equal to the source`(
        strategy: CopyStrategy, seed: Seed
    ) throws {
        var move = try Move()
        move.strategy = strategy
        var tree = TestTree(move.source, seed)
        try tree.fill()
        let before = try TreeListing.of(move.source)
        let report = try move.run()
        #expect(report.problems == [])
        #expect(report.receipt != nil)
        expectSame(before, try TreeListing.of(move.target))
        expectSame(before, try TreeListing.of(move.source), "the source changed")
        #expect(report.repaired == 0)
    }

    @Test(arguments: Seed.some(3))
    func `A second run brings over what changed, and what is gone goes`(seed: Seed) throws {
        let move = try Move()
        var tree = TestTree(move.source, seed)
        try tree.fill(files: 5)
        try move.run()
        try tree.edit(40)
        let report = try move.run()
        #expect(report.receipt != nil)
        expectSame(try TreeListing.of(move.source), try TreeListing.of(move.target))
    }

    @Test func `Parts of a large file make the same file`() throws {
        var move = try Move()
        var random = SplitMix64(seed: 5)
        let size = Int(2 * CopyStrategy.partSize) + 12_345
        try move.directory.write(random.bytes(size), "source/large")
        for strategy in CopyStrategy.allCases {
            move.strategy = strategy
            let before = try TreeListing.of(move.source)
            try move.run()
            expectSame(before, try TreeListing.of(move.target))
            try TemporaryDirectory.remove(move.target)
            try TemporaryDirectory.remove(move.journal)
        }
    }

    @Test func `Without copies inside the kernel the bytes are the same`() throws {
        let move = try Move()
        var random = SplitMix64(seed: 6)
        try move.directory.write(random.bytes(3_000_001), "source/file")
        let run = try move.started()
        let settings = CopySettings(
            bytesPerSecond: nil, copiesInKernel: false, WorkProgress(), .system)
        let found = try run.walk()
        let pass = CopyPass(
            run.source, try run.requireTarget(), try run.requireJournal(), .parallel, settings)
        #expect(try pass.run(found, ChangeSet(found, JournalState())) == [])
        #expect(try run.verify().receipt != nil)
    }

    @Test func `What is left out is not copied`() throws {
        var move = try Move()
        move.excluded = ["*.tmp", "/cache/"]
        try move.write("1", "kept")
        try move.write("2", "lost.tmp")
        try move.write("3", "cache/lost")
        try move.run()
        let target = try Descriptor.open(move.target, [.readOnly, .directory])
        #expect(try target.names([]) == [Array("kept".utf8)])
    }

    @Test func `A file that differs in the target is found and copied again`() throws {
        let move = try Move()
        try move.write("a content that is long enough", "file")
        let run = try move.started()
        _ = try run.execute()
        let path = move.directory.path("target/file")
        let status = try FileStatus.of(path)
        let file = try Descriptor.open(path, .readWrite)
        try file.write([UInt8(ascii: "X")].span, at: 5, path)
        try file.setModificationTime(status.mtime, path)
        let report = try run.verify()
        #expect(report.repaired == 1)
        #expect(report.receipt != nil)
        #expect(try move.read("target/file") == "a content that is long enough")
    }

    @Test(.enabled(if: !HostSystem.isRoot, "root may read everything"))
    func `What cannot be read is listed, the rest is copied, and there is no receipt`() throws {
        let move = try Move()
        try move.write("1", "open")
        try move.write("2", "closed")
        try FileOperations.setMode(
            move.directory.path("source/closed"), 0, at: Descriptor.workingDirectory)
        let report = try move.run()
        #expect(report.problems.map(\.path) == [Array("closed".utf8)])
        #expect(report.receipt == nil)
        #expect(try move.read("target/open") == "1")
    }
}

/// A source that is written to while it is migrated.
struct ChangingSourceTests {
    @Test func `What changes between copying and verifying is caught up with`() throws {
        let move = try Move()
        for name in ["changed", "gone", "kept", "dir/inner"] { try move.write(name, name) }
        let run = try move.started()
        _ = try run.execute()
        try move.write("changed since", "changed")
        try move.write("new", "dir/new")
        try FileOperations.remove(move.directory.path("source/gone"))
        try FileOperations.setMode(
            move.directory.path("source/dir"), 0o711, at: Descriptor.workingDirectory)
        let report = try run.verify()
        #expect(report.receipt != nil)
        expectSame(try TreeListing.of(move.source), try TreeListing.of(move.target))
    }

    /// Size and time are put back; only the change time tells.
    @Test func `A change that hides behind an old time is found`() throws {
        let move = try Move()
        try move.write("one", "file")
        HostSystem.sleep(.milliseconds(40))
        try move.run()
        let path = move.directory.path("source/file")
        let before = try FileStatus.of(path)
        try move.write("two", "file")
        try FileOperations.setModificationTime(
            path, before.mtime, at: Descriptor.workingDirectory)
        try move.run()
        #expect(try move.read("target/file") == "two")
    }

    @Test func `A file becomes a directory and a directory a file`() throws {
        let move = try Move()
        try move.write("1", "a")
        try move.write("2", "b/c")
        try move.run()
        try TemporaryDirectory.remove(move.directory.path("source/b"))
        try FileOperations.remove(move.directory.path("source/a"))
        try move.write("3", "a/d")
        try move.write("4", "b")
        let report = try move.run()
        #expect(report.receipt != nil)
        expectSame(try TreeListing.of(move.source), try TreeListing.of(move.target))
    }

    @Test func `A source that never rests is refused, with the paths that change`() throws {
        var move = try Move()
        move.passLimit = 3
        try move.write("0", "busy")
        try move.write("0", "still")
        let stop = Monitor(false)
        let path = move.source
        let writer = WorkerThreads(count: 1) { _ in
            var number = 0
            while !stop.withState({ $0 }) {
                number += 1
                let text = Array("\(number)".utf8)
                let place = PathBytes.join(path, Array("busy".utf8))
                if let file = try? Descriptor.open(place, [.writeOnly, .create]) {
                    try? file.write(text.span, at: 0, place)
                }
                HostSystem.sleep(.milliseconds(1))
            }
        }
        let failure = Move.failure { () throws(MigrationError) in try move.run() }
        stop.update { $0 = true }
        writer.join()
        guard case .unsettled(let passes, let paths) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(passes == 3)
        #expect(paths == [Array("busy".utf8)])
        // With the writer stopped, the same migration goes on to its end.
        #expect(try move.run().receipt != nil)
        expectSame(try TreeListing.of(move.source), try TreeListing.of(move.target))
    }
}
