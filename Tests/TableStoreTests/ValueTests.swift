import Bytes
import Parquet
import TableLog
import Testing
import TestSupport

@testable import TableStore

struct ValueTests {
    private static func text(_ value: Scalar, _ type: TableType) -> String {
        var bytes: [UInt8] = []
        ValueText.append(value, type, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func parse(_ text: String, _ type: TableType) -> Scalar? {
        ValueText.parse(Array(text.utf8)[...], type)
    }

    @Test(
        arguments: [
            ("1970-01-01", 0), ("1969-12-31", -1), ("0001-01-01", -719_162),
            ("9999-12-31", 2_932_896),
            ("2000-02-29", 11_016), ("-000001-01-01", -719_893), ("+010000-01-01", 2_932_897),
        ] as [(String, Int64)])
    func `A date comes out as it went in`(text: String, days: Int64) {
        #expect(Self.parse(text, .date) == .integer(days))
        #expect(Self.text(.integer(days), .date) == text)
    }

    @Test(arguments: ["2026-02-29", "2026-13-01", "2026-1-01", "2026-01-00", "x", "2026-01-01 "])
    func `What is no date is refused`(text: String) {
        #expect(Self.parse(text, .date) == nil)
    }

    @Test func `Days of four thousand years come back`() {
        for days in stride(from: Int64(-1_000_000), to: 1_000_000, by: 37) {
            #expect(Self.parse(Self.text(.integer(days), .date), .date) == .integer(days))
        }
    }

    @Test(arguments: [Int64(Int32.min), -400_000_000, 365_000_000, Int64(Int32.max)])
    func `Days of years with seven digits come back`(days: Int64) {
        #expect(Self.parse(Self.text(.integer(days), .date), .date) == .integer(days))
    }

    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59.999999Z", -1),
            ("2026-11-20T03:00:05.123Z", 1_795_143_605_123_000),
        ] as [(String, Int64)])
    func `A time comes out as it went in`(text: String, microseconds: Int64) {
        #expect(Self.parse(text, .timestamp) == .integer(microseconds))
        #expect(Self.text(.integer(microseconds), .timestamp) == text)
    }

    @Test func `Times are understood in the forms that others write`() {
        let noon = Scalar.integer(43_200_000_000)
        for text in [
            "1970-01-01 12:00:00", "1970-01-01T12:00", "1970-01-01T13:00:00+01:00",
            "1970-01-01 07:00:00.000-05", "1970-01-01T12:00:00.000000000Z",
        ] { #expect(Self.parse(text, .timestamp) == noon, "\(text)") }
        #expect(Self.parse("1970-01-01T12:00:00Z", .timestampWithoutZone) == nil)
        #expect(Self.parse("1970-01-01T12:00:00.0000001Z", .timestamp) == nil)
        #expect(Self.parse("1970-01-01T24:00:00Z", .timestamp) == nil)
    }

    @Test(
        arguments: [
            ("12.50", 1250), ("-0.01", -1), ("1e2", 10_000), ("+3", 300), (".5", 50),
            ("12.500000000000000000000000000000000000000000000", 1250),
        ] as [(String, Int64)])
    func `Decimals keep their digits`(text: String, unscaled: Int64) {
        #expect(Self.parse(text, .decimal(precision: 12, scale: 2)) == .integer(unscaled))
    }

    @Test(arguments: ["12.505", "99999999999", "", "1e", "1.2.3", "0x10", "1e1000000", "--1"])
    func `What a decimal cannot hold is refused`(text: String) {
        #expect(Self.parse(text, .decimal(precision: 12, scale: 2)) == nil)
    }

    @Test func `The widest decimals come back`() {
        let type = TableType.decimal(precision: 38, scale: 10)
        for text in [
            "9999999999999999999999999999.9999999999", "-9999999999999999999999999999.9999999999",
            "0.0000000001", "-0.0000000001",
        ] {
            let value = Self.parse(text, type)
            #expect(value.map { Self.text($0, type) } == text)
        }
    }

    @Test func `Whole numbers end where their types do`() {
        for (type, bits) in [
            (TableType.byte, 8), (.short, 16), (.integer, 32), (.long, 64),
        ] {
            let limit = Int128(1) << Int128(bits - 1)
            #expect(Self.parse("\(limit - 1)", type) == .integer(Int64(limit - 1)))
            #expect(Self.parse("\(-limit)", type) == .integer(Int64(-limit)))
            #expect(Self.parse("\(limit)", type) == nil)
            #expect(Self.parse("\(-limit - 1)", type) == nil)
        }
    }

    @Test func `Random doubles come back bit for bit`() {
        var random = SplitMix64(seed: 11)
        for _ in 0..<5000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            let text = Self.text(.floating(value), .double)
            guard case .floating(let back) = Self.parse(text, .double) else {
                Issue.record("\(text)")
                continue
            }
            #expect(back.bitPattern == value.bitPattern, "\(text)")
        }
    }

    @Test func `Short numbers are read as the library reads them`() {
        var random = SplitMix64(seed: 12)
        for _ in 0..<5000 {
            let digits = Int64(random.next() >> 20) % 1_000_000_000
            let text = "\(digits).\(random.next() % 100_000)"
            #expect(FloatText.parse(Array(text.utf8)[...]) == Double(text))
        }
    }

    @Test func `Any bytes come back from Base64`() {
        for count in 0..<40 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 71 &+ count) }
            var text: [UInt8] = []
            Base64.append(bytes[...], to: &text)
            #expect(Base64.decode(text[...]) == bytes)
        }
        for text in ["A", "AB", "ABC", "A===", "QQ=", "QR==", "Q!==", "====", "AA==AA=="] {
            #expect(Base64.decode(Array(text.utf8)[...]) == nil, "\(text)")
        }
    }
}
