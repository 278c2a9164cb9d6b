/// The plain bytes of a page, with zero bytes behind them so that words may be loaded at its end.
struct PageBytes {
    /// As many bytes as the widest load may reach over the end.
    static let padding = 16

    let bytes: [UInt8]
    /// Where the page ends; `padding` bytes follow.
    let end: Int

    /// Takes bytes that end with the padding.
    init(padded bytes: [UInt8]) {
        precondition(bytes.count >= Self.padding)
        self.bytes = bytes
        end = bytes.count - Self.padding
    }

    init(_ bytes: [UInt8]) {
        self.init(padded: bytes + [UInt8](repeating: 0, count: Self.padding))
    }

    var all: Range<Int> { 0..<end }

    func error(_ kind: ParquetError.Kind, _ offset: Int, _ expected: String) -> ParquetError {
        ParquetError(kind, at: Int64(offset), expected)
    }

    /// Reads a varint at `offset`, which moves behind it; it must end before `limit`.
    func varint(_ offset: inout Int, limit: Int) throws(ParquetError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64 {
            guard offset < limit else { throw error(.truncated, offset, "a varint") }
            let next = bytes[offset]
            offset += 1
            value |= UInt64(next & 0x7f) << shift
            if next < 0x80 { return value }
            shift += 7
        }
        throw error(.invalid, offset, "a varint of at most ten bytes")
    }

    func zigzag(_ offset: inout Int, limit: Int) throws(ParquetError) -> Int64 {
        let value = try varint(&offset, limit: limit)
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// Reads a length of four bytes at `offset` and returns the range that follows it.
    func lengthPrefixed(_ offset: Int, limit: Int) throws(ParquetError) -> Range<Int> {
        guard limit - offset >= 4 else { throw error(.truncated, offset, "a length") }
        var length: UInt32 = 0
        for index in 0..<4 { length |= UInt32(bytes[offset + index]) << UInt32(8 * index) }
        guard Int(length) <= limit - offset - 4 else {
            throw error(.truncated, offset, "\(length) bytes")
        }
        return offset + 4..<offset + 4 + Int(length)
    }
}
