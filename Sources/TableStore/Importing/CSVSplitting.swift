/// Takes blocks of CSV apart: some rows at a time, so that all stays close to the processor.
struct CSVSplitting {
    private let delimiter: UInt8
    private let hasQuotes: Bool
    private(set) var bytes: [UInt8]
    /// Where the bytes of the block end; zeros follow.
    private let end: Int
    private var position = 0
    /// Lines so far.
    private(set) var lineCount = 0

    /// Zero bytes behind the block, so that words may be loaded at its end.
    static let padding = 16

    init(_ block: CSVBlock, delimiter: UInt8) {
        self.delimiter = delimiter
        hasQuotes = block.hasQuotes
        bytes = block.bytes
        end = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: Self.padding))
    }

    /// Adds the fields of about so many rows; false when there are no more.
    mutating func next(_ rows: Int, into target: inout CSVFields) -> Bool {
        guard position < end else { return false }
        if hasQuotes {
            split(rows, into: &target)
        } else {
            splitLines(rows, into: &target)
        }
        return true
    }

    /// Row by row, for everything.
    mutating func split(_ rows: Int, into target: inout CSVFields) {
        let last = target.rowCount + rows
        var fields: [CSVRow.Field] = []
        while position < end, target.rowCount < last {
            let outcome = CSVRow.scan(
                bytes.span.extracting(0..<end), from: position, delimiter: delimiter,
                isAtEnd: true, fields: &fields)
            switch outcome {
            case .complete(let next, let lines):
                for field in fields {
                    var field = field
                    if field.isQuoted { field.range = CSVRow.unescape(&bytes, field.range) }
                    target.add(field)
                }
                target.endRow(lineCount)
                lineCount += lines
                position = next
            case .incomplete, .problem:
                if case .problem(let problem) = outcome { target.addProblem(lineCount, problem) }
                let rest = bytes[position..<end]
                position = (rest.firstIndex(of: CSVRow.lineFeed) ?? end - 1) + 1
                lineCount += 1
            }
        }
    }

    /// The same for blocks without quotes, eight bytes a step.
    ///
    /// A byte of `hits` is 0x80 where a byte is a delimiter or a line feed, else 0 (H. Warren,
    /// "Hacker's Delight", 6-1). Soundness of the pointer: words are loaded from before `end`, and
    /// 16 bytes follow that.
    mutating func splitLines(_ rows: Int, into target: inout CSVFields) {
        let last = target.rowCount + rows
        let (delimiters, feeds) = (Self.repeated(delimiter), Self.repeated(CSVRow.lineFeed))
        var (place, start, line) = (position, position, lineCount)
        var isDone = false
        unsafe bytes.withUnsafeBytes { source in
            guard let base = source.baseAddress else { return }
            while place < end, !isDone {
                let word = unsafe base.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                var hits = Self.zeros(word ^ delimiters) | Self.zeros(word ^ feeds)
                while hits != 0 {
                    let found = place &+ hits.trailingZeroBitCount &>> 3
                    if found >= end { break }
                    hits &= hits &- 1
                    guard unsafe base.load(fromByteOffset: found, as: UInt8.self) == 0x0a else {
                        target.add(start, found)
                        start = found &+ 1
                        continue
                    }
                    var fieldEnd = found
                    if found > start {
                        let before = unsafe base.load(fromByteOffset: found &- 1, as: UInt8.self)
                        if before == CSVRow.carriageReturn { fieldEnd = found &- 1 }
                    }
                    target.add(start, fieldEnd)
                    start = found &+ 1
                    target.endRow(line)
                    line &+= 1
                    isDone = target.rowCount >= last
                    if isDone { break }
                }
                place &+= 8
            }
        }
        if !isDone {
            if start < end || endsInsideRow(start) { endLast(&target, start, &line) }
            start = end
        }
        (position, lineCount) = (start, line)
    }

    /// Whether the block ends with a delimiter, behind which there is another, empty field.
    private func endsInsideRow(_ start: Int) -> Bool {
        start == end && end > 0 && bytes[end - 1] == delimiter
    }

    /// Ends the last row of a file, which has no line feed behind it.
    private func endLast(_ target: inout CSVFields, _ start: Int, _ line: inout Int) {
        var fieldEnd = end
        if end > start, bytes[end - 1] == CSVRow.carriageReturn { fieldEnd -= 1 }
        target.add(start, fieldEnd)
        target.endRow(line)
        line += 1
    }

    private static func repeated(_ byte: UInt8) -> UInt64 {
        UInt64(byte) &* 0x0101_0101_0101_0101
    }

    /// 0x80 in each byte that is zero, and 0 in the others.
    @inline(__always)
    private static func zeros(_ word: UInt64) -> UInt64 {
        let low: UInt64 = 0x7f7f_7f7f_7f7f_7f7f
        return ~(((word & low) &+ low) | word | low)
    }
}
