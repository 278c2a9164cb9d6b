package import Bytes
internal import JSON
package import Parquet

/// The type of a field of a table.
package indirect enum TableType: Equatable, Sendable {
    case string, long, integer, short, byte, float, double, boolean, binary, date, timestamp
    case timestampWithoutZone
    case decimal(precision: Int, scale: Int)
    case structure([TableField])
    case array(TableType, containsNull: Bool)
    case map(key: TableType, value: TableType, valueContainsNull: Bool)

    private static let names: [(TableType, String)] = [
        (.string, "string"), (.long, "long"), (.integer, "integer"), (.short, "short"),
        (.byte, "byte"), (.float, "float"), (.double, "double"), (.boolean, "boolean"),
        (.binary, "binary"), (.date, "date"), (.timestamp, "timestamp"),
        (.timestampWithoutZone, "timestamp_ntz"),
    ]

    /// The name of a simple type as it stands in schemas; nil for types made of others.
    package var name: String? {
        if case .decimal(let precision, let scale) = self {
            return "decimal(\(precision),\(scale))"
        }
        return Self.names.first { $0.0 == self }?.1
    }

    /// Understands the name of a simple type; nil for unknown ones.
    package init?(name: String) {
        if let type = Self.names.first(where: { $0.1 == name })?.0 {
            self = type
            return
        }
        let decimal = /decimal\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)/
        guard let match = name.wholeMatch(of: decimal), let precision = Int(match.1),
            let scale = Int(match.2), (1...38).contains(precision), scale <= precision
        else { return nil }
        self = .decimal(precision: precision, scale: scale)
    }
}

/// A field of a table.
package struct TableField: Equatable, Sendable {
    package var name: ExactText
    package var type: TableType
    package var isNullable: Bool
    /// What writers noted about the field, as JSON text of an object.
    package var metadata: ExactText
    /// The name in data files, statistics and partition values: another one where the table maps
    /// its columns.
    package var physicalName: ExactText
    /// The number that data files note with the field; nil where the table maps no columns.
    package var fieldID: Int32?
    /// Whether files are read by that number, whatever names they have.
    package var goesByID = false

    package init(_ name: ExactText, _ type: TableType, isNullable: Bool = true) {
        self.name = name
        self.type = type
        self.isNullable = isNullable
        metadata = "{}"
        physicalName = name
    }

    private var notes: JSONValue { (try? JSONValue(parsing: metadata)) ?? .object([]) }

    /// Takes the name and number that are noted for data files.
    ///
    /// Notes say nothing where the table maps no columns: copies of mapped tables have them too.
    mutating func map(_ mapping: ColumnMapping) throws(TableLogError) {
        guard mapping != .none else { return }
        physicalName = notes["delta.columnMapping.physicalName"]?.string ?? name
        fieldID = notes["delta.columnMapping.id"]?.int64.flatMap { Int32(exactly: $0) }
        goesByID = mapping == .id
        guard fieldID != nil || !goesByID else {
            throw TableLogError(.damaged, "schemaString", "expected an id of column '\(name)'")
        }
    }

    /// What is noted under `key`, when it is text.
    func note(_ key: ExactText) -> ExactText? {
        notes[key].map { $0.string ?? ExactText($0.text) }
    }
}

/// How data files name the columns of a table (PROTOCOL.md, "Column Mapping").
package enum ColumnMapping: Sendable {
    /// As the table does.
    case none
    /// By names of their own.
    case name
    /// By numbers.
    case id

    /// Nil for a mode that is not known.
    package init?(mode: ExactText?) {
        switch mode {
        case nil, "none": self = .none
        case "name": self = .name
        case "id": self = .id
        default: return nil
        }
    }
}

extension TableMetadata {
    /// Nil where the mode is not known.
    var columnMapping: ColumnMapping? {
        ColumnMapping(mode: configuration["delta.columnMapping.mode"]?.folded)
    }

    /// The schema as data files have it.
    package func schema() throws(TableLogError) -> TableSchema {
        try TableSchema(parsing: schemaText, columnMapping ?? .none)
    }
}

