internal import CScan

/// Puts the fields of columns together to the text that they were gathered from; nil when there is
/// none.
///
/// `sizes` must have a size for each column, `columns.count` together.
///
/// Columns are hostile: a field that no delimiter or line feed ends may only be the last of the
/// text, and a field cannot lie in a column that has come to its end. As each field takes from its
/// column what it gives to the text, all columns are used up once the text is whole.
func spread(_ columns: Span<UInt8>, _ shape: LineShape, sizes: [Int]) -> [UInt8]? {
    precondition(sizes.count == shape.columnCount && sizes.allSatisfy { $0 >= 0 })
    var ranges = ColumnRanges(sizes)
    precondition(ranges.ends.last == columns.count)
    var isWhole = true
    let text = unsafe columns.withUnsafeBufferPointer { source in
        unsafe [UInt8](unsafeUninitializedCapacity: source.count) { buffer, count in
            guard let source = source.baseAddress, let target = buffer.baseAddress else { return }
            isWhole = unsafe ranges.next.withUnsafeMutableBufferPointer { next in
                unsafe ranges.ends.withUnsafeBufferPointer { ends in
                    unsafe spread(source, columns.count, shape, next, ends, target)
                }
            }
            count = isWhole ? columns.count : 0
        }
    }
    return isWhole ? text : nil
}

/// Most fields are short: those of up to 32 bytes take one step, and a guess of the processor what
/// comes next.
///
/// Soundness: `column` is below the number of columns, and `room` bytes are left both of all
/// columns and of the text; nothing else is read or written. A field that was looked for beyond its
/// column is longer than what is left of that.
@unsafe private func spread(
    _ source: UnsafePointer<UInt8>, _ size: Int, _ shape: LineShape,
    _ next: UnsafeMutableBufferPointer<Int>, _ ends: UnsafeBufferPointer<Int>,
    _ target: UnsafeMutablePointer<UInt8>
) -> Bool {
    guard let next = next.baseAddress, let columnEnds = ends.baseAddress else { return false }
    var offset = 0
    var column = 0
    while offset < size {
        let from = unsafe next[column]
        let available = unsafe columnEnds[column] &- from
        let room = size &- max(from, offset)
        let bytes = unsafe source + from
        var count = 0
        if room >= 32 {
            unsafe copyThirtyTwo(bytes, target + offset)
            let ends = unsafe varve_match_32(bytes, shape.delimiter, LineShape.lineFeed)
            count = ends.trailingZeroBitCount &+ 1
        }
        if room < 32 || count > 32 {
            count = unsafe copyField(bytes, target + offset, shape.delimiter, room: room)
        }
        if count > available { return offset &+ available == size }
        offset &+= count
        unsafe next[column] = from &+ count
        column = unsafe shape.column(after: column, endingWith: bytes[count &- 1])
    }
    return true
}

/// Copies a field, and perhaps what lies behind it; returns its size, or one above all if it does
/// not end within `room` bytes.
@inline(never)
@unsafe private func copyField(
    _ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, _ delimiter: UInt8,
    room: Int
) -> Int {
    var count = 0
    while room &- count >= 32 {
        unsafe copyThirtyTwo(source + count, target + count)
        let ends = unsafe varve_match_32(source + count, delimiter, LineShape.lineFeed)
        if ends != 0 { return count &+ ends.trailingZeroBitCount &+ 1 }
        count &+= 32
    }
    while count < room {
        let byte = unsafe source[count]
        unsafe target[count] = byte
        count &+= 1
        if byte == delimiter || byte == LineShape.lineFeed { return count }
    }
    return .max
}
