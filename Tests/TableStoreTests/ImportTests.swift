import Bytes
import Platform
import TableLog
import TableStore
import Testing
import TestSupport

struct ImportTests {
    private static let schema =
        "l long, i integer, s short, y byte, f float, d double, b boolean, t string, bin binary, "
        + "day date, at timestamp, local timestamp_ntz, small decimal(9,2), mid decimal(18,4), "
        + "wide decimal(38,10)"

    private static let rows = [
        #"{"l":9223372036854775807,"i":-2147483648,"s":-32768,"y":127,"f":0.1,"d":5e-324,"#
            + #""b":true,"t":"quote \" and é","bin":"AAECAw==","day":"1969-12-31","#
            + #""at":"1969-12-31T23:59:59.999999Z","local":"2026-11-20T03:00:05","#
            + #""small":1234567.89,"mid":-12345678901234.5678,"#
            + #""wide":9999999999999999999999999999.9999999999}"#,
        #"{"l":null,"i":null,"s":null,"y":null,"f":null,"d":null,"b":null,"t":null,"bin":null,"#
            + #""day":null,"at":null,"local":null,"small":null,"mid":null,"wide":null}"#,
        #"{"l":-9223372036854775808,"i":0,"s":0,"y":-128,"f":"NaN","d":"-Infinity","b":false,"#
            + #""t":"","bin":"","day":"2026-11-20","at":"1970-01-01T00:00:00Z","#
            + #""local":"1969-12-31T23:59:59.500","small":-0.01,"mid":0.0000,"#
            + #""wide":-0.0000000001}"#,
    ]

    @Test func `Every type comes back exactly from NDJSON`() throws {
        let store = try TestStore()
        try store.create(Self.schema)
        try store.append(Self.rows.joined(separator: "\n"), as: "rows.ndjson")
        #expect(try store.lines(ScanRequest(), .latest, .ndjson) == Self.rows)
        let version = try store.table().snapshot.protocolVersion
        #expect(version.readerVersion == 3 && version.readerFeatures == ["timestampNtz"])
    }

    @Test(arguments: ["csv", "ndjson", "parquet"])
    func `Rows that are exported and imported again are the same`(format: String) throws {
        let store = try TestStore()
        try store.create(Self.schema)
        try store.append(Self.rows.joined(separator: "\n"), as: "rows.ndjson")
        let file = store.temporary.path("out." + format)
        let count = try TableExport.write(
            ScanRequest(), of: try store.table(), as: try #require(RowFormat(rawValue: format)),
            to: file)
        #expect(count == 3)
        let other = try TestStore()
        let design = TableDesign(try SchemaGrammar.parse(Self.schema))
        let report = try TableImport.create([file], at: other.path, design)
        #expect(report.rows == 3 && report.isCreated)
        #expect(try other.lines(ScanRequest(), .latest, .ndjson) == Self.rows)
    }

    /// They came back in Base64 before.
    @Test func `Binary values of partitions come back as they were`() throws {
        let store = try TestStore()
        try store.create("a long, key binary", partitionBy: ["key"])
        try store.append("a,key\n1,YWJj\n2,\n3,w6k=\n")
        #expect(try store.lines() == ["1,YWJj", "2,", "3,w6k="])
        #expect(throws: TableStoreError.self) { try store.append("a,key\n4,/w==\n") }
    }

