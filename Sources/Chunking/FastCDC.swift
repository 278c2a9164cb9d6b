/// Content-defined cutting: FastCDC with normalised chunking.
///
/// Source: Xia et al., "The Design of Fast Content-Defined Chunking for Data Deduplication Based
/// Storage Systems", IEEE TPDS 2020.
///
/// A gear hash runs over the bytes: `hash = hash << 1 + gear[byte]`. A chunk ends behind a byte
/// at which all bits of a mask are zero:
///
///     0          minimum            middle                     maximum
///     |--never---|--strict mask-----|--loose mask--------------| always
///
/// With average = 2^n the strict mask has n + 2 bits and the loose one n - 2 ("NC2"), and
/// middle = average - 2^(n - 2), the average less what is expected to follow the middle. So
/// lengths gather closely around a mean a little below the average.
///
/// The hash has 64 bits, a number of the table 32. Both masks are runs of bits that end at bit 36.
/// Bit b of the hash depends on the last b + 1 bytes: a cut on the last 37, and no bit of a mask
/// on fewer than 13. At least six bits of a mask lie among the 32 that a byte changes at once,
/// without which one match would draw the next after it. The others lie above, where a run of one
/// byte value leaves ones, for it makes the hash minus the byte's number: so runs, of zeros above
/// all, are cut at the maximum and nowhere else, not into floods of small chunks.
///
/// The hash starts 36 bytes before the minimum, so a cut depends on nothing but the bytes from
/// the start of its chunk to its end. Masks, middle and table are part of the format.
package struct FastCDC: Sendable {
    private static let highestMaskBit = 36

    private let parameters: ChunkingParameters
    private let middle: Int
    private let strictMask: UInt64
    private let looseMask: UInt64
    private let gear = GearTable.values

    package init(_ parameters: ChunkingParameters) {
        let bits = parameters.average.trailingZeroBitCount
        self.parameters = parameters
        self.middle = parameters.average - (1 << (bits - 2))
        self.strictMask = Self.mask(bits: bits + 2)
        self.looseMask = Self.mask(bits: bits - 2)
    }

    private static func mask(bits: Int) -> UInt64 {
        ((1 << UInt64(bits)) - 1) << UInt64(highestMaskBit + 1 - bits)
    }

    /// Returns the length of the first chunk of `bytes`, or nil when there are too few of them.
    ///
    /// With `isEnd`, `bytes` is everything that is left, and the answer is nil only when that is
    /// nothing. Otherwise nil asks for the same bytes and more behind them. The maximum always
    /// suffices; a call with less may have to be repeated from the beginning.
    package func cut(_ bytes: Span<UInt8>, isEnd: Bool) -> Int? {
        cut(bytes, isEnd: isEnd) { range, mask, hash in
            scanFourBytesAStep(bytes, range, mask: mask, hash: &hash, gear: gear.span)
        }
    }

    /// Returns the same as `cut`, found in the plainest way: the reference that `cut` is tested
    /// against.
    package func cutPlain(_ bytes: Span<UInt8>, isEnd: Bool) -> Int? {
        cut(bytes, isEnd: isEnd) { range, mask, hash in
            for offset in range {
                hash = (hash << 1) &+ UInt64(gear[Int(bytes[offset])])
                if hash & mask == 0 { return offset + 1 }
            }
            return nil
        }
    }

    /// Whether a chunk of exactly these bytes, and no end of data, can come from `cut`, given that
    /// it has no earlier cut in it: looks at the last bytes only.
    func isCut(behind chunk: Span<UInt8>) -> Bool {
        let count = chunk.count
        guard count > parameters.minimum, count < parameters.maximum else {
            return count == parameters.maximum
        }
        var hash: UInt64 = 0
        for offset in count - Self.highestMaskBit - 1..<count {
            hash = (hash << 1) &+ UInt64(gear[Int(chunk[offset])])
        }
        return hash & (count <= middle ? strictMask : looseMask) == 0
    }

    /// What both have in common.
    ///
    /// `scan` hashes on over a range and returns the offset behind the first byte at which the mask
    /// matches.
    @inline(__always)
    private func cut(
        _ bytes: Span<UInt8>, isEnd: Bool,
        scan: (Range<Int>, UInt64, inout UInt64) -> Int?
    ) -> Int? {
        let count = bytes.count
        guard count > parameters.minimum else { return isEnd && count > 0 ? count : nil }
        let limit = min(count, parameters.maximum)
        let switchOver = min(middle, limit)

        var hash: UInt64 = 0
        for offset in parameters.minimum - Self.highestMaskBit..<parameters.minimum {
            hash = (hash << 1) &+ UInt64(gear[Int(bytes[offset])])
        }
        if let length = scan(parameters.minimum..<switchOver, strictMask, &hash) { return length }
        if let length = scan(switchOver..<limit, looseMask, &hash) { return length }
        return limit == parameters.maximum || isEnd ? limit : nil
    }
}
