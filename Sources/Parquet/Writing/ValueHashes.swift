/// A number for each value, the same for the same value in every file: what cuts follow from.
///
/// Part of how files come out, not of what they mean: files cut in another way are as good, but
/// share fewer pages with these.
enum ValueHashes {
    /// What stands for a null.
    static let null: UInt32 = 0x9e37_79b9

    private static let factor: UInt64 = 0x9e37_79b9_7f4a_7c15

    @inline(__always)
    static func mix(_ value: UInt64) -> UInt32 {
        // Without the constant, runs of zero would have a hash of zero, which ends every page.
        var mixed = (value ^ 0xd6e8_feb8_6659_fd93) &* factor
        mixed ^= mixed >> 32
        return UInt32(truncatingIfNeeded: (mixed &* factor) >> 32)
    }

    /// Hashes of all values.
    static func of(_ values: DenseValues) -> [UInt32] {
        switch values.kind {
        case .boolean: values.booleans.map { mix(UInt64($0) + 1) }
        case .int32: values.int32s.map { mix(UInt64(truncatingIfNeeded: $0)) }
        case .int64: values.int64s.map { mix(UInt64(bitPattern: $0)) }
        case .int128:
            values.int128s.map {
                mix(UInt64(truncatingIfNeeded: $0) ^ UInt64(truncatingIfNeeded: $0 >> 64) &* 31)
            }
        case .float: values.floats.map { mix(UInt64($0.bitPattern)) }
        case .double: values.doubles.map { mix($0.bitPattern) }
        case .bytes: ofBytes(values.data, values.count) { Int(values.offsets[$0]) }
        case .fixed(let width): ofBytes(values.data, values.count) { $0 * width }
        }
    }

    private static func ofBytes(
        _ data: [UInt8], _ count: Int, _ offset: (Int) -> Int
    ) -> [UInt32] {
        var hashes: [UInt32] = []
        hashes.reserveCapacity(count)
        var start = offset(0)
        for index in 0..<count {
            let end = offset(index + 1)
            hashes.append(of(data, start..<end))
            start = end
        }
        return hashes
    }

    /// Takes eight bytes a step.
    ///
    /// Soundness of the pointer: words are loaded inside of `range`, which is checked.
    private static func of(_ data: [UInt8], _ range: Range<Int>) -> UInt32 {
        precondition(range.lowerBound >= 0 && range.upperBound <= data.count)
        var state = UInt64(range.count) &* factor
        var offset = range.lowerBound
        unsafe data.withUnsafeBytes { bytes in
            while offset &+ 8 <= range.upperBound {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                state = (state ^ word) &* factor
                state ^= state >> 29
                offset &+= 8
            }
            var tail: UInt64 = 0
            while offset < range.upperBound {
                tail = tail << 8 | UInt64(unsafe bytes[offset])
                offset &+= 1
            }
            state = (state ^ tail) &* factor
        }
        return mix(state)
    }
}
