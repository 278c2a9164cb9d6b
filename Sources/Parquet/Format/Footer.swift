package import Bytes

/// A key and a value that a writer left in the footer.
package struct KeyValue: Equatable, Sendable {
    package var key: ExactText
    package var value: ExactText?

    package init(_ key: ExactText, _ value: ExactText?) {
        self.key = key
        self.value = value
    }

    static func read(_ reader: inout CompactReader) throws(ParquetError) -> KeyValue {
        var (key, value): (ExactText?, ExactText?) = (nil, nil)
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            switch field.id {
            case 1: key = try reader.string(field)
            case 2: value = try reader.string(field)
            default: try reader.skip(field)
            }
        }
        guard let key else { throw reader.missing("a key") }
        return KeyValue(key, value)
    }

    func write(to writer: inout CompactWriter) {
        writer.begin()
        writer.field(1, key)
        if let value { writer.field(2, value) }
        writer.end()
    }
}

/// A row group: rows that lie together, column after column.
package struct RowGroup: Equatable, Sendable {
    package var columns: [ColumnChunk]
    /// Plain bytes of all columns.
    package var plainSize: Int64
    package var rowCount: Int64
    package var sorting: [SortingColumn]?
    package var ordinal: Int16?

    static func read(_ reader: inout CompactReader) throws(ParquetError) -> RowGroup {
        var columns: [ColumnChunk]?
        var (plainSize, rowCount): (Int64?, Int64?) = (nil, nil)
        var sorting: [SortingColumn]?
        var ordinal: Int16?
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            switch field.id {
            case 1:
                var list: [ColumnChunk] = []
                for _ in 0..<(try reader.list(field, of: .structure)) {
                    list.append(try ColumnChunk.read(&reader))
                }
                columns = list
            case 2: plainSize = try reader.int64(field)
            case 3: rowCount = try reader.int64(field)
            case 4:
                var list: [SortingColumn] = []
                for _ in 0..<(try reader.list(field, of: .structure)) {
                    list.append(try SortingColumn.read(&reader))
                }
                sorting = list
            case 7: ordinal = try reader.int16(field)
            default: try reader.skip(field)
            }
        }
        guard let columns, let rowCount, rowCount >= 0 else {
            throw reader.missing("columns and row count of a row group")
        }
        return RowGroup(
            columns: columns, plainSize: plainSize ?? 0, rowCount: rowCount, sorting: sorting,
            ordinal: ordinal)
    }

    func write(to writer: inout CompactWriter) {
        writer.begin()
        writer.list(1, of: .structure, count: columns.count)
        for column in columns { column.write(to: &writer) }
        writer.field(2, plainSize)
        writer.field(3, rowCount)
        if let sorting {
            writer.list(4, of: .structure, count: sorting.count)
            for column in sorting { column.write(to: &writer) }
        }
        if let first = columns.first { writer.field(5, first.start) }
        writer.field(6, columns.reduce(0) { $0 &+ $1.storedSize })
        if let ordinal { writer.field(7, ordinal) }
        writer.end()
    }
}

/// A column that the rows of a row group are sorted by.
package struct SortingColumn: Equatable, Sendable {
    package var leaf: Int32
    package var isDescending: Bool
    package var nullsFirst: Bool

    package init(leaf: Int32, isDescending: Bool = false, nullsFirst: Bool = false) {
        self.leaf = leaf
        self.isDescending = isDescending
        self.nullsFirst = nullsFirst
    }

    static func read(_ reader: inout CompactReader) throws(ParquetError) -> SortingColumn {
        var column = SortingColumn(leaf: 0)
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            switch field.id {
            case 1: column.leaf = try reader.int32(field)
            case 2: column.isDescending = try reader.bool(field)
            case 3: column.nullsFirst = try reader.bool(field)
            default: try reader.skip(field)
            }
        }
        return column
    }

    func write(to writer: inout CompactWriter) {
        writer.begin()
        writer.field(1, leaf)
        writer.field(2, isDescending)
        writer.field(3, nullsFirst)
        writer.end()
    }
}

/// What the footer of a file says.
package struct Footer: Equatable, Sendable {
    package var version: Int32
    package var schema: [SchemaElement]
    package var rowCount: Int64
    package var rowGroups: [RowGroup]
    package var keyValues: [KeyValue]
    package var createdBy: ExactText?
    /// For each leaf, whether its bounds are in the order of its type; empty when not said.
    package var hasTypeOrder: [Bool]

    static func read(_ reader: inout CompactReader) throws(ParquetError) -> Footer {
        var footer = Footer(
            version: 1, schema: [], rowCount: -1, rowGroups: [], keyValues: [], createdBy: nil,
            hasTypeOrder: [])
        var hasRowGroups = false
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            switch field.id {
            case 1: footer.version = try reader.int32(field)
            case 2:
                for _ in 0..<(try reader.list(field, of: .structure)) {
                    footer.schema.append(try SchemaElement.read(&reader))
                }
            case 3: footer.rowCount = try reader.int64(field)
            case 4:
                hasRowGroups = true
                for _ in 0..<(try reader.list(field, of: .structure)) {
                    footer.rowGroups.append(try RowGroup.read(&reader))
                }
            case 5:
                for _ in 0..<(try reader.list(field, of: .structure)) {
                    footer.keyValues.append(try KeyValue.read(&reader))
                }
            case 6: footer.createdBy = try reader.string(field)
            case 7:
                for _ in 0..<(try reader.list(field, of: .structure)) {
                    footer.hasTypeOrder.append(try readOrder(&reader))
                }
            case 8: throw reader.error(.unsupported, "encryption")
            default: try reader.skip(field)
            }
        }
        guard !footer.schema.isEmpty, footer.rowCount >= 0, hasRowGroups else {
            throw reader.missing("schema, row count and row groups of a footer")
        }
        return footer
    }

    /// Whether the order is that of the type; others may be added to the format.
    private static func readOrder(_ reader: inout CompactReader) throws(ParquetError) -> Bool {
        var isTypeOrder = false
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            isTypeOrder = field.id == 1
            try reader.skip(field)
        }
        return isTypeOrder
    }

    package func encoded() -> [UInt8] {
        var writer = CompactWriter()
        writer.field(1, version)
        writer.list(2, of: .structure, count: schema.count)
        for element in schema { element.write(to: &writer) }
        writer.field(3, rowCount)
        writer.list(4, of: .structure, count: rowGroups.count)
        for group in rowGroups { group.write(to: &writer) }
        if !keyValues.isEmpty {
            writer.list(5, of: .structure, count: keyValues.count)
            for keyValue in keyValues { keyValue.write(to: &writer) }
        }
        if let createdBy { writer.field(6, createdBy) }
        if !hasTypeOrder.isEmpty {
            writer.list(7, of: .structure, count: hasTypeOrder.count)
            for _ in hasTypeOrder {
                writer.begin()
                writer.empty(1)
                writer.end()
            }
        }
        return writer.finish()
    }
}
