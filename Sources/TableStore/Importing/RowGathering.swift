internal import Bytes
internal import JSON
internal import Parquet
internal import TableLog

/// Rows that were read and wait to be written, some of them to be left out.
struct RowGathering {
    private let schema: TableSchema
    private var builders: [ColumnBuilder]
    private var count = 0
    private var rejected: [Int] = []

    /// Rows of one batch at most.
    private static let rowLimit = 16 << 10
    /// Bytes of text of one batch, about.
    private static let byteLimit = 8 << 20

    init(_ layout: TableLayout) {
        schema = layout.schema
        builders = layout.columnBuilders()
    }

    var isFull: Bool {
        count >= Self.rowLimit
            || count & 255 == 0 && builders.reduce(0) { $0 + $1.dataSize } >= Self.byteLimit
    }

    /// Ends a row in the middle of which a problem was found.
    private mutating func abandonRow() {
        for column in builders.indices where builders[column].count == count {
            builders[column].appendPlaceholder()
        }
        rejected.append(count)
        count += 1
    }

    /// Adds a row of JSON; `places` tells for each column which member it is.
    mutating func add(
        _ members: [JSONValue.Member], _ places: [Int?]
    ) throws(ColumnProblem) {
        for column in builders.indices {
            do throws(ValueProblem) {
                if let member = places[column] {
                    try builders[column].append(json: members[member].value)
                } else {
                    try builders[column].appendNull()
                }
            } catch {
                let found = places[column].map { members[$0].value.text }
                abandonRow()
                throw ColumnProblem(schema.fields[column].name, error, found: found)
            }
        }
        count += 1
    }

    /// Takes the rows out that are not left out, and begins again.
    mutating func take() -> RecordBatch {
        let all = RecordBatch(
            rowCount: count, columns: builders.indices.map { builders[$0].take() })
        let left = Set(rejected)
        count = 0
        rejected.removeAll()
        guard !left.isEmpty else { return all }
        return all.taking((0..<all.rowCount).filter { !left.contains($0) })
    }
}

/// A value that does not fit, and its column.
struct ColumnProblem: Error {
    let column: ExactText?
    let detail: String

    init(_ column: ExactText?, _ detail: String) {
        self.column = column
        self.detail = detail
    }

    init(_ column: ExactText, _ problem: ValueProblem, found: String?) {
        self.column = column
        var text = "expected \(problem.expected)"
        if let found, !found.isEmpty {
            text += ", found '\(found.prefix(60))" + (found.count > 60 ? "…'" : "'")
        } else {
            text += ", found nothing"
        }
        detail = text
    }
}
