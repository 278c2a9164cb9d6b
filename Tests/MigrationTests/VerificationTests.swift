import Bytes
import Hashing
import Platform
import TableStore
import Testing
import TestSupport

@testable import Migration

/// Verifications that are cut, and go on.
struct VerificationTests {
    /// A migration that was copied and compared, and ended before its receipt.
    private static func cutMove() throws -> Move {
        let move = try Move()
        for number in 0..<20 { try move.write("content \(number)", "dir/\(number)") }
        try move.write("1", "other")
        let schema = try SchemaGrammar.parse("id long")
        let table = try StoredTable.create(
            move.directory.path("source/table"), TableDesign(schema))
        let file = try move.directory.write(Array("id\n1\n2\n".utf8), "rows.csv")
        _ = try TableImport.append([file], to: table)
        HostSystem.sleep(.milliseconds(30))
        let run = try move.started()
        _ = try run.execute()
        HostSystem.sleep(.milliseconds(30))
        var report = VerificationReport()
        try run.compare(run.walk(), &report)
        return move
    }

    private static func resumed(_ move: Move) throws -> VerificationReport {
        let run = try move.started()
        _ = try run.execute()
        return try run.verify()
    }

    @Test func `What was compared before a cut is not compared again`() throws {
        let move = try Self.cutMove()
        let state = try MigrationRun(move.request).journal?.state
        #expect(state?.provenTables.keys.contains(Array("table".utf8)) == true)
        let report = try Self.resumed(move)
        // Files, and three directories.
        #expect(report.known == report.files + 3)
        #expect(report.problems.isEmpty)
        #expect(report.tables.first?.rows == 2)
        #expect(report.receipt != nil)
        // It is over: the next one begins anew.
        #expect(try Self.resumed(move).known == 0)
    }

    @Test func `A target that changed since it was compared is compared again`() throws {
        let move = try Self.cutMove()
        let path = move.directory.path("target/dir/3")
        let before = try FileStatus.of(path)
        let file = try Descriptor.open(path, [.writeOnly])
        try file.write(Array("CONTENT 3".utf8).span, at: 0, path)
        try file.setModificationTime(before.mtime, path)
        try file.close(path)
        let report = try Self.resumed(move)
        #expect(report.repaired == 1)
        #expect(report.receipt != nil)
        #expect(try move.read("target/dir/3") == "content 3")
    }

    @Test func `A source that changed since it was compared is copied again`() throws {
        let move = try Self.cutMove()
        try move.write("changed 3", "dir/3")
        let report = try Self.resumed(move)
        // Without the file, and its directory, in which it got its name.
        #expect(report.known == report.files + 3 - 2)
        #expect(report.receipt != nil)
        #expect(try move.read("target/dir/3") == "changed 3")
    }

    @Test func `A commit after the cut makes its table be read again`() throws {
        let move = try Self.cutMove()
        let file = try move.directory.write(Array("id\n3\n".utf8), "rows.csv")
        _ = try TableImport.append([file], to: StoredTable(move.directory.path("source/table")))
        let report = try Self.resumed(move)
        #expect(report.tables.first?.rows == 3)
        #expect(report.receipt != nil)
    }

    @Test func `A journal that proves what it did not copy is damaged`() throws {
        let move = try Self.cutMove()
        let state = try #require(try MigrationRun(move.request).journal?.state)
        let proof = try #require(state.proven[Array("other".utf8)])
        let identity = try #require(state.identity)
        #expect(throws: JournalDamage.self) {
            try JournalState([.begin(identity), .compared([proof], [])])
        }
    }
}
