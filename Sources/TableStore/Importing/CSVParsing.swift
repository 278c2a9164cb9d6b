internal import Bytes
internal import Parquet
internal import TableLog

/// What a block of CSV comes to.
struct ParsedBlock: Sendable {
    /// Without those that do not fit.
    var rows: RecordBatch
    var lineCount = 0
    var rejectedCount = 0
    /// The first rows that do not fit, by their line in the block, from 0.
    var rejected: [(line: Int, problem: ColumnProblem)] = []
}

/// Makes rows of a table of blocks of CSV; several threads may do so at a time.
struct CSVParsing: Sendable {
    let layout: TableLayout
    /// Which field each column is; nil for those that the file has not.
    let places: [Int?]
    /// Fields of a row.
    let width: Int
    let delimiter: UInt8
    let keepsEmptyLines: Bool
    /// What stands for null besides nothing at all.
    let nullWords: Set<ExactText>

    /// Rows that are taken apart before their values are read.
    private static let stepRows = 1024

    func parse(_ block: CSVBlock) -> ParsedBlock {
        var splitting = CSVSplitting(block, delimiter: delimiter)
        var fields = CSVFields(width: width, keepsEmptyLines: keepsEmptyLines)
        var builders = layout.columnBuilders()
        for column in builders.indices { builders[column].nullWords = nullWords }
        let isASCII = ByteScan.isASCII(block.bytes)
        var (rowCount, left): (Int, Set<Int>) = (0, [])
        var parsed = ParsedBlock(rows: RecordBatch(rowCount: 0, columns: []))
        while splitting.next(Self.stepRows, into: &fields) {
            let rows = FieldRows(bytes: splitting.bytes, fields: fields, isASCII: isASCII)
            var problems = fields.problems.map {
                (line: $0.line, problem: ColumnProblem(nil, "expected \($0.expected)"))
            }
            for (row, problem) in add(rows, to: &builders)
            where left.insert(rowCount + row).inserted {
                problems.append((Int(fields.lines[row]), problem))
            }
            parsed.note(problems)
            rowCount += rows.count
            fields.removeAll()
        }
        parsed.lineCount = splitting.lineCount
        let all = RecordBatch(
            rowCount: rowCount, columns: builders.indices.map { builders[$0].take() })
        parsed.rows = left.isEmpty ? all : all.taking((0..<rowCount).filter { !left.contains($0) })
        return parsed
    }

    /// Adds rows; returns what does not fit, column by column.
    private func add(
        _ rows: FieldRows, to builders: inout [ColumnBuilder]
    ) -> [(row: Int, problem: ColumnProblem)] {
        var found: [(row: Int, problem: ColumnProblem)] = []
        for column in builders.indices {
            guard let field = places[column] else {
                for _ in 0..<rows.count { builders[column].appendPlaceholder() }
                continue
            }
            for problem in builders[column].append(rows, field) {
                let bytes = rows.bytes[rows.place(problem.row, field)]
                let text = String(decoding: bytes, as: UTF8.self)
                let name = layout.schema.fields[column].name
                found.append((problem.row, ColumnProblem(name, problem.problem, found: text)))
            }
        }
        return found
    }
}

extension ParsedBlock {
    /// Notes rows that do not fit, from lines behind those noted before.
    fileprivate mutating func note(_ problems: [(line: Int, problem: ColumnProblem)]) {
        guard !problems.isEmpty else { return }
        rejectedCount += problems.count
        let room = max(0, FileImport.listedRejections - rejected.count)
        rejected += problems.sorted { $0.line < $1.line }.prefix(room)
    }
}
