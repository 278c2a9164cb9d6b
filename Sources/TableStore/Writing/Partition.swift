internal import Bytes
internal import Parquet
internal import TableLog

/// The rows that have the same values in the columns that a table is partitioned by.
struct Partition: Hashable, Sendable {
    /// As they stand in the log, in the order of the partition columns; nil for null.
    let values: [ExactText?]

    /// The one of a table that is not partitioned.
    static let whole = Partition([])

    private init(_ values: [ExactText?]) { self.values = values }

    /// Where its data files lie: `day=2026-11-20/region=EU`, or empty.
    ///
    /// The log has the values, but Polars takes them from here: so the names of columns stand as
    /// they are, values whole, and times as delta-rs has them here.
    func directory(_ layout: TableLayout) -> ExactText {
        ExactText(
            zip(layout.partitionColumns, values).map { column, value in
                Self.directory(layout.schema.fields[column], value)
            }.joined(separator: "/"))
    }

    private static func directory(_ field: TableField, _ value: ExactText?) -> String {
        let name = encode(field.name.string) { $0 != UInt8(ascii: "/") && $0 != 0 }
        guard var text = value?.string else { return name + "=" + null }
        if field.type == .timestamp, text.last == "Z" {
            text = String(text.dropLast()).replacing("T", with: " ")
        }
        let whole = name + "=" + escape(text)
        guard whole.utf8.count > nameLimit else { return whole }
        // Under the name of a column that there is not: whoever trusts directories stops at it,
        // where a value cut short would deceive him.
        var sum: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return name.prefix(60) + "~=" + String(sum, radix: 16)
    }

    /// Bytes of a name in a directory at most (NAME_MAX).
    private static let nameLimit = 255
    private static let null = "__HIVE_DEFAULT_PARTITION__"

    /// Letters, digits and few signs stay; the rest is percent-encoded.
    private static func escape(_ text: String) -> String {
        encode(text) { byte in
            byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a || byte >= 0x80
                || byte >= 0x30 && byte <= 0x39 || "_-.+".utf8.contains(byte)
        }
    }

    private static func encode(_ text: String, _ isPlain: (UInt8) -> Bool) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if isPlain(byte) {
                bytes.append(byte)
            } else {
                bytes += ("%" + Hex.encode([byte]).uppercased()).utf8
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What is expected instead of a text that cannot be the value of a partition; nil for others.
    static func expectation(_ text: ArraySlice<UInt8>) -> String? {
        if text.isEmpty { return "a text: an empty one would stand for null in a partition" }
        // Other readers take values as text, binary ones too.
        return String(validating: text, as: UTF8.self) != nil
            ? nil : "bytes that are text in UTF-8, as all values of partitions are"
    }

    /// The partition of a row; throws for values that cannot stand in a log.
    init(
        _ batch: RecordBatch, _ row: Int, _ layout: TableLayout
    ) throws(TableStoreError) {
        var values: [ExactText?] = []
        for column in layout.partitionColumns {
            let field = layout.schema.fields[column]
            guard let value = batch.columns[column].scalar(row) else {
                values.append(nil)
                continue
            }
            let text = Self.text(value, field.type)
            if let expected = Self.expectation(text[...]) {
                throw TableStoreError(.input, "", "column \(field.name): expected \(expected)")
            }
            values.append(ExactText(String(decoding: text, as: UTF8.self)))
        }
        self.values = values
    }

    /// A value as the log has it (PROTOCOL.md, "Partition Value Serialization"); all times in one
    /// form, from which Polars knows what they are.
    private static func text(_ value: Scalar, _ type: TableType) -> [UInt8] {
        var text: [UInt8] = []
        switch (value, type) {
        case (.bytes(let bytes), _): return bytes
        case (.integer(let moment), .timestamp), (.integer(let moment), .timestampWithoutZone):
            let isUTC = type == .timestamp
            TimeText.append(
                microseconds: moment, isUTC: isUTC, alwaysWithFraction: true, to: &text)
            // Without a zone a blank stands between date and time.
            if !isUTC, let place = text.firstIndex(of: 0x54) { text[place] = 0x20 }
        default: ValueText.append(value, type, to: &text)
        }
        return text
    }

    /// The partition of a data file of the log.
    init(_ file: AddFile, _ table: StoredTable) {
        values = table.partitionColumns.map { column in
            let value = file.partitionValues[table.schema.fields[column].physicalName] ?? nil
            return value?.isEmpty == true ? nil : value
        }
    }
}

/// What decides where rows go.
struct TableLayout: Sendable {
    var schema: TableSchema
    var partitionColumns: [Int] = []
    var sortColumns: [Int] = []

    /// Columns that stand in data files, by their places.
    var storedColumns: [Int] {
        schema.fields.indices.filter { !partitionColumns.contains($0) }
    }

    init(_ schema: TableSchema) { self.schema = schema }

    /// The layout of a table that is designed and not yet made.
    init(_ design: TableDesign) throws(TableStoreError) {
        schema = design.schema
        for name in design.partitionBy { partitionColumns.append(try schema.index(of: name)) }
        for name in design.sortBy { sortColumns.append(try schema.index(of: name)) }
    }

    init(_ table: StoredTable) {
        schema = table.schema
        partitionColumns = table.partitionColumns
        sortColumns = table.sortColumns
    }

    /// Builders for all columns; those of partitions take only what can be a partition's value.
    func columnBuilders() -> [ColumnBuilder] {
        var builders = schema.fields.map { ColumnBuilder($0.type, isNullable: $0.isNullable) }
        for column in partitionColumns { builders[column].isPartition = true }
        return builders
    }

    /// The fields of data files; throws for columns that are not written here.
    func fileSchema() throws(TableStoreError) -> Schema {
        var elements: [SchemaElement] = []
        for column in storedColumns {
            let field = schema.fields[column]
            guard let element = field.element else {
                throw TableStoreError(
                    .unsupported, "",
                    "column \(field.name) is of type \(SchemaGrammar.typeName(field.type)), which "
                        + "is read here and not written")
            }
            elements.append(element)
        }
        return try parqueted("") { () throws(ParquetError) in try Schema(writing: elements) }
    }

    /// The columns of a batch that stand in data files.
    func stored(_ batch: RecordBatch) -> RecordBatch {
        RecordBatch(
            rowCount: batch.rowCount, columns: storedColumns.map { batch.columns[$0] })
    }
}
