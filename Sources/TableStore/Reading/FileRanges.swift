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
            minimum: StatedBound(statistics["minValues"]?[name], field.type).lowest,
            maximum: StatedBound(statistics["maxValues"]?[name], field.type).highest,
            // Rows that a deletion vector hides may be those that are null, or not.
            nullCount: nulls, mayHaveNaN: isFloat, isAllNull: nulls != nil && nulls == rowCount)
    }
}
