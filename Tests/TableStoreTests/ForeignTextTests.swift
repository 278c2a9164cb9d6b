import Bytes
import Platform
import TableLog
import TableStore
import Testing
import TestSupport

/// Files of rows as other programs write them.
struct ForeignTextTests {
    private static let text = "name,n\nMüller 😀,1\nb,2\n"

    private static func encoded(_ text: String, _ encoding: TextEncoding) -> [UInt8] {
        switch encoding {
        case .utf8: Array(text.utf8)
        case .latin1: text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        case .utf16LittleEndian: text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        case .utf16BigEndian: text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
        case .utf16: [0xff, 0xfe] + encoded(text, .utf16LittleEndian)
        case .utf32:
            [0xff, 0xfe, 0, 0]
                + text.unicodeScalars.flatMap { scalar in
                    [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: scalar.value >> $0) }
                }
        }
    }

    private static func create(
        _ store: TestStore, _ bytes: [UInt8], _ name: String = "in.csv",
        _ options: ImportOptions = ImportOptions()
    ) throws -> ImportReport {
        let file = try store.temporary.write(bytes, name)
        let schema = try SchemaInference.infer([file], options)
        return try TableImport.create([file], at: store.path, TableDesign(schema), options)
    }

    @Test(arguments: [TextEncoding.utf16, .utf16LittleEndian, .utf16BigEndian, .utf32])
    func `Text in another encoding is refused by name`(encoding: TextEncoding) throws {
        for text in [Self.text, String(Self.text.dropLast())] {
            let store = try TestStore()
            let error = #expect(throws: TableStoreError.self) {
                _ = try Self.create(store, Self.encoded(text, encoding))
            }
            #expect(error?.detail.contains("--encoding utf-") == true)
            #expect(try !StoredTable.exists(store.path))
        }
    }

    @Test(arguments: TextEncoding.allCases)
    func `Text is read in the encoding that was chosen`(encoding: TextEncoding) throws {
        let store = try TestStore()
        var options = ImportOptions()
        options.encoding = encoding
        let text = encoding == .latin1 ? Self.text.replacing(" 😀", with: "") : Self.text
        _ = try Self.create(store, Self.encoded(text, encoding), "in.csv", options)
        let name = encoding == .latin1 ? "Müller" : "Müller 😀"
        #expect(try store.lines() == ["\(name),1", "b,2"])
    }

    @Test(
        arguments: [
            [0xd8, 0x00, 0x00, 0x41], [0x00, 0x41, 0x00], [0xdc, 0x00, 0x00, 0x41],
        ] as [[UInt8]])
    func `Half a character is an error`(bytes: [UInt8]) throws {
        let store = try TestStore()
        var options = ImportOptions()
        options.encoding = .utf16BigEndian
        let head = Self.encoded("a,b\n1,", .utf16BigEndian)
        #expect(throws: TableStoreError.self) {
            _ = try Self.create(store, head + bytes, "in.csv", options)
        }
    }

    @Test func `A first line in Latin-1 is refused by name`() throws {
        let store = try TestStore()
        let error = #expect(throws: TableStoreError.self) {
            _ = try Self.create(store, Self.encoded("M\u{fc}ller,n\nfoo,1\n", .latin1))
        }
        #expect(error?.detail.contains("--encoding latin-1") == true)
    }

    @Test(
        arguments: [
            ([0x1f, 0x8b, 8], "gzip"), ([0x28, 0xb5, 0x2f, 0xfd], "zstd"),
            (Array("PAR1\u{15}".utf8), "Parquet"),
        ] as [([UInt8], String)])
    func `A compressed file is refused by name`(mark: [UInt8], name: String) throws {
        for file in ["in.csv", "in.ndjson"] {
            let store = try TestStore()
            let error = #expect(throws: TableStoreError.self) {
                _ = try Self.create(store, mark + [1, 2, 3, 0x0a], file)
            }
            #expect(error?.detail.contains(name) == true)
        }
    }

    // MARK: NDJSON

    @Test(arguments: [
        ("{\"a\":1}\n{\"a\":\"x-7\"}\n{\"a\":true}\n", ["1", "x-7", "true"]),
        (
            "{\"a\":123456789012345678901234567890123456789012}\n",
            ["123456789012345678901234567890123456789012"]
        ),
        ("{\"a\":\"NaN\"}\n{\"a\":1.5}\n{\"a\":\"-Infinity\"}\n", ["NaN", "1.5", "-Infinity"]),
        ("{\"a\":\"NaN\"}\n{\"a\":\"x\"}\n", ["NaN", "x"]),
        ("{\"a\":1e400}\n{\"a\":1}\n", ["1e400", "1"]),
    ])
    func `What a schema was found in is imported by it`(text: String, rows: [String]) throws {
        let store = try TestStore()
        _ = try Self.create(store, Array(text.utf8), "in.ndjson")
        #expect(try store.lines() == rows)
    }

    @Test func `Doubles that are no numbers make a column of doubles only with numbers`() throws {
        let store = try TestStore()
        _ = try Self.create(store, Array("a,b\nNaN,NaN\nInfinity,1.5\n".utf8))
        #expect(try store.table().schema.fields.map(\.type) == [.string, .double])
    }

    @Test(arguments: [
        "[{\"a\":1},{\"a\":2}]\n", "{\n \"a\": 1\n}\n", "{\"a\":1,}\n", "{\"a\":NaN}\n",
    ])
    func `A file that is no NDJSON is told with its line`(text: String) throws {
        let store = try TestStore()
        let error = #expect(throws: TableStoreError.self) {
            _ = try Self.create(store, Array(text.utf8), "in.json")
        }
        #expect(error?.detail.hasPrefix("line 1: expected") == true)
    }

    // MARK: CSV

    @Test func `Words stand for null where they are named, and not in quotes`() throws {
        let store = try TestStore()
        var options = ImportOptions()
        options.nullWords = ["NA", "-"]
        let text = "a,b\n1,NA\nNA,x\n-,\"NA\"\n"
        _ = try Self.create(store, Array(text.utf8), "in.csv", options)
        #expect(try store.table().schema.fields.map(\.type) == [.long, .string])
        #expect(
            try store.lines(ScanRequest(), .latest, .ndjson) == [
                "{\"a\":1,\"b\":null}", "{\"a\":null,\"b\":\"x\"}", "{\"a\":null,\"b\":\"NA\"}",
            ])
    }

    @Test func `A column without a name has that of its place`() throws {
        let store = try TestStore()
        let bytes = Array(",a\n0,x\n1,y\n".utf8)
        _ = try Self.create(store, bytes)
        #expect(try store.table().schema.fields.map(\.name) == ["column_1", "a"])
        try store.append(",a\n2,z\n")
        #expect(try store.lines() == ["0,x", "1,y", "2,z"])
    }
}
