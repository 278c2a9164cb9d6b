import Bytes
import Compression
import Platform
import Testing
import TestSupport

/// Gathering the columns of text and putting the lines together again.
struct GatheredColumnsTests {
    private static let comma = UInt8(ascii: ",")

    @Test(arguments: Seed.some(6))
    func `Decoding gives back what was encoded`(seed: Seed) throws {
        var generator = SplitMix64(seed)
        for lines in Lines.all {
            for count in [0, 1, 2, 15, 16, 17, 63, 64, 65, 129, 4_095, 60_001] {
                let text = lines.text(count, &generator)
                for columns in [1, 2, 3, 17, LineShape.columnLimit] {
                    try Gathering.expectRoundTrip(text, lines.delimiter, columns, lines.name)
                }
            }
        }
    }

    @Test(arguments: Seed.some(3))
    func `Bytes of any kind come back, whatever divides them`(seed: Seed) throws {
        var generator = SplitMix64(seed)
        for count in 0..<200 {
            // Few values, so that many are delimiters and line feeds.
            let text = generator.bytes(count).map { $0 & 0x0f }
            for delimiter in [0, 1, 9, 11] as [UInt8] {
                try Gathering.expectRoundTrip(text, delimiter, 1 + generator.below(5), "few values")
            }
        }
        try Gathering.expectRoundTrip(generator.bytes(100_000), 0, 9, "random")
        try Gathering.expectRoundTrip(.init(repeating: 0x2c, count: 70_000), 0x2c, 255, "commas")
        try Gathering.expectRoundTrip(.init(repeating: 0x0a, count: 70_000), 0x2c, 9, "empty lines")
    }

    @Test(arguments: [CompressionLevel.standard, .zstd(1), .zstd(19)])
    func `Every level gives frames that decode`(level: CompressionLevel) throws {
        var generator = SplitMix64(seed: 31)
        let text = Lines.regular.text(50_000, &generator)
        let stored = GatheredEncoder(ZstdEncoder(level)).encode(text.span, limit: .max)
        #expect(try Gathering.decode(try #require(stored), text.count) == text)
    }

    @Test func `Columns take less than lines`() throws {
        var generator = SplitMix64(seed: 32)
        let text = Lines.regular.text(200_000, &generator)
        let stored = try #require(Gathering.encode(text))
        var frame: [UInt8] = []
        let isEncoded = ZstdEncoder(.standard).encode(text.span, into: &frame, limit: .max)
        #expect(isEncoded)
        #expect(stored.count * 10 < frame.count * 9)
    }

    @Test func `What would not be smaller than the limit is not made`() throws {
        var generator = SplitMix64(seed: 33)
        let text = Lines.regular.text(20_000, &generator)
        let size = try #require(Gathering.encode(text)).count
        let encoder = GatheredEncoder(ZstdEncoder(.standard))
        let whole = encoder.encode(text.span, limit: size + 1)
        #expect(whole?.count == size)
        for limit in [size, 100, 1, 0] {
            let stored = encoder.encode(text.span, limit: limit)
            #expect(stored == nil)
        }
    }
}

/// Which bytes are taken for lines with fields.
struct LineShapeTests {
    private static func guess(_ text: [UInt8]) -> LineShape? { LineShape(guessing: text.span) }

    private static func guess(_ line: String, times count: Int = 40) -> LineShape? {
        guess(Array(repeatElement(line + "\n", count: count).joined().utf8))
    }

    @Test func `Each delimiter is found, and the one that makes most fields is taken`() {
        for delimiter in [",", ";", "|", "\t"] {
            let shape = LineShape(delimiter: Array(delimiter.utf8)[0], columnCount: 3)
            #expect(Self.guess("a\(delimiter)b\(delimiter)c") == shape)
            #expect(Self.guess("a\(delimiter)b\(delimiter)c\r") == shape)
        }
        #expect(Self.guess("a;1,5;2,5;3")?.delimiter == UInt8(ascii: ";"))
    }

    @Test func `A header, half a line and a few odd lines do not hide the others`() {
        let lines = (0..<40).map { $0 % 5 == 4 ? "\"a,b\",c,d\n" : "a,b,\($0)\n" }.joined()
        for head in ["", "b,c,d\n", "a header\n", String(repeating: "x,", count: 2_000) + "\n"] {
            let shape = Self.guess(Array((head + lines).utf8))
            #expect(shape == LineShape(delimiter: UInt8(ascii: ","), columnCount: 3))
        }
    }

