/// Where pages end: at places that follow from the values around them.
///
/// A gear hash (Xia and others, "FastCDC", 2016) runs over a number for each value instead of over
/// bytes. From the minimum on a page ends behind the first value at which the hash falls below a
/// threshold, and at the maximum at the latest. The hash starts anew with each page, and depends on
/// 64 values: so from the first equal cut on, equal values make equal pages, whatever stands before
/// them. The threshold grows with the bits of a value, so that pages have the same size on average
/// whatever the width of a column. Pages end at the end of a row only.
enum PageCutter {
    /// The ends of the pages, in levels of `shredded`; the last is the end of all.
    static func cuts(
        _ shredded: ShreddedLeaf, _ hashes: [UInt32], _ plan: EncodingPlan, _ sizes: CutSizes
    ) -> [Int] {
        let (minimum, maximum) = (sizes.minimum * 8, sizes.maximum * 8)
        let extra = (sizes.average - sizes.minimum) * 8
        let highest = UInt8(truncatingIfNeeded: shredded.leaf.maximumDefinition)
        let (definition, repetition) = (shredded.definition, shredded.repetition)
        let offsets = plan.bitsPerValue == 0 ? shredded.values.offsets : []
        let fixed = threshold(plan.bitsPerValue, extra)
        var cuts: [Int] = []
        var (hash, size, value) = (UInt64(0), 0, 0)
        for level in 0..<shredded.count {
            var (bits, limit) = (1, UInt32(0))
            if definition.isEmpty || definition[level] == highest {
                bits = plan.bitsPerValue
                limit = fixed
                if bits == 0 {
                    bits = 8 * (Int(offsets[value + 1] - offsets[value]) + 1)
                    limit = threshold(bits, extra)
                }
                hash = (hash << 1) &+ UInt64(hashes[value])
                value += 1
            } else {
                hash = (hash << 1) &+ UInt64(ValueHashes.null)
                limit = threshold(1, extra)
            }
            size += bits
            guard size >= minimum else { continue }
            guard UInt32(truncatingIfNeeded: hash >> 32) < limit || size >= maximum else {
                continue
            }
            let next = level + 1
            guard next == shredded.count || repetition.isEmpty || repetition[next] == 0 else {
                continue
            }
            cuts.append(next)
            (hash, size) = (0, 0)
        }
        if cuts.last != shredded.count, shredded.count > 0 { cuts.append(shredded.count) }
        return cuts
    }

    /// Below this the hash ends a page: once in `extra` bits on average.
    @inline(__always)
    private static func threshold(_ bits: Int, _ extra: Int) -> UInt32 {
        UInt32(clamping: (bits << 32) / extra)
    }
}
