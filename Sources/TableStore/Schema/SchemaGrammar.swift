package import TableLog

internal import Bytes

/// Schemas as they are typed: `id long not null, name string, price decimal(12,2)`.
///
///     schema = column { "," column }
///     column = name type [ "not" "null" ]
///     name   = letters, digits and signs without blanks, or anything in backticks
package enum SchemaGrammar {
    /// Names that other systems have for our types.
    private static let others = [
        "bigint": "long", "int": "integer", "smallint": "short", "tinyint": "byte",
        "bool": "boolean", "text": "string", "real": "float",
    ]

    /// Understands a schema, as it is typed or as a document of JSON; checks names and that there
    /// are columns.
    package static func parse(_ text: String) throws(TableStoreError) -> TableSchema {
        if SchemaDocument.isDocument(text) {
            let schema = try SchemaDocument.parse(text)
            try check(schema)
            return schema
        }
        var scanner = WordScanner(text, .schema)
        var fields: [TableField] = []
        repeat {
            let name = try scanner.name("the name of a column")
            let type = try type(&scanner, name)
            var field = TableField(name, type)
            if scanner.takeKeyword("not") {
                guard scanner.takeKeyword("null") else { throw scanner.error("\"null\"") }
                field.isNullable = false
            }
            fields.append(field)
        } while scanner.take(",")
        guard scanner.isAtEnd else { throw scanner.error("a comma or the end") }
        let schema = TableSchema(fields)
        try check(schema)
        return schema
    }

    private static func type(
        _ scanner: inout WordScanner, _ column: ExactText
    ) throws(TableStoreError) -> TableType {
        var name = try scanner.name("the type of column \(column)").folded.string
        if name == "decimal" || name == "numeric" {
            guard scanner.take("("), let precision = scanner.digits(), scanner.take(","),
                let scale = scanner.digits(), scanner.take(")")
            else { throw scanner.error("precision and scale, as in decimal(12,2)") }
            name = "decimal(\(precision),\(scale))"
        }
        guard let type = TableType(name: others[name] ?? name) else {
            throw TableStoreError(
                .schema, "",
                "column \(column): there is no type \"\(name)\"; there are string, long, integer, "
                    + "short, byte, float, double, boolean, binary, date, timestamp, "
                    + "timestamp_ntz and decimal(precision,scale)")
        }
        return type
    }

    /// What other readers of tables refuse in names.
    static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        " ,;{}()\n\t=".unicodeScalars.contains(scalar)
    }

    /// Throws unless a new table may have this schema.
    package static func check(_ schema: TableSchema) throws(TableStoreError) {
        guard !schema.fields.isEmpty else { throw .request("a table needs a column at least") }
        var seen: Set<ExactText> = []
        for field in schema.fields {
            if let character = field.name.string.unicodeScalars.first(where: isForbidden) {
                throw .request(
                    "the name of column \"\(field.name)\" has a \"\(character)\", which tables do "
                        + "not allow")
            }
            guard !field.name.isEmpty else { throw .request("a column has no name") }
            guard seen.insert(field.name.folded).inserted else {
                throw .request("there are two columns \"\(field.name)\", in whatever case")
            }
            guard field.element != nil else {
                throw TableStoreError(
                    .unsupported, "", "column \(field.name): columns of several parts")
            }
        }
    }

    /// The text of a schema, as `parse` understands it.
    package static func text(_ schema: TableSchema) -> String {
        schema.fields.map { field in
            let name = isPlain(field.name) ? field.name : "`\(field.name)`"
            return "\(name) \(typeName(field.type))" + (field.isNullable ? "" : " not null")
        }.joined(separator: ", ")
    }

    /// The name of a type, made of others or not.
    package static func typeName(_ type: TableType) -> String {
        switch type {
        case .structure(let fields):
            let parts = fields.map { "\($0.name) \(typeName($0.type))" }
            return "struct<\(parts.joined(separator: ", "))>"
        case .array(let element, _): return "array<\(typeName(element))>"
        case .map(let key, let value, _): return "map<\(typeName(key)), \(typeName(value))>"
        default: return type.name ?? ""
        }
    }

    private static func isPlain(_ name: ExactText) -> Bool {
        name.utf8.allSatisfy(WordScanner.isNameByte)
    }
}

