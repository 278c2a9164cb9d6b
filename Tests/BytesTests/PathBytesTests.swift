import Bytes
import Testing
import TestSupport

struct PathBytesTests {
    private static func components(_ path: [UInt8]) -> [[UInt8]] {
        path.split(separator: PathBytes.separator, omittingEmptySubsequences: false).map(Array.init)
    }

    /// The order of a walk, spelled out: components one by one, each by its bytes.
    private static func isBeforePlain(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        components(one).lexicographicallyPrecedes(components(other)) {
            $0.lexicographicallyPrecedes($1)
        }
    }

    /// Paths over few bytes, so that many share beginnings; among them bytes below '/'.
    private static func path(_ generator: inout SplitMix64) -> [UInt8] {
        let letters: [UInt8] = [1, 0x2d, 0x2e, 0x30, 0x61, 0xff]
        let parts = (0...generator.below(3)).map { _ in
            (0...generator.below(2)).map { _ in letters[generator.below(letters.count)] }
        }
        return Array(parts.joined(separator: [PathBytes.separator]))
    }

    @Test(arguments: Seed.some(8))
    func `Paths sort component by component`(seed: Seed) {
        var generator = SplitMix64(seed)
        for _ in 0..<3_000 {
            let (one, other) = (Self.path(&generator), Self.path(&generator))
            let isBefore = PathBytes.isBefore(one, other)
            guard isBefore != Self.isBeforePlain(one, other) else { continue }
            Issue.record("\(PathBytes.printable(one)) and \(PathBytes.printable(other))")
        }
    }

    @Test(arguments: Seed.some(4))
    func `The order is strict and total`(seed: Seed) {
        var generator = SplitMix64(seed)
        let paths = (0..<60).map { _ in Self.path(&generator) }
        for one in paths {
            #expect(!PathBytes.isBefore(one, one))
            for other in paths where one != other {
                #expect(PathBytes.isBefore(one, other) != PathBytes.isBefore(other, one))
            }
        }
    }

    @Test func `A directory comes before what is in it and that before its next neighbour`() {
        let paths = ["", "a", "a/b", "a/b/c", "a/c", "a-", "a.b", "a0", "b"].map { Array($0.utf8) }
        for (one, other) in zip(paths, paths.dropFirst()) {
            #expect(PathBytes.isBefore(one, other))
            #expect(!PathBytes.isBefore(other, one))
        }
    }

    @Test(arguments: [
        ("", "", ""), ("a", "", "a"), ("a/b", "a", "b"), ("a/b/c", "a/b", "c"), ("/a", "", "a"),
    ])
    func `A path is its parent and its name`(path: String, parent: String, name: String) {
        let bytes = Array(path.utf8)
        #expect(PathBytes.parent(bytes) == Array(parent.utf8))
        #expect(Array(PathBytes.name(bytes)) == Array(name.utf8))
    }

    @Test(arguments: [
        ("a/b", "a", true), ("a", "a", true), ("ab", "a", false), ("a", "", true), ("", "", true),
        ("", "a", false), ("a-/b", "a", false),
    ])
    func `What is inside a directory shares whole components with it`(
        path: String,
        directory: String,
        isInside: Bool
    ) {
        #expect(PathBytes.isInside(Array(path.utf8), Array(directory.utf8)) == isInside)
    }
}

struct PrintableTests {
    @Test(arguments: [
        ("plain name.txt", "plain name.txt"), ("", ""), ("Tromsø", "Tromsø"), ("日本", "日本"),
        ("a\nb", "a\\x0ab"), ("\u{1b}[31mred", "\\x1b[31mred"), ("\u{7f}", "\\x7f"),
        ("\u{85}", "\\xc2\\x85"), ("a\\x", "a\\\\x"), ("\u{202e}txt", "\\xe2\\x80\\xaetxt"),
        ("\u{2028}", "\\xe2\\x80\\xa8"), ("\u{200b}", "\\xe2\\x80\\x8b"), ("\0", "\\x00"),
    ])
    func `Whatever could play tricks on a terminal is escaped`(text: String, printed: String) {
        #expect(PathBytes.printable(Array(text.utf8)) == printed)
    }

    @Test(
        arguments: [
            ([0xff], "\\xff"), ([0x61, 0xc3], "a\\xc3"), ([0xc3, 0x61], "\\xc3a"),
            ([0xed, 0xa0, 0x80], "\\xed\\xa0\\x80"), ([0xc0, 0xaf], "\\xc0\\xaf"),
            ([0xe2, 0x82, 0xc3, 0xb8], "\\xe2\\x82ø"),
        ] as [([UInt8], String)]
    )
    func `Bytes that are not UTF-8 are escaped one by one`(bytes: [UInt8], printed: String) {
        #expect(PathBytes.printable(bytes) == printed)
    }

    @Test(arguments: Seed.some(8))
    func `Printed text tells the bytes exactly`(seed: Seed) {
        var generator = SplitMix64(seed)
        let bytes = generator.bytes(300) + generator.text(50) + [0x5c, 0x5c, 0x78]
        #expect(Self.unescape(PathBytes.printable(bytes)) == bytes)
    }

    @Test func `Hostile text of any length is printed without deep recursion`() {
        let printed = PathBytes.printable([UInt8](repeating: 0xff, count: 200_000))
        #expect(printed.utf8.count == 800_000)
    }

    private static func unescape(_ text: String) -> [UInt8] {
        var rest = Array(text.utf8)[...]
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            if rest.popFirst() == UInt8(ascii: "\\") {
                bytes.append(byte)
            } else {
                bytes += Hex.decode(String(decoding: rest.prefix(2), as: UTF8.self)) ?? []
                rest = rest.dropFirst(2)
            }
        }
        return bytes
    }
}
