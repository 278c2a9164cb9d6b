/// Values of a leaf one after the other: what a page holds, or what a batch collects.
///
/// One of the buffers is used, by the kind; booleans take a byte each here.
struct DenseValues {
    let kind: StorageKind
    /// How many bytes of strings may gather here.
    let byteLimit: Int
    var booleans: [UInt8] = []
    var int32s: [Int32] = []
    var int64s: [Int64] = []
    var int128s: [Int128] = []
    var floats: [Float] = []
    var doubles: [Double] = []
    /// For bytes only: value `n` lies between offsets `n` and `n + 1`.
    var offsets: [Int32] = [0]
    var data: [UInt8] = []

    init(_ kind: StorageKind, byteLimit: Int) {
        self.kind = kind
        self.byteLimit = min(byteLimit, Int(Int32.max))
    }

    var count: Int {
        switch kind {
        case .boolean: booleans.count
        case .int32: int32s.count
        case .int64: int64s.count
        case .int128: int128s.count
        case .float: floats.count
        case .double: doubles.count
        case .bytes: offsets.count - 1
        case .fixed(let width): data.count / width
        }
    }

    mutating func removeAll() {
        booleans.removeAll(keepingCapacity: true)
        int32s.removeAll(keepingCapacity: true)
        int64s.removeAll(keepingCapacity: true)
        int128s.removeAll(keepingCapacity: true)
        floats.removeAll(keepingCapacity: true)
        doubles.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        offsets.append(0)
        data.removeAll(keepingCapacity: true)
    }

    /// Checks that `added` bytes more may gather here.
    func makeRoom(_ added: Int) throws(ParquetError) {
        guard added <= byteLimit - data.count else {
            throw ParquetError(.tooLarge, at: -1, "\(byteLimit) bytes of one column")
        }
    }

    /// Takes the buffers out as a column's; the kind tells which.
    consuming func values() -> ColumnValues {
        switch kind {
        case .boolean: .boolean(Bitmap(packing: booleans))
        case .int32: .int32(int32s)
        case .int64: .int64(int64s)
        case .int128: .int128(int128s)
        case .float: .float(floats)
        case .double: .double(doubles)
        case .bytes: .bytes(offsets: offsets, data: data)
        case .fixed(let width): .fixed(width: width, data: data)
        }
    }
}

// MARK: - Taking values from others
extension DenseValues {
    /// Appends values of the same kind.
    mutating func append(_ other: DenseValues, _ range: Range<Int>) throws(ParquetError) {
        switch kind {
        case .boolean: booleans += other.booleans[range]
        case .int32: int32s += other.int32s[range]
        case .int64: int64s += other.int64s[range]
        case .int128: int128s += other.int128s[range]
        case .float: floats += other.floats[range]
        case .double: doubles += other.doubles[range]
        case .bytes: try appendBytes(other, range)
        case .fixed(let width):
            try makeRoom(range.count * width)
            data += other.data[range.lowerBound * width..<range.upperBound * width]
        }
    }

    private mutating func appendBytes(
        _ other: DenseValues, _ range: Range<Int>
    ) throws(ParquetError) {
        let (first, last) = (other.offsets[range.lowerBound], other.offsets[range.upperBound])
        try makeRoom(Int(last - first))
        let shift = Int32(data.count) - first
        data += other.data[Int(first)..<Int(last)]
        offsets.reserveCapacity(offsets.count + range.count)
        for index in range { offsets.append(other.offsets[index + 1] &+ shift) }
    }

    /// Appends the values of a dictionary that `indices` name, all of which it has.
    mutating func gather(_ other: DenseValues, _ indices: [UInt32]) throws(ParquetError) {
        switch kind {
        case .boolean: Self.gather(other.booleans, indices, into: &booleans)
        case .int32: Self.gather(other.int32s, indices, into: &int32s)
        case .int64: Self.gather(other.int64s, indices, into: &int64s)
        case .int128: Self.gather(other.int128s, indices, into: &int128s)
        case .float: Self.gather(other.floats, indices, into: &floats)
        case .double: Self.gather(other.doubles, indices, into: &doubles)
        case .bytes: try gatherBytes(other, indices)
        case .fixed(let width):
            try makeRoom(indices.count * width)
            data.reserveCapacity(data.count + indices.count * width)
            for index in indices {
                data += other.data[Int(index) * width..<(Int(index) + 1) * width]
            }
        }
    }

    /// Soundness of the pointers: the caller has checked every index against the dictionary; the
    /// target has a place for each.
    @inline(__always)
    private static func gather<Value: BitwiseCopyable>(
        _ source: [Value], _ indices: [UInt32], into target: inout [Value]
    ) {
        guard !indices.isEmpty, let filler = source.first else { return }
        let start = target.count
        target.append(contentsOf: repeatElement(filler, count: indices.count))
        unsafe target.withUnsafeMutableBufferPointer { target in
            unsafe source.withUnsafeBufferPointer { source in
                unsafe indices.withUnsafeBufferPointer { indices in
                    guard let target = target.baseAddress, let source = source.baseAddress,
                        let first = indices.baseAddress
                    else { return }
                    for index in 0..<indices.count {
                        unsafe target[start &+ index] = source[Int(first[index])]
                    }
                }
            }
        }
    }

    /// Appends bytes that are of no value, so that 16 may be loaded from the place of any value.
    mutating func pad() {
        if kind == .bytes { data.append(contentsOf: repeatElement(0, count: 16)) }
    }

