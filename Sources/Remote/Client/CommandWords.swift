internal import Bytes

/// A command as a user wrote it in one text, split into words without a shell.
package enum CommandWords {
    /// Splits at blanks; quotes of either kind and backslashes protect, as in a shell.
    ///
    /// Nothing is replaced or expanded.
    package static func split(_ text: [UInt8]) throws(LocationError) -> [[UInt8]] {
        var words: [[UInt8]] = []
        var word: [UInt8]?
        var quote: UInt8?
        var isEscaped = false
        for byte in text {
            if isEscaped {
                word = (word ?? []) + [byte]
                isEscaped = false
            } else if byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "'") {
                isEscaped = true
            } else if let open = quote {
                if byte == open { quote = nil } else { word = (word ?? []) + [byte] }
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                quote = byte
                word = word ?? []
            } else if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
                if let word { words.append(word) }
                word = nil
            } else {
                word = (word ?? []) + [byte]
            }
        }
        guard quote == nil, !isEscaped else {
            throw LocationError("a quote is open in \(PathBytes.printable(text))")
        }
        if let word { words.append(word) }
        guard let first = words.first, !first.isEmpty else {
            throw LocationError("a command is empty")
        }
        return words
    }

    /// A word that a shell on the other side takes as it is.
    static func quoted(_ word: [UInt8]) -> [UInt8] {
        let isPlain = word.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "/"), UInt8(ascii: "."),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "="), UInt8(ascii: "+"),
                UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "@"):
                true
            default: false
            }
        }
        if isPlain, !word.isEmpty { return word }
        let quote = UInt8(ascii: "'")
        return [quote] + word.flatMap { $0 == quote ? Array("'\\''".utf8) : [$0] } + [quote]
    }
}
