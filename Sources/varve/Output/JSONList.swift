internal import JSON

/// Prints a long array item by item, a line each, in one JSON document.
struct JSONList {
    private let console: Console
    private var isEmpty = true

    /// `head` stands before the array, for an object that has it as a member.
    init(_ console: Console, head: String = "") throws(OutputError) {
        self.console = console
        try console.print(Array((head + "[").utf8))
    }

    mutating func append(_ value: JSONValue) throws(OutputError) {
        var bytes = Array((isEmpty ? "\n" : ",\n").utf8)
        isEmpty = false
        bytes += value.bytes
        try console.print(bytes)
    }

    /// Ends the array; `tail` stands behind it.
    func finish(tail: String = "") throws(OutputError) {
        try console.print(Array(((isEmpty ? "]" : "\n]") + tail + "\n").utf8))
    }
}
