internal import Bytes
internal import Parquet
internal import TableLog

/// The rows that have the same values in the columns that a table is partitioned by.
struct Partition: Hashable, Sendable {
    /// As they stand in the log, in the order of the partition columns; nil for null.
    let values: [String?]

    /// The one of a table that is not partitioned.
    static let whole = Partition([])

    private init(_ values: [String?]) { self.values = values }

    /// Where its data files lie: `day=2026-11-20/region=EU`, or empty.
    ///
    /// Nobody takes values from there; other tools know the form.
    func directory(_ names: [String]) -> String {
        zip(names, values).map { name, value in
            Self.escape(name) + "=" + (value.map(Self.escape) ?? "__HIVE_DEFAULT_PARTITION__")
        }.joined(separator: "/")
    }

    /// ASCII letters, digits and few signs stay; the rest is percent-encoded, and what grows too
    /// long for a name is cut and told apart by a checksum.
    private static func escape(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            let isPlain =
                byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a && byte < 0x80
                || byte >= 0x30 && byte <= 0x39 || "_-.".utf8.contains(byte)
            if isPlain {
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                escaped += "%" + Hex.encode([byte]).uppercased()
            }
        }
        guard escaped.utf8.count > 100 else { return escaped }
        var sum: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return escaped.prefix(80) + "~" + String(sum, radix: 16)
    }

    /// The partition of a row; throws for values that cannot stand in a log.
    init(
        _ batch: RecordBatch, _ row: Int, _ layout: TableLayout
    ) throws(TableStoreError) {
        var values: [String?] = []
        for column in layout.partitionColumns {
            let field = layout.schema.fields[column]
            guard let value = batch.columns[column].scalar(row) else {
                values.append(nil)
                continue
            }
            var text: [UInt8] = []
            if field.type == .binary, case .bytes(let bytes) = value {
                // Other writers put the bytes there as characters, and so they are read.
                guard String(validating: bytes, as: UTF8.self) != nil else {
                    throw TableStoreError(
                        .input, "",
                        "column \(field.name): bytes that are no text in UTF-8 cannot be the value "
                            + "of a partition")
                }
                text = bytes
            } else {
                ValueText.append(value, field.type, to: &text)
            }
            // The protocol writes times without zone with a blank.
            if field.type == .timestampWithoutZone, let place = text.firstIndex(of: 0x54) {
                text[place] = 0x20
            }
            guard !text.isEmpty else {
                throw TableStoreError(
                    .input, "",
                    "column \(field.name): an empty text cannot be the value of a partition, where "
                        + "it would stand for null")
            }
            values.append(String(decoding: text, as: UTF8.self))
        }
        self.values = values
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
