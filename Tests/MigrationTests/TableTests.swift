import Bytes
import JSON
import Parquet
import Platform
import TableLog
import TableStore
import Testing
import TestSupport

@testable import Migration

/// Tables in a migration: taken over, and made of row files.
struct TableTests {
    private static func table(_ move: Move, _ place: String) throws -> [String] {
        let table = try StoredTable(move.directory.path(place))
        var scan = try TableScan(table)
        let text = RowText(scan.fields, .csv(delimiter: UInt8(ascii: ",")))
        var bytes = text.header
        while let batch = try scan.next() { text.append(batch, to: &bytes) }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private static func makeTable(_ move: Move, rows: Int) throws -> StoredTable {
        let schema = try SchemaGrammar.parse("id long not null, name string, part string")
        var design = TableDesign(schema)
        design.partitionBy = ["part"]
        let table = try StoredTable.create(move.directory.path("source/table"), design)
        try append(move, table, 0..<rows)
        return try table.refreshed()
    }

    private static func append(_ move: Move, _ table: StoredTable, _ rows: Range<Int>) throws {
        let lines = rows.map { "\($0),name \($0),\($0 % 3)" }
        let file = try move.directory.write(
            Array((["id,name,part"] + lines).joined(separator: "\n").utf8), "rows.csv")
        _ = try TableImport.append([file], to: table)
    }

    @Test func `A table is proven by version, rows and digest`() throws {
        let move = try Move()
        let table = try Self.makeTable(move, rows: 1_000)
        let report = try move.run()
        let proof = try #require(report.tables.first)
        #expect(proof.path == Array("table".utf8))
        #expect(proof.version == table.snapshot.version)
        #expect(proof.rows == 1_000)
        #expect(proof.digest == (try table.rowDigest().hex))
        #expect(try Self.table(move, "target/table") == Self.table(move, "source/table"))
    }

    @Test func `Commits during the migration come over, data before log`() throws {
        let move = try Move()
        let table = try Self.makeTable(move, rows: 100)
        let run = try move.started()
        _ = try run.execute()
        try Self.append(move, table, 100..<200)
        let report = try run.verify()
        #expect(report.tables.first?.rows == 200)
        #expect(report.tables.first?.version == 2)
        #expect(try Self.table(move, "target/table").count == 201)
    }

    /// A reader looks at the target all the time: each version it sees is whole.
    @Test func `A reader of the target sees whole versions only`() throws {
        let move = try Move()
        var table = try Self.makeTable(move, rows: 50)
        for step in 1..<6 { try Self.append(move, table, step * 50..<(step + 1) * 50) }
        table = try table.refreshed()
        let (stop, faults) = (Monitor(false), Monitor<[String]>([]))
        let place = move.directory.path("target/table")
        let reader = WorkerThreads(count: 1) { _ in
            while !stop.withState({ $0 }) {
                guard let seen = try? StoredTable(place) else { continue }
                do {
                    let rows = try seen.rowDigest().rows
                    if rows != 50 * seen.snapshot.version {
                        faults.update { $0.append("\(rows) rows in \(seen.snapshot.version)") }
                    }
                } catch {
                    faults.update { $0.append("\(error)") }
                }
            }
        }
        try move.run()
        try Self.append(move, table, 300..<350)
        try move.run()
        stop.update { $0 = true }
        reader.join()
        #expect(faults.withState { $0 } == [])
    }

    @Test func `Rows that differ behind equal files are found`() throws {
        let move = try Move()
        _ = try Self.makeTable(move, rows: 10)
        let run = try move.started()
        _ = try run.execute()
        // Another table in the target, in the place of the copied one.
        let target = try run.requireTarget()
        let comparison = TableVerification(source: run.source, target: target)
        let place = move.directory.path("target/table")
        try TemporaryDirectory.remove(place)
        let other = try StoredTable.create(
            place, TableDesign(try SchemaGrammar.parse("id long not null, name string")))
        let file = try move.directory.write(Array("id,name\n1,x\n".utf8), "other.csv")
        _ = try TableImport.append([file], to: other)
        guard case .different(let reason) = try comparison.compare(Array("table".utf8)) else {
            Issue.record("the difference was not found")
            return
        }
        #expect(reason.contains("10 rows"))
    }

    // MARK: - Row files
    private static let csv = """
        id,name,price,day,flag
        1,one,1.50,2026-01-01,true
        2,"two, quoted",-2.25,2026-01-02,false
        3,,,,
        """

    private static let ndjson = """
        {"id":1,"name":"one","price":1.5,"flag":true}
        {"id":2,"name":"two","price":-2.25,"flag":false}
        {"id":3,"name":null,"price":null,"flag":null}
        """

    @Test func `Directories of CSV and NDJSON files become tables with the same values`() throws {
        var move = try Move()
        move.makesTables = true
        try move.write(Self.csv, "sales/a.csv")
        try move.write("id,name,price,day,flag\n4,four,4,2026-02-03,true\n", "sales/b.csv")
        try move.write("done", "sales/_SUCCESS")
        try move.write(Self.ndjson, "events/1.ndjson")
        try move.write("text", "plain/readme.md")
        try move.write(Self.csv, "mixed/a.csv")
        try move.write("text", "mixed/readme.md")
        let report = try move.run()
        #expect(report.problems == [])
        #expect(report.receipt != nil)
        #expect(report.tables.map(\.rows) == [3, 4])
        #expect(
            try Set(Self.table(move, "target/sales")) == [
                "id,name,price,day,flag", "1,one,1.5,2026-01-01,true",
                "2,\"two, quoted\",-2.25,2026-01-02,false", "3,,,,",
                "4,four,4.0,2026-02-03,true",
            ])
        #expect(
            try Set(Self.table(move, "target/events")) == [
                "id,name,price,flag", "1,one,1.5,true", "2,two,-2.25,false", "3,,,",
            ])
        #expect(try move.read("target/sales/_SUCCESS") == "done")
        #expect(try move.read("target/mixed/a.csv") == Self.csv)
        #expect((try? move.read("target/sales/a.csv")) == nil)
    }

    @Test func `Directories of Parquet files become tables`() throws {
        var move = try Move()
        move.makesTables = true
        let table = try Self.makeTable(move, rows: 500)
        let file = try #require(table.files.first)
        let bytes = try move.directory.read("source/table/\(file.path)")
        try TemporaryDirectory.remove(move.directory.path("source/table"))
        try move.directory.write(bytes, "source/parquet/a.parquet")
        try move.directory.write(bytes, "source/parquet/b.parquet")
        let report = try move.run()
        #expect(report.problems == [])
        let rows = try #require(report.tables.first?.rows)
        #expect(rows > 0 && rows.isMultiple(of: 2))
        let lines = try Self.table(move, "target/parquet")
        #expect(lines.count == Int(rows) + 1)
        #expect(Set(lines.dropFirst()).count == Int(rows) / 2)
    }

    @Test func `Row files that change make the table anew, and clean-up removes them`() throws {
        var move = try Move()
        move.makesTables = true
        try move.write("id\n1\n", "rows/a.csv")
        HostSystem.sleep(.milliseconds(40))
        try move.run()
        try move.write("id\n1\n2\n", "rows/a.csv")
        try move.write("id\n3\n", "rows/b.csv")
        HostSystem.sleep(.milliseconds(40))
        #expect(try move.run().tables.first?.rows == 3)
        #expect(try Set(Self.table(move, "target/rows")) == ["id", "1", "2", "3"])
        #expect(try move.cleanUp().left == [])
        #expect(try Descriptor.open(move.source, [.readOnly, .directory]).names([]) == [])
        #expect(try Self.table(move, "target/rows").count == 4)
    }

    @Test(arguments: ["segment", "rows"])
    func `Row files stay when their table is no longer what was proven`(change: String) throws {
        var move = try Move()
        move.makesTables = true
        try move.write("id\n1\n", "rows/a.csv")
        HostSystem.sleep(.milliseconds(40))
        try move.run()
        let table = try StoredTable(move.directory.path("target/rows"))
        if change == "rows" {
            _ = try table.delete(where: try Filter(parsing: "id = 1"))
        } else {
            let segment = try #require(table.files.first?.path)
            try FileOperations.remove(move.directory.path("target/rows/\(segment)"))
        }
        let failure = Move.failure { () throws(MigrationError) in _ = try move.cleanUp() }
        guard case .notProven(let obstacles) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(obstacles.map(\.path) == [Array("rows".utf8)])
        #expect(try move.read("source/rows/a.csv") == "id\n1\n")
    }

    /// Both sides would be rounded alike, and be the same.
    @Test func `Numbers keep all of their digits when a table is made of them`() throws {
        var move = try Move()
        move.makesTables = true
        try move.write("a\n0.1234567890123456789\n", "rows/a.csv")
        #expect(try move.run().receipt != nil)
        #expect(try Self.table(move, "target/rows") == ["a", "0.1234567890123456789"])
    }

    @Test func `Row files that do not fit are told, and the rest is migrated`() throws {
        var move = try Move()
        move.makesTables = true
        try move.write("id,name\n1,a\n2\n", "rows/a.csv")
        try move.write("1", "file")
        let report = try move.run()
        #expect(report.problems.map(\.path) == [Array("rows".utf8)])
        #expect(report.receipt == nil)
        #expect(try move.read("target/file") == "1")
    }

    // MARK: - Digests of rows
    @Test func `The digest of rows knows no order, and every value counts`() throws {
        let move = try Move()
        func digest(_ text: String, _ schema: String = "id long, name string") throws -> RowDigest {
            let file = try move.directory.write(Array(("id,name\n" + text).utf8), "rows.csv")
            return try RowDigest(of: [file], try SchemaGrammar.parse(schema))
        }
        let one = try digest("1,a\n2,b\n2,b\n")
        #expect(try digest("2,b\n1,a\n2,b\n") == one)
        #expect(one.rows == 3)
        for other in ["1,a\n2,b\n", "1,a\n1,a\n2,b\n", "1,b\n2,a\n2,b\n", "1,a\n2,b\n2,\n"] {
            #expect(try digest(other) != one, "\(other)")
        }
        // Null, the empty text and a shifted border are three things.
        let texts = ["1,\n", "1,\"\"\n", "1,0\n"]
        #expect(try Set(texts.map { try digest($0).hex }).count == 3)
        #expect(
            try digest("ab,c\n", "id string, name string")
                != digest("a,bc\n", "id string, name string"))
    }

    @Test func `The digest of a table is that of the rows it was made of`() throws {
        let move = try Move()
        let table = try Self.makeTable(move, rows: 5_000)
        let file = move.directory.path("rows.csv")
        #expect(try RowDigest(of: [file], table.schema) == table.rowDigest())
    }
}
