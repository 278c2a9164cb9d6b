/// Rows of text in aligned columns.
package struct Table {
    /// Where a column keeps its blanks: text is leading, numbers are trailing.
    package enum Alignment { case leading, trailing }

    private let alignments: [Alignment]
    private var rows: [[String]]

    /// A table without rows.
    package init(_ columns: [(title: String, alignment: Alignment)]) {
        alignments = columns.map(\.alignment)
        rows = [columns.map(\.title)]
    }

    /// Appends a row, which must have a cell for each column.
    package mutating func append(_ row: [String]) {
        precondition(row.count == alignments.count)
        rows.append(row)
    }

    /// The titles and the rows, two spaces between columns and none at the end.
    package var lines: [String] {
        let widths = alignments.indices.map { column in
            rows.map { TerminalText.width($0[column]) }.max() ?? 0
        }
        return rows.map { row in
            let cells = row.indices.map { column in
                TerminalText.padded(
                    row[column],
                    to: widths[column],
                    trailing: alignments[column] == .trailing
                )
            }
            return Self.withoutTrailingSpaces(cells.joined(separator: "  "))
        }
    }

    private static func withoutTrailingSpaces(_ text: String) -> String {
        var text = text
        while text.last == " " { text.removeLast() }
        return text
    }
}
