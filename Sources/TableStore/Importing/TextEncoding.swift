/// How the text of a file of rows is encoded.
package enum TextEncoding: String, CaseIterable, Sendable {
    case utf8 = "utf-8"
    case utf16 = "utf-16"
    case utf16LittleEndian = "utf-16le"
    case utf16BigEndian = "utf-16be"
    case utf32 = "utf-32"
    case latin1 = "latin-1"
}

/// What the first bytes of a file say of it, where it is no text in UTF-8.
enum FileSignature {
    private static let compressions: [(mark: [UInt8], name: String, tool: String)] = [
        ([0x1f, 0x8b], "gzip", "gzip -dc"), ([0x28, 0xb5, 0x2f, 0xfd], "zstd", "zstd -dc"),
        ([0x42, 0x5a, 0x68, 0x39, 0x31, 0x41], "bzip2", "bzip2 -dc"),
        ([0xfd, 0x37, 0x7a, 0x58, 0x5a], "xz", "xz -dc"),
        ([0x04, 0x22, 0x4d, 0x18], "lz4", "lz4 -dc"), ([0x50, 0x4b, 3, 4], "zip", "unzip -p"),
    ]

    /// Why the bytes are not read as text, and what would do it; nil for text in UTF-8.
    static func problem(_ bytes: ArraySlice<UInt8>) -> String? {
        for (mark, name, tool) in compressions where bytes.starts(with: mark) {
            return "the file is compressed by \(name): \(tool) FILE writes its rows, which are "
                + "read from /dev/stdin with --input-format"
        }
        // A page header follows, which no text begins with.
        if bytes.starts(with: Array("PAR1\u{15}".utf8)) {
            return "the file is one of Parquet: --input-format parquet reads it"
        }
        guard let encoding = encoding(bytes) else { return nil }
        return "the file is text in \(encoding.rawValue.uppercased()), not UTF-8: "
            + "--encoding \(encoding.rawValue) reads it"
    }

    /// By its byte order mark or, without one, by where its zero bytes stand.
    private static func encoding(_ bytes: ArraySlice<UInt8>) -> TextEncoding? {
        if bytes.starts(with: [0xff, 0xfe, 0, 0]) || bytes.starts(with: [0, 0, 0xfe, 0xff]) {
            return .utf32
        }
        if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) { return .utf16 }
        let head = Array(bytes.prefix(4096))
        let zeros = head.indices.filter { head[$0] == 0 }
        guard head.count >= 4, zeros.count >= head.count / 4 else { return nil }
        if zeros.count > head.count / 2 { return .utf32 }
        return zeros.filter { $0 % 2 == 0 }.count > zeros.count / 2
            ? .utf16BigEndian : .utf16LittleEndian
    }
}

/// Makes UTF-8 of text in another encoding, block by block.
///
/// What is no character ends the import: nothing is replaced by U+FFFD.
struct TextDecoder {
    private var encoding: TextEncoding
    /// Bytes of a character that has not come whole yet.
    private var rest: [UInt8] = []
    private var isAtStart = true
    private var isBigEndian = false

    init(_ encoding: TextEncoding) { self.encoding = encoding }

    /// Appends what the bytes stand for; false when they are no text.
    mutating func decode(_ bytes: [UInt8], into text: inout [UInt8]) -> Bool {
        switch encoding {
        case .utf8: text += bytes
        case .latin1:
            for byte in bytes {
                if byte < 0x80 {
                    text.append(byte)
                } else {
                    text += [0xc0 | byte >> 6, 0x80 | byte & 0x3f]
                }
            }
        case .utf16, .utf16LittleEndian, .utf16BigEndian, .utf32:
            rest += bytes
            if isAtStart, !takeMark() { return true }
            return encoding == .utf32 ? decode32(&text) : decode16(&text)
        }
        return true
    }

    /// Whether nothing is left of a character.
    var isComplete: Bool { rest.isEmpty }

    /// Passes over the byte order mark; false when there are too few bytes to see one.
    private mutating func takeMark() -> Bool {
        let size = encoding == .utf32 ? 4 : 2
        guard rest.count >= size else { return false }
        isAtStart = false
        let little: [UInt8] = size == 4 ? [0xff, 0xfe, 0, 0] : [0xff, 0xfe]
        isBigEndian = encoding == .utf16BigEndian
        if rest.starts(with: little.reversed()) {
            if encoding != .utf16LittleEndian { isBigEndian = true }
            rest.removeFirst(size)
        } else if rest.starts(with: little) {
            rest.removeFirst(size)
        }
        return true
    }

    private mutating func decode16(_ text: inout [UInt8]) -> Bool {
        var index = 0
        func unit(_ place: Int) -> UInt32 {
            let (first, second) = (UInt32(rest[place]), UInt32(rest[place + 1]))
            return isBigEndian ? first << 8 | second : second << 8 | first
        }
        while index + 1 < rest.count {
            var value = unit(index)
            var size = 2
            if (0xd800..<0xdc00).contains(value) {
                guard index + 3 < rest.count else { break }
                let low = unit(index + 2)
                guard (0xdc00..<0xe000).contains(low) else { return false }
                value = 0x10000 + ((value - 0xd800) << 10) + (low - 0xdc00)
                size = 4
            }
            guard Self.append(value, to: &text) else { return false }
            index += size
        }
        rest.removeFirst(index)
        return true
    }

    private mutating func decode32(_ text: inout [UInt8]) -> Bool {
        var index = 0
        while index + 3 < rest.count {
            let four = rest[index..<index + 4].map { UInt32($0) }
            let order = isBigEndian ? four : four.reversed()
            let value = order.reduce(UInt32(0)) { $0 << 8 | $1 }
            guard Self.append(value, to: &text) else { return false }
            index += 4
        }
        rest.removeFirst(index)
        return true
    }

    private static func append(_ value: UInt32, to text: inout [UInt8]) -> Bool {
        guard let scalar = Unicode.Scalar(value) else { return false }
        if let bytes = UTF8.encode(scalar) { text += bytes }
        return true
    }
}
