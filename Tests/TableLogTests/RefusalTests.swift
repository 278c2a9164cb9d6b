import Bytes
import Parquet
import TableLog
import Testing
import TestSupport

@testable import TableLog

/// Damage is named, and what is not understood is refused by its name.
struct RefusalTests {
    private static func table(
        _ protocolText: String, _ configuration: String = "{}"
    ) throws -> TestTable {
        let table = try TestTable.created()
        let schema = TestTable.schema.text.string.replacing("\"", with: "\\\"")
        try table.writeLog(
            TestTable.name(0),
            """
            {"protocol":\(protocolText)}
            {"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":\
            "\(schema)","partitionColumns":[],"configuration":\(configuration)}}

            """)
        return table
    }

    private static func lists(_ readers: String, _ writers: String) -> String {
        #"{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":"# + readers
            + #","writerFeatures":"# + writers + "}"
    }

    @Test(arguments: [
        (#"{"minReaderVersion":1,"minWriterVersion":2}"#, nil, nil),
        (#"{"minReaderVersion":1,"minWriterVersion":6}"#, nil, "writer version 6"),
        (#"{"minReaderVersion":4,"minWriterVersion":7}"#, "reader version 4", "reader version 4"),
        (#"{"minReaderVersion":1,"minWriterVersion":8}"#, nil, "writer version 8"),
        (
            lists(#"["catalogManaged"]"#, #"["catalogManaged"]"#),
            "reader feature 'catalogManaged'", "reader feature 'catalogManaged'"
        ),
        (
            lists(#"["timestampNtz"]"#, #"["timestampNtz","appendOnly","invariants"]"#), nil, nil
        ),
        (
            #"{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["rowTracking"]}"#, nil,
            "writer feature 'rowTracking'"
        ),
    ])
    func `Tables are refused by the name of what is not understood`(
        text: String, reading: String?, writing: String?
    ) throws {
        let snapshot = try Self.table(text).snapshot()
        Self.expect(reading) { () throws(TableLogError) in try snapshot.checkReadable() }
        Self.expect(writing) { () throws(TableLogError) in try snapshot.checkWritable() }
    }

    private static func expect(_ name: String?, _ check: () throws(TableLogError) -> Void) {
        do throws(TableLogError) {
            try check()
            #expect(name == nil)
        } catch {
            #expect(name.map { error.detail.contains($0) } == true, "\(error)")
            #expect(error.kind == .unsupported)
        }
    }

    @Test(arguments: [
        #"{"delta.constraints.positive":"id > 0"}"#, #"{"delta.enableChangeDataFeed":"true"}"#,
        #"{"delta.columnMapping.mode":"name"}"#, #"{"delta.enableRowTracking":"true"}"#,
        #"{"delta.enableInCommitTimestamps":"TRUE"}"#,
    ])
    func `What is in use is refused whatever the lists say`(configuration: String) throws {
        let text = #"{"minReaderVersion":1,"minWriterVersion":3}"#
        let snapshot = try Self.table(text, configuration).snapshot()
        #expect(throws: TableLogError.self) { try snapshot.checkWritable() }
        #expect(throws: Never.self) { try snapshot.checkReadable() }
    }

    /// There could be none after it.
    @Test func `The highest version that numbers have is none`() throws {
        let table = try TestTable.created()
        try table.append([1])
        try table.writeLog("09223372036854775807.checkpoint.parquet", "x")
        try table.writeLog("09223372036854775807.json", "x")
        #expect(try table.append([2]) == 2)
        #expect(try table.ids() == [1, 2])
    }

    @Test func `A torn commit is damage, and named`() throws {
        let table = try TestTable.created()
        try table.append([1])
        try table.writeLog(TestTable.name(2), "{\"add\":{\"path\":\"a\",\"par")
        let error = #expect(throws: TableLogError.self) { _ = try table.log.snapshot() }
        #expect(error?.kind == .damaged && error?.file == TestTable.name(2))
        #expect(try table.ids(1) == [1])
    }

    @Test func `A version that is missing between others is an error`() throws {
        let table = try TestTable.created()
        for id in Int64(1)...3 { try table.append([id]) }
        try table.removeLog(TestTable.name(2))
        let error = #expect(throws: TableLogError.self) { _ = try table.log.snapshot() }
        #expect(error?.kind == .noSuchVersion && error?.file == TestTable.name(2))
    }

    @Test(arguments: [
        "{\"add\":[]}", "{\"add\":{\"path\":1}}", "[]", "1", "{\"remove\":{}}",
        "{\"add\":{\"path\":\"a\",\"partitionValues\":{},\"size\":-1,\"modificationTime\":1}}",
        "{\"protocol\":{\"minReaderVersion\":\"1\"}}", "{\"metaData\":{\"id\":\"x\"}}",
        "{\"txn\":{\"appId\":\"a\",\"version\":1.5}}",
    ])
    func `Actions that lack what they need are damage`(line: String) throws {
        let table = try TestTable.created()
        try table.writeLog(TestTable.name(1), line)
        let error = #expect(throws: TableLogError.self) { _ = try table.log.snapshot() }
        #expect(error?.kind == .damaged)
    }

    @Test func `Unknown actions and fields are passed over`() throws {
        let table = try TestTable.created()
        try table.writeLog(
            TestTable.name(1), "{\"future\":{\"a\":1}}\n\n{\"commitInfo\":{\"x\":[]}}")
        #expect(try table.log.snapshot().version == 1)
    }

    @Test(
        arguments: [
            ("a.parquet", "a.parquet"), ("p=p%2520%201/x%25.parquet", "p=p%20 1/x%.parquet"),
            ("Troms%C3%B8.parquet", "Tromsø.parquet"), ("t=03:06:40/a", "t=03:06:40/a"),
            ("k%3Av=1/a.parquet", "k:v=1/a.parquet"),
        ] as [(ExactText, ExactText)])
    func `Paths are decoded once`(path: ExactText, expected: ExactText) throws {
        #expect(try DataPath.decode(path) == expected)
        #expect(try DataPath.decode(DataPath.encode(expected)) == expected)
    }

    @Test(arguments: [
        "/etc/passwd", "file:/tmp/a", "s3://b/a", "", "a%2", "a%zz", "%ff", "a%00", "./a", "d//a",
        "d/./a", "d/../a", "a/", "%2E/a",
    ])
    func `Paths that lead elsewhere or nowhere are refused`(path: ExactText) {
        #expect(throws: TableLogError.self) { _ = try DataPath.decode(path) }
    }

    @Test func `A data file is never opened outside of the table`() throws {
        let table = try TestTable.created()
        try table.temporary.write([1], "outside")
        let add = AddFile(path: "../outside", size: 1, modificationTime: 0)
        #expect(throws: TableLogError.self) { _ = try table.log.open(add) }
        let escaped = AddFile(path: "%2E%2E/outside", size: 1, modificationTime: 0)
        #expect(throws: TableLogError.self) { _ = try table.log.open(escaped) }
    }

    @Test func `A data file of another size is refused`() throws {
        let table = try TestTable.created()
        var add = try table.file("a.parquet", [1])
        add.size += 1
        let error = #expect(throws: TableLogError.self) { _ = try table.log.open(add) }
        #expect(error?.kind == .damaged)
    }

    @Test(arguments: [
        (ExactText("none"), ExactText("id"), Int32?.none), ("name", "col-1", 7),
        ("id", "col-1", 7),
    ])
    func `Names of data files are those that the mode of mapping says`(
        mode: ExactText, name: ExactText, id: Int32?
    ) throws {
        var metadata = TableMetadata(
            id: "x",
            schemaText: #"""
                {"type":"struct","fields":[{"name":"id","type":"long","nullable":true,
                "metadata":{"delta.columnMapping.id":7,
                "delta.columnMapping.physicalName":"col-1"}}]}
                """#)
        metadata.configuration["delta.columnMapping.mode"] = mode
        let field = try metadata.schema().fields[0]
        #expect(field.physicalName == name && field.fieldID == id)
    }
}
