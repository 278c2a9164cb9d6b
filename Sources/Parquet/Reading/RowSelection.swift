/// Which rows of a row group are wanted: ranges that ascend and do not touch.
package struct RowSelection: Equatable, Sendable {
    package private(set) var ranges: [Range<Int64>] = []

    /// Selects nothing.
    package init() {}

    /// Selects the rows in `range`.
    package init(_ range: Range<Int64>) { add(range) }

    package var count: Int64 { ranges.reduce(0) { $0 + Int64($1.count) } }
    package var isEmpty: Bool { ranges.isEmpty }

    /// The row that has `number` selected ones before it; nil when there are not as many.
    package func row(_ number: Int64) -> Int64? {
        var left = number
        for range in ranges {
            if left < Int64(range.count) { return range.lowerBound + left }
            left -= Int64(range.count)
        }
        return nil
    }

    /// Adds rows that do not begin before the last ones added.
    package mutating func add(_ range: Range<Int64>) {
        guard !range.isEmpty else { return }
        if let last = ranges.last, range.lowerBound <= last.upperBound {
            precondition(range.lowerBound >= last.lowerBound)
            ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
        } else {
            ranges.append(range)
        }
    }

    /// The rows that both select.
    package func intersection(_ other: RowSelection) -> RowSelection {
        var result = RowSelection()
        var (mine, theirs) = (ranges.startIndex, other.ranges.startIndex)
        while mine < ranges.endIndex, theirs < other.ranges.endIndex {
            let (one, two) = (ranges[mine], other.ranges[theirs])
            result.add(one.clamped(to: two))
            if one.upperBound <= two.upperBound { mine += 1 } else { theirs += 1 }
        }
        return result
    }

    /// The rows of this one that the other does not select.
    package func subtracting(_ other: RowSelection) -> RowSelection {
        var result = RowSelection()
        var next = other.ranges.startIndex
        for range in ranges {
            var start = range.lowerBound
            while next < other.ranges.endIndex, other.ranges[next].lowerBound < range.upperBound {
                let hole = other.ranges[next]
                if hole.lowerBound > start { result.add(start..<hole.lowerBound) }
                start = max(start, hole.upperBound)
                guard hole.upperBound <= range.upperBound else { break }
                next += 1
            }
            if start < range.upperBound { result.add(start..<range.upperBound) }
        }
        return result
    }

    /// The rows that one of them selects.
    package func union(_ other: RowSelection) -> RowSelection {
        var result = RowSelection()
        for range in (ranges + other.ranges).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            result.add(range)
        }
        return result
    }
}