    @Test func `A file is imported once when that is wanted, whatever its name`() throws {
        let store = try TestStore()
        try store.create("a long")
        var options = ImportOptions()
        options.once = true
        try store.append("a\n1\n", as: "one.csv", options)
        let again = try store.append("a\n1\n", as: "two.csv", options)
        #expect(again.rows == 0 && again.commit == nil && again.passedFiles.count == 1)
        let other = try store.append("a\n2\n", as: "one.csv", options)
        #expect(other.rows == 1 && other.passedFiles == [])
        // The same twice in one import, and a checkpoint in between.
        for number in 0..<10 { try store.append("a\n\(number + 10)\n", as: "x.csv", options) }
        let first = try store.temporary.write(Array("a\n1\n".utf8), "first.csv")
        let new = try store.temporary.write(Array("a\n3\n".utf8), "new.csv")
        let both = try TableImport.append([first, new, new], to: try store.table(), options)
        #expect(both.rows == 1 && both.passedFiles == [first, new])
        #expect(try store.lines().count == 13)
        // Of a file that is rejected nothing is remembered.
        options.onError = .rejectFile
        let text = "a\nx\n"
        #expect(try store.append(text, as: "bad.csv", options).rejectedFiles == 1)
        #expect(try store.append(text, as: "bad.csv", options).rejectedFiles == 1)
    }

    @Test func `Of two imports of a file at the same time one fails`() throws {
        let store = try TestStore()
        try store.create("a long")
        let table = try store.table()
        let file = try store.temporary.write(Array("a\n1\n".utf8), "rows.csv")
        var options = ImportOptions()
        options.once = true
        _ = try TableImport.append([file], to: table, options)
        do {
            _ = try TableImport.append([file], to: table, options)
            Issue.record("it was imported twice")
        } catch let error as TableStoreError {
            #expect(error.kind == .conflict)
        }
        #expect(try TableImport.append([file], to: try store.table(), options).rows == 0)
        #expect(try store.lines() == ["1"] && store.dataFiles().count == 1)
    }

    /// Both sides of a comparison would round alike.
    @Test(arguments: [
        ("1.5\n0.30000000000000004\n1e-7\n", "double"),
        ("0.1234567890123456789\n-12\n", "decimal(21,19)"),
        ("9007199254740993\n0.5\n", "decimal(17,1)"), ("0.1234567890123456789\n1e-7\n", "string"),
        ("123456789012345678901234567890123456789\n", "string"), ("1e-400\n", "string"),
        ("12345678901234567890\n", "decimal(38,0)"), ("1e-9223372036854775808\n", "string"),
    ])
    func `No type is found that loses digits`(rows: String, type: String) throws {
        let store = try TestStore()
        let file = try store.temporary.write(Array(("a\n" + rows).utf8), "rows.csv")
        let schema = try SchemaInference.infer([file], ImportOptions())
        #expect(SchemaGrammar.typeName(schema.fields[0].type) == type)
    }