    @Test func `Few lines, few fields and lines of all kinds are not taken`() {
        #expect(Self.guess("a,b,c", times: 8) == nil)
        #expect(Self.guess("a,b,c", times: 9) != nil)
        #expect(Self.guess("a,b") == nil)
        #expect(Self.guess("") == nil)
        #expect(Self.guess([]) == nil)
        #expect(Self.guess(Array(repeating: 0, count: 100_000)) == nil)
        #expect(
            Self.guess((0..<100).flatMap { Array(repeating: 0x2c, count: $0 % 7) + [10] }) == nil)
        var generator = SplitMix64(seed: 34)
        for _ in 0..<50 {
            #expect(Self.guess(generator.bytes(70_000)) == nil)
            #expect(Self.guess(generator.text(70_000)) == nil)
        }
    }

    @Test func `As many columns as there may be are taken, and no more`() {
        let most = String(repeating: "1,", count: LineShape.columnLimit - 1)
        #expect(Self.guess(most)?.columnCount == LineShape.columnLimit)
        #expect(Self.guess(most + ",") == nil)
        #expect(Self.guess(String(repeating: "1,", count: 5_000)) == nil)
    }
}

/// Gathered columns from a hostile hand.
struct HostileColumnsTests {
    /// A header, and a frame of these columns.
    private static func stored(
        version: UInt8 = 1, delimiter: UInt8 = 0x2c, count: UInt8? = nil, _ columns: [String],
        sizes: [Int]? = nil
    ) -> [UInt8] {
        var writer = ByteWriter()
        writer.u8(version)
        writer.u8(delimiter)
        writer.u8(count ?? UInt8(columns.count))
        for size in sizes ?? columns.map(\.utf8.count) { writer.count(size) }
        var frame: [UInt8] = []
        let bytes = Array(columns.joined().utf8)
        let isEncoded = ZstdEncoder(.standard).encode(bytes.span, into: &frame, limit: .max)
        #expect(isEncoded)
        writer.raw(frame)
        return writer.bytes
    }

    private static func isRefused(_ stored: [UInt8], _ size: Int) -> Bool {
        do throws(CompressionError) {
            _ = try Gathering.decode(stored, size)
            return false
        } catch {
            return true
        }
    }

    private static let good = ["a,bb,", "1,22,", "x\ny"]

    @Test func `What these tests change is right without the change`() throws {
        let text = try Gathering.decode(Self.stored(Self.good), 13)
        #expect(text == Array("a,1,x\nbb,22,y".utf8))
    }

    @Test func `A version, delimiter or number of columns that may not be is refused`() {
        #expect(Self.isRefused(Self.stored(version: 0, Self.good), 13))
        #expect(Self.isRefused(Self.stored(version: 2, Self.good), 13))
        #expect(Self.isRefused(Self.stored(delimiter: 0x0a, Self.good), 13))
        for count in [0, 1, 2, 4, 255] as [UInt8] {
            #expect(Self.isRefused(Self.stored(count: count, Self.good), 13))
        }
    }

