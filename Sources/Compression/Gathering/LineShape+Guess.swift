extension LineShape {
    private static let delimiters: SIMD4<UInt8> = [0x09, 0x2c, 0x3b, 0x7c]  // Tab , ; |
    /// So many lines are looked at, and so many there must be.
    private static let lines = 8...32
    /// The first must end in so many bytes, and all that count lie in so many.
    private static let firstReach = 16 << 10
    private static let reach = 64 << 10
    private static let leastFields = 3

    /// Tells the shape of a text, if most of its first lines have as many fields; nil for anything
    /// else.
    ///
    /// Takes microseconds. The first line does not count: it may be a header, or half of a line.
    package init?(guessing text: Span<UInt8>) {
        let lines = Self.fieldCounts(text.extracting(0..<min(text.count, Self.reach)))
        guard lines.count >= Self.lines.lowerBound else { return nil }
        var best: LineShape?
        for index in Self.delimiters.indices {
            let counts = lines.map { $0[index] }.sorted()
            let usual = counts[counts.count / 2]
            let alike = counts.count { $0 == usual }
            guard (Self.leastFields...Self.columnLimit).contains(usual),
                4 * alike >= 3 * counts.count, usual > best?.columnCount ?? 0
            else { continue }
            best = LineShape(delimiter: Self.delimiters[index], columnCount: usual)
        }
        guard let best else { return nil }
        self = best
    }

    /// How many fields the first lines have by each of the delimiters.
    private static func fieldCounts(_ text: Span<UInt8>) -> [SIMD4<Int>] {
        var lines: [SIMD4<Int>] = []
        var counts = SIMD4<Int>(repeating: 1)
        var isFirst = true
        for index in text.indices {
            switch text[index] {
            case delimiters[0]: counts[0] += 1
            case delimiters[1]: counts[1] += 1
            case delimiters[2]: counts[2] += 1
            case delimiters[3]: counts[3] += 1
            case lineFeed:
                if !isFirst { lines.append(counts) }
                if lines.count == Self.lines.upperBound { return lines }
                isFirst = false
                counts = SIMD4(repeating: 1)
            default: if isFirst, index == firstReach { return [] }
            }
        }
        return lines
    }
}