    @Test func `A file that is there is not replaced unasked`() throws {
        let store = try TestStore()
        try store.create("a long")
        let file = try store.temporary.write([1], "out.csv")
        #expect(throws: TableStoreError.self) {
            try TableExport.write(ScanRequest(), of: try store.table(), as: .csv, to: file)
        }
        #expect(try store.temporary.read("out.csv") == [1])
        _ = try TableExport.write(
            ScanRequest(), of: try store.table(), as: .csv, to: file, replaces: true)
        #expect(try store.temporary.read("out.csv") == Array("a\n".utf8))
    }

    @Test func `CSV is read with quotes, line breaks inside, CRLF and a byte order mark`() throws {
        let store = try TestStore()
        try store.create("a long, b string")
        try store.append("\u{feff}b,a\r\n\"x\r\ny \"\"z\"\"\",1\r\n\r\n\"\",2\r\n,3")
        #expect(
            try store.lines(ScanRequest(), .latest, .ndjson) == [
                #"{"a":1,"b":"x\r\ny \"z\""}"#, #"{"a":2,"b":""}"#, #"{"a":3,"b":null}"#,
            ])
    }

    @Test func `Lines of TPC-H end with a delimiter`() throws {
        let store = try TestStore()
        try store.create("a long, b string")
        var options = ImportOptions()
        options.hasHeader = false
        try store.append("1|x|\n2|y|\n", as: "rows.tbl", options)
        #expect(try store.lines() == ["1,x", "2,y"])
    }

    @Test(arguments: [1, 2, 3, 7, 16_384, 16_385, 40_000])
    func `Any number of rows is imported whole`(count: Int) throws {
        let store = try TestStore()
        try store.create("a long, b string")
        let text = (0..<count).map { "\($0),row \($0)" }.joined(separator: "\n")
        let report = try store.append("a,b\n" + text + "\n")
        #expect(report.rows == Int64(count))
        let lines = try store.lines()
        #expect(lines.count == count && lines.last == "\(count - 1),row \(count - 1)")
    }

    @Test(arguments: [
        ("a,b\n1,2\nx,3\n", "line 3, column a: expected a whole number of 64 bits, found 'x'"),
        ("a,b\n1,2,3\n", "line 2: expected 2 fields, found 3"),
        ("a,b\n\"x\"y,1\n", "line 2: expected a delimiter behind the closing quote"),
        ("a,b\n,1\n", "line 2, column a: expected a value: the column is not null, found nothing"),
        ("a,c\n1,1\n", "line 1: there is no column \"c\""),
        ("a,a\n1,1\n", "line 1: column a stands there twice"),
        ("b\n1\n", "line 1: column a, which is not null, is missing"),
        ("a,b\n1,\"x\n", "line 2: expected a closing quote"),
    ])
    func `What does not fit is named by line and column`(text: String, message: String) throws {
        let store = try TestStore()
        try store.create("a long not null, b long")
        do {
            try store.append(text)
            Issue.record("it was imported")
        } catch let error as TableStoreError {
            #expect(error.kind == .input)
            #expect(error.detail.hasPrefix(message), "\(error.detail)")
            #expect(error.file.hasSuffix("rows.csv"))
        }
        #expect(try store.table().snapshot.version == 0)
        #expect(try store.dataFiles().isEmpty)
    }

    @Test(arguments: [
        (#"{"a":1}x"#, "line 1: expected JSON"), (#"[1]"#, "line 1: expected an object"),
        (#"{"a":1.5}"#, "line 1, column a: expected a whole number"),
        ("{\"a\":1}\n{\"a\":\"1\"}", "line 2, column a: expected a whole number"),
        (#"{"z":1}"#, "line 1, column z: the table has no such column"),
        (#"{"b":"x"}"#, "line 1, column a: expected a value"),
    ])
    func `What does not fit in NDJSON is named too`(text: String, message: String) throws {
        let store = try TestStore()
        try store.create("a long not null, b string")
        do {
            try store.append(text, as: "rows.ndjson")
            Issue.record("it was imported")
        } catch let error as TableStoreError {
            #expect(error.detail.hasPrefix(message), "\(error.detail)")
        }
    }

    @Test func `Rows that do not fit are left out and told when that is wanted`() throws {
        let store = try TestStore()
        try store.create("a long, b date")
        var options = ImportOptions()
        options.onError = .skip
        let report = try store.append(
            "a,b\n1,2026-01-01\nx,2026-01-01\n2,soon\n3,2026-01-03\n4\n", as: "r.csv", options)
        #expect(report.rows == 2 && report.rejectedRows == 3)
        #expect(report.rejections.map(\.line) == [3, 4, 6])
        #expect(try store.lines() == ["1,2026-01-01", "3,2026-01-03"])
    }

    @Test func `A file with a row that does not fit is left out whole if wanted`() throws {
        let store = try TestStore()
        try store.create("a long")
        let good = try store.temporary.write(Array("a\n1\n2\n".utf8), "good.csv")
        let bad = try store.temporary.write(Array("a\n3\nx\n".utf8), "bad.csv")
        var options = ImportOptions()
        options.onError = .rejectFile
        let report = try TableImport.append([bad, good], to: try store.table(), options)
        #expect(report.rejectedFiles == 1 && report.rows == 2)
        #expect(try store.lines() == ["1", "2"])
        #expect(try store.dataFiles().count == 1)
    }

    @Test func `An import that fails leaves no table`() throws {
        let store = try TestStore()
        let file = try store.temporary.write(Array("a\n1\nx\n".utf8), "r.csv")
        let design = TableDesign(try SchemaGrammar.parse("a long"))
        #expect(throws: TableStoreError.self) {
            try TableImport.create([file], at: store.path, design)
        }
        #expect((try? FileStatus.of(store.path)) == nil)
    }

    @Test func `The schema is found in files`() throws {
        let store = try TestStore()
        let csv = try store.temporary.write(
            Array(
                """
                id,big,price,day,at,local,ok,zip,none,my name
                1,9223372036854775808,1.5,2026-01-01,2026-01-01T00:00:00Z,2026-01-01 10:00,\
                true,01234,,x
                2,1,2,2026-01-02,2026-01-01T00:00:00+01:00,2026-01-01,false,1,,3
                """.utf8), "r.csv")
        let schema = try SchemaInference.infer([csv], ImportOptions())
        #expect(
            SchemaGrammar.text(schema)
                == "id long, big decimal(38,0), price double, day date, at timestamp, "
                + "local timestamp_ntz, ok boolean, zip string, none string, my_name string")
        let report = try TableImport.create([csv], at: store.path, TableDesign(schema))
        #expect(report.rows == 2)
        let json = try store.temporary.write(
            Array("{\"a\":1,\"b\":true}\n{\"b\":null,\"c\":\"2026-01-01\",\"a\":1.5}\n".utf8),
            "r.ndjson")
        #expect(
            SchemaGrammar.text(try SchemaInference.infer([json], ImportOptions()))
                == "a double, b boolean, c date")
    }
}

