import Bytes
import Platform
import TableLog
import TableStore
import Testing
import TestSupport

/// A filter never loses a row, whatever bounds the writer of a file put down.
struct ForeignBoundsTests {
    /// A table of one column and row, in which bounds say what they say.
    private static func store(
        _ type: String, _ value: String, _ bounds: (String, String)
    ) throws -> TestStore {
        let store = try TestStore()
        try store.create("x \(type)")
        try store.append("x\n\(value)\n")
        var add = try #require(try store.table().files.first)
        add.statistics = ExactText(
            "{\"numRecords\":1,\"minValues\":{\"x\":\(bounds.0)},\"maxValues\":{\"x\":\(bounds.1)},"
                + "\"nullCount\":{\"x\":0}}")
        let log = CommitLog(try TableDirectory(store.path))
        _ = try log.commit(TableChange("WRITE", [.add(add)]), to: try log.snapshot())
        return store
    }

    @Test(arguments: [
        // Delta Lake 3.2 and 3.3 cut the offset of the zone to minutes.
        (
            "timestamp", "1850-01-01T00:07:33Z", "\"1850-01-01T01:01:01.000+00:53\"",
            "'1850-01-01T00:07:33Z'"
        ),
        (
            "timestamp", "2026-01-01T00:00:00.999999Z", "\"2026-01-01T00:00:00.999Z\"",
            "'2026-01-01T00:00:00.999999Z'"
        ),
        (
            "timestamp", "2026-01-01T00:00:00.000500Z", "\"2026-01-01T00:00:00.001Z\"",
            "'2026-01-01T00:00:00.000500Z'"
        ),
        (
            "timestamp_ntz", "2026-01-01T00:00:00.000500", "\"2026-01-01T00:00:00.001\"",
            "'2026-01-01T00:00:00.0005'"
        ),
        ("string", "abcdefgh", "\"abcd\"", "'abcdefgh'"),
        ("string", "ab\u{e9}", "\"ab\u{fffd}\"", "'ab\u{e9}'"),
        ("long", "9007199254740993", "9007199254740992", "9007199254740993"),
        ("long", "-9223372036854775807", "-9223372036854775808", "-9223372036854775807"),
        ("decimal(18,0)", "123456789012345678", "123456789012345680", "123456789012345678"),
    ])
    func `A row is found whose bounds were rounded or cut`(
        type: String, value: String, bound: String, literal: String
    ) throws {
        let store = try Self.store(type, value, (bound, bound))
        #expect(try store.lines(where: "x = \(literal)").count == 1)
        #expect(try store.lines(where: "x >= \(literal)").count == 1)
        #expect(try store.lines(where: "x <= \(literal)").count == 1)
        #expect(try store.lines(where: "x <> \(literal)").isEmpty)
    }

    @Test func `Bounds still keep files from being read`() throws {
        let store = try Self.store(
            "timestamp", "2026-01-01T00:00:00Z",
            ("\"2026-01-01T00:00:00Z\"", "\"2026-01-01T00:00:00Z\""))
        var request = ScanRequest()
        request.filter = try Filter(parsing: "x > '2026-01-01T00:00:01Z'")
        var scan = try TableScan(try store.table(), request)
        #expect(try scan.next() == nil && scan.openedFiles == 0)
    }
}
