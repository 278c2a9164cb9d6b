package import TableLog

internal import Bytes
internal import JSON

/// Schemas as documents of JSON: those of Delta Lake, as they stand in logs, and those of JSON
/// Schema (https://json-schema.org), as far as its objects are rows.
enum SchemaDocument {
    static func isDocument(_ text: String) -> Bool {
        text.utf8.first { $0 > 0x20 } == UInt8(ascii: "{")
    }

    static func parse(_ text: String) throws(TableStoreError) -> TableSchema {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: Array(text.utf8)[...])
        } catch {
            throw problem("\(error)")
        }
        if value["type"]?.string == "struct" { return try fields(of: ExactText(text)) }
        guard let properties = value["properties"]?.members else {
            throw problem(
                "neither \"fields\" of a structure, as Delta Lake has them, nor \"properties\", "
                    + "as JSON Schema has them")
        }
        let required = Set((value["required"]?.array ?? []).compactMap(\.string))
        var schema = TableSchema([])
        for property in properties {
            schema.fields.append(try field(property, isRequired: required.contains(property.name)))
        }
        return schema
    }

    private static func problem(_ detail: String) -> TableStoreError {
        TableStoreError(.schema, "", "the schema is a document of JSON: \(detail)")
    }

    /// What writers of another table noted about its columns is left out.
    private static func fields(of text: ExactText) throws(TableStoreError) -> TableSchema {
        let schema = try logged { () throws(TableLogError) in try TableSchema(parsing: text) }
        return TableSchema(
            schema.fields.map { TableField($0.name, $0.type, isNullable: $0.isNullable) })
    }

    private static func field(
        _ property: JSONValue.Member, isRequired: Bool
    ) throws(TableStoreError) -> TableField {
        let type = property.value["type"]
        let names = type?.string.map { [$0] } ?? (type?.array ?? []).compactMap(\.string)
        let values = names.filter { $0 != "null" }
        guard values.count == 1, let found = Self.type(values[0], property.value) else {
            throw problem(
                "property \"\(property.name)\" is of none of the types integer, number, string "
                    + "and boolean")
        }
        return TableField(
            property.name, found, isNullable: !isRequired || values.count < names.count)
    }

    private static func type(_ name: ExactText, _ property: JSONValue) -> TableType? {
        switch (name, property["format"]?.string) {
        case ("integer", _): .long
        case ("number", _): .double
        case ("boolean", _): .boolean
        case ("string", "date"): .date
        case ("string", "date-time"): .timestamp
        case ("string", _): property["contentEncoding"]?.string == "base64" ? .binary : .string
        default: nil
        }
    }
}

extension SchemaGrammar {
    /// Reads a schema from a file, in any form that `parse` understands.
    package static func read(_ path: [UInt8]) throws(TableStoreError) -> TableSchema {
        let file = try InputFile(path)
        var bytes: [UInt8] = []
        while try file.read(into: &bytes) {
            guard bytes.count <= 16 << 20 else {
                throw TableStoreError(.schema, "", "the file of the schema is over 16 MiB")
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw TableStoreError(.schema, "", "the file of the schema is no text in UTF-8")
        }
        do throws(TableStoreError) {
            return try parse(text)
        } catch {
            throw error.inFile(path)
        }
    }
}
