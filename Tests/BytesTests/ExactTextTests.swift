import Bytes
import Testing

/// Text of others is compared by its bytes.
struct ExactTextTests {
    /// Pairs that a Swift string takes for one text.
    @Test(arguments: [
        ("\u{e9}", "e\u{301}"), ("Caf\u{e9}", "Cafe\u{301}"), ("\u{212a}", "K"),
        ("\u{37e}", ";"), ("\u{1fef}", "`"), ("\u{ac00}", "\u{1100}\u{1161}"),
        ("\u{2126}", "\u{3a9}"), ("a\u{323}\u{307}", "a\u{307}\u{323}"),
    ])
    func `Texts that are canonically equivalent are two`(one: String, other: String) {
        #expect(one == other)
        let (first, second) = (ExactText(one), ExactText(other))
        #expect(first != second && (first < second) != (second < first))
        #expect(Set([first, second, first]).count == 2)
    }

    @Test func `Prefixes and ends are those of the bytes`() {
        let text = ExactText("a/\u{301}b.json\u{301}")
        #expect(text.hasPrefix("a/") && !text.string.hasPrefix("a/"))
        #expect(text.hasSuffix("n\u{301}") && text.hasSuffix("\u{301}") && !text.hasSuffix("n"))
        #expect(ExactText("").hasPrefix("") && !ExactText("").hasSuffix("a"))
    }

    @Test func `The order is that of the bytes`() {
        let texts: [ExactText] = ["", "Z", "a", "a\u{0}", "e\u{301}", "\u{e9}", "\u{10000}"]
        #expect(texts.reversed().sorted() == texts)
    }

    @Test func `Bytes that are no text make none`() {
        #expect(ExactText(utf8: [0x4d, 0xfc]) == nil)
        #expect(ExactText(utf8: [0xc3, 0xa9]) == "\u{e9}")
    }
}
