package import Bytes

/// A value of a JSON document (RFC 8259).
///
/// Numbers stay as they are written, because decimals and 64-bit integers lose digits in a double.
/// Two values are equal when the bytes of their names and texts are.
package indirect enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(ExactText)
    case string(ExactText)
    case array([JSONValue])
    /// Members in the order in which they stand.
    case object([Member])

    package struct Member: Equatable, Sendable {
        /// As it stands in the document, escapes resolved.
        package var name: ExactText
        package var value: JSONValue

        /// A member of that name.
        package init(_ name: ExactText, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// The member of an object with this name, the last when there are several; nil for null, and
    /// when there is none.
    package subscript(name: ExactText) -> JSONValue? {
        guard case .object(let members) = self,
            let value = members.last(where: { $0.name == name })?.value, value != .null
        else { return nil }
        return value
    }

    package var string: ExactText? { if case .string(let text) = self { text } else { nil } }
    /// The same as a Swift string, for words of our own: of them none is canonically equivalent to
    /// another.
    package var word: String? { string?.string }
    package var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
    package var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
    package var members: [Member]? { if case .object(let members) = self { members } else { nil } }

    /// A number without fraction that 64 bits hold.
    package var int64: Int64? {
        if case .number(let text) = self { Int64(text.string) } else { nil }
    }

    /// A text of our own.
    package static func string(_ text: String) -> JSONValue { .string(ExactText(text)) }

    /// A whole number, in all of its digits.
    package static func number(_ value: some BinaryInteger) -> JSONValue {
        .number(ExactText(String(value)))
    }
}

// MARK: - Text
extension JSONValue {
    /// The document on one line without blanks.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The same in UTF-8.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return bytes
    }

    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes += "null".utf8
        case .bool(let flag): bytes += (flag ? "true" : "false").utf8
        case .number(let text): bytes += text.utf8
        case .string(let text): Self.quote(text, to: &bytes)
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.quote(member.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// Escapes what JSON demands, and DEL and the control characters up to U+009F as well: a
    /// terminal that shows the text does not act on it.
    private static func quote(_ text: ExactText, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): bytes += "\\\"".utf8
            case UInt8(ascii: "\\"): bytes += "\\\\".utf8
            case 0x0a: bytes += "\\n".utf8
            case 0x0d: bytes += "\\r".utf8
            case 0x09: bytes += "\\t".utf8
            case 0..<0x20, 0x7f: escape(byte, to: &bytes)
            case 0x80...0x9f where bytes.last == 0xc2:
                bytes.removeLast()
                escape(byte, to: &bytes)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends a character below U+0100 by its number.
    private static func escape(_ value: UInt8, to bytes: inout [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        bytes += "\\u00".utf8
        bytes += [digits[Int(value >> 4)], digits[Int(value & 15)]]
    }
}
