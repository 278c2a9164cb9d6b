package import Bytes

/// Paths of data files: URIs in the log, names on disk.
package enum DataPath {
    /// The path below the table that a path of the log stands for, decoded once.
    ///
    /// Throws for those that lead out of the table, and for those with parts that are empty, "." or
    /// "..": two paths of the log never mean the same file.
    package static func decode(_ path: ExactText) throws(TableLogError) -> ExactText {
        // A colon makes a scheme only behind what can be one (RFC 3986, section 3.1): partitions of
        // times have colons in their names.
        guard !path.isEmpty, path.utf8.first != UInt8(ascii: "/"), !hasScheme(path) else {
            throw TableLogError.outside(path, "a data file outside of the table")
        }
        var bytes: [UInt8] = []
        var rest = Array(path.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit),
                let low = rest.popFirst().flatMap(digit)
            else { throw TableLogError(.damaged, path.string, "expected two digits after '%'") }
            bytes.append(high << 4 | low)
        }
        guard let decoded = ExactText(utf8: bytes), !bytes.contains(0) else {
            throw TableLogError(.damaged, path.string, "expected a path in UTF-8")
        }
        guard isPlain(bytes) else {
            throw TableLogError.outside(
                path, "a path of a data file with empty parts, '.' or '..'")
        }
        return decoded
    }

    private static func hasScheme(_ path: ExactText) -> Bool {
        guard let end = path.utf8.firstIndex(of: UInt8(ascii: ":")) else { return false }
        let scheme = path.utf8[..<end]
        guard let first = scheme.first, isLetter(first) else { return false }
        return scheme.allSatisfy { byte in
            isLetter(byte) || (0x30...0x39).contains(byte) || "+.-".utf8.contains(byte)
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte | 0x20) }

    /// Whether a path below the table is the only one for its file.
    static func isPlain(_ path: [UInt8]) -> Bool {
        path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8)
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) }
    }

    /// The path of the log for a path below the table.
    package static func encode(_ path: ExactText) -> ExactText {
        var encoded = ""
        for byte in path.utf8 {
            let isPlain =
                byte < 0x7f && byte > 0x20 && !"%:#?\"<>\\^`{|}".utf8.contains(byte)
            if isPlain {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return ExactText(encoded)
    }
}
