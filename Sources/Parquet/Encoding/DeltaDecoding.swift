/// Decoding of integers as differences (parquet-format, Encodings.md, "Delta Encoding").
///
///     page  = values in a block, miniblocks in a block, count of values: varints;
///             first value: zigzag varint; block*
///     block = smallest difference: zigzag varint; a byte of width a miniblock;
///             miniblocks: differences above the smallest, packed
///
/// All arithmetic wraps, as the format says.
struct DeltaDecoder {
    private let page: PageBytes
    private let limit: Int
    /// Where the next bytes of the encoding lie, and after decoding what follows it.
    private(set) var offset: Int
    let count: Int
    private let valuesInMiniblock: Int
    private let miniblocks: Int
    private var last: Int64

    /// Reads the header; `expected` values must follow.
    init(_ page: PageBytes, _ range: Range<Int>, expected: Int) throws(ParquetError) {
        self.page = page
        limit = range.upperBound
        var offset = range.lowerBound
        let block = try page.varint(&offset, limit: limit)
        let miniblocks = try page.varint(&offset, limit: limit)
        let total = try page.varint(&offset, limit: limit)
        last = try page.zigzag(&offset, limit: limit)
        self.offset = offset
        guard block > 0, block <= 1 << 20, miniblocks > 0, miniblocks <= block,
            block % miniblocks == 0, (block / miniblocks) % 8 == 0
        else { throw page.error(.invalid, range.lowerBound, "blocks of whole miniblocks") }
        guard total == UInt64(expected) else {
            throw page.error(.invalid, range.lowerBound, "\(expected) values, not \(total)")
        }
        count = expected
        valuesInMiniblock = Int(block / miniblocks)
        self.miniblocks = Int(miniblocks)
    }

    /// Appends the values.
    mutating func decode(into target: inout [Int64]) throws(ParquetError) {
        guard count > 0 else { return }
        let start = target.count
        target.append(contentsOf: repeatElement(0, count: count))
        target[start] = last
        var done = 1
        while done < count {
            let (smallest, widths) = try block()
            for index in 0..<miniblocks where done < count {
                let values = min(valuesInMiniblock, count - done)
                let width = Int(page.bytes[widths + index])
                let bits = try miniblock(width, values)
                addPacked(
                    page, at: bits, width: width, smallest: smallest, last: &last, into: &target,
                    start + done..<start + done + values)
                done += values
            }
        }
    }

    /// The same for numbers of 32 bits, whose arithmetic wraps earlier.
    mutating func decode(into target: inout [Int32]) throws(ParquetError) {
        guard count > 0 else { return }
        let start = target.count
        target.append(contentsOf: repeatElement(0, count: count))
        target[start] = Int32(truncatingIfNeeded: last)
        var done = 1
        while done < count {
            let (smallest, widths) = try block()
            for index in 0..<miniblocks where done < count {
                let values = min(valuesInMiniblock, count - done)
                let width = Int(page.bytes[widths + index])
                let bits = try miniblock(width, values)
                addPacked(
                    page, at: bits, width: width, smallest: smallest, last: &last, into: &target,
                    start + done..<start + done + values)
                done += values
            }
        }
    }

    /// The head of a block: the smallest difference, and where the widths stand.
    private mutating func block() throws(ParquetError) -> (Int64, Int) {
        let smallest = try page.zigzag(&offset, limit: limit)
        guard miniblocks <= limit - offset else {
            throw page.error(.truncated, offset, "widths of miniblocks")
        }
        defer { offset += miniblocks }
        return (smallest, offset)
    }

    /// Checks that the values of a miniblock are there, and returns where; the last one of a page
    /// may lack its padding.
    private mutating func miniblock(_ width: Int, _ values: Int) throws(ParquetError) -> Int {
        guard width <= 64 else { throw page.error(.invalid, offset, "a width of 64 bits") }
        guard (values * width + 7) / 8 <= limit - offset else {
            throw page.error(.truncated, offset, "a miniblock")
        }
        defer { offset += min(valuesInMiniblock * width / 8, limit - offset) }
        return offset
    }
}

/// Soundness of the pointers in both: as for `unpack`; loads of up to 16 bytes stay in the padding.
private func addPacked(
    _ page: PageBytes, at offset: Int, width: Int, smallest: Int64, last: inout Int64,
    into target: inout [Int64], _ places: Range<Int>
) {
    let count = places.count
    precondition(places.lowerBound >= 0 && places.upperBound <= target.count)
    precondition(offset + (count * width + 7) / 8 <= page.end)
    var running = last
    unsafe page.bytes.withUnsafeBytes { source in
        unsafe target.withUnsafeMutableBufferPointer { target in
            guard let first = source.baseAddress, let start = target.baseAddress else { return }
            let (bits, numbers) = unsafe (first + offset, start + places.lowerBound)
            if width <= 56 {
                let mask = UInt64(1) << UInt64(width) &- 1
                var bit = 0
                for index in 0..<count {
                    let word = unsafe bits.loadUnaligned(
                        fromByteOffset: bit &>> 3, as: UInt64.self)
                    let value = (word &>> UInt64(truncatingIfNeeded: bit & 7)) & mask
                    running &+= smallest &+ Int64(bitPattern: value)
                    unsafe numbers[index] = running
                    bit &+= width
                }
            } else {
                for index in 0..<count {
                    let value = unsafe loadBits(bits, bit: index &* width, width: width)
                    running &+= smallest &+ Int64(bitPattern: value)
                    unsafe numbers[index] = running
                }
            }
        }
    }
    last = running
}

private func addPacked(
    _ page: PageBytes, at offset: Int, width: Int, smallest: Int64, last: inout Int64,
    into target: inout [Int32], _ places: Range<Int>
) {
    let count = places.count
    precondition(places.lowerBound >= 0 && places.upperBound <= target.count)
    precondition(offset + (count * width + 7) / 8 <= page.end)
    var running = last
    unsafe page.bytes.withUnsafeBytes { source in
        unsafe target.withUnsafeMutableBufferPointer { target in
            guard let first = source.baseAddress, let start = target.baseAddress else { return }
            let (bits, numbers) = unsafe (first + offset, start + places.lowerBound)
            for index in 0..<count {
                let value = unsafe loadBits(bits, bit: index &* width, width: width)
                running &+= smallest &+ Int64(bitPattern: value)
                unsafe numbers[index] = Int32(truncatingIfNeeded: running)
            }
        }
    }
    last = running
}