extension ImportTests {
    @Test func `Zeros with and without sign are partitions of their own`() throws {
        let store = try TestStore()
        try store.create("id long, p double", partitionBy: ["p"])
        try store.append("id,p\n1,0.0\n2,-0.0\n3,0.0\n")
        #expect(try store.lines().sorted() == ["1,0.0", "2,-0.0", "3,0.0"])
        #expect(try store.dataFiles().count == 2)
    }

    @Test func `A text that cannot be the value of a partition is refused with its line`() throws {
        let store = try TestStore()
        try store.create("id long, p string", partitionBy: ["p"])
        let error = #expect(throws: TableStoreError.self) {
            try store.append("id,p\n1,a\n2,\"\"\n")
        }
        #expect(error?.kind == .input)
        #expect(error?.detail.hasPrefix("line 3, column p: expected a text") == true)
        #expect(try store.lines() == [])
        var options = ImportOptions()
        options.onError = .skip
        #expect(try store.append("id,p\n1,a\n2,\"\"\n", options).rejectedRows == 1)
        #expect(try store.lines() == ["1,a"])
    }

    @Test func `Names of columns stand as they are in directories of partitions`() throws {
        let store = try TestStore()
        try store.create("id long, `größe` string, at timestamp", partitionBy: ["größe", "at"])
        try store.append("id,größe,at\n1,ä/b,1970-01-01T00:00:01Z\n")
        let file = try #require(try store.dataFiles().first)
        #expect(file.contains("/größe=ä%2Fb/at=1970-01-01%2000%3A00%3A01.000000/seg-"))
        let add = try #require(try store.table().files.first)
        #expect(add.partitionValues["at"] == "1970-01-01T00:00:01.000000Z")
        #expect(try store.lines() == ["1,ä/b,1970-01-01T00:00:01Z"])
    }

    @Test func `A table whose making was killed can be made`() throws {
        let store = try TestStore()
        try store.temporary.write([1], "table/_delta_log/.00000000000000000000.json.8a.tmp")
        #expect(try !StoredTable.exists(store.path))
        try store.create("id long")
        try store.append("id\n1\n")
        #expect(try store.lines() == ["1"])
    }
}
