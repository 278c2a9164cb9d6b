import TableLog
import TableStore
import Testing

struct SchemaGrammarTests {
    @Test func `A schema comes out as it was typed`() throws {
        let text =
            "id long not null, name string, price decimal(12,2), `größe-x` double, day date, "
            + "at timestamp, local timestamp_ntz, b binary, f float, i integer, s short, y byte, "
            + "ok boolean not null"
        #expect(SchemaGrammar.text(try SchemaGrammar.parse(text)) == text.replacing("`", with: ""))
    }

    @Test func `Names of types of other systems are understood`() throws {
        let schema = try SchemaGrammar.parse("a BIGINT NOT NULL, b int, c text, d bool")
        #expect(SchemaGrammar.text(schema) == "a long not null, b integer, c string, d boolean")
    }

    @Test(arguments: [
        "", "id", "id long,", "id long not", "id lnog", "a long, A string", "`a b` long",
        "a decimal", "a decimal(39,2)", "a decimal(4,5)", "a long b long", "`a long",
    ])
    func `A schema that makes no sense is refused`(text: String) {
        #expect(throws: TableStoreError.self) { try SchemaGrammar.parse(text) }
    }
}
