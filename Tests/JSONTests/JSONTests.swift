import Bytes
import JSON
import Testing
import TestSupport

struct JSONTests {
    @Test(arguments: [
        "null", "true", "[]", "{}", "-0", "0", "12345678901234567890.123456789", "1e-7", "\"\"",
        #"{"a":[1,{"b":null}],"c":"ø\"\\ "}"#, "[[[[]]]]", #"{"a":1,"a":2}"#,
    ])
    func `Documents come back as they are`(text: String) throws {
        #expect(try JSONValue(parsing: text).text == text)
    }

    @Test(arguments: [
        (#""\u00e9\ud83d\ude00\n\/""#, "é😀\n/"), (#""\u0000""#, "\u{0}"),
    ])
    func `Escapes are understood`(text: String, expected: String) throws {
        #expect(try JSONValue(parsing: text) == .string(expected))
    }

    @Test(arguments: [
        "", " ", "nul", "truee", "01", "1.", ".5", "+1", "1e", "-", "[1,]", "[1 2]", "{\"a\"}",
        "{a:1}", "{\"a\":1,}", "\"", "\"\\x\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\u{1}\"",
        "[", "{", "NaN", "1 1", "\"\\u12g4\"",
    ])
    func `What is no JSON is refused`(text: String) {
        #expect(throws: JSONError.self) { _ = try JSONValue(parsing: text) }
    }

    @Test func `Bytes that are no UTF-8 are refused`() {
        #expect(throws: JSONError.self) { _ = try JSONValue(parsing: [0x22, 0xff, 0x22][...]) }
    }

    @Test func `Documents without end of depth are refused`() throws {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: JSONError.self) { _ = try JSONValue(parsing: deep) }
        let allowed = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        #expect(throws: Never.self) { _ = try JSONValue(parsing: allowed) }
        #expect(throws: JSONError.self) { _ = try JSONValue(parsing: "[" + allowed + "]") }
    }

    @Test(arguments: Seed.some(3))
    func `Texts changed at random end in an error or a document`(seed: Seed) {
        var random = SplitMix64(seed)
        let source = Array(#"{"add":{"path":"a b\u00e9","size":-12.5e3,"x":[true,null,{}]}}"#.utf8)
        for _ in 0..<2_000 {
            var bytes = source
            for _ in 0..<1 + random.below(4) {
                bytes[random.below(bytes.count)] = UInt8(random.below(256))
            }
            if let value = try? JSONValue(parsing: bytes[...]) {
                #expect((try? JSONValue(parsing: value.text)) == value)
            }
        }
    }

    @Test func `Names and texts are compared by their bytes`() throws {
        let text = "{\"\u{e9}\":1,\"e\u{301}\":2}"
        let value = try JSONValue(parsing: text)
        #expect(value["\u{e9}"]?.int64 == 1 && value["e\u{301}"]?.int64 == 2)
        #expect(JSONValue.string("\u{e9}") != .string("e\u{301}"))
        #expect(value != (try JSONValue(parsing: "{\"e\u{301}\":1,\"\u{e9}\":2}")))
    }
}
