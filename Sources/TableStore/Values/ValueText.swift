internal import Bytes
internal import JSON
internal import Parquet
internal import TableLog

/// Values of simple types as text, and back.
enum ValueText {
    /// Appends a value that is there, as it stands in CSV and in partition values.
    static func append(_ value: Scalar, _ type: TableType, to bytes: inout [UInt8]) {
        switch value {
        case .boolean(let flag): bytes += (flag ? "true" : "false").utf8
        case .integer(let number): append(number, type, to: &bytes)
        case .unsigned(let number): bytes += String(number).utf8
        case .wide(let number):
            if case .decimal(_, let scale) = type {
                DecimalText.append(number, scale: scale, to: &bytes)
            }
        case .floating(let number):
            if type == .float {
                FloatText.append(Float(number), to: &bytes)
            } else {
                FloatText.append(number, to: &bytes)
            }
        case .bytes(let value):
            if type == .binary { Base64.append(value[...], to: &bytes) } else { bytes += value }
        }
    }

    static func append(_ number: Int64, _ type: TableType, to bytes: inout [UInt8]) {
        switch type {
        case .date: TimeText.append(days: number, to: &bytes)
        case .timestamp: TimeText.append(microseconds: number, isUTC: true, to: &bytes)
        case .timestampWithoutZone:
            TimeText.append(microseconds: number, isUTC: false, to: &bytes)
        case .decimal(_, let scale):
            DecimalText.append(Int128(number), scale: scale, to: &bytes)
        default: IntegerText.append(number, to: &bytes)
        }
    }

    /// Appends the value of a row as CSV has it; nothing for null.
    static func append(_ column: Column, _ row: Int, _ type: TableType, to bytes: inout [UInt8]) {
        switch column.values {
        case .int32(let values): append(Int64(values[row]), type, to: &bytes)
        case .int64(let values): append(values[row], type, to: &bytes)
        case .bytes(let offsets, let data):
            let value = data[Int(offsets[row])..<Int(offsets[row + 1])]
            if type == .binary { Base64.append(value, to: &bytes) } else { bytes += value }
        case .structure, .list, .map: appendJSON(column, row, type, to: &bytes)
        default:
            if let value = column.scalar(row) { append(value, type, to: &bytes) }
        }
    }

    /// Reads a value that is there; nil when the text is none of the type.
    static func parse(_ text: ArraySlice<UInt8>, _ type: TableType) -> Scalar? {
        var builder = ColumnBuilder(type, isNullable: true)
        do throws(ValueProblem) {
            try builder.append(text: text)
        } catch {
            return nil
        }
        return builder.take().scalar(0)
    }
}

// MARK: - JSON
extension ValueText {
    /// Appends the value of a row as JSON: every type exact, null as null.
    static func appendJSON(
        _ column: Column, _ row: Int, _ type: TableType, to bytes: inout [UInt8]
    ) {
        guard !column.isNull(row) else {
            bytes += "null".utf8
            return
        }
        switch column.values {
        case .structure(let parts): appendStructure(parts, row, type, to: &bytes)
        case .list(let offsets, let element):
            guard case .array(let inner, _) = type else { return }
            let range = Int(offsets[row])..<Int(offsets[row + 1])
            appendList("[", "]", range, to: &bytes) { index, bytes in
                appendJSON(element, index, inner, to: &bytes)
            }
        case .map(let offsets, let key, let value):
            guard case .map(let keyType, let valueType, _) = type else { return }
            let range = Int(offsets[row])..<Int(offsets[row + 1])
            appendList("{", "}", range, to: &bytes) { index, bytes in
                var text: [UInt8] = []
                append(key, index, keyType, to: &text)
                appendQuoted(text[...], to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                if let value {
                    appendJSON(value, index, valueType, to: &bytes)
                } else {
                    bytes += "null".utf8
                }
            }
        default: appendSimple(column, row, type, to: &bytes)
        }
    }

    private static func appendSimple(
        _ column: Column, _ row: Int, _ type: TableType, to bytes: inout [UInt8]
    ) {
        switch type {
        case .date, .timestamp, .timestampWithoutZone, .binary:
            bytes.append(UInt8(ascii: "\""))
            append(column, row, type, to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        case .string: appendQuoted(column.bytes(row) ?? [], to: &bytes)
        case .float, .double:
            let start = bytes.count
            append(column, row, type, to: &bytes)
            // What is no number in JSON stands there as text.
            let isNumber =
                bytes[start] <= 0x39
                && bytes[start..<min(start + 2, bytes.count)]
                    .allSatisfy { $0 != UInt8(ascii: "I") }
            if !isNumber {
                bytes.insert(UInt8(ascii: "\""), at: start)
                bytes.append(UInt8(ascii: "\""))
            }
        default: append(column, row, type, to: &bytes)
        }
    }

    private static func appendStructure(
        _ parts: [Column], _ row: Int, _ type: TableType, to bytes: inout [UInt8]
    ) {
        guard case .structure(let fields) = type, fields.count == parts.count else { return }
        appendList("{", "}", 0..<fields.count, to: &bytes) { index, bytes in
            appendQuoted(Array(fields[index].name.utf8)[...], to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            appendJSON(parts[index], row, fields[index].type, to: &bytes)
        }
    }

    private static func appendList(
        _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ range: Range<Int>,
        to bytes: inout [UInt8], _ item: (Int, inout [UInt8]) -> Void
    ) {
        bytes.append(UInt8(ascii: open))
        for index in range {
            if index > range.lowerBound { bytes.append(UInt8(ascii: ",")) }
            item(index, &bytes)
        }
        bytes.append(UInt8(ascii: close))
    }

    static func appendQuoted(_ text: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        let isPlain = text.allSatisfy { $0 >= 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x5c }
        if isPlain {
            bytes.append(UInt8(ascii: "\""))
            bytes += text
            bytes.append(UInt8(ascii: "\""))
        } else {
            bytes += JSONValue.string(ExactText(String(decoding: text, as: UTF8.self))).bytes
        }
    }
}
