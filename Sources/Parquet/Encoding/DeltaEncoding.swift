/// Encoding of integers as differences; `DeltaDecoder` draws it.
///
/// Blocks of 128 values in four miniblocks, as every writer makes them.
enum DeltaEncoder {
    private static let blockSize = 128
    private static let miniblockSize = 32

    static func encode(_ values: ArraySlice<Int64>, into target: inout [UInt8]) {
        appendHeader(values.count, values.first ?? 0, to: &target)
        var differences = [UInt64](repeating: 0, count: blockSize)
        var start = values.startIndex + 1
        while start < values.endIndex {
            let end = min(start + blockSize, values.endIndex)
            var smallest = Int64.max
            for index in start..<end {
                let difference = values[index] &- values[index - 1]
                smallest = min(smallest, difference)
                differences[index - start] = UInt64(bitPattern: difference)
            }
            for index in 0..<end - start { differences[index] &-= UInt64(bitPattern: smallest) }
            append(differences, end - start, smallest, to: &target)
            start = end
        }
    }

    /// The same for numbers of 32 bits, whose differences wrap in 32 bits and take no more.
    static func encode(_ values: ArraySlice<Int32>, into target: inout [UInt8]) {
        appendHeader(values.count, Int64(values.first ?? 0), to: &target)
        var differences = [UInt64](repeating: 0, count: blockSize)
        var start = values.startIndex + 1
        while start < values.endIndex {
            let end = min(start + blockSize, values.endIndex)
            var smallest = Int32.max
            for index in start..<end {
                smallest = min(smallest, values[index] &- values[index - 1])
            }
            for index in start..<end {
                let difference = values[index] &- values[index - 1] &- smallest
                differences[index - start] = UInt64(UInt32(bitPattern: difference))
            }
            append(differences, end - start, Int64(smallest), to: &target)
            start = end
        }
    }

    private static func appendHeader(_ count: Int, _ first: Int64, to target: inout [UInt8]) {
        target.appendVarint(UInt64(blockSize))
        target.appendVarint(UInt64(blockSize / miniblockSize))
        target.appendVarint(UInt64(count))
        target.appendZigzag(first)
    }

    /// Appends a block of `count` differences above the smallest.
    private static func append(
        _ differences: [UInt64], _ count: Int, _ smallest: Int64, to target: inout [UInt8]
    ) {
        target.appendZigzag(smallest)
        let widths = target.count
        for start in stride(from: 0, to: blockSize, by: miniblockSize) {
            var bits: UInt64 = 0
            for index in start..<max(start, min(start + miniblockSize, count)) {
                bits |= differences[index]
            }
            target.append(UInt8(64 - bits.leadingZeroBitCount))
        }
        for start in stride(from: 0, to: count, by: miniblockSize) {
            let width = Int(target[widths + start / miniblockSize])
            guard width > 0 else { continue }
            var packer = BitPacker()
            for index in start..<start + miniblockSize {
                packer.put(index < count ? differences[index] : 0, width: width, to: &target)
            }
            packer.finish(to: &target)
        }
    }
}
