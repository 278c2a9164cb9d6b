internal import Bytes
internal import Platform

/// Numbers, times and lists as people read them.
package enum Wording {
    /// "1,234 files", "1 file", "2 directories", "2 passes".
    package static func count(_ number: some BinaryInteger, _ noun: String) -> String {
        "\(grouped(number)) \(number == 1 ? noun : plural(noun))"
    }

    private static func plural(_ noun: String) -> String {
        if noun.hasSuffix("y") { return noun.dropLast() + "ies" }
        return noun + (noun.hasSuffix("s") ? "es" : "s")
    }

    /// A path of a snapshot or store; the root is ".".
    package static func path(_ path: [UInt8]) -> String {
        path.isEmpty ? "." : PathBytes.printable(path)
    }

    /// The text of others, safe for a terminal; what was made safe before stays as it is.
    package static func foreign(_ text: String) -> String { TerminalText.harmless(text) }

    /// Digits in groups of three.
    package static func grouped(_ number: some BinaryInteger) -> String {
        let digits = Array(String(number))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// "512 B", "1.50 GB".
    package static func bytes(_ count: UInt64) -> String { "\(ByteCount(count))" }

    /// "0.05 s", "12.3 s", "3:25 min", "1:03:25 h".
    package static func duration(milliseconds: UInt64) -> String {
        let seconds = milliseconds / 1000
        if seconds < 10 { return "\(seconds).\(twoDigits(milliseconds % 1000 / 10)) s" }
        if seconds < 60 { return "\(seconds).\(milliseconds % 1000 / 100) s" }
        return clock(seconds: seconds) + (seconds < 3600 ? " min" : " h")
    }

    /// "0:05", "1:03:25".
    package static func clock(seconds: UInt64) -> String {
        let rest = twoDigits(seconds % 60)
        if seconds < 3600 { return "\(seconds / 60):\(rest)" }
        return "\(seconds / 3600):\(twoDigits(seconds / 60 % 60)):\(rest)"
    }

    /// A duration and, where so many bytes were moved that it tells something, their rate.
    package static func pace(_ bytes: UInt64, milliseconds: UInt64) -> String {
        let duration = Self.duration(milliseconds: milliseconds)
        guard milliseconds > 0, bytes >= 1_000_000 else { return duration }
        return "\(duration), \(rate(Double(bytes) * 1000 / Double(milliseconds)))"
    }

    /// "50.0 MB/s".
    package static func rate(_ bytesPerSecond: Double) -> String {
        "\(ByteCount(UInt64(min(max(0, bytesPerSecond), 1e18).rounded())))/s"
    }

    /// A duration in whole milliseconds.
    package static func milliseconds(_ duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = duration.components
        return UInt64(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }

    /// Paths or words, with commas between.
    package static func list(_ items: [[UInt8]]) -> String {
        items.map { PathBytes.printable($0) }.joined(separator: ", ")
    }

    private static func twoDigits(_ number: UInt64) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
