internal import JSON

/// Rows of newline-delimited JSON: an object on each line.
struct NDJSONReader {
    private var buffer: LineBuffer
    /// The line of the row that was read last, from 1.
    private(set) var line = 0

    init(_ file: InputFile) throws(TableStoreError) { buffer = try LineBuffer(file) }

    /// Reads a row; nil at the end.
    ///
    /// Lines of blanks are passed over.
    mutating func next() throws(TableStoreError) -> Result<[JSONValue.Member], ValueProblem>? {
        while let text = try nextLine() {
            guard text.contains(where: { $0 > 0x20 }) else { continue }
            do throws(JSONError) {
                let value = try JSONValue(parsing: text)
                guard let members = value.members else {
                    return .failure(ValueProblem(expected: "an object"))
                }
                return .success(members)
            } catch {
                return .failure(
                    ValueProblem(
                        expected: "JSON, that is \(error.expected) at byte "
                            + "\(error.offset + 1) of the line"))
            }
        }
        return nil
    }

    private mutating func nextLine() throws(TableStoreError) -> ArraySlice<UInt8>? {
        var searched = buffer.start
        while true {
            let bytes = buffer.bytes
            if let end = bytes[searched...].firstIndex(of: 0x0a) {
                let text = bytes[buffer.start..<end]
                buffer.take(upTo: end + 1)
                line += 1
                return text
            }
            guard bytes.count - buffer.start <= LineBuffer.rowLimit else {
                throw TableStoreError(.input, "", "line \(line + 1): more than 256 MiB")
            }
            searched = bytes.count - buffer.start
            guard try buffer.fill() else {
                guard buffer.start < buffer.bytes.count else { return nil }
                let text = buffer.bytes[buffer.start...]
                buffer.take(upTo: buffer.bytes.count)
                line += 1
                return text
            }
        }
    }
}
