internal import Bytes
internal import JSON
internal import Platform
internal import Reports

/// The rate of the last few seconds.
struct RateEstimate {
    private var samples: [(seconds: Double, bytes: UInt64)] = []
    private static let window = 5.0

    mutating func add(bytes: UInt64, at seconds: Double) {
        samples.append((seconds, bytes))
        while samples.count > 2, let second = samples.dropFirst().first,
            second.seconds < seconds - Self.window
        {
            samples.removeFirst()
        }
    }

    /// Nil until two samples lie apart.
    var bytesPerSecond: Double? {
        guard let first = samples.first, let last = samples.last, last.seconds > first.seconds,
            last.bytes >= first.bytes
        else { return nil }
        return Double(last.bytes - first.bytes) / (last.seconds - first.seconds)
    }
}

/// Progress as one line of a terminal, or as a JSON object.
enum ProgressLine {
    static func text(
        _ counters: WorkProgress.Counters,
        seconds: UInt64,
        bytesPerSecond: Double?,
        columns: Int
    ) -> String {
        var parts = [Wording.clock(seconds: seconds)]
        if counters.isTotalKnown, counters.bytesFound > 0 {
            let share = Double(counters.bytesDone) / Double(counters.bytesFound)
            parts.append("\(Int((min(share, 1) * 100).rounded(.down)))%")
        }
        let total = "\(Wording.bytes(counters.bytesFound))\(counters.isTotalKnown ? "" : "+")"
        let isTotalTold = counters.isTotalKnown || counters.bytesFound > 0
        parts.append(Wording.bytes(counters.bytesDone) + (isTotalTold ? " of \(total)" : ""))
        if counters.filesFound > 0 { parts.append(Wording.count(counters.filesDone, "file")) }
        if let rate = bytesPerSecond {
            parts.append(Wording.rate(rate))
            if let rest = remaining(counters, rate) {
                parts.append("ETA \(Wording.clock(seconds: rest))")
            }
        }
        let head = parts.joined(separator: "  ")
        let room = columns - TerminalText.width(head) - 2
        let path = PathBytes.printable(counters.currentPath)
        guard room >= 8, !path.isEmpty else { return prefix(head, columns) }
        return head + "  " + TerminalText.end(of: path, fitting: room)
    }

    private static func remaining(_ counters: WorkProgress.Counters, _ rate: Double) -> UInt64? {
        guard counters.isTotalKnown, rate >= 1, counters.bytesFound >= counters.bytesDone else {
            return nil
        }
        let seconds = Double(counters.bytesFound - counters.bytesDone) / rate
        return seconds < 1e9 ? UInt64(seconds.rounded(.up)) : nil
    }

    private static func prefix(_ text: String, _ columns: Int) -> String {
        String(text.prefix(max(0, columns)))
    }

    static func json(_ counters: WorkProgress.Counters, milliseconds: UInt64) -> JSONValue {
        var object: JSONObject = [
            "type": "status", "duration_ms": .number(milliseconds),
            "files_done": .number(counters.filesDone), "files_found": .number(counters.filesFound),
            "bytes_done": .number(counters.bytesDone), "bytes_found": .number(counters.bytesFound),
            "total_known": .bool(counters.isTotalKnown),
        ]
        object.setBytes("current_path", counters.currentPath)
        return object.value
    }
}
