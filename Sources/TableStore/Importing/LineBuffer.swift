/// The part of a file that is being looked at.
struct LineBuffer {
    let file: InputFile
    private(set) var bytes: [UInt8] = []
    /// Where what was not taken yet begins.
    private(set) var start = 0
    private(set) var isAtEnd = false

    /// Bytes of one row at most.
    static let rowLimit = 256 << 20

    init(_ file: InputFile) throws(TableStoreError) {
        self.file = file
        _ = try fill()
        // A byte order mark says nothing about UTF-8.
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { start = 3 }
    }

    /// Reads more, and moves what was not taken to the front; false when there is no more.
    mutating func fill() throws(TableStoreError) -> Bool {
        guard !isAtEnd else { return false }
        if start > 0 {
            bytes.removeFirst(start)
            start = 0
        }
        isAtEnd = try !file.read(into: &bytes)
        return !isAtEnd
    }

    mutating func take(upTo end: Int) { start = end }

    /// Makes one quote of two in a field of CSV; returns where it is then.
    mutating func unescape(_ range: Range<Int>) -> Range<Int> {
        CSVRow.unescape(&bytes, range)
    }
}
