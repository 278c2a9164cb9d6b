/// Where the fields of rows lie that have as many as they should, and what is wrong with others.
///
/// Filled row after row from a block, by `CSVSplitting`; a field is one number:
///
///     1 bit: in quotes | 31 bits: where it begins | 32 bits: where it ends
struct CSVFields {
    /// A row that is left out, by its line in the block, from 0.
    struct Problem {
        var line: Int
        var expected: String
    }

    let width: Int
    private let keepsEmptyLines: Bool
    /// The fields of all rows, one row after the other.
    private(set) var places: [UInt64] = []
    /// The line of each row in the block, from 0.
    private(set) var lines: [Int32] = []
    private(set) var problems: [Problem] = []
    /// Where the fields of the row that is being read begin.
    private var rowStart = 0

    init(width: Int, keepsEmptyLines: Bool) {
        self.width = width
        self.keepsEmptyLines = keepsEmptyLines
    }

    static let quoted: UInt64 = 1 << 63

    var rowCount: Int { lines.count }

    /// Forgets all rows.
    mutating func removeAll() {
        places.removeAll(keepingCapacity: true)
        lines.removeAll(keepingCapacity: true)
        problems.removeAll()
        rowStart = 0
    }

    /// Adds a field that lies below 2 GiB.
    @inline(__always)
    mutating func add(_ start: Int, _ end: Int) {
        places.append(
            UInt64(truncatingIfNeeded: start) << 32 | UInt64(truncatingIfNeeded: end))
    }

    mutating func add(_ field: CSVRow.Field) {
        add(field.range.lowerBound, field.range.upperBound)
        if field.isQuoted { places[places.count - 1] |= Self.quoted }
    }

    @inline(__always)
    private static func isNothing(_ place: UInt64) -> Bool {
        place & quoted == 0 && place >> 32 == place & 0xffff_ffff
    }

    /// Ends a row: it is kept when it has the right number of fields.
    @inline(__always)
    mutating func endRow(_ line: Int) {
        if places.count - rowStart == width, width > 1 {
            lines.append(Int32(truncatingIfNeeded: line))
            rowStart = places.count
        } else {
            endOddRow(line)
        }
    }

    private mutating func endOddRow(_ line: Int) {
        let count = places.count - rowStart
        let isEmpty = count == 1 && Self.isNothing(places[rowStart])
        // Some writers end each line with a delimiter.
        if count == width + 1, Self.isNothing(places[places.count - 1]), width > 0 {
            places.removeLast()
        } else if count != width || isEmpty && !keepsEmptyLines {
            places.removeLast(count)
            if !isEmpty || keepsEmptyLines {
                let words = "\(width) fields, found \(count)"
                problems.append(Problem(line: line, expected: words))
            }
            return
        }
        lines.append(Int32(truncatingIfNeeded: line))
        rowStart = places.count
    }

    /// Notes a row of which nothing was understood.
    mutating func addProblem(_ line: Int, _ problem: ValueProblem) {
        problems.append(Problem(line: line, expected: problem.expected))
    }
}
