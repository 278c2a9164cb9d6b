/// Unpacks numbers of `width` bits each, the lowest bit first, from `offset` on into `places`.
///
/// Soundness of the pointers: all bits lie before the padding of the page, which is checked before
/// the loop; a load of eight bytes that begins there stays within the padding. The places are
/// checked to be there.
func unpack(
    _ page: PageBytes, at offset: Int, width: Int, into target: inout [UInt32],
    _ places: Range<Int>
) {
    precondition(width >= 0 && width <= 32 && offset >= 0)
    precondition(places.lowerBound >= 0 && places.upperBound <= target.count)
    precondition(offset + (places.count * width + 7) / 8 <= page.end)
    let mask = UInt64(1) << UInt64(width) &- 1
    unsafe page.bytes.withUnsafeBytes { source in
        unsafe target.withUnsafeMutableBufferPointer { target in
            guard let first = source.baseAddress, let start = target.baseAddress else { return }
            let (bits, numbers) = unsafe (first + offset, start + places.lowerBound)
            var bit = 0
            for index in 0..<places.count {
                let word = unsafe bits.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self)
                unsafe numbers[index] = UInt32(
                    truncatingIfNeeded: (word &>> UInt64(truncatingIfNeeded: bit & 7)) & mask)
                bit &+= width
            }
        }
    }
}

/// Unpacks levels of up to 8 bits; as `unpack` for 32 bits.
func unpack(
    _ page: PageBytes, at offset: Int, width: Int, into target: inout [UInt8],
    _ places: Range<Int>
) {
    precondition(width >= 0 && width <= 8 && offset >= 0)
    precondition(places.lowerBound >= 0 && places.upperBound <= target.count)
    precondition(offset + (places.count * width + 7) / 8 <= page.end)
    let mask = UInt64(1) << UInt64(width) &- 1
    unsafe page.bytes.withUnsafeBytes { source in
        unsafe target.withUnsafeMutableBufferPointer { target in
            guard let first = source.baseAddress, let start = target.baseAddress else { return }
            let (bits, numbers) = unsafe (first + offset, start + places.lowerBound)
            var bit = 0
            for index in 0..<places.count {
                let word = unsafe bits.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self)
                unsafe numbers[index] = UInt8(
                    truncatingIfNeeded: (word &>> UInt64(truncatingIfNeeded: bit & 7)) & mask)
                bit &+= width
            }
        }
    }
}

/// Reads one number of up to 64 bits; above 56 bits it may touch nine bytes.
@inline(__always)
func loadBits(_ source: UnsafeRawPointer, bit: Int, width: Int) -> UInt64 {
    let low = unsafe source.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self)
    let shift = UInt64(truncatingIfNeeded: bit & 7)
    var word = low &>> shift
    if shift > 0, width > 56 {
        let high = unsafe source.loadUnaligned(fromByteOffset: bit &>> 3 &+ 8, as: UInt64.self)
        word |= high << (64 - shift)
    }
    return width == 64 ? word : word & (UInt64(1) << UInt64(width) &- 1)
}
