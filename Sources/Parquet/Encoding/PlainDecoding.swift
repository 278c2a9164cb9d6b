/// Decoding of PLAIN and BYTE_STREAM_SPLIT values (parquet-format, Encodings.md).
extension DenseValues {
    /// Appends `count` values that stand in `range` one after the other.
    mutating func appendPlain(
        _ page: PageBytes, _ range: Range<Int>, count: Int
    ) throws(ParquetError) {
        if let width = kind.plainWidth {
            guard count <= range.count / width else {
                throw page.error(.truncated, range.upperBound, "\(count) plain values")
            }
        }
        let start = range.lowerBound
        switch kind {
        case .boolean: try appendPlainBooleans(page, range, count: count)
        case .int32: appendLoaded(page, start, count, &int32s, 0)
        case .int64: appendLoaded(page, start, count, &int64s, 0)
        case .float: appendLoaded(page, start, count, &floats, 0)
        case .double: appendLoaded(page, start, count, &doubles, 0)
        case .bytes: try appendPlainBytes(page, range, count: count)
        case .fixed(let width):
            try makeRoom(count * width)
            data += page.bytes[start..<start + count * width]
        case .int128: throw page.error(.unsupported, start, "plain values of 128 bits")
        }
    }

    /// Soundness of the pointers: the caller has checked that the page has `count` values, and the
    /// target is given a place for each.
    @inline(__always)
    private func appendLoaded<Value: BitwiseCopyable>(
        _ page: PageBytes, _ offset: Int, _ count: Int, _ target: inout [Value], _ filler: Value
    ) {
        guard count > 0 else { return }
        precondition(offset + count * MemoryLayout<Value>.size <= page.end)
        let start = target.count
        target.append(contentsOf: repeatElement(filler, count: count))
        unsafe target.withUnsafeMutableBytes { target in
            unsafe page.bytes.withUnsafeBytes { source in
                let size = count * MemoryLayout<Value>.size
                unsafe UnsafeMutableRawBufferPointer(
                    rebasing: target[(start * MemoryLayout<Value>.size)...]
                ).copyMemory(from: UnsafeRawBufferPointer(rebasing: source[offset..<offset + size]))
            }
        }
    }

    private mutating func appendPlainBooleans(
        _ page: PageBytes, _ range: Range<Int>, count: Int
    ) throws(ParquetError) {
        guard (count + 7) / 8 <= range.count else {
            throw page.error(.truncated, range.upperBound, "\(count) plain values")
        }
        let start = booleans.count
        booleans.append(contentsOf: repeatElement(0, count: count))
        for index in 0..<count {
            let byte = page.bytes[range.lowerBound + index >> 3]
            booleans[start + index] = (byte >> UInt8(truncatingIfNeeded: index & 7)) & 1
        }
    }

    /// Each value has its length in four bytes before it.
    ///
    /// Soundness of the pointers: every length is checked against what is left of the range, and
    /// the copies together have no more bytes than the range, which is the room made for them.
    private mutating func appendPlainBytes(
        _ page: PageBytes, _ range: Range<Int>, count: Int
    ) throws(ParquetError) {
        guard count <= range.count / 4 else {
            throw page.error(.truncated, range.upperBound, "\(count) plain values")
        }
        let room = range.count - 4 * count
        try makeRoom(room)
        offsets.reserveCapacity(offsets.count + count)
        let start = data.count
        data.append(contentsOf: repeatElement(0, count: room))
        var (position, offset, isWhole) = (start, range.lowerBound, true)
        unsafe page.bytes.withUnsafeBytes { source in
            unsafe data.withUnsafeMutableBufferPointer { target in
                for _ in 0..<count {
                    guard range.upperBound - offset >= 4 else { isWhole = false; return }
                    let length = Int(
                        unsafe source.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
                    offset += 4
                    guard length <= range.upperBound - offset, length <= start + room - position
                    else { isWhole = false; return }
                    if let target = target.baseAddress, let source = source.baseAddress {
                        unsafe copyShort(
                            target + position,
                            (source + offset).assumingMemoryBound(to: UInt8.self), length)
                    }
                    offset += length
                    position += length
                    offsets.append(Int32(truncatingIfNeeded: position))
                }
            }
        }
        data.removeLast(start + room - position)
        guard isWhole else { throw page.error(.truncated, offset, "a plain value") }
    }

    /// Appends `count` values whose first bytes stand together, then their second bytes, and so on.
    mutating func appendSplit(
        _ page: PageBytes, _ range: Range<Int>, count: Int
    ) throws(ParquetError) {
        guard let width = kind.plainWidth else {
            throw page.error(.unsupported, range.lowerBound, "BYTE_STREAM_SPLIT of this type")
        }
        guard count <= range.count / width else {
            throw page.error(.truncated, range.upperBound, "\(count) split values")
        }
        try makeRoom(count * width)
        var joined = [UInt8](repeating: 0, count: count * width)
        for stream in 0..<width {
            let base = range.lowerBound + stream * count
            for index in 0..<count { joined[index * width + stream] = page.bytes[base + index] }
        }
        try appendPlain(PageBytes(joined), 0..<joined.count, count: count)
    }
}

extension StorageKind {
    /// Bytes of a plain value, where all have the same.
    var plainWidth: Int? {
        switch self {
        case .boolean, .bytes: nil
        case .int32, .float: 4
        case .int64, .double: 8
        case .int128: 16
        case .fixed(let width): width
        }
    }
}
