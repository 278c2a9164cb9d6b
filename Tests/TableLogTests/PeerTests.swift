import Bytes
import TableLog
import Testing
import TestSupport

/// Tables of ours as delta-rs sees them, and its tables as we do.
struct PeerTests {
    private static let script = String(
        decoding: PathBytes.join(Fixtures.project, Array("Scripts/delta-peer.py".utf8)),
        as: UTF8.self)

    private static func ask(_ arguments: String...) throws -> [String] {
        try ExternalTool.python.text([script] + arguments).split(separator: "\n").map(String.init)
    }

    private static func names(_ snapshot: TableSnapshot) -> [String] {
        snapshot.files.values.map { String($0.path.string.split(separator: "/").last ?? "") }
            .sorted()
    }

    @Test(.needs(.python))
    func `delta-rs reads our tables, at every version`() throws {
        let table = try TestTable.created()
        for id in Int64(1)...12 {
            _ = try table.log.maintain(try table.append([id]))
        }
        let now = try table.log.snapshot()
        #expect(try Self.ask("files", table.path) == ["12"] + Self.names(now))
        #expect(try Self.ask("rows", table.path).count == 12)
        #expect(try Self.ask("rows", table.path, "7").count == 7)
    }

    @Test(.needs(.python))
    func `delta-rs reads our table from a checkpoint alone`() throws {
        let table = try TestTable.created()
        for id in Int64(1)...3 { try table.append([id]) }
        try table.log.writeCheckpoint(try table.log.snapshot())
        for version in Int64(0)..<3 { try table.removeLog(TestTable.name(version)) }
        #expect(try Self.ask("rows", table.path) == ["1\trow 1", "2\trow 2", "3\trow 3"])
    }

    @Test(.needs(.python))
    func `We read the tables of delta-rs, with checkpoints and compactions`() throws {
        let table = try TestTable()
        _ = try Self.ask("write", table.path, "120")
        for version in [Int64(0), 50, 99, 100, 119, 120, 121] {
            let snapshot = try table.log.snapshot(version: version)
            let theirs = try Self.ask("files", table.path, String(version))
            #expect([String(version)] + Self.names(snapshot) == theirs)
        }
        #expect(try table.ids() == Array(0..<120).filter { $0 != 1 })
    }

    @Test(.needs(.python))
    func `Both write to one table in turns`() throws {
        let table = try TestTable.created()
        for id in stride(from: Int64(1), to: 9, by: 2) {
            try table.append([id])
            _ = try Self.ask("append", table.path, String(id + 1))
        }
        #expect(try table.ids() == Array(1...8))
        #expect(try Self.ask("rows", table.path).count == 8)
        #expect(try table.log.snapshot().version == 8)
    }
}
