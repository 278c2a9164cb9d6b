/// Why bytes from outside could not be understood, and where.
package struct MalformedBytes: Error, Equatable {
    package enum Kind: Equatable, Sendable {
        /// Fewer bytes remain than the format needs.
        case truncated
        /// A value that the format does not allow.
        case invalid
        /// A number that a newer version may know.
        case unsupported
        /// Bytes remain after the last field.
        case trailing
    }

    package var kind: Kind
    /// Byte offset in the decoded buffer.
    package var offset: Int
    /// What the format asks for at this place, as a noun; if it is `unsupported`, what is there.
    package var expected: String

    package init(_ kind: Kind, at offset: Int, expected: String) {
        self.kind = kind
        self.offset = offset
        self.expected = expected
    }
}

extension MalformedBytes: CustomStringConvertible {
    package var description: String {
        switch kind {
        case .truncated: "cut short at byte \(offset), expected \(expected)"
        case .invalid: "invalid at byte \(offset), expected \(expected)"
        case .unsupported: "not known at byte \(offset): \(expected)"
        case .trailing: "unexpected bytes after byte \(offset), expected \(expected)"
        }
    }
}

/// A cursor over bytes that are hostile until checked; every read is bounds-checked and throws.
///
/// Integers are little-endian except digests, which are stored as printed. Nothing is allocated
/// beyond the bytes that are really there.
package struct ByteReader {
    private let bytes: [UInt8]
    private let end: Int
    /// Offset in the buffer of the next byte.
    package private(set) var offset: Int

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        offset = 0
        end = bytes.count
    }

    /// Reads only `range` of `bytes`; `range` must lie inside.
    package init(_ bytes: [UInt8], in range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    package var remaining: Int { end - offset }
    package var isAtEnd: Bool { offset == end }

    private func need(_ count: Int, _ expected: StaticString) throws(MalformedBytes) {
        guard count >= 0, count <= end - offset else {
            throw MalformedBytes(.truncated, at: offset, expected: "\(expected)")
        }
    }

    package mutating func u8(_ expected: StaticString = "a byte") throws(MalformedBytes) -> UInt8 {
        try need(1, expected)
        defer { offset += 1 }
        return bytes[offset]
    }

    private mutating func integer(
        _ size: Int, _ expected: StaticString
    ) throws(MalformedBytes)
        -> UInt64
    {
        try need(size, expected)
        var value: UInt64 = 0
        for index in 0..<size {
            value |= UInt64(bytes[offset + index]) << UInt64(8 * index)
        }
        offset += size
        return value
    }

    /// Reads eight bytes, most significant first: a word of a digest.
    ///
    /// Manifests are half digests, so this one loads the word at once; `need` has checked that all
    /// of it is there.
    private mutating func bigEndian(_ expected: StaticString) throws(MalformedBytes) -> UInt64 {
        try need(8, expected)
        let word = unsafe bytes.withUnsafeBytes { buffer in
            unsafe buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        }
        offset += 8
        return UInt64(bigEndian: word)
    }

    package mutating func u16(
        _ expected: StaticString = "a 16-bit integer"
    ) throws(MalformedBytes)
        -> UInt16
    {
        UInt16(truncatingIfNeeded: try integer(2, expected))
    }

    package mutating func u32(
        _ expected: StaticString = "a 32-bit integer"
    ) throws(MalformedBytes)
        -> UInt32
    {
        UInt32(truncatingIfNeeded: try integer(4, expected))
    }

    package mutating func u64(
        _ expected: StaticString = "a 64-bit integer"
    ) throws(MalformedBytes)
        -> UInt64
    {
        try integer(8, expected)
    }

    /// Reads a varint (LEB128): at most ten bytes, and only in its shortest form.
    package mutating func varint(
        _ expected: StaticString = "a varint"
    ) throws(MalformedBytes)
        -> UInt64
    {
        if offset < end, bytes[offset] < 0x80 {
            defer { offset += 1 }
            return UInt64(bytes[offset])
        }
        let start = offset
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try u8(expected)
            let isLast = byte < 0x80
            if shift == 63, byte > 1 { break }
            value |= UInt64(byte & 0x7f) << shift
            if isLast {
                if byte == 0, shift > 0 { break }
                return value
            }
            shift += 7
        }
        throw MalformedBytes(.invalid, at: start, expected: "\(expected) in its shortest form")
    }

    /// Reads a varint that must not exceed `limit`, as an `Int`.
    package mutating func count(limit: Int, _ expected: StaticString) throws(MalformedBytes) -> Int
    {
        let start = offset
        let value = try varint(expected)
        guard let count = Int(exactly: value), count <= limit else {
            throw MalformedBytes(.invalid, at: start, expected: "\(expected) of at most \(limit)")
        }
        return count
    }

    /// Reads a zigzag-coded signed varint.
    package mutating func signed(
        _ expected: StaticString = "a signed varint"
    )
        throws(MalformedBytes) -> Int64
    {
        let value = try varint(expected)
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    package mutating func take(
        _ count: Int, _ expected: StaticString = "bytes"
    )
        throws(MalformedBytes) -> ArraySlice<UInt8>
    {
        try need(count, expected)
        defer { offset += count }
        return bytes[offset..<offset + count]
    }

    /// Reads bytes preceded by their count, which may not exceed `limit`.
    package mutating func string(
        limit: Int, _ expected: StaticString = "a string"
    )
        throws(MalformedBytes) -> [UInt8]
    {
        Array(try take(try count(limit: limit, expected), expected))
    }

    package mutating func xxh3() throws(MalformedBytes) -> XXH3Digest {
        let high = try bigEndian("an XXH3-128 digest")
        return XXH3Digest(high: high, low: try bigEndian("an XXH3-128 digest"))
    }

    package mutating func sha256() throws(MalformedBytes) -> SHA256Digest {
        try need(SHA256Digest.size, "a SHA-256 digest")
        let word0 = try bigEndian("a SHA-256 digest")
        let word1 = try bigEndian("a SHA-256 digest")
        let word2 = try bigEndian("a SHA-256 digest")
        return SHA256Digest(word0, word1, word2, try bigEndian("a SHA-256 digest"))
    }

    package mutating func fingerprint() throws(MalformedBytes) -> Fingerprint {
        let xxh3 = try self.xxh3()
        return Fingerprint(xxh3: xxh3, sha256: try sha256())
    }

    /// Reads bytes that must equal `magic`.
    package mutating func magic(_ magic: StaticString) throws(MalformedBytes) {
        let start = offset
        let wanted = magic.withUTF8Buffer { unsafe Array($0) }
        guard try Array(take(wanted.count, "a magic number")) == wanted else {
            throw MalformedBytes(.invalid, at: start, expected: "the magic number '\(magic)'")
        }
    }

    package func finish() throws(MalformedBytes) {
        guard isAtEnd else { throw MalformedBytes(.trailing, at: offset, expected: "the end") }
    }

    /// Makes the error for a number before this place that a newer version may know.
    package func unsupported(_ found: String) -> MalformedBytes {
        MalformedBytes(.unsupported, at: offset - 1, expected: found)
    }

    /// Makes the error for a value at this place that the format does not allow.
    package func invalid(_ expected: String) -> MalformedBytes {
        MalformedBytes(.invalid, at: offset, expected: expected)
    }
}
