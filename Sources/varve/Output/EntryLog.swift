internal import JSON
internal import Platform
internal import Reports

/// Prints what becomes of each entry, whatever thread tells it: a line each on standard output.
final class EntryLog: Sendable {
    private let isJSON: Bool
    private let buffer = Monitor([UInt8]())
    private static let bufferLimit = 64 << 10

    init(isJSON: Bool) { self.isJSON = isJSON }

    /// Adds a line.
    func add(_ fate: EntryFate, _ path: [UInt8]) {
        let line = isJSON ? EntryText.document(fate, path).text : EntryText.line(fate, path)
        buffer.withState { bytes in
            bytes += (line + "\n").utf8
            if bytes.count >= Self.bufferLimit { Self.write(&bytes) }
        }
    }

    /// Writes what is still buffered.
    func flush() { buffer.withState { Self.write(&$0) } }

    private static func write(_ bytes: inout [UInt8]) {
        // Who reads the summary learns how it went: a reader who is gone is no reason to stop.
        try? Descriptor.write(bytes.span, toStandard: 1)
        bytes.removeAll(keepingCapacity: true)
    }
}
