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
            do throws(ParquetError) {
                return try LeafConforming(column, schema.leaves[index], type).conformed()
            } catch {
                var error = error
                error.expected = "column \(field.name) as \(error.expected)"
                throw error
            }
        case (.structure(let parts), .structure(let wanted)):
            guard case .structure(let columns) = column.values else { break }
            var conformed: [Column] = []
            for child in wanted {
                guard let place = parts.firstIndex(where: child.isHeld) else {
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
}

extension TableField {
    /// Whether a field of a file holds the values of this one.
    fileprivate func isHeld(by field: Field) -> Bool {
        if goesByID { return field.fieldID == fieldID }
        return field.name == physicalName
    }
}

extension Schema {
    /// The field of a file that holds a column of the table: one of its name, or else of its name
    /// in another case, as writers have it to whom case means nothing.
    ///
    /// Throws where several have the name in other cases.
    func field(of column: TableField) throws(ParquetError) -> Field? {
        if let exact = fields.first(where: column.isHeld) { return exact }
        guard !column.goesByID else {
            // Without numbers in the file nobody knows what is there.
            guard fields.contains(where: { $0.fieldID != nil }) else {
                throw ParquetError(
                    .unsupported, at: -1,
                    "a file without ids of fields in a table that goes by them")
            }
            return nil
        }
        let folded = column.physicalName.folded
        let found = fields.filter { $0.name.folded == folded }
        guard found.count <= 1 else {
            throw ParquetError(
                .invalid, at: -1, "one field that is column \(column.name) in whatever case")
        }
        return found.first
    }
}
