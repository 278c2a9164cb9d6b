/// Decoding of runs and bit-packed groups (parquet-format, Encodings.md, "RLE").
///
///     run    = count << 1 as varint, the value in as many bytes as its width needs
///     groups = count << 1 | 1 as varint, count * 8 values of width bits
///
/// Every header takes a byte of the page, so decoding ends however wrong the headers are, and
/// writes no more than the count that the page declared.
enum HybridRuns {
    /// A run of one value or some packed ones, cut to what is still wanted.
    fileprivate enum Run {
        case repeated(UInt32, count: Int)
        case packed(offset: Int, count: Int)
    }

    fileprivate static func next(
        _ page: PageBytes, _ offset: inout Int, limit: Int, width: Int, wanted: Int
    ) throws(ParquetError) -> Run {
        let header = try page.varint(&offset, limit: limit)
        guard header <= UInt64(UInt32.max) else {
            throw page.error(.invalid, offset, "a run of at most 2^31 values")
        }
        let count = Int(header >> 1)
        if header & 1 == 0 {
            let size = (width + 7) / 8
            guard size <= limit - offset else { throw page.error(.truncated, offset, "a run") }
            var value: UInt32 = 0
            for index in 0..<size { value |= UInt32(page.bytes[offset + index]) << (8 * index) }
            offset += size
            guard width == 32 || value >> UInt32(width) == 0 else {
                throw page.error(.invalid, offset, "a value of \(width) bits")
            }
            return .repeated(value, count: min(count, wanted))
        }
        let values = min(count * 8, wanted)
        guard (values * width + 7) / 8 <= limit - offset else {
            throw page.error(.truncated, offset, "packed values")
        }
        defer { offset += min(count * width, limit - offset) }
        return .packed(offset: offset, count: values)
    }

    @inline(__always)
    private static func fill<Value>(
        _ target: inout [Value], _ places: Range<Int>, _ value: Value
    ) {
        for place in places { target[place] = value }
    }

    /// Decodes indices into a dictionary; all of `target` is filled.
    static func indices(
        _ page: PageBytes, _ range: Range<Int>, width: Int, into target: inout [UInt32]
    ) throws(ParquetError) {
        guard width <= 32 else { throw page.error(.invalid, range.lowerBound, "a bit width") }
        var (offset, done) = (range.lowerBound, 0)
        while done < target.count {
            let run = try next(
                page, &offset, limit: range.upperBound, width: width, wanted: target.count - done)
            switch run {
            case .repeated(let value, let count):
                fill(&target, done..<done + count, value)
                done += count
            case .packed(let start, let count):
                unpack(page, at: start, width: width, into: &target, done..<done + count)
                done += count
            }
        }
    }

    /// Decodes levels; all of `target` is filled.
    ///
    /// Returns false when every level is `maximum`, in which case `target` is of no meaning: that
    /// is the usual page, and nothing has to look at its levels.
    static func levels(
        _ page: PageBytes, _ range: Range<Int>, maximum: Int, into target: inout [UInt8]
    ) throws(ParquetError) -> Bool {
        let width = Int.bitWidth - maximum.leadingZeroBitCount
        var (offset, done) = (range.lowerBound, 0)
        while done < target.count {
            let run = try next(
                page, &offset, limit: range.upperBound, width: width, wanted: target.count - done)
            switch run {
            case .repeated(let value, let count):
                if count == target.count, value == maximum { return false }
                fill(&target, done..<done + count, UInt8(truncatingIfNeeded: value))
                guard count == 0 || value <= maximum else {
                    throw page.error(.invalid, offset, "a level of at most \(maximum)")
                }
                done += count
            case .packed(let start, let count):
                unpack(page, at: start, width: width, into: &target, done..<done + count)
                done += count
            }
        }
        guard target.allSatisfy({ $0 <= maximum }) else {
            throw page.error(.invalid, range.lowerBound, "levels of at most \(maximum)")
        }
        return true
    }
}
