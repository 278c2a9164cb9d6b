/// Operations on paths as raw bytes: names on Linux are bytes, not text.
package enum PathBytes {
    package static let separator = UInt8(ascii: "/")

    /// Orders two relative paths component by component: '/' sorts before every other byte.
    ///
    /// This is the order of a depth-first walk that visits each directory's names in byte order.
    package static func isBefore(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        let common = min(one.count, other.count)
        for index in 0..<common where one[index] != other[index] {
            return rank(one[index]) < rank(other[index])
        }
        return one.count < other.count
    }

    private static func rank(_ byte: UInt8) -> Int { byte == separator ? -1 : Int(byte) }

    package static func join(_ directory: [UInt8], _ name: [UInt8]) -> [UInt8] {
        if directory.isEmpty { return name }
        var path: [UInt8] = []
        path.reserveCapacity(directory.count + 1 + name.count)
        path += directory
        path.append(separator)
        path += name
        return path
    }

    /// The last component.
    package static func name(_ path: [UInt8]) -> ArraySlice<UInt8> {
        guard let slash = path.lastIndex(of: separator) else { return path[...] }
        return path[(slash + 1)...]
    }

    /// Everything before the last component; empty at the top.
    package static func parent(_ path: [UInt8]) -> [UInt8] {
        guard let slash = path.lastIndex(of: separator) else { return [] }
        return Array(path[..<slash])
    }

    /// Whether `path` is `directory` or lies below it; everything lies below the empty path.
    package static func isInside(_ path: [UInt8], _ directory: [UInt8]) -> Bool {
        isInside(path[...], directory)
    }

    package static func isInside(_ path: ArraySlice<UInt8>, _ directory: [UInt8]) -> Bool {
        if directory.isEmpty { return true }
        guard path.count >= directory.count else { return false }
        let end = path.startIndex + directory.count
        return (end == path.endIndex || path[end] == separator)
            && path[..<end].elementsEqual(directory)
    }

    /// Text that is safe on a terminal: control bytes, backslash and invalid UTF-8 as `\xNN`.
    package static func printable(_ bytes: some Collection<UInt8>) -> String {
        let bytes = Array(bytes)
        if bytes.allSatisfy({ (0x20...0x7e).contains($0) && $0 != UInt8(ascii: "\\") }) {
            return String(decoding: bytes, as: UTF8.self)
        }
        var text = ""
        var start = 0
        while start < bytes.count {
            var decoder = UTF8()
            var iterator = bytes[start...].makeIterator()
            decoding: while true {
                switch decoder.decode(&iterator) {
                case .scalarValue(let scalar):
                    let end = start + UTF8.width(scalar)
                    text += isSafe(scalar) ? String(scalar) : escape(bytes[start..<end])
                    start = end
                case .emptyInput: break decoding
                case .error:
                    // One byte is escaped; the bytes behind it may begin something valid.
                    text += escape(bytes[start...start])
                    start += 1
                    break decoding
                }
            }
        }
        return text
    }

    private static func isSafe(_ scalar: Unicode.Scalar) -> Bool {
        scalar != "\\" && isHarmless(scalar)
    }

    /// Whether a terminal shows the character and does not act on it.
    package static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        if (0x20...0x7e).contains(scalar.value) { return true }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: return false
        default: return true
        }
    }

    private static func escape(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { $0 == UInt8(ascii: "\\") ? "\\\\" : "\\x" + Hex.encode([$0]) }.joined()
    }
}
