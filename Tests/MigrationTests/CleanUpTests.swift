import Bytes
import Platform
import Testing
import TestSupport

@testable import Migration

/// What is removed from a source, and what never is.
struct CleanUpTests {
    private static func migrated(_ seed: Seed) throws -> Move {
        let move = try Move()
        var tree = TestTree(move.source, seed)
        try tree.fill(files: 5)
        HostSystem.sleep(.milliseconds(40))
        try move.run()
        return move
    }

    private static func small() throws -> Move {
        let move = try Move()
        for name in ["a", "dir/b", "dir/inner/c"] { try move.write(name, name) }
        try FileOperations.link(
            move.directory.path("source/a"), to: move.directory.path("source/link"),
            at: Descriptor.workingDirectory)
        HostSystem.sleep(.milliseconds(40))
        #expect(try move.run().receipt != nil)
        return move
    }

    private static func obstacles(_ move: Move) -> [CleanUpObstacle]? {
        let failure = Move.failure { () throws(MigrationError) in _ = try move.cleanUp() }
        guard case .notProven(let obstacles) = failure else { return nil }
        return obstacles
    }

    private static func names(_ path: [UInt8]) throws -> [[UInt8]] {
        try Descriptor.open(path, [.readOnly, .directory]).names(path)
    }

    @Test(arguments: Seed.some(2))
    func `A proven source goes, and the target stays as it was`(seed: Seed) throws {
        let move = try Self.migrated(seed)
        let before = try TreeListing.of(move.target)
        let report = try move.cleanUp()
        #expect(report.left == [])
        #expect(try Self.names(move.source) == [])
        expectSame(before, try TreeListing.of(move.target))
        // Asked for again, it is done already.
        #expect(try move.cleanUp().wasDone)
        guard case .finished? = Move.refusal({ () throws(MigrationError) in try move.run() }) else {
            Issue.record("a finished migration was run again")
            return
        }
        expectSame(before, try TreeListing.of(move.target))
    }

    @Test func `Without a receipt nothing is removed`() throws {
        let move = try Move()
        try move.write("1", "file")
        let run = try move.started()
        _ = try run.execute()
        let refusal = Move.refusal { () throws(MigrationError) in _ = try run.cleanUp() }
        #expect(refusal == .noReceipt)
        #expect(try move.read("source/file") == "1")
    }

    @Test(arguments: ["content", "mode", "gone", "target", "target gone"])
    func `After any change nothing is removed`(change: String) throws {
        let move = try Self.small()
        let place = Descriptor.workingDirectory
        switch change {
        case "content": try move.write("x", "dir/b")
        case "mode":
            try FileOperations.setMode(move.directory.path("source/dir/b"), 0o600, at: place)
        case "gone": try FileOperations.remove(move.directory.path("source/dir/b"))
        case "target": try move.directory.write([1, 2, 3], "target/dir/b")
        default: try FileOperations.remove(move.directory.path("target/dir/b"))
        }
        let before = try TreeListing.of(move.source)
        let obstacles = try #require(Self.obstacles(move))
        #expect(obstacles.map(\.path) == [Array("dir/b".utf8)])
        expectSame(before, try TreeListing.of(move.source))
    }

