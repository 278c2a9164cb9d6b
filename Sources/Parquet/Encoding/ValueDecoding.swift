/// Decoding of the values of data pages.
extension DenseValues {
    /// Appends `count` values in `encoding`, which is none of a dictionary.
    mutating func append(
        _ page: PageBytes, _ range: Range<Int>, _ encoding: Encoding, count: Int
    ) throws(ParquetError) {
        switch encoding {
        case .plain: try appendPlain(page, range, count: count)
        case .rle where kind == .boolean: try appendRuns(page, range, count: count)
        case .deltaBinaryPacked: try appendDelta(page, range, count: count)
        case .deltaLengthByteArray where kind == .bytes:
            try appendDeltaLength(page, range, count: count)
        case .deltaByteArray: try appendFrontCoded(page, range, count: count)
        case .byteStreamSplit: try appendSplit(page, range, count: count)
        default:
            throw page.error(
                .unsupported, range.lowerBound, "encoding \(encoding) of \(kind) values")
        }
    }

    private mutating func appendRuns(
        _ page: PageBytes, _ range: Range<Int>, count: Int
    ) throws(ParquetError) {
        let runs = try page.lengthPrefixed(range.lowerBound, limit: range.upperBound)
        var flags = [UInt8](repeating: 0, count: count)
        guard try HybridRuns.levels(page, runs, maximum: 1, into: &flags) else {
            booleans.append(contentsOf: repeatElement(1, count: count))
            return
        }
        booleans += flags
    }

    private mutating func appendDelta(
        _ page: PageBytes, _ range: Range<Int>, count: Int
    ) throws(ParquetError) {
        var decoder = try DeltaDecoder(page, range, expected: count)
        switch kind {
        case .int32:
            try decoder.decode(into: &int32s)
        case .int64:
            try decoder.decode(into: &int64s)
        default:
            throw page.error(.unsupported, range.lowerBound, "DELTA_BINARY_PACKED of \(kind)")
        }
    }

    /// Decodes lengths, each checked to be none below 0; returns them and where they end.
    private func lengths(
        _ page: PageBytes, _ range: Range<Int>, count: Int
    ) throws(ParquetError) -> ([Int32], Int) {
        var decoder = try DeltaDecoder(page, range, expected: count)
        var lengths: [Int32] = []
        try decoder.decode(into: &lengths)
        guard lengths.allSatisfy({ $0 >= 0 }) else {
            throw page.error(.invalid, range.lowerBound, "lengths that are not negative")
        }
        return (lengths, decoder.offset)
    }

    private mutating func appendDeltaLength(
        _ page: PageBytes, _ range: Range<Int>, count: Int
    ) throws(ParquetError) {
        let (lengths, start) = try lengths(page, range, count: count)
        let total = lengths.reduce(0) { $0 + Int($1) }
        guard total <= range.upperBound - start else {
            throw page.error(.truncated, start, "\(total) bytes of values")
        }
        try makeRoom(total)
        var position = Int32(truncatingIfNeeded: data.count)
        data += page.bytes[start..<start + total]
        offsets.reserveCapacity(offsets.count + count)
        for length in lengths {
            position &+= length
            offsets.append(position)
        }
    }

    /// DELTA_BYTE_ARRAY: what a value shares with the one before it, then what it adds.
    private mutating func appendFrontCoded(
        _ page: PageBytes, _ range: Range<Int>, count: Int
    ) throws(ParquetError) {
        let (prefixes, middle) = try lengths(page, range, count: count)
        let (suffixes, start) = try lengths(page, middle..<range.upperBound, count: count)
        var width: Int?
        switch kind {
        case .bytes: break
        case .fixed(let fixed): width = fixed
        default: throw page.error(.unsupported, middle, "DELTA_BYTE_ARRAY of \(kind)")
        }
        let total = zip(prefixes, suffixes).reduce(0) { $0 + Int($1.0) + Int($1.1) }
        try makeRoom(total)
        data.reserveCapacity(data.count + total)
        var (offset, previous) = (start, data.count..<data.count)
        for index in 0..<count {
            let (prefix, suffix) = (Int(prefixes[index]), Int(suffixes[index]))
            guard prefix <= previous.count, suffix <= range.upperBound - offset,
                width.map({ $0 == prefix + suffix }) ?? true
            else { throw page.error(.invalid, offset, "a front-coded value") }
            let begin = data.count
            for place in previous.prefix(prefix) { data.append(data[place]) }
            data += page.bytes[offset..<offset + suffix]
            offset += suffix
            previous = begin..<data.count
            if width == nil { offsets.append(Int32(truncatingIfNeeded: data.count)) }
        }
    }

    /// Appends `count` values that indices into `dictionary` name; the page has the width of an
    /// index in its first byte.
    mutating func append(
        _ page: PageBytes, _ range: Range<Int>, dictionary: DenseValues, count: Int,
        scratch: inout [UInt32]
    ) throws(ParquetError) {
        guard count > 0 else { return }
        guard !range.isEmpty else {
            throw page.error(.truncated, range.lowerBound, "the width of an index")
        }
        let width = Int(page.bytes[range.lowerBound])
        if scratch.count > count { scratch.removeLast(scratch.count - count) }
        if scratch.count < count {
            scratch.append(contentsOf: repeatElement(0, count: count - scratch.count))
        }
        try HybridRuns.indices(page, range.dropFirst(1), width: width, into: &scratch)
        var largest: UInt32 = 0
        for index in scratch { largest = max(largest, index) }
        guard Int(largest) < dictionary.count else {
            throw page.error(.invalid, range.lowerBound, "an index below \(dictionary.count)")
        }
        try gather(dictionary, scratch)
    }
}
