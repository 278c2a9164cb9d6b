/// Packs numbers one behind the other, the lowest bit first.
struct BitPacker {
    private var word: UInt64 = 0
    private var used = 0

    /// Adds the lowest `width` bits of `value`, whose other bits are 0.
    @inline(__always)
    mutating func put(_ value: UInt64, width: Int, to target: inout [UInt8]) {
        word |= value &<< UInt64(truncatingIfNeeded: used)
        used &+= width
        guard used >= 64 else { return }
        unsafe withUnsafeBytes(of: word.littleEndian) { unsafe target.append(contentsOf: $0) }
        used &-= 64
        let left = width &- used
        word = left >= 64 ? 0 : value >> UInt64(truncatingIfNeeded: left)
    }

    /// Writes the last bits, filled up to whole bytes with 0.
    mutating func finish(to target: inout [UInt8]) {
        while used > 0 {
            target.append(UInt8(truncatingIfNeeded: word))
            word >>= 8
            used -= 8
        }
        (word, used) = (0, 0)
    }
}

extension [UInt8] {
    mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func appendZigzag(_ value: Int64) {
        appendVarint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    mutating func appendLittleEndian(_ value: UInt64, size: Int) {
        for index in 0..<size { append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }
}
