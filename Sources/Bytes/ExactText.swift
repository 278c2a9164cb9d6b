/// Text that others chose: names, paths and values in logs, schemas and data files.
///
/// Two are equal when their bytes in UTF-8 are. Swift's `String` goes by canonical equivalence
/// (Unicode Standard Annex 15) in `==`, `<` and hashes: "é" as one scalar and as two would be one
/// name, and one of two files, columns or partitions would be lost. No other reader of tables does
/// so.
package struct ExactText: Sendable {
    /// The same characters, for messages and for what is written.
    package let string: String

    /// The text of a string.
    package init(_ string: String) { self.string = string }

    /// The text of a part of a string.
    package init(_ text: Substring) { string = String(text) }

    /// Nil when the bytes are no UTF-8.
    package init?(utf8 bytes: some Collection<UInt8>) {
        guard let string = String(validating: bytes, as: UTF8.self) else { return nil }
        self.string = string
    }

    /// The bytes that are compared.
    package var utf8: String.UTF8View { string.utf8 }
    /// Whether there is no byte.
    package var isEmpty: Bool { string.isEmpty }

    /// Whether the bytes begin with those of `prefix`.
    package func hasPrefix(_ prefix: ExactText) -> Bool { utf8.starts(with: prefix.utf8) }

    /// Whether the bytes end with those of `suffix`.
    package func hasSuffix(_ suffix: ExactText) -> Bool {
        utf8.count >= suffix.utf8.count
            && utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }

    /// The text that Spark and Delta Lake compare where they ignore case: each scalar in lower
    /// case by the mapping of Unicode (Java's `toLowerCase(Locale.ROOT)`), nothing composed.
    package var folded: ExactText { ExactText(string.lowercased()) }
}

extension ExactText: Hashable, Comparable {
    /// Whether the bytes are equal.
    package static func == (one: Self, other: Self) -> Bool {
        one.utf8.elementsEqual(other.utf8)
    }

    /// The order of the bytes.
    package static func < (one: Self, other: Self) -> Bool {
        one.utf8.lexicographicallyPrecedes(other.utf8)
    }

    /// Hashes the bytes, eight at a time: texts that are canonically equivalent must not collide,
    /// since a hostile log can have any number of them.
    package func hash(into hasher: inout Hasher) {
        var (word, count): (UInt64, Int) = (0, 0)
        for byte in utf8 {
            word = word << 8 | UInt64(byte)
            count += 1
            if count & 7 == 0 { hasher.combine(word) }
        }
        hasher.combine(word)
        hasher.combine(count)
    }
}

extension ExactText: ExpressibleByStringInterpolation {
    /// A text that stands in the code.
    package init(stringLiteral value: String) { string = value }
}

extension ExactText: CustomStringConvertible {
    /// The text itself, without quotes.
    package var description: String { string }
}

extension Sequence<ExactText> {
    /// The texts one after the other, for messages.
    package func joined(separator: String) -> String {
        map(\.string).joined(separator: separator)
    }
}
