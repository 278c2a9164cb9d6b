import Bytes
import Foundation
import JSON
import Platform
import Reports
import Testing

@testable import varve

@Suite struct OutputTests {
    @Test(arguments: [
        ("plain", #""plain""#), ("\"\\/", #""\"\\/""#), ("\n\t\r", #""\n\t\r""#),
        ("\u{0}\u{1b}\u{7f}\u{9b}", #""\u0000\u001b\u007f\u009b""#), ("ø🌊", #""ø🌊""#),
    ])
    func `JSON escapes what a parser or a terminal would act on`(text: String, json: String) throws
    {
        #expect(JSONValue.string(text).text == json)
        let parsed = try JSONSerialization.jsonObject(
            with: Data(json.utf8),
            options: .fragmentsAllowed
        )
        #expect(parsed as? String == text)
    }

    @Test func `A JSON object keeps its order`() {
        let object: JSONObject = [
            "b": .number(UInt64.max), "a": .number(-1), "c": .array([.null, true]),
        ]
        #expect(object.value.text == #"{"b":18446744073709551615,"a":-1,"c":[null,true]}"#)
    }

    @Test(arguments: 0...20)
    func `Base64 agrees with the system's`(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 97 &+ 201) }
        #expect(Base64.encode(bytes) == Data(bytes).base64EncodedString())
    }

    @Test(arguments: [
        (0, "0.00 s"), (9_994, "9.99 s"), (10_000, "10.0 s"), (59_999, "59.9 s"),
        (60_000, "1:00 min"), (3_599_000, "59:59 min"), (3_600_000, "1:00:00 h"),
    ])
    func `Durations are short`(milliseconds: UInt64, text: String) {
        #expect(Wording.duration(milliseconds: milliseconds) == text)
    }

    @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")])
    func `Large numbers are grouped`(number: Int, text: String) {
        #expect(Wording.grouped(number) == text)
    }

    @Test func `Columns line up by what a terminal shows`() {
        var table = Table([("name", .leading), ("size", .trailing), ("tags", .leading)])
        table.append(["東京", "1", "x"])
        table.append(["Tromsø", "12345", ""])
        #expect(table.lines == ["name     size  tags", "東京        1  x", "Tromsø  12345"])
    }

    @Test(arguments: 1...120)
    func `Progress never takes more than the line`(columns: Int) {
        var counters = WorkProgress().snapshot
        counters.bytesDone = 812_000_000
        counters.bytesFound = 1_840_000_000
        counters.filesDone = 1234
        counters.filesFound = 2345
        counters.isTotalKnown = true
        counters.currentPath = Array("tables/東京/orders\u{1b}[2J/part-00001.parquet".utf8)
        let text = ProgressLine.text(
            counters,
            seconds: 2,
            bytesPerSecond: 400_000_000,
            columns: columns
        )
        #expect(TerminalText.width(text) <= columns)
        #expect(!text.contains("\u{1b}"))
    }

    @Test func `Progress with a known total tells share, rate and time left`() {
        var counters = WorkProgress().snapshot
        counters.bytesDone = 250_000_000
        counters.bytesFound = 1_000_000_000
        counters.filesDone = 1
        counters.filesFound = 3
        counters.isTotalKnown = true
        counters.currentPath = Array("a/b".utf8)
        let text = ProgressLine.text(
            counters,
            seconds: 65,
            bytesPerSecond: 50_000_000,
            columns: 99
        )
        #expect(
            text == "1:05  25%  250 MB of 1.00 GB  1 file  50.0 MB/s  ETA 0:15  a/b"
        )
        counters.isTotalKnown = false
        let early = ProgressLine.text(counters, seconds: 0, bytesPerSecond: nil, columns: 99)
        #expect(early == "0:00  250 MB of 1.00 GB+  1 file  a/b")
    }

    @Test(arguments: [
        ("snpashot", "snapshot", true), ("lst", "list", true), ("restor", "restore", true),
        ("frob", "find", false), ("ls", "list", false),
    ])
    func `A mistyped word is near the one that was meant`(
        typed: String,
        meant: String,
        isNear: Bool
    ) {
        #expect(EditDistance.isAtMostTwo(typed, meant) == isNear)
    }
}