    @Test func `What is new in the source stays, with the directories above it`() throws {
        let move = try Self.small()
        try move.write("new", "dir/new")
        let report = try move.cleanUp()
        #expect(
            Set(report.left.map(\.path)) == [Array("dir".utf8), Array("dir/new".utf8)])
        #expect(try move.read("source/dir/new") == "new")
        #expect(try Self.names(move.source) == [Array("dir".utf8)])
        // It would be taken for lost if it were copied now.
        let refusal = Move.refusal { () throws(MigrationError) in try move.run() }
        #expect(refusal == .cleaningBegan)
        // With what is new moved away, the clean-up comes to its end.
        try FileOperations.remove(move.directory.path("source/dir/new"))
        #expect(try move.cleanUp().left == [])
        #expect(try Self.names(move.source) == [])
    }

    @Test func `A clean-up that goes on leaves what changed meanwhile`() throws {
        let move = try Self.small()
        try move.write("new", "dir/new")
        _ = try move.cleanUp()
        try FileOperations.remove(move.directory.path("source/dir/new"))
        try move.write("other", "dir/b")
        let report = try move.cleanUp()
        #expect(Set(report.left.map(\.path)) == [Array("dir".utf8), Array("dir/b".utf8)])
        #expect(try move.read("source/dir/b") == "other")
        try FileOperations.remove(move.directory.path("source/dir/b"))
        #expect(try move.cleanUp().left == [])
    }

    @Test(arguments: ["journal", "receipt.jsonl"])
    func `Damage is told differently when part of the source is gone`(name: String) throws {
        let move = try Self.small()
        try move.write("new", "dir/new")
        _ = try move.cleanUp()
        let path = "target.varve-migration/" + name
        var damaged = try move.directory.read(path)
        damaged[damaged.count / 2] ^= 4
        try move.directory.write(damaged, path)
        let failure = Move.failure { () throws(MigrationError) in _ = try move.cleanUp() }
        guard case .cleaning(.damaged) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(try move.read("target/dir/b") == "dir/b")
    }

    @Test func `A new file at the top stays and is told`() throws {
        let move = try Self.small()
        try move.write("new", "new")
        let report = try move.cleanUp()
        #expect(report.left.map(\.path) == [Array("new".utf8)])
        #expect(try move.read("source/new") == "new")
    }

    @Test func `A copy after the receipt takes the receipt back`() throws {
        let move = try Self.small()
        try move.write("changed", "dir/b")
        let run = try move.started()
        _ = try run.execute()
        #expect(Move.refusal { () throws(MigrationError) in _ = try run.cleanUp() } != nil)
        #expect(
            (try? FileStatus.of(PathBytes.join(move.journal, Array("receipt.jsonl".utf8)))) == nil)
    }

    /// Flips and cuts of the receipt: refused, and every file stays.
    @Test func `A damaged receipt removes nothing`() throws {
        let move = try Self.small()
        let path = "target.varve-migration/receipt.jsonl"
        let whole = try move.directory.read(path)
        let before = try TreeListing.of(move.source)
        for index in stride(from: 0, to: whole.count, by: 7) {
            var damaged = whole
            damaged[index] ^= 0x10
            try move.directory.write(damaged, path)
            guard
                case .damaged = Move.failure({ () throws(MigrationError) in _ = try move.cleanUp() }
                )
            else {
                Issue.record("byte \(index)")
                continue
            }
            try move.directory.write(Array(whole.prefix(index)), path)
            guard
                case .damaged = Move.failure({ () throws(MigrationError) in _ = try move.cleanUp() }
                )
            else {
                Issue.record("cut at \(index)")
                continue
            }
        }
        expectSame(before, try TreeListing.of(move.source))
        for index in whole.indices {
            var damaged = whole
            damaged[index] ^= 1
            _ = try? Receipt(parsing: damaged)
            _ = try? Receipt(parsing: Array(whole.prefix(index)))
        }
        #expect(try Receipt(parsing: whole).paths.count == 6)
    }

    /// Whatever happens to the journal: what the source has lost because it was cleaned does not
    /// go from the target, and what it still has does not go from the source unproven.
    @Test func `A damaged journal never leads to a wrong removal`() throws {
        let move = try Self.small()
        try move.write("new", "dir/new")
        _ = try move.cleanUp()
        let path = "target.varve-migration/journal"
        let whole = try move.directory.read(path)
        let target = try TreeListing.of(move.target)
        let source = try TreeListing.of(move.source)
        for count in stride(from: 0, through: whole.count, by: 83) {
            try move.directory.write(Array(whole.prefix(count)), path)
            _ = Move.failure { () throws(MigrationError) in try move.run() }
            _ = Move.failure { () throws(MigrationError) in _ = try move.cleanUp() }
            try TemporaryDirectory.removeIfThere(move.directory.path("target/.varve-migration"))
        }
        for index in stride(from: 0, to: whole.count, by: 71) {
            var damaged = whole
            damaged[index] ^= 4
            try move.directory.write(damaged, path)
            _ = Move.failure { () throws(MigrationError) in try move.run() }
            _ = Move.failure { () throws(MigrationError) in _ = try move.cleanUp() }
            try TemporaryDirectory.removeIfThere(move.directory.path("target/.varve-migration"))
        }
        #expect(try Set(TreeListing.of(move.target).dropFirst()) == Set(target.dropFirst()))
        #expect(try Set(TreeListing.of(move.source).dropFirst()) == Set(source.dropFirst()))
    }
}

extension TemporaryDirectory {
    static func removeIfThere(_ path: [UInt8]) throws {
        if (try? FileStatus.of(path)) != nil { try remove(path) }
    }
}