/// Takes words and signs from the front of a text that was typed.
struct WordScanner {
    private let bytes: [UInt8]
    private(set) var position = 0
    private let subject: Subject

    /// What the text is, for messages.
    enum Subject: String {
        case filter, schema
    }

    init(_ text: String, _ subject: Subject) {
        bytes = Array(text.utf8)
        self.subject = subject
        skipBlanks()
    }

    static func isNameByte(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte >= 0x30 && byte <= 0x39 || byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "$")
    }

    var isAtEnd: Bool { position == bytes.count }

    func error(_ expected: String) -> TableStoreError {
        let rest = String(decoding: bytes[position...].prefix(20), as: UTF8.self)
        let place = isAtEnd ? "at its end" : "before \"\(rest)\""
        return TableStoreError(
            subject == .filter ? .filter : .schema, "",
            "the \(subject.rawValue) needs \(expected) \(place)")
    }

    private mutating func skipBlanks() {
        while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
    }

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func take(_ sign: String) -> Bool {
        guard bytes[position...].starts(with: sign.utf8) else { return false }
        position += sign.utf8.count
        skipBlanks()
        return true
    }

    /// A name, or what stands between backticks.
    mutating func name(_ expected: String) throws(TableStoreError) -> ExactText {
        if next == UInt8(ascii: "`") { return try quoted() }
        guard let word = word() else { throw error(expected) }
        return word
    }

    private mutating func word() -> ExactText? {
        let end = bytes[position...].firstIndex { !Self.isNameByte($0) } ?? bytes.count
        guard end > position else { return nil }
        defer { skipBlanks() }
        defer { position = end }
        return ExactText(String(decoding: bytes[position..<end], as: UTF8.self))
    }

    /// What stands between two of the sign that is next; two of them stand for one.
    mutating func quoted() throws(TableStoreError) -> ExactText {
        let quote = bytes[position]
        var (text, index): ([UInt8], Int) = ([], position + 1)
        while index < bytes.count {
            if bytes[index] == quote {
                guard index + 1 < bytes.count, bytes[index + 1] == quote else {
                    position = index + 1
                    skipBlanks()
                    return ExactText(String(decoding: text, as: UTF8.self))
                }
                index += 1
            }
            text.append(bytes[index])
            index += 1
        }
        throw error("the closing \(String(decoding: [quote], as: UTF8.self))")
    }

    mutating func digits() -> Int? {
        let end = bytes[position...].firstIndex { !(0x30...0x39).contains($0) } ?? bytes.count
        guard let value = Int(String(decoding: bytes[position..<end], as: UTF8.self)) else {
            return nil
        }
        position = end
        skipBlanks()
        return value
    }

    /// A number with its sign, as text.
    mutating func number() -> String? {
        var end = position
        while end < bytes.count {
            let byte = bytes[end]
            let isSign = byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
            let isAllowed =
                (0x30...0x39).contains(byte) || byte == UInt8(ascii: ".")
                || byte | 0x20 == UInt8(ascii: "e") && end > position
                || isSign && (end == position || bytes[end - 1] | 0x20 == UInt8(ascii: "e"))
            guard isAllowed else { break }
            end += 1
        }
        guard ExactNumber(bytes[position..<end]) != nil else { return nil }
        defer { skipBlanks() }
        defer { position = end }
        return String(decoding: bytes[position..<end], as: UTF8.self)
    }

    /// Takes a word of the grammar, in whatever case.
    mutating func takeKeyword(_ keyword: ExactText) -> Bool {
        let start = position
        if let word = word(), word.folded == keyword { return true }
        position = start
        return false
    }
}
