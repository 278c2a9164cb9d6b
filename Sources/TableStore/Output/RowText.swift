package import Parquet
package import TableLog

internal import Bytes

/// Rows as text: CSV (RFC 4180) or newline-delimited JSON.
///
/// JSON keeps every type: numbers with all digits, times in the form of ISO 8601, binary values in
/// Base64, null as null. In CSV nothing at all is null, and "" an empty text.
package struct RowText: Sendable {
    package enum Form: Sendable {
        case csv(delimiter: UInt8)
        case ndjson
    }

    private let fields: [TableField]
    private let form: Form
    private let names: [[UInt8]]

    package init(_ fields: [TableField], _ form: Form) {
        self.fields = fields
        self.form = form
        names = fields.map { field in
            var name: [UInt8] = []
            ValueText.appendQuoted(Array(field.name.utf8)[...], to: &name)
            return name
        }
    }

    /// The line with the names of the columns; nothing for JSON, which has them in every row.
    package var header: [UInt8] {
        guard case .csv(let delimiter) = form else { return [] }
        var line: [UInt8] = []
        for (index, field) in fields.enumerated() {
            if index > 0 { line.append(delimiter) }
            Self.appendCSV(Array(field.name.utf8)[...], delimiter, to: &line)
        }
        return line + [0x0a]
    }

    /// Appends a line for each row of a batch with these fields.
    package func append(_ batch: RecordBatch, to bytes: inout [UInt8]) {
        for row in 0..<batch.rowCount {
            switch form {
            case .csv(let delimiter): appendCSV(batch, row, delimiter, to: &bytes)
            case .ndjson: appendJSON(batch, row, to: &bytes)
            }
        }
    }

    private func appendJSON(_ batch: RecordBatch, _ row: Int, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        for (index, column) in batch.columns.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += names[index]
            bytes.append(UInt8(ascii: ":"))
            ValueText.appendJSON(column, row, fields[index].type, to: &bytes)
        }
        bytes += "}\n".utf8
    }

    private func appendCSV(
        _ batch: RecordBatch, _ row: Int, _ delimiter: UInt8, to bytes: inout [UInt8]
    ) {
        for (index, column) in batch.columns.enumerated() {
            if index > 0 { bytes.append(delimiter) }
            guard !column.isNull(row) else { continue }
            switch fields[index].type {
            case .string:
                Self.appendCSV(column.bytes(row) ?? [], delimiter, to: &bytes)
            case .binary, .structure, .array, .map:
                var text: [UInt8] = []
                ValueText.append(column, row, fields[index].type, to: &text)
                Self.appendCSV(text[...], delimiter, to: &bytes)
            default: ValueText.append(column, row, fields[index].type, to: &bytes)
            }
        }
        bytes.append(0x0a)
    }

    private static func appendCSV(
        _ text: ArraySlice<UInt8>, _ delimiter: UInt8, to bytes: inout [UInt8]
    ) {
        let needsQuotes =
            text.isEmpty
            || text.contains { $0 == delimiter || $0 == 0x22 || $0 == 0x0a || $0 == 0x0d }
        guard needsQuotes else {
            bytes += text
            return
        }
        bytes.append(0x22)
        for byte in text {
            if byte == 0x22 { bytes.append(0x22) }
            bytes.append(byte)
        }
        bytes.append(0x22)
    }

    /// The values of a row for a person: null as "null".
    package func cells(_ batch: RecordBatch, _ row: Int) -> [String] {
        batch.columns.indices.map { index in
            let column = batch.columns[index]
            guard !column.isNull(row) else { return "null" }
            var text: [UInt8] = []
            ValueText.append(column, row, fields[index].type, to: &text)
            return MessageText.harmless(String(decoding: text, as: UTF8.self))
        }
    }
}
