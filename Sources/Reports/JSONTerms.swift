package import Bytes
package import JSON
package import Platform
package import Repository

// How values of ours stand in JSON. What the keys mean is in varve(1), and tests compare that with
// what the commands print: one word per idea, counts are plural nouns (`files_added`), lists that
// would have such a name end in `_list`.

extension JSONValue {
    /// A digest, as hexadecimal digits.
    package static func hex(_ digest: SHA256Digest) -> Self { .string(digest.hex) }

    /// The id of a snapshot; null when there is none.
    package static func id(_ id: SnapshotID?) -> Self { id.map { .hex($0.digest) } ?? .null }

    /// Local time with its offset (RFC 3339), to the second.
    package static func time(_ moment: Timestamp) -> Self {
        .string(CivilTime(local: moment).rfc3339)
    }

    /// An array of objects with "path".
    package static func paths(_ paths: [[UInt8]]) -> Self {
        .array(paths.map { JSONObject(path: $0).value })
    }

    /// A number; null when it is not known.
    package static func number(_ value: (some BinaryInteger)?) -> Self {
        value.map { .number(ExactText(String($0))) } ?? .null
    }

    /// A text of others; null when there is none.
    package static func text(_ text: ExactText?) -> Self { text.map { .string($0) } ?? .null }

    /// A text; null when there is none.
    package static func text(_ text: String?) -> Self { text.map { .string($0) } ?? .null }
}

extension JSONObject {
    /// An object that begins with "path".
    package init(path: [UInt8]) {
        self.init()
        setBytes("path", path)
    }

    /// Adds `key` as text and, where the bytes are not UTF-8, `key_base64` with all of them.
    package mutating func setBytes(_ key: String, _ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        self[key] = .string(text)
        if !text.utf8.elementsEqual(bytes) {
            self[key + "_base64"] = .string(Base64.encode(bytes))
        }
    }

    /// The same for a list of names: where one of them is not UTF-8, all stand in `key_base64` too.
    package mutating func setBytes(_ key: String, list: [[UInt8]]) {
        let texts = list.map { String(decoding: $0, as: UTF8.self) }
        self[key] = .array(texts.map { .string($0) })
        if !zip(texts, list).allSatisfy({ $0.utf8.elementsEqual($1) }) {
            self[key + "_base64"] = .array(list.map { .string(Base64.encode($0)) })
        }
    }
}
