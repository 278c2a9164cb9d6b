/// A part of a CSV file that is whole rows.
struct CSVBlock: Sendable {
    var bytes: [UInt8]
    /// Whether there is a quote somewhere; without one, rows are lines.
    var hasQuotes: Bool
}

/// Cuts a CSV file into blocks that end where rows do, so that each can be taken apart by itself.
///
/// In a block without quotes that is the end of a line. Where there are quotes every row has to be
/// looked at, once here and once by whoever takes the block apart.
struct CSVBlocks: Sendable {
    private let file: InputFile
    private let delimiter: UInt8
    private var rest: [UInt8]
    private var isAtEnd: Bool

    /// Bytes of a block, about.
    private static let blockSize = 1 << 20

    /// Goes on where a reader of rows has stopped.
    init(after reader: CSVReader) {
        file = reader.buffer.file
        delimiter = reader.delimiter
        rest = Array(reader.buffer.bytes[reader.buffer.start...])
        isAtEnd = reader.buffer.isAtEnd
    }

    /// The next block; nil at the end.
    ///
    /// Throws `.input` for a row that does not end.
    mutating func next() throws(TableStoreError) -> CSVBlock? {
        var bytes = rest
        rest = []
        while true {
            // A row of several blocks is looked at again only when there is twice as much of it.
            let wanted = max(Self.blockSize, bytes.count * 2)
            while !isAtEnd, bytes.count < wanted { isAtEnd = try !file.read(into: &bytes) }
            guard !bytes.isEmpty else { return nil }
            let hasQuotes = ByteScan.contains(CSVRow.quote, bytes)
            var end = bytes.count
            if !isAtEnd {
                end = hasQuotes ? endOfRows(bytes) : ByteScan.endOfLines(bytes)
            }
            if end > 0 {
                if end < bytes.count {
                    rest = Array(bytes[end...])
                    bytes.removeLast(bytes.count - end)
                }
                return CSVBlock(bytes: bytes, hasQuotes: hasQuotes)
            }
            guard bytes.count <= LineBuffer.rowLimit else {
                throw TableStoreError(.input, "", "a row over 256 MiB; is a quote open?")
            }
        }
    }

    /// Where the last row ends that does; 0 when none does.
    private func endOfRows(_ bytes: [UInt8]) -> Int {
        var fields: [CSVRow.Field] = []
        var end = 0
        while end < bytes.count {
            let outcome = CSVRow.scan(
                bytes.span, from: end, delimiter: delimiter, isAtEnd: false, fields: &fields)
            switch outcome {
            case .complete(let next, _): end = next
            case .incomplete: return end
            case .problem:
                // Who takes it apart passes over the line and says so.
                guard let line = bytes[end...].firstIndex(of: CSVRow.lineFeed) else { return end }
                end = line + 1
            }
        }
        return end
    }
}

/// Looking for single bytes, many at once.
enum ByteScan {
    /// Tells whether a byte is there.
    ///
    /// A word has a zero byte when subtracting 1 from each byte borrows from one that was not
    /// above 0x7f (H. Warren, "Hacker's Delight", 6-1).
    /// Soundness of the pointer: words are loaded from before the last eight bytes.
    static func contains(_ wanted: UInt8, _ bytes: [UInt8]) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let pattern = UInt64(wanted) &* ones
        let whole = bytes.count & ~4095
        let isFound = unsafe bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return false }
            var start = 0
            while start < whole {
                var found: UInt64 = 0
                for step in 0..<512 {
                    let word = unsafe base.loadUnaligned(
                        fromByteOffset: start &+ step &* 8, as: UInt64.self)
                    found |= ((word ^ pattern) &- ones) & ~(word ^ pattern)
                }
                if found & (ones << 7) != 0 { return true }
                start &+= 4096
            }
            return false
        }
        return isFound || bytes[whole...].contains(wanted)
    }

    /// Where the last line ends; 0 when none does.
    static func endOfLines(_ bytes: [UInt8]) -> Int {
        (bytes.lastIndex(of: CSVRow.lineFeed) ?? -1) + 1
    }

    static func isASCII(_ bytes: [UInt8]) -> Bool {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            var all: UInt8 = 0
            for index in 0..<buffer.count { all |= unsafe buffer[index] }
            return all < 0x80
        }
    }
}