    @Test func `Sizes that do not add up are refused`() {
        let good = Self.stored(Self.good)
        for size in [0, 1, 12, 14, 64 << 20] { #expect(Self.isRefused(good, size)) }
        for sizes in [[5, 5, 2], [5, 5, 4], [.max, 5, 3], [5, .max, .max], [13, 1, 0]] {
            #expect(Self.isRefused(Self.stored(Self.good, sizes: sizes), 13), "\(sizes)")
        }
    }

    @Test func `Columns that no text was gathered from are refused`() {
        let cases = [
            ["a,bb,", "1,22,xx", "y"], ["a,bb,", "1,22", ",x\ny"], ["", "a,b,"], ["a\nb\n", "c"],
            ["a", "b"], ["a,", "", "b"], ["a,b,", "c,d,", ""], ["a,b,c", "\n\n,"],
        ]
        for columns in cases {
            let size = columns.joined().utf8.count
            #expect(Self.isRefused(Self.stored(columns), size), "\(columns)")
            // The same with room behind each column.
            let wide = columns.map { String(repeating: "z", count: 40) + $0 }
            let decoded = try? Gathering.decode(Self.stored(wide), wide.joined().utf8.count)
            if let decoded { #expect(decoded.count == wide.joined().utf8.count) }
        }
    }

    @Test func `Cut short anywhere, they are refused`() throws {
        var generator = SplitMix64(seed: 35)
        let text = Lines.ragged.text(6_000, &generator)
        let stored = try #require(Gathering.encode(text, 0x2c, 9))
        for count in 0..<stored.count {
            #expect(Self.isRefused(Array(stored.prefix(count)), text.count))
        }
        #expect(Self.isRefused(stored + [0], text.count))
    }

    @Test func `A flipped bit gives an error or bytes of the declared size`() throws {
        var generator = SplitMix64(seed: 36)
        let text = Lines.ragged.text(5_000, &generator)
        let stored = try #require(Gathering.encode(text, 0x2c, 9))
        for index in stored.indices {
            for bit in 0..<8 {
                var flipped = stored
                flipped[index] ^= 1 << bit
                if let decoded = try? Gathering.decode(flipped, text.count) {
                    #expect(decoded.count == text.count)
                }
            }
        }
    }

    /// Beyond single bits: columns of any content, with any sizes.
    @Test(arguments: Seed.some(4))
    func `Columns by chance give an error or a text that has them`(seed: Seed) throws {
        var generator = SplitMix64(seed)
        for _ in 0..<2_000 {
            let alphabet = Array("aaaaaaaa,,\n".utf8)
            let columns = (0...generator.below(4)).map { _ in
                (0..<generator.below(60)).map { _ in alphabet[generator.below(alphabet.count)] }
            }
            let stored = Self.stored(columns.map { String(decoding: $0, as: UTF8.self) })
            let size = columns.reduce(0) { $0 + $1.count }
            guard let text = try? Gathering.decode(stored, size) else { continue }
            #expect(text.count == size)
            #expect(text.sorted() == columns.joined().sorted())
        }
    }
}

/// Gathered columns of the first version stay readable.
///
/// `VARVE_RECORD_FIXTURES=1` writes the fixture where there is none.
struct GoldenColumnsTests {
    @Test func `Columns of the first version give the text they were made from`() throws {
        var generator = SplitMix64(seed: 37)
        let text = Lines.ragged.text(9_000, &generator)
        let name = "columns/v1/ragged.columns"
        if HostSystem.variable("VARVE_RECORD_FIXTURES") != nil,
            (try? Fixtures.bytes(name)) == nil
        {
            try Fixtures.write(try #require(Gathering.encode(text, 0x2c, 7)), name)
        }
        #expect(try Gathering.decode(Fixtures.bytes(name), text.count) == text)
    }
}

/// Encoder and decoder with contexts of their own.
private enum Gathering {
    static func encode(_ text: [UInt8]) -> [UInt8]? {
        GatheredEncoder(ZstdEncoder(.standard)).encode(text.span, limit: .max)
    }

    static func encode(_ text: [UInt8], _ delimiter: UInt8, _ columnCount: Int) -> [UInt8]? {
        let shape = LineShape(delimiter: delimiter, columnCount: columnCount)
        return GatheredEncoder(ZstdEncoder(.standard)).encode(text.span, shape, limit: .max)
    }

    static func decode(_ stored: [UInt8], _ size: Int) throws(CompressionError) -> [UInt8] {
        try GatheredDecoder(ZstdDecoder()).decode(stored, size: size)
    }

    static func expectRoundTrip(
        _ text: [UInt8], _ delimiter: UInt8, _ columnCount: Int, _ name: String
    ) throws {
        let stored = try #require(encode(text, delimiter, columnCount))
        let isSame = try decode(stored, text.count) == text
        #expect(isSame, "\(name), \(text.count) bytes, \(columnCount) columns")
    }
}

/// A kind of text to gather.
private struct Lines {
    var name: String
    var delimiter = UInt8(ascii: ",")
    /// Makes a line with its end.
    var line: @Sendable (inout SplitMix64) -> [UInt8]

    static let regular = Lines(name: "regular", delimiter: UInt8(ascii: "|")) { generator in
        let day = generator.below(28) + 1
        let words = generator.text(30)
        return Array("\(generator.next() % 100_000)|1996-03-\(day)|TRUCK|0.0\(day % 9)|".utf8)
            + words + [0x0a]
    }

    static let ragged = Lines(name: "ragged") { generator in
        var line: [UInt8] = []
        for _ in 0..<generator.below(12) {
            line += generator.text(generator.below(40)) + [0x2c]
        }
        return line + generator.text(generator.below(5)) + [0x0a]
    }

    static let all = [
        regular, ragged,
        Lines(name: "CRLF") { Array("\($0.below(1_000)),b,c\r\n".utf8) },
        Lines(name: "quotes") { Array("\"a, \"\"\($0.below(9))\"\"\",\"b\nc\",d\n".utf8) },
        Lines(name: "empty fields") { _ in Array(",,,,\n".utf8) },
        Lines(name: "NUL") { [0, 0x2c, 0, UInt8($0.below(256)), 0x2c, 0, 0x0a] },
        Lines(name: "one huge line") { $0.text(1_000) + [0x2c] },
        Lines(name: "one huge field") { $0.text(1_000) },
        Lines(name: "thousands of columns") { generator in
            (0..<3_000).flatMap { _ in Array("\(generator.below(100)),".utf8) } + [0x0a]
        },
    ]

    /// Exactly `count` bytes: the last line mostly ends in the middle.
    func text(_ count: Int, _ generator: inout SplitMix64) -> [UInt8] {
        var text: [UInt8] = []
        while text.count < count { text += line(&generator) }
        text.removeLast(text.count - count)
        return text
    }
}