    /// Soundness of the pointers: indices are checked by the caller; the offsets of a dictionary
    /// ascend within its data, which `pad` has made longer by 16 bytes; the room for all bytes, and
    /// 16 more, is summed up before they are copied.
    private mutating func gatherBytes(
        _ other: DenseValues, _ indices: [UInt32]
    ) throws(ParquetError) {
        var total = 0
        for index in indices {
            total &+= Int(other.offsets[Int(index) + 1] &- other.offsets[Int(index)])
        }
        try makeRoom(total)
        let (start, first) = (data.count, offsets.count)
        data.append(contentsOf: repeatElement(0, count: total + 16))
        offsets.append(contentsOf: repeatElement(0, count: indices.count))
        unsafe data.withUnsafeMutableBytes { target in
            unsafe other.data.withUnsafeBytes { source in
                unsafe other.offsets.withUnsafeBufferPointer { places in
                    unsafe offsets.withUnsafeMutableBufferPointer { offsets in
                        var position = start
                        for (number, index) in indices.enumerated() {
                            let from = unsafe Int(places[Int(index)])
                            let count = unsafe Int(places[Int(index) &+ 1]) &- from
                            unsafe copyPadded(target, position, source, from, count)
                            position &+= count
                            unsafe offsets[first &+ number] = Int32(truncatingIfNeeded: position)
                        }
                    }
                }
            }
        }
        data.removeLast(16)
    }

    /// Appends a value for every level: the next of `other` where the level is `maximum`, and one
    /// without meaning elsewhere.
    ///
    /// `position` is the next value of `other`, and moves. The caller has checked that `other` has
    /// a value for every such level.
    mutating func scatter(
        _ other: DenseValues, _ position: inout Int, _ levels: ArraySlice<UInt8>, maximum: UInt8
    ) throws(ParquetError) {
        switch kind {
        case .boolean: Self.scatter(other.booleans, &position, levels, maximum, &booleans, 0)
        case .int32: Self.scatter(other.int32s, &position, levels, maximum, &int32s, 0)
        case .int64: Self.scatter(other.int64s, &position, levels, maximum, &int64s, 0)
        case .int128: Self.scatter(other.int128s, &position, levels, maximum, &int128s, 0)
        case .float: Self.scatter(other.floats, &position, levels, maximum, &floats, 0)
        case .double: Self.scatter(other.doubles, &position, levels, maximum, &doubles, 0)
        case .bytes: try scatterBytes(other, &position, levels, maximum)
        case .fixed(let width):
            try makeRoom(levels.count * width)
            for level in levels {
                if level == maximum {
                    data += other.data[position * width..<(position + 1) * width]
                    position += 1
                } else {
                    data.append(contentsOf: repeatElement(0, count: width))
                }
            }
        }
    }

    /// Soundness of the pointers: a position beyond the last value is never read, because only as
    /// many levels are `maximum` as there are values.
    @inline(__always)
    private static func scatter<Value: BitwiseCopyable>(
        _ source: [Value], _ position: inout Int, _ levels: ArraySlice<UInt8>, _ maximum: UInt8,
        _ target: inout [Value], _ filler: Value
    ) {
        let start = target.count
        target.append(contentsOf: repeatElement(filler, count: levels.count))
        var next = position
        unsafe target.withUnsafeMutableBufferPointer { target in
            unsafe source.withUnsafeBufferPointer { source in
                unsafe levels.withUnsafeBufferPointer { levels in
                    for index in 0..<levels.count where unsafe levels[index] == maximum {
                        unsafe target[start &+ index] = source[next]
                        next &+= 1
                    }
                }
            }
        }
        position = next
    }

    private mutating func scatterBytes(
        _ other: DenseValues, _ position: inout Int, _ levels: ArraySlice<UInt8>, _ maximum: UInt8
    ) throws(ParquetError) {
        let first = position
        let shift = Int32(data.count) - other.offsets[first]
        offsets.reserveCapacity(offsets.count + levels.count)
        for level in levels {
            if level == maximum { position += 1 }
            offsets.append(other.offsets[position] &+ shift)
        }
        let (start, end) = (Int(other.offsets[first]), Int(other.offsets[position]))
        do throws(ParquetError) {
            try makeRoom(end - start)
        } catch {
            offsets.removeLast(levels.count)
            throw error
        }
        data += other.data[start..<end]
    }
}

/// Copies `count` bytes, 16 at once where there are no more; both sides have 16 bytes more than are
/// copied.
@inline(__always)
private func copyPadded(
    _ target: UnsafeMutableRawBufferPointer, _ position: Int, _ source: UnsafeRawBufferPointer,
    _ offset: Int, _ count: Int
) {
    guard let to = target.baseAddress, let from = source.baseAddress else { return }
    if count <= 16 {
        let block = unsafe from.loadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self)
        unsafe to.storeBytes(of: block, toByteOffset: position, as: SIMD16<UInt8>.self)
    } else {
        unsafe (to + position).copyMemory(from: from + offset, byteCount: count)
    }
}

/// Copies `count` bytes; a loop for the few of a short string, where a call costs more.
@inline(__always)
func copyShort(
    _ target: UnsafeMutablePointer<UInt8>, _ source: UnsafePointer<UInt8>, _ count: Int
) {
    if count >= 16 {
        unsafe target.update(from: source, count: count)
        return
    }
    var index = 0
    while index &+ 8 <= count {
        let word = unsafe UnsafeRawPointer(source + index).loadUnaligned(as: UInt64.self)
        unsafe UnsafeMutableRawPointer(target + index).storeBytes(of: word, as: UInt64.self)
        index &+= 8
    }
    while index < count {
        unsafe target[index] = source[index]
        index &+= 1
    }
}
