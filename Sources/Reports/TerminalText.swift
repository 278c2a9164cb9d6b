internal import Bytes
internal import Parquet

/// What text does to a terminal, and how wide it is there.
package enum TerminalText {
    /// The text with everything escaped as `\xNN` that a terminal would act on, line ends included.
    ///
    /// What is safe already, such as the result of `PathBytes.printable`, stays as it is.
    package static func harmless(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { !PathBytes.isHarmless($0) }) else {
            return text
        }
        return text.unicodeScalars.map { scalar in
            PathBytes.isHarmless(scalar)
                ? String(scalar) : UTF8.encode(scalar).map(PathBytes.printable) ?? ""
        }.joined()
    }

    /// Columns that the text takes: two for East Asian wide characters, none for combining marks.
    package static func width(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { $0 + width($1) }
    }

    private static func width(_ scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x300 { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        switch scalar.value {
        case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
            0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1faff, 0x20000...0x3fffd:
            return 2
        default: return 1
        }
    }

    /// The text with blanks behind it, or before it, up to so many columns.
    package static func padded(_ text: String, to columns: Int, trailing: Bool = false) -> String {
        let padding = String(repeating: " ", count: max(0, columns - width(text)))
        return trailing ? padding + text : text + padding
    }

    /// The end of the text, "…" before it, where it does not fit into `columns`.
    package static func end(of text: String, fitting columns: Int) -> String {
        guard width(text) > columns else { return text }
        var kept = String.UnicodeScalarView()
        var room = columns - 1
        for scalar in text.unicodeScalars.reversed() {
            room -= width(scalar)
            if room < 0 { break }
            kept.append(scalar)
        }
        return columns > 0 ? "…" + String(String.UnicodeScalarView(kept.reversed())) : ""
    }
}
