internal import Bytes
internal import JSON

/// Paths in JSON: text where they are UTF-8, else an object with their bytes in hexadecimal.
enum PathText {
    static func json(_ path: [UInt8]) -> JSONValue {
        if let text = String(validating: path, as: UTF8.self) { return .string(text) }
        return .object([JSONValue.Member("hex", .string(Hex.encode(path)))])
    }

    static func parse(_ json: JSONValue?) -> [UInt8]? {
        if let text = json?.word { return Array(text.utf8) }
        return json?["hex"]?.word.flatMap { Hex.decode($0) }
    }

    /// A path below source or target as it is stored; nil for what could lead elsewhere.
    static func parseRelative(_ json: JSONValue?) -> [UInt8]? {
        guard let path = parse(json), isRelative(path) else { return nil }
        return path
    }

    /// Whether every name of the path is a plain one; the empty path is the directory itself.
    static func isRelative(_ path: [UInt8]) -> Bool {
        if path.isEmpty { return true }
        return path.split(separator: PathBytes.separator, omittingEmptySubsequences: false)
            .allSatisfy { name in
                !name.isEmpty && !name.contains(0) && !name.elementsEqual(".".utf8)
                    && !name.elementsEqual("..".utf8)
            }
    }
}
