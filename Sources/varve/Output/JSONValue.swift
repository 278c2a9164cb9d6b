internal import Bytes

/// A JSON value whose objects keep their order (RFC 8259).
enum JSONValue {
    case null
    case bool(Bool)
    case integer(Int64)
    case count(UInt64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([JSONMember])
}

/// A key and its value.
struct JSONMember {
    var key: String
    var value: JSONValue
}

extension JSONValue {
    /// Bytes as text, what is not UTF-8 replaced by U+FFFD.
    static func text(_ bytes: [UInt8]) -> Self { .string(String(decoding: bytes, as: UTF8.self)) }

    static func hex(_ digest: SHA256Digest) -> Self { .string(digest.hex) }

    var text: String {
        var bytes: [UInt8] = []
        write(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    func write(into bytes: inout [UInt8]) {
        switch self {
        case .null: bytes += "null".utf8
        case .bool(let value): bytes += (value ? "true" : "false").utf8
        case .integer(let value): bytes += String(value).utf8
        case .count(let value): bytes += String(value).utf8
        case .number(let value): bytes += (value.isFinite ? "\(value)" : "null").utf8
        case .string(let text): Self.write(text, into: &bytes)
        case .array(let values):
            Self.write("[]", values, into: &bytes) { $0.write(into: &$1) }
        case .object(let members):
            Self.write("{}", members, into: &bytes) { member, bytes in
                Self.write(member.key, into: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(into: &bytes)
            }
        }
    }

    private static func write<Item>(
        _ brackets: StaticString,
        _ items: [Item],
        into bytes: inout [UInt8],
        _ writeItem: (Item, inout [UInt8]) -> Void
    ) {
        let brackets = Array("\(brackets)".utf8)
        bytes.append(brackets[0])
        for (index, item) in items.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            writeItem(item, &bytes)
        }
        bytes.append(brackets[1])
    }

    /// Escapes what JSON demands, and all other control characters, so that a terminal which shows
    /// the text does not act on it.
    private static func write(_ text: String, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": bytes += #"\""#.utf8
            case "\\": bytes += #"\\"#.utf8
            case "\n": bytes += #"\n"#.utf8
            case "\t": bytes += #"\t"#.utf8
            case "\0"..<" ", "\u{7f}"..."\u{9f}":
                bytes += #"\u00"#.utf8
                bytes += Hex.encode([UInt8(scalar.value)]).utf8
            default: bytes += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

extension JSONValue: ExpressibleByStringLiteral {
    init(stringLiteral value: String) { self = .string(value) }
}

extension JSONValue: ExpressibleByBooleanLiteral {
    init(booleanLiteral value: Bool) { self = .bool(value) }
}

/// The members of an object, put together in order.
struct JSONObject: ExpressibleByDictionaryLiteral {
    private(set) var members: [JSONMember] = []

    init() {}

    init(dictionaryLiteral elements: (String, JSONValue)...) {
        members = elements.map { JSONMember(key: $0.0, value: $0.1) }
    }

    var value: JSONValue { .object(members) }

    subscript(key: String) -> JSONValue {
        get { members.first { $0.key == key }?.value ?? .null }
        set { members.append(JSONMember(key: key, value: newValue)) }
    }

    mutating func append(_ other: JSONObject) { members += other.members }

    /// Adds `key` as text and, where the bytes are not UTF-8, `key_base64` with all of them.
    mutating func setBytes(_ key: String, _ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        self[key] = .string(text)
        if !text.utf8.elementsEqual(bytes) {
            self[key + "_base64"] = .string(Base64.encode(bytes))
        }
    }
}

/// Base64 with padding (RFC 4648, section 4).
enum Base64 {
    private static let digits = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
    )

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for index in 0..<3 {
                bits = bits << 8 | UInt32(index < group.count ? group[start + index] : 0)
            }
            for index in 0..<4 {
                let digit = digits[Int(bits >> (18 - 6 * UInt32(index)) & 63)]
                text.append(index <= group.count ? digit : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
