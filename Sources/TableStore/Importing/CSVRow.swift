/// One row of CSV (RFC 4180): fields between delimiters, in quotes where they hold one of these
/// signs.
///
/// A quote inside of quotes is written twice. Lines end with LF or CRLF.
enum CSVRow {
    /// A field of a row.
    struct Field: Equatable {
        /// Without the quotes around it.
        var range: Range<Int>
        var isQuoted: Bool
    }

    /// How far a row was understood.
    enum Outcome {
        case complete(end: Int, lines: Int)
        case incomplete
        /// Quotes contradict each other.
        case problem(ValueProblem)
    }

    static let quote = UInt8(ascii: "\"")
    static let lineFeed: UInt8 = 0x0a
    static let carriageReturn: UInt8 = 0x0d

    /// Finds the fields of the row that begins at `start`, before the end of the bytes.
    ///
    /// `isAtEnd` tells that nothing follows the bytes.
    static func scan(
        _ bytes: Span<UInt8>, from start: Int, delimiter: UInt8, isAtEnd: Bool,
        fields: inout [Field]
    ) -> Outcome {
        fields.removeAll(keepingCapacity: true)
        let count = bytes.count
        var (position, lines) = (start, 0)
        while true {
            if position < count, bytes[position] == quote {
                switch quoted(bytes, position, delimiter, isAtEnd, &lines) {
                case .incomplete: return .incomplete
                case .problem(let problem): return .problem(problem)
                case .complete(let end, _):
                    fields.append(Field(range: position + 1..<end, isQuoted: true))
                    position = end + 1
                }
            } else {
                let begin = position
                while position < count, bytes[position] != delimiter, bytes[position] != lineFeed {
                    position &+= 1
                }
                guard position < count || isAtEnd else { return .incomplete }
                var end = position
                let isLineEnd = position == count || bytes[position] == lineFeed
                if isLineEnd, end > begin, bytes[end - 1] == carriageReturn { end -= 1 }
                fields.append(Field(range: begin..<end, isQuoted: false))
            }
            if position == count { return .complete(end: count, lines: lines + 1) }
            if bytes[position] == carriageReturn { position += 1 }
            if position == count { return .complete(end: count, lines: lines + 1) }
            if bytes[position] == lineFeed {
                return .complete(end: position + 1, lines: lines + 1)
            }
            position += 1
        }
    }

    /// The place of the closing quote, as the end of what is complete.
    private static func quoted(
        _ bytes: Span<UInt8>, _ open: Int, _ delimiter: UInt8, _ isAtEnd: Bool,
        _ lines: inout Int
    ) -> Outcome {
        var position = open + 1
        while position < bytes.count {
            let byte = bytes[position]
            if byte == lineFeed { lines += 1 }
            guard byte == quote else {
                position &+= 1
                continue
            }
            guard position + 1 < bytes.count else {
                return isAtEnd ? .complete(end: position, lines: 0) : .incomplete
            }
            let after = bytes[position + 1]
            if after == quote {
                position += 2
                continue
            }
            guard after == delimiter || after == lineFeed || after == carriageReturn else {
                return .problem(ValueProblem(expected: "a delimiter behind the closing quote"))
            }
            if after == carriageReturn, position + 2 == bytes.count, !isAtEnd {
                return .incomplete
            }
            return .complete(end: position, lines: 0)
        }
        return isAtEnd ? .problem(ValueProblem(expected: "a closing quote")) : .incomplete
    }

    /// Makes one quote of two in a field in quotes, in place; returns where it is then.
    static func unescape(_ bytes: inout [UInt8], _ range: Range<Int>) -> Range<Int> {
        guard bytes[range].contains(quote) else { return range }
        var (source, target) = (range.lowerBound, range.lowerBound)
        while source < range.upperBound {
            let byte = bytes[source]
            bytes[target] = byte
            target += 1
            source += byte == quote ? 2 : 1
        }
        return range.lowerBound..<target
    }
}
