internal import Bytes
internal import Parquet
internal import Reports
internal import TableLog
internal import TableStore

/// Prints the rows of a scan.
enum TableRows {
    /// Rows that decide how wide columns are; what comes later may be wider.
    private static let measuredRows = 1000

    static func print(
        _ scan: inout TableScan, _ form: RowText.Form, _ console: Console
    ) throws {
        let text = RowText(scan.fields, form)
        try console.print(text.header)
        while let batch = try scan.next() {
            var bytes: [UInt8] = []
            text.append(batch, to: &bytes)
            try console.print(bytes)
        }
    }

    /// Prints aligned columns, numbers to the right.
    static func print(_ scan: inout TableScan, _ console: Console) throws {
        let text = RowText(scan.fields, .ndjson)
        var widths: [Int]?
        var waiting = [scan.fields.map(\.name.string)]
        let isNumber = scan.fields.map { field in
            switch field.type {
            case .long, .integer, .short, .byte, .float, .double, .decimal: true
            default: false
            }
        }
        func flush() throws {
            let columns =
                widths
                ?? isNumber.indices.map { column in
                    waiting.map { TerminalText.width($0[column]) }.max() ?? 0
                }
            widths = columns
            for row in waiting {
                try console.print(line: Self.line(row, columns, isNumber))
            }
            waiting.removeAll()
        }
        while let batch = try scan.next() {
            for row in 0..<batch.rowCount {
                waiting.append(text.cells(batch, row))
                if waiting.count > measuredRows { try flush() }
            }
        }
        try flush()
    }

    private static func line(_ row: [String], _ widths: [Int], _ isNumber: [Bool]) -> String {
        var line = ""
        for (column, cell) in row.enumerated() {
            if column > 0 { line += "  " }
            line += TerminalText.padded(cell, to: widths[column], trailing: isNumber[column])
        }
        while line.last == " " { line.removeLast() }
        return line
    }
}
