/// Reads CSV row by row; empty lines are passed over.
///
/// For the first rows of a file; `CSVBlocks` is for all of them.
struct CSVReader {
    private(set) var buffer: LineBuffer
    let delimiter: UInt8
    /// Whether an empty line is a row with one empty field.
    private let keepsEmptyLines: Bool
    private(set) var fields: [CSVRow.Field] = []
    /// The line on which the row that was read last begins, from 1.
    private(set) var line = 0
    /// The line on which the next row begins.
    private(set) var nextLine = 1

    init(
        _ file: InputFile, delimiter: UInt8, keepsEmptyLines: Bool = false
    ) throws(TableStoreError) {
        buffer = try LineBuffer(file)
        self.delimiter = delimiter
        self.keepsEmptyLines = keepsEmptyLines
    }

    func text(_ field: Int) -> ArraySlice<UInt8> { buffer.bytes[fields[field].range] }

    /// Reads a row; false at the end.
    ///
    /// Returns a problem when quotes contradict each other, and the line is passed over then.
    mutating func next() throws(TableStoreError) -> Result<Bool, ValueProblem> {
        while true {
            guard buffer.start < buffer.bytes.count else {
                guard try buffer.fill() else { return .success(false) }
                continue
            }
            var found: [CSVRow.Field] = []
            swap(&found, &fields)
            let outcome = CSVRow.scan(
                buffer.bytes.span, from: buffer.start, delimiter: delimiter,
                isAtEnd: buffer.isAtEnd, fields: &found)
            swap(&found, &fields)
            switch outcome {
            case .problem(let problem):
                line = nextLine
                try skipLine()
                return .failure(problem)
            case .incomplete:
                guard buffer.bytes.count - buffer.start <= LineBuffer.rowLimit else {
                    throw TableStoreError(
                        .input, "", "line \(nextLine): a row over 256 MiB; is a quote open?")
                }
                _ = try buffer.fill()
            case .complete(let end, let lines):
                line = nextLine
                nextLine += lines
                buffer.take(upTo: end)
                let isEmpty = fields.count == 1 && fields[0].range.isEmpty && !fields[0].isQuoted
                if isEmpty, !keepsEmptyLines { continue }
                for index in fields.indices where fields[index].isQuoted {
                    fields[index].range = buffer.unescape(fields[index].range)
                }
                return .success(true)
            }
        }
    }

    /// Passes over the rest of a line that makes no sense.
    private mutating func skipLine() throws(TableStoreError) {
        fields.removeAll()
        while true {
            let rest = buffer.bytes[buffer.start...]
            if let end = rest.firstIndex(of: CSVRow.lineFeed) {
                buffer.take(upTo: end + 1)
                nextLine += 1
                return
            }
            buffer.take(upTo: buffer.bytes.count)
            guard try buffer.fill() else { return }
        }
    }
}
