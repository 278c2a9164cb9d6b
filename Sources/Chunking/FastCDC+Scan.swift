/// Hashes `bytes` on over `range` and returns the offset behind the first byte at which `mask`
/// matches, or nil.
///
/// `gear` is `GearTable.values`.
///
/// What a byte costs is four instructions (load the byte, load its number, shift and add, test),
/// and the next byte waits for one of them: shift and add in one `lea`. The compiler chooses `lea`
/// because the number has 32 bits and must be widened; 64-bit numbers it adds from memory, in two
/// dependent steps. Four bytes a step spare three of four comparisons with the end.
///
/// Soundness of the pointers: `range` is checked to lie within `bytes`, and the table to have a
/// number for every byte value, before the loop; in it every offset is below `range.upperBound`.
/// Neither pointer leaves its closure.
func scanFourBytesAStep(
    _ bytes: Span<UInt8>, _ range: Range<Int>, mask: UInt64, hash: inout UInt64,
    gear: Span<UInt32>
) -> Int? {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
    precondition(gear.count == 256)
    return unsafe bytes.withUnsafeBufferPointer { bytes in
        unsafe gear.withUnsafeBufferPointer { gear in
            guard let bytes = bytes.baseAddress, let gear = gear.baseAddress else { return nil }
            return unsafe scan(bytes, range, mask: mask, hash: &hash, gear: gear)
        }
    }
}

@inline(__always)
private func scan(
    _ bytes: UnsafePointer<UInt8>, _ range: Range<Int>, mask: UInt64, hash: inout UInt64,
    gear: UnsafePointer<UInt32>
) -> Int? {
    var running = hash
    var offset = range.lowerBound
    while offset &+ 4 <= range.upperBound {
        unsafe running = (running << 1) &+ UInt64(gear[Int(bytes[offset])])
        if running & mask == 0 { return offset &+ 1 }
        unsafe running = (running << 1) &+ UInt64(gear[Int(bytes[offset &+ 1])])
        if running & mask == 0 { return offset &+ 2 }
        unsafe running = (running << 1) &+ UInt64(gear[Int(bytes[offset &+ 2])])
        if running & mask == 0 { return offset &+ 3 }
        unsafe running = (running << 1) &+ UInt64(gear[Int(bytes[offset &+ 3])])
        if running & mask == 0 { return offset &+ 4 }
        offset &+= 4
    }
    while offset < range.upperBound {
        unsafe running = (running << 1) &+ UInt64(gear[Int(bytes[offset])])
        offset &+= 1
        if running & mask == 0 { return offset }
    }
    hash = running
    return nil
}