/// The schema of a table.
package struct TableSchema: Equatable, Sendable {
    package var fields: [TableField]

    package init(_ fields: [TableField]) { self.fields = fields }

    /// Understands the text of a schema; unknown types are refused by name.
    package init(
        parsing text: ExactText, _ mapping: ColumnMapping = .none
    ) throws(TableLogError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: text)
        } catch {
            throw TableLogError(error, "schemaString")
        }
        let type = try Self.type(value, mapping)
        guard case .structure(let fields) = type else {
            throw Self.damaged("a structure")
        }
        self.fields = fields
    }

    private static func damaged(_ expected: String) -> TableLogError {
        TableLogError(.damaged, "schemaString", "expected \(expected)")
    }

    private static func type(
        _ value: JSONValue, _ mapping: ColumnMapping
    ) throws(TableLogError) -> TableType {
        if let name = value.string {
            guard let type = TableType(name: name.string) else {
                throw TableLogError(.unsupported, "schemaString", "columns of type '\(name)'")
            }
            return type
        }
        switch value["type"]?.string {
        case "struct":
            var fields: [TableField] = []
            for field in value["fields"]?.array ?? [] {
                fields.append(try Self.field(field, mapping))
            }
            return .structure(fields)
        case "array":
            guard let element = value["elementType"] else { throw damaged("an element type") }
            return .array(
                try type(element, mapping), containsNull: value["containsNull"]?.bool ?? true)
        case "map":
            guard let key = value["keyType"], let element = value["valueType"] else {
                throw damaged("types of key and value")
            }
            return .map(
                key: try type(key, mapping), value: try type(element, mapping),
                valueContainsNull: value["valueContainsNull"]?.bool ?? true)
        default: throw damaged("a type")
        }
    }

    private static func field(
        _ value: JSONValue, _ mapping: ColumnMapping
    ) throws(TableLogError) -> TableField {
        guard let name = value["name"]?.string, let type = value["type"] else {
            throw damaged("name and type of a field")
        }
        var field = TableField(
            name, try Self.type(type, mapping), isNullable: value["nullable"]?.bool ?? true)
        field.metadata = ExactText((value["metadata"] ?? .object([])).text)
        try field.map(mapping)
        return field
    }

    /// The text of the schema.
    package var text: ExactText { ExactText(Self.json(.structure(fields)).text) }

    private static func json(_ type: TableType) -> JSONValue {
        switch type {
        case .structure(let fields):
            .object([
                .init("type", .string("struct")),
                .init("fields", .array(fields.map(json))),
            ])
        case .array(let element, let containsNull):
            .object([
                .init("type", .string("array")), .init("elementType", json(element)),
                .init("containsNull", .bool(containsNull)),
            ])
        case .map(let key, let value, let valueContainsNull):
            .object([
                .init("type", .string("map")), .init("keyType", json(key)),
                .init("valueType", json(value)),
                .init("valueContainsNull", .bool(valueContainsNull)),
            ])
        default: .string(ExactText(type.name ?? ""))
        }
    }

    private static func json(_ field: TableField) -> JSONValue {
        .object([
            .init("name", .string(field.name)), .init("type", json(field.type)),
            .init("nullable", .bool(field.isNullable)),
            .init("metadata", (try? JSONValue(parsing: field.metadata)) ?? .object([])),
        ])
    }

    /// All fields, those inside of others too.
    var allFields: [TableField] { fields.flatMap(Self.all) }

    private static func all(_ field: TableField) -> [TableField] { [field] + all(field.type) }

    private static func all(_ type: TableType) -> [TableField] {
        switch type {
        case .structure(let fields): fields.flatMap(all)
        case .array(let element, _): all(element)
        case .map(let key, let value, _): all(key) + all(value)
        default: []
        }
    }
}

// MARK: - In data files
extension TableField {
    /// The field of a new data file; nil for types that are not written.
    package var element: SchemaElement? {
        var element = plainElement
        element?.fieldID = fieldID
        return element
    }

    private var plainElement: SchemaElement? {
        let (name, nullable) = (physicalName, isNullable)
        switch type {
        case .string: return .leaf(name, .byteArray, .string, nullable: nullable)
        case .binary: return .leaf(name, .byteArray, nullable: nullable)
        case .long: return .leaf(name, .int64, nullable: nullable)
        case .integer: return .leaf(name, .int32, nullable: nullable)
        case .short:
            return .leaf(name, .int32, .integer(bitWidth: 16, isSigned: true), nullable: nullable)
        case .byte:
            return .leaf(name, .int32, .integer(bitWidth: 8, isSigned: true), nullable: nullable)
        case .float: return .leaf(name, .float, nullable: nullable)
        case .double: return .leaf(name, .double, nullable: nullable)
        case .boolean: return .leaf(name, .boolean, nullable: nullable)
        case .date: return .leaf(name, .int32, .date, nullable: nullable)
        case .timestamp:
            return .leaf(name, .int64, .timestamp(.microseconds, isUTC: true), nullable: nullable)
        case .timestampWithoutZone:
            return .leaf(name, .int64, .timestamp(.microseconds, isUTC: false), nullable: nullable)
        case .decimal(let precision, let scale):
            return .decimal(name, precision: precision, scale: scale, nullable: nullable)
        case .structure, .array, .map: return nil
        }
    }
}
