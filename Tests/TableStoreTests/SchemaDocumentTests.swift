import Bytes
import TableLog
import TableStore
import Testing
import TestSupport

struct SchemaDocumentTests {
    @Test func `A schema of Delta Lake is understood, and what others noted is left out`() throws {
        let text = """
            {"type":"struct","fields":[
              {"name":"id","type":"long","nullable":false,"metadata":{"delta.identity.start":1}},
              {"name":"price","type":"decimal(12,2)","nullable":true,"metadata":{}}]}
            """
        let schema = try SchemaGrammar.parse(text)
        #expect(SchemaGrammar.text(schema) == "id long not null, price decimal(12,2)")
        #expect(schema.fields.allSatisfy { $0.metadata == "{}" })
    }

    @Test func `The properties of a JSON Schema become columns`() throws {
        let text = """
            {"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object",
             "properties":{
              "id":{"type":"integer"},"ratio":{"type":"number"},"ok":{"type":"boolean"},
              "name":{"type":["string","null"]},"day":{"type":"string","format":"date"},
              "at":{"type":"string","format":"date-time"},
              "raw":{"type":"string","contentEncoding":"base64"}},
             "required":["id","name"]}
            """
        #expect(
            SchemaGrammar.text(try SchemaGrammar.parse(text))
                == "id long not null, ratio double, ok boolean, name string, day date, "
                + "at timestamp, raw binary")
    }

    @Test(arguments: [
        "{", #"{"type":"object"}"#, #"{"properties":{"a":{"type":"array"}}}"#,
        #"{"properties":{"a":{"type":["string","integer"]}}}"#, #"{"properties":{"a":{}}}"#,
        #"{"properties":{"a":1}}"#, #"{"properties":{}}"#, #"{"type":"struct","fields":[]}"#,
        #"{"type":"struct","fields":[{"name":"a b","type":"long"}]}"#,
        #"{"type":"struct","fields":[{"name":"a","type":"void"}]}"#,
        #"{"properties":{"a":{"type":"integer"},"A":{"type":"integer"}}}"#,
    ])
    func `A document that is no schema of a table is refused`(text: String) {
        #expect(throws: TableStoreError.self) { try SchemaGrammar.parse(text) }
    }

    @Test func `A schema is read from a file`() throws {
        let temporary = try TemporaryDirectory()
        let path = try temporary.write(Array("  id long,\n  name string\n".utf8), "schema.txt")
        #expect(SchemaGrammar.text(try SchemaGrammar.read(path)) == "id long, name string")
        let odd = try temporary.write([0x61, 0x20, 0xff], "odd.txt")
        #expect(throws: TableStoreError.self) { try SchemaGrammar.read(odd) }
        #expect(throws: TableStoreError.self) {
            try SchemaGrammar.read(temporary.path("missing"))
        }
    }

    /// Rows that were looked at would be missing from the table.
    @Test func `No schema is inferred from what can be read only once`() throws {
        let null = Array("/dev/null".utf8)
        var options = ImportOptions()
        options.format = .csv
        do {
            _ = try SchemaInference.infer([null], options)
            Issue.record("it was read")
        } catch let error as TableStoreError {
            #expect(error.kind == .request)
        }
    }
}

struct HeaderDoubtsTests {
    private static func problem(
        _ text: String, _ change: (inout ImportOptions) -> Void = { _ in }
    ) throws -> String? {
        let temporary = try TemporaryDirectory()
        let path = try temporary.write(Array(text.utf8), "rows.csv")
        var options = ImportOptions()
        options.doubtsHeader = true
        change(&options)
        do {
            _ = try SchemaInference.infer([path], options)
            return nil
        } catch let error as TableStoreError {
            #expect(error.kind == .header)
            return error.detail
        }
    }

    @Test(arguments: [
        ("a;b\n1;2\n", "line 1 is a single field: --delimiter ';' would split it"),
        ("a\tb\n1\t2\n", "line 1 is a single field: --delimiter tab would split it"),
        ("a|b\n1|2\n", "line 1 is a single field: --delimiter '|' would split it"),
    ])
    func `A line that another delimiter would split is doubted`(
        text: String, message: String
    ) throws {
        #expect(try Self.problem(text) == message)
        #expect(try Self.problem(text) { $0.hasHeader = false } == message)
        #expect(try Self.problem(text) { $0.delimiter = UInt8(ascii: ";") } == nil)
    }

    @Test(arguments: ["1,Anna\n2,Ben\n", "id,2026-11-20\n1,x\n", "id,-1.5e3\n1,x\n"])
    func `Names that are numbers or dates are doubted`(text: String) throws {
        #expect(try Self.problem(text)?.contains("--no-header") == true)
        #expect(try Self.problem(text) { $0.hasHeader = false } == nil)
        #expect(try Self.problem(text) { $0.doubtsHeader = false } == nil)
    }

    @Test(arguments: ["a\n1\n", "a,b c\n1,2\n", "\"a;b\"\n1\n", "a1,2b\n1,2\n"])
    func `Other first lines are taken`(text: String) throws {
        let problem = try Self.problem(text)
        #expect(problem == nil)
    }
}
