/// Encoding of runs and bit-packed groups; `HybridRuns` draws them.
///
/// Eight equal values or more become a run, unless they are needed to fill a group of eight.
enum HybridEncoder {
    static func encode(
        indices: ArraySlice<UInt32>, width: Int, into target: inout [UInt8]
    ) {
        encode(indices, width: width, into: &target)
    }

    /// Encodes levels up to `maximum`, with their size in four bytes before them.
    static func encode(
        levels: ArraySlice<UInt8>, maximum: Int, into target: inout [UInt8]
    ) {
        let start = target.count
        target.appendLittleEndian(0, size: 4)
        encode(levels, width: Int.bitWidth - maximum.leadingZeroBitCount, into: &target)
        setSize(of: start, in: &target)
    }

    /// Encodes `count` levels that are all `level`.
    static func encode(
        level: Int, count: Int, maximum: Int, into target: inout [UInt8]
    ) {
        let start = target.count
        target.appendLittleEndian(0, size: 4)
        let width = Int.bitWidth - maximum.leadingZeroBitCount
        appendRun(UInt64(level), count: count, width: width, into: &target)
        setSize(of: start, in: &target)
    }

    private static func setSize(of start: Int, in target: inout [UInt8]) {
        let size = target.count - start - 4
        for index in 0..<4 {
            target[start + index] = UInt8(truncatingIfNeeded: size >> (8 * index))
        }
    }

    private static func appendRun(
        _ value: UInt64, count: Int, width: Int, into target: inout [UInt8]
    ) {
        target.appendVarint(UInt64(count) << 1)
        target.appendLittleEndian(value, size: (width + 7) / 8)
    }

    @inline(__always)
    private static func encode<Value: UnsignedInteger & FixedWidthInteger>(
        _ values: ArraySlice<Value>, width: Int, into target: inout [UInt8]
    ) {
        var (index, packed) = (values.startIndex, values.startIndex)
        let end = values.endIndex
        while index < end {
            let value = values[index]
            var runEnd = index + 1
            while runEnd < end, values[runEnd] == value { runEnd += 1 }
            let missing = (8 - (index - packed) & 7) & 7
            if runEnd - index - missing >= 8 {
                let start = index + missing
                pack(values[packed..<start], width: width, into: &target)
                appendRun(UInt64(value), count: runEnd - start, width: width, into: &target)
                packed = runEnd
            }
            index = runEnd
        }
        pack(values[packed..<end], width: width, into: &target)
    }

    /// Packs groups of eight; the last one is filled up with 0.
    @inline(__always)
    private static func pack<Value: UnsignedInteger & FixedWidthInteger>(
        _ values: ArraySlice<Value>, width: Int, into target: inout [UInt8]
    ) {
        guard !values.isEmpty else { return }
        let groups = (values.count + 7) / 8
        target.appendVarint(UInt64(groups) << 1 | 1)
        let end = target.count + groups * width
        var packer = BitPacker()
        for value in values { packer.put(UInt64(value), width: width, to: &target) }
        packer.finish(to: &target)
        while target.count < end { target.append(0) }
    }
}
