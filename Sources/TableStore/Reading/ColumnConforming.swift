internal import Bytes
internal import Parquet
internal import TableLog

/// Makes of a column as a file has it the column of the table's type: files of other writers hold
/// narrower numbers, other units of time, and the fields of structures in another order.
enum ColumnConforming {
    private static func mismatch(_ field: Field, _ type: TableType) -> ParquetError {
        ParquetError(
            .invalid, at: -1,
            "column \(field.name) as \(SchemaGrammar.typeName(type))")
    }

    static func conform(
        _ column: Column, _ field: Field, _ type: TableType, _ schema: Schema
    ) throws(ParquetError) -> Column {
        switch (field.content, type) {
        case (.leaf(let index), _):
            return try leaf(column, schema.leaves[index], field, type)
        case (.structure(let parts), .structure(let wanted)):
            guard case .structure(let columns) = column.values else { break }
            var conformed: [Column] = []
            for child in wanted {
                guard let place = parts.firstIndex(where: { $0.name == child.physicalName }) else {
                    conformed.append(.nulls(child.type, count: column.count))
                    continue
                }
                conformed.append(
                    try conform(columns[place], parts[place], child.type, schema))
            }
            return Column(
                count: column.count, validity: column.validity, values: .structure(conformed))
        case (.list(let inner), .array(let wanted, _)):
            guard case .list(let offsets, let element) = column.values else { break }
            return Column(
                count: column.count, validity: column.validity,
                values: .list(
                    offsets: offsets, element: try conform(element, inner, wanted, schema)))
        case (.map(let keyField, let valueField), .map(let keyType, let valueType, _)):
            guard case .map(let offsets, let key, let value) = column.values else { break }
            var conformed: Column?
            if let value, let valueField {
                conformed = try conform(value, valueField, valueType, schema)
            }
            return Column(
                count: column.count, validity: column.validity,
                values: .map(
                    offsets: offsets, key: try conform(key, keyField, keyType, schema),
                    value: conformed))
        default: break
        }
        throw mismatch(field, type)
    }

    private static func leaf(
        _ column: Column, _ leaf: Leaf, _ field: Field, _ type: TableType
    ) throws(ParquetError) -> Column {
        func with(_ values: ColumnValues) -> Column {
            Column(count: column.count, validity: column.validity, values: values)
        }
        if case .integer(_, isSigned: false) = leaf.logicalType { throw mismatch(field, type) }
        switch (type, column.values) {
        case (.boolean, .boolean), (.integer, .int32), (.float, .float), (.double, .double),
            (.string, .bytes), (.binary, .bytes), (.date, .int32):
            return column
        case (.byte, .int32(let values)):
            try check(column, values) { Int8(exactly: $0) != nil }
            return column
        case (.short, .int32(let values)):
            try check(column, values) { Int16(exactly: $0) != nil }
            return column
        case (.long, .int64): return column
        case (.long, .int32(let values)): return with(.int64(values.map { Int64($0) }))
        case (.double, .float(let values)): return with(.double(values.map { Double($0) }))
        case (.binary, .fixed(let width, let data)):
            let offsets = (0...column.count).map { Int32(clamping: $0 * width) }
            return with(.bytes(offsets: offsets, data: data))
        case (.timestamp, .int64(let values)), (.timestampWithoutZone, .int64(let values)):
            return with(.int64(try microseconds(values, leaf)))
        case (.decimal(let precision, let scale), _):
            guard case .decimal(_, let stored) = leaf.logicalType, stored == scale else {
                throw mismatch(field, type)
            }
            switch column.values {
            case .int64(let values):
                return precision <= 18 ? column : with(.int128(values.map { Int128($0) }))
            case .int128(let values):
                guard precision <= 18 else { return column }
                return with(.int64(values.map { Int64(truncatingIfNeeded: $0) }))
            default: throw mismatch(field, type)
            }
        default: throw mismatch(field, type)
        }
    }

    private static func check(
        _ column: Column, _ values: [Int32], _ fits: (Int32) -> Bool
    ) throws(ParquetError) {
        for (row, value) in values.enumerated() where !fits(value) && !column.isNull(row) {
            throw ParquetError(.invalid, at: -1, "numbers within the range of their column")
        }
    }

    private static func microseconds(
        _ values: [Int64], _ leaf: Leaf
    ) throws(ParquetError) -> [Int64] {
        guard case .timestamp(let unit, _) = leaf.logicalType else { return values }
        switch unit {
        case .microseconds: return values
        case .nanoseconds:
            return values.map { $0 >= 0 ? $0 / 1000 : -((999 - $0) / 1000) }
        case .milliseconds:
            return values.map { value in
                let (product, overflow) = value.multipliedReportingOverflow(by: 1000)
                return overflow ? (value < 0 ? .min : .max) : product
            }
        }
    }
}

extension Schema {
    /// The field of a file that holds a column of the table: one of its name, or else of its name
    /// in another case, as writers have it to whom case means nothing.
    ///
    /// Throws where several have the name in other cases.
    func field(of column: TableField) throws(ParquetError) -> Field? {
        if let exact = field(named: column.physicalName) { return exact }
        let folded = column.physicalName.folded
        let found = fields.filter { $0.name.folded == folded }
        guard found.count <= 1 else {
            throw ParquetError(
                .invalid, at: -1, "one field that is column \(column.name) in whatever case")
        }
        return found.first
    }
}
