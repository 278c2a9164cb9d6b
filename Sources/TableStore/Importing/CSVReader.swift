/// Rows of CSV (RFC 4180): fields between delimiters, in quotes where they hold one of these signs.
///
/// A quote inside of quotes is written twice. Lines end with LF or CRLF. Empty lines are passed
/// over.
struct CSVReader {
    /// A field of the row that was read last.
    struct Field: Equatable {
        var range: Range<Int>
        var isQuoted: Bool
    }

    private(set) var buffer: LineBuffer
    private let delimiter: UInt8
    /// Whether an empty line is a row with one empty field.
    private let keepsEmptyLines: Bool
    private(set) var fields: [Field] = []
    /// The line on which the row that was read last begins, from 1.
    private(set) var line = 0
    private var nextLine = 1

    private static let quote = UInt8(ascii: "\"")
    private static let lineFeed: UInt8 = 0x0a
    private static let carriageReturn: UInt8 = 0x0d

    init(
        _ file: InputFile, delimiter: UInt8, keepsEmptyLines: Bool = false
    ) throws(TableStoreError) {
        buffer = try LineBuffer(file)
        self.delimiter = delimiter
        self.keepsEmptyLines = keepsEmptyLines
    }

    func text(_ field: Int) -> ArraySlice<UInt8> { buffer.bytes[fields[field].range] }

    /// How far a row was understood.
    private enum Progress {
        case complete(end: Int, lines: Int)
        case incomplete
    }

    /// Reads a row; false at the end.
    ///
    /// Throws a problem when quotes contradict each other, and the line is passed over then.
    mutating func next() throws(TableStoreError) -> Result<Bool, ValueProblem> {
        while true {
            guard buffer.start < buffer.bytes.count else {
                guard try buffer.fill() else { return .success(false) }
                continue
            }
            let progress: Progress
            do throws(ValueProblem) {
                progress = try scan()
            } catch {
                line = nextLine
                try skipLine()
                return .failure(error)
            }
            guard case .complete(let end, let lines) = progress else {
                guard buffer.bytes.count - buffer.start <= LineBuffer.rowLimit else {
                    throw TableStoreError(
                        .input, "", "line \(nextLine): a row over 256 MiB; is a quote open?")
                }
                _ = try buffer.fill()
                continue
            }
            line = nextLine
            nextLine += lines
            buffer.take(upTo: end)
            let isEmpty = fields.count == 1 && fields[0].range.isEmpty && !fields[0].isQuoted
            if isEmpty, !keepsEmptyLines { continue }
            unescape()
            return .success(true)
        }
    }

    /// Passes over the rest of a line that makes no sense.
    private mutating func skipLine() throws(TableStoreError) {
        fields.removeAll()
        while true {
            let rest = buffer.bytes[buffer.start...]
            if let end = rest.firstIndex(of: Self.lineFeed) {
                buffer.take(upTo: end + 1)
                nextLine += 1
                return
            }
            buffer.take(upTo: buffer.bytes.count)
            guard try buffer.fill() else { return }
        }
    }

    /// Finds the fields of the row that begins where the buffer does.
    private mutating func scan() throws(ValueProblem) -> Progress {
        fields.removeAll(keepingCapacity: true)
        let bytes = buffer.bytes
        let count = bytes.count
        var (position, lines) = (buffer.start, 0)
        while true {
            if position < count, bytes[position] == Self.quote {
                guard let end = try quoted(bytes, position, &lines) else { return .incomplete }
                fields.append(Field(range: position + 1..<end, isQuoted: true))
                position = end + 1
            } else {
                let start = position
                while position < count, bytes[position] != delimiter,
                    bytes[position] != Self.lineFeed
                { position &+= 1 }
                guard position < count || buffer.isAtEnd else { return .incomplete }
                var end = position
                let isLineEnd = position == count || bytes[position] == Self.lineFeed
                if isLineEnd, end > start, bytes[end - 1] == Self.carriageReturn { end -= 1 }
                fields.append(Field(range: start..<end, isQuoted: false))
            }
            if position == count { return .complete(end: count, lines: lines + 1) }
            if bytes[position] == Self.carriageReturn { position += 1 }
            if position == count { return .complete(end: count, lines: lines + 1) }
            if bytes[position] == Self.lineFeed {
                return .complete(end: position + 1, lines: lines + 1)
            }
            position += 1
        }
    }

    /// The place of the closing quote; nil when it is not there yet.
    private func quoted(
        _ bytes: [UInt8], _ open: Int, _ lines: inout Int
    ) throws(ValueProblem) -> Int? {
        var position = open + 1
        while position < bytes.count {
            let byte = bytes[position]
            if byte == Self.lineFeed { lines += 1 }
            guard byte == Self.quote else {
                position &+= 1
                continue
            }
            guard position + 1 < bytes.count else { return buffer.isAtEnd ? position : nil }
            let after = bytes[position + 1]
            if after == Self.quote {
                position += 2
                continue
            }
            let isEnd =
                after == delimiter || after == Self.lineFeed || after == Self.carriageReturn
            guard isEnd else {
                throw ValueProblem(expected: "a delimiter behind the closing quote")
            }
            if after == Self.carriageReturn, position + 2 == bytes.count, !buffer.isAtEnd {
                return nil
            }
            return position
        }
        guard !buffer.isAtEnd else { throw ValueProblem(expected: "a closing quote") }
        return nil
    }

    /// Makes one quote of two, in place.
    private mutating func unescape() {
        for index in fields.indices where fields[index].isQuoted {
            let range = fields[index].range
            guard buffer.bytes[range].contains(Self.quote) else { continue }
            var (source, target) = (range.lowerBound, range.lowerBound)
            while source < range.upperBound {
                let byte = buffer.bytes[source]
                buffer.setByte(byte, at: target)
                target += 1
                source += byte == Self.quote ? 2 : 1
            }
            fields[index].range = range.lowerBound..<target
        }
    }
}
