/// A bound as it is written: strings and binary values cut short, the maximum rounded up.
struct StoredBound {
    let bytes: [UInt8]
    let isExact: Bool

    static func minimum(_ scalar: Scalar, _ leaf: Leaf, limit: Int) -> StoredBound {
        let bytes = scalar.stored(for: leaf)
        guard leaf.type == .byteArray, bytes.count > limit else {
            return StoredBound(bytes: bytes, isExact: true)
        }
        return StoredBound(bytes: prefix(bytes, limit, isText: leaf.isText), isExact: false)
    }

    static func maximum(_ scalar: Scalar, _ leaf: Leaf, limit: Int) -> StoredBound {
        let bytes = scalar.stored(for: leaf)
        guard leaf.type == .byteArray, bytes.count > limit else {
            return StoredBound(bytes: bytes, isExact: true)
        }
        let short = prefix(bytes, limit, isText: leaf.isText)
        guard let above = leaf.isText ? nextText(short) : nextBytes(short) else {
            return StoredBound(bytes: bytes, isExact: true)
        }
        return StoredBound(bytes: above, isExact: false)
    }

    /// At most `limit` bytes; of text no part of a character.
    private static func prefix(_ bytes: [UInt8], _ limit: Int, isText: Bool) -> [UInt8] {
        var end = limit
        if isText {
            while end > 0, bytes[end] & 0xc0 == 0x80 { end -= 1 }
        }
        return Array(bytes[..<end])
    }

    /// The shortest string above all that begin with `bytes`.
    private static func nextBytes(_ bytes: [UInt8]) -> [UInt8]? {
        var above = bytes
        while let last = above.popLast() {
            if last < 0xff { return above + [last + 1] }
        }
        return nil
    }

    /// The same of whole characters; nil also when the bytes are no UTF-8.
    private static func nextText(_ bytes: [UInt8]) -> [UInt8]? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        var scalars = Array(text.unicodeScalars)
        while let last = scalars.popLast() {
            // Between these two there are no characters.
            let next = last.value == 0xd7ff ? 0xe000 : last.value + 1
            guard let above = Unicode.Scalar(next) else { continue }
            scalars.append(above)
            return scalars.flatMap { Array(String($0).utf8) }
        }
        return nil
    }
}
