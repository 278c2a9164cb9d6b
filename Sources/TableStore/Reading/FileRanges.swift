internal import Bytes
internal import JSON
internal import Parquet
internal import TableLog

/// What the log says of the rows of a data file: its statistics and partition values.
struct FileRanges {
    private let table: StoredTable
    private let file: AddFile
    private let statistics: JSONValue?
    /// Nil when the writer did not tell.
    let rowCount: Int64?

    init(_ table: StoredTable, _ file: AddFile) {
        self.table = table
        self.file = file
        statistics = file.statistics.flatMap { try? JSONValue(parsing: $0) }
        rowCount = statistics?["numRecords"]?.int64
    }

    /// The value that all rows have in a partition column; throws when it is none of its type.
    static func partitionValue(
        _ field: TableField, _ file: AddFile
    ) throws(TableStoreError) -> Scalar? {
        guard let noted = file.partitionValues[field.physicalName], let text = noted,
            !text.isEmpty
        else { return nil }
        // Binary values stand there as characters, not in Base64.
        if field.type == .binary { return .bytes(Array(text.utf8)) }
        guard let value = ValueText.parse(Array(text.utf8)[...], field.type) else {
            throw TableStoreError(
                .damaged, file.path.string,
                "partition value '\(text)' of column \(field.name) is not "
                    + TypeWords.describe(field.type))
        }
        return value
    }

    /// What is known of a column; nil when nothing is.
    func range(_ column: Int) -> ValueRange? {
        let field = table.schema.fields[column]
        if table.partitionColumns.contains(column) {
            guard let value = try? Self.partitionValue(field, file) else {
                let isNull = (file.partitionValues[field.physicalName] ?? nil) ?? ""
                return isNull.isEmpty
                    ? ValueRange(
                        minimum: nil, maximum: nil, nullCount: nil, mayHaveNaN: false,
                        isAllNull: true) : nil
            }
            var isNaN = false
            if case .floating(let number) = value { isNaN = number.isNaN }
            return ValueRange(
                minimum: isNaN ? nil : value, maximum: isNaN ? nil : value, nullCount: 0,
                mayHaveNaN: isNaN, isAllNull: false)
        }
        guard let statistics else { return nil }
        let name = field.physicalName
        let nulls = statistics["nullCount"]?[name]?.int64
        let isFloat = field.type == .float || field.type == .double
        return ValueRange(
            minimum: bound(statistics["minValues"]?[name], field.type)
                .map { Self.widened($0, field.type, up: false) },
            maximum: bound(statistics["maxValues"]?[name], field.type)
                .map { Self.widened($0, field.type, up: true) },
            // Rows that a deletion vector hides may be those that are null, or not.
            nullCount: nulls, mayHaveNaN: isFloat, isAllNull: nulls != nil && nulls == rowCount)
    }

    private func bound(_ value: JSONValue?, _ type: TableType) -> Scalar? {
        switch (value, type) {
        case (nil, _), (_, .binary), (_, .structure), (_, .array), (_, .map): return nil
        case (.number(let text), _):
            var builder = ColumnBuilder(type, isNullable: true)
            guard (try? builder.append(json: .number(text))) != nil,
                let scalar = builder.take().scalar(0), !isClamped(scalar)
            else { return nil }
            return scalar
        case (.string(let text), .string): return .bytes(Array(text.utf8))
        case (.string(let text), .date): return ValueText.parse(Array(text.utf8)[...], type)
        case (.string(let text), .timestamp), (.string(let text), .timestampWithoutZone):
            return TimeText.parseTimestamp(Array(text.utf8)[...]).map { .integer($0.microseconds) }
        case (.bool(let flag), .boolean): return .boolean(flag)
        default: return nil
        }
    }

    /// Whether a decimal is where delta-rs puts those that have more than 64 bits.
    private func isClamped(_ bound: Scalar) -> Bool {
        guard case .wide(let value) = bound else { return false }
        return value == Int128(Int64.max) || value == Int128(Int64.min)
    }

    /// Bounds as far out as writers may have meant them: some cut times off behind the
    /// milliseconds, and some write decimals as numbers of 64 bits, rounded twice.
    private static func widened(_ bound: Scalar, _ type: TableType, up: Bool) -> Scalar {
        switch (bound, type) {
        case (.integer(let value), .timestamp), (.integer(let value), .timestampWithoutZone):
            return .integer(up ? moved(value, 999) : value)
        case (.integer(let value), .decimal(let precision, _)) where precision > 15:
            let distance = Int64(clamping: value.magnitude >> 50) + 1
            return .integer(moved(value, up ? distance : -distance))
        case (.wide(let value), .decimal):
            let distance = Int128(clamping: value.magnitude >> 50) + 1
            return .wide(moved(value, up ? distance : -distance))
        default: return bound
        }
    }

    /// The sum, or the end of what there is.
    private static func moved<Value: FixedWidthInteger>(
        _ value: Value, _ distance: Value
    ) -> Value {
        let (sum, overflow) = value.addingReportingOverflow(distance)
        return overflow ? (distance > 0 ? .max : .min) : sum
    }
}
