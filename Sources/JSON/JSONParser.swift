package import Bytes

/// Why a text is not JSON, and where.
package struct JSONError: Error, Equatable, Sendable {
    /// Byte offset in the text.
    package let offset: Int
    /// What should stand there, as a noun.
    package let expected: String
}

extension JSONError: CustomStringConvertible {
    package var description: String { "not JSON at byte \(offset), expected \(expected)" }
}

extension JSONValue {
    /// Parses one document, which blanks may surround; deeper than `depth` is refused.
    ///
    /// The text is hostile: it is UTF-8 or refused, numbers keep to the grammar, and nothing is
    /// allocated that the text does not have the bytes for.
    package init(parsing text: ArraySlice<UInt8>, depth: Int = 64) throws(JSONError) {
        var parser = JSONParser(text, depth: depth)
        self = try parser.document()
    }

    package init(parsing text: String) throws(JSONError) {
        try self.init(parsing: Array(text.utf8)[...])
    }

    package init(parsing text: ExactText) throws(JSONError) {
        try self.init(parsing: Array(text.utf8)[...])
    }
}

/// Recursive descent over bytes.
private struct JSONParser {
    private let text: ArraySlice<UInt8>
    private var offset: Int
    private var depth: Int

    init(_ text: ArraySlice<UInt8>, depth: Int) {
        self.text = text
        offset = text.startIndex
        self.depth = depth
    }

    private func error(_ expected: String) -> JSONError {
        JSONError(offset: offset - text.startIndex, expected: expected)
    }

    private var next: UInt8? { offset < text.endIndex ? text[offset] : nil }

    private mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 {
            offset += 1
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        offset += 1
        return true
    }

    mutating func document() throws(JSONError) -> JSONValue {
        let value = try value()
        skipBlanks()
        guard next == nil else { throw error("the end") }
        return value
    }

    private mutating func value() throws(JSONError) -> JSONValue {
        skipBlanks()
        switch next {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for byte in word.utf8 { guard take(byte) else { throw error("'\(word)'") } }
        return value
    }

    private mutating func enter() throws(JSONError) {
        guard depth > 0 else { throw error("a document that is not so deep") }
        depth -= 1
        offset += 1
        skipBlanks()
    }

    private mutating func object() throws(JSONError) -> JSONValue {
        try enter()
        defer { depth += 1 }
        var members: [JSONValue.Member] = []
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipBlanks()
            guard next == UInt8(ascii: "\"") else { throw error("a name in quotes") }
            let name = try string()
            skipBlanks()
            guard take(UInt8(ascii: ":")) else { throw error("':'") }
            members.append(JSONValue.Member(name, try value()))
            skipBlanks()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw error("',' or '}'") }
        }
    }

    private mutating func array() throws(JSONError) -> JSONValue {
        try enter()
        defer { depth += 1 }
        var values: [JSONValue] = []
        if take(UInt8(ascii: "]")) { return .array(values) }
        while true {
            values.append(try value())
            skipBlanks()
            if take(UInt8(ascii: "]")) { return .array(values) }
            guard take(UInt8(ascii: ",")) else { throw error("',' or ']'") }
        }
    }

    private mutating func digits() throws(JSONError) {
        let start = offset
        while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { offset += 1 }
        guard offset > start else { throw error("a value") }
    }

    private mutating func number() throws(JSONError) -> ExactText {
        let start = offset
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        return ExactText(String(decoding: text[start..<offset], as: UTF8.self))
    }

    private mutating func string() throws(JSONError) -> ExactText {
        offset += 1
        var bytes: [UInt8] = []
        while true {
            let start = offset
            while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"),
                byte >= 0x20
            { offset += 1 }
            bytes += text[start..<offset]
            if take(UInt8(ascii: "\"")) { break }
            guard take(UInt8(ascii: "\\")) else { throw error("the end of a string") }
            try escape(into: &bytes)
        }
        guard let string = ExactText(utf8: bytes) else { throw error("UTF-8") }
        return string
    }

    private mutating func escape(into bytes: inout [UInt8]) throws(JSONError) {
        guard let byte = next else { throw error("an escape") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0c)
        case UInt8(ascii: "n"): bytes.append(0x0a)
        case UInt8(ascii: "r"): bytes.append(0x0d)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "u"): bytes += try unicode().utf8
        default: throw error("an escape")
        }
    }

    private mutating func unit() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            offset += 1
        }
        return value
    }

    /// A character by its number; one beyond 16 bits comes as two.
    private mutating func unicode() throws(JSONError) -> String {
        let first = try unit()
        guard (0xd800..<0xdc00).contains(first) else {
            guard let scalar = Unicode.Scalar(first) else { throw error("a character") }
            return String(Character(scalar))
        }
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            throw error("the second half of a character")
        }
        let second = try unit()
        guard (0xdc00..<0xe000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
        else { throw error("the second half of a character") }
        return String(Character(scalar))
    }
}
