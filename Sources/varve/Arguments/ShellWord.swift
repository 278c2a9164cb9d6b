internal import Bytes

/// Words as a shell takes them.
enum ShellWord {
    /// The word in quotes, where it needs them.
    ///
    /// One with bytes that are no text, or that a terminal would act on, is quoted as `$'…'`, which
    /// bash, zsh and ksh read.
    static func quoted(_ word: [UInt8]) -> String {
        let text = String(decoding: word, as: UTF8.self)
        guard text.utf8.elementsEqual(word), text.unicodeScalars.allSatisfy(PathBytes.isHarmless)
        else { return "$'" + word.map(escaped).joined() + "'" }
        guard word.isEmpty || !word.allSatisfy(isPlain) else { return text }
        return "'"
            + text.split(separator: "'", omittingEmptySubsequences: false)
            .joined(separator: #"'\''"#) + "'"
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
            || (0x61...0x7a).contains(byte) || "/._-=:,@%+".utf8.contains(byte)
    }

    private static func escaped(_ byte: UInt8) -> String {
        isPlain(byte) || byte == UInt8(ascii: " ")
            ? String(UnicodeScalar(byte)) : "\\x" + Hex.encode([byte])
    }
}
