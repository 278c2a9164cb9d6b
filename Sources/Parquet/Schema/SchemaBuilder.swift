internal import Bytes

/// Understands the groups of a schema: which are lists and maps, with the rules for files of old
/// writers (parquet-format, LogicalTypes.md, "Nested Types").
struct SchemaBuilder {
    private let elements: [SchemaElement]
    private let depth: Int
    private var next = 0
    private var path: [ExactText] = []
    private(set) var leaves: [Leaf] = []

    init(elements: [SchemaElement], depth: Int) {
        self.elements = elements
        self.depth = depth
    }

    private func error(_ kind: ParquetError.Kind, _ expected: String) -> ParquetError {
        ParquetError(kind, at: -1, "\(expected) (field \(next) of the schema)")
    }

    mutating func build() throws(ParquetError) -> [Field] {
        guard let root = elements.first, root.type == nil, let count = root.childCount else {
            throw error(.invalid, "a schema that begins with a group")
        }
        next = 1
        var fields: [Field] = []
        for _ in 0..<(try children(count)) { fields.append(try field(Levels())) }
        guard next == elements.count else { throw error(.invalid, "the end of the schema") }
        return fields
    }

    /// Levels of what is above a field.
    private struct Levels {
        var definition = 0
        var repetition = 0
    }

    private func children(_ count: Int32) throws(ParquetError) -> Int {
        guard count >= 0, Int(count) <= elements.count - next else {
            throw error(.invalid, "as many fields as a group declares")
        }
        return Int(count)
    }

    /// The next element with what belongs to it.
    private mutating func field(_ above: Levels) throws(ParquetError) -> Field {
        guard next < elements.count else { throw error(.truncated, "a field") }
        guard path.count < depth else { throw error(.tooLarge, "depth of the schema") }
        let element = elements[next]
        next += 1
        path.append(element.name)
        defer { path.removeLast() }
        var levels = above
        switch element.repetition {
        case .repeated:
            levels.definition += 1
            levels.repetition += 1
            let inner = try content(element, levels, isNullable: false)
            // A repeated field without annotation is a list that is always there.
            return Field(
                name: element.name, isNullable: false, fieldID: element.fieldID,
                content: .list(inner), definition: above.definition,
                repetition: above.repetition)
        case .optional:
            levels.definition += 1
            return try content(element, levels, isNullable: true)
        case .required: return try content(element, levels, isNullable: false)
        case nil: throw error(.invalid, "the repetition of a field")
        }
    }

    private mutating func content(
        _ element: SchemaElement, _ levels: Levels, isNullable: Bool
    ) throws(ParquetError) -> Field {
        let content: Field.Content
        if let type = element.type {
            guard element.childCount ?? 0 == 0 else {
                throw error(.invalid, "a field with a type or with fields")
            }
            content = .leaf(try leaf(element, type, levels))
        } else {
            content = try group(element, levels)
        }
        return Field(
            name: element.name, isNullable: isNullable, fieldID: element.fieldID,
            content: content, definition: levels.definition, repetition: levels.repetition)
    }

    private mutating func group(
        _ element: SchemaElement, _ levels: Levels
    ) throws(ParquetError) -> Field.Content {
        let count = try children(element.childCount ?? 0)
        guard count > 0 else { throw error(.unsupported, "a group without fields") }
        if count == 1, next < elements.count, elements[next].repetition == .repeated {
            switch element.logicalType {
            case .list: return try list(element, levels)
            case .map:
                let entry = elements[next]
                if entry.type == nil, let count = entry.childCount, count == 1 || count == 2 {
                    return try map(levels, hasValues: count == 2)
                }
            default: break
            }
        }
        var fields: [Field] = []
        for _ in 0..<count { fields.append(try field(levels)) }
        return .structure(fields)
    }

    /// The repeated field of a list: in files of today a group around the element.
    private mutating func list(
        _ element: SchemaElement, _ levels: Levels
    ) throws(ParquetError) -> Field.Content {
        let repeated = elements[next]
        let inner = Levels(
            definition: levels.definition + 1, repetition: levels.repetition + 1)
        if isElementItself(repeated, of: element) {
            next += 1
            path.append(repeated.name)
            defer { path.removeLast() }
            guard path.count < depth else { throw error(.tooLarge, "depth of the schema") }
            return .list(try content(repeated, inner, isNullable: false))
        }
        next += 1
        path.append(repeated.name)
        defer { path.removeLast() }
        return .list(try field(inner))
    }

    /// The rules 1 to 4 for lists of old writers.
    private func isElementItself(_ repeated: SchemaElement, of list: SchemaElement) -> Bool {
        guard repeated.type == nil, repeated.childCount == 1 else { return true }
        if next + 1 < elements.count, elements[next + 1].repetition == .repeated { return true }
        return repeated.name == "array" || repeated.name == "\(list.name)_tuple"
    }

    private mutating func map(
        _ levels: Levels, hasValues: Bool
    ) throws(ParquetError) -> Field.Content {
        let inner = Levels(
            definition: levels.definition + 1, repetition: levels.repetition + 1)
        path.append(elements[next].name)
        defer { path.removeLast() }
        next += 1
        let key = try field(inner)
        return .map(key: key, value: hasValues ? try field(inner) : nil)
    }

    private mutating func leaf(
        _ element: SchemaElement, _ type: PhysicalType, _ levels: Levels
    ) throws(ParquetError) -> Int {
        var width = 0
        if type == .fixedLengthByteArray {
            guard let length = element.typeLength, length > 0, length <= 1 << 20 else {
                throw error(.invalid, "the length of a fixed-length array, up to 1 MiB")
            }
            width = Int(length)
        }
        leaves.append(
            Leaf(
                index: leaves.count, path: path, type: type, width: width,
                logicalType: element.logicalType,
                storage: Self.storage(type, width, element.logicalType),
                maximumDefinition: levels.definition, maximumRepetition: levels.repetition))
        return leaves.count - 1
    }

    /// Decimals come out as integers, timestamps of 96 bits as microseconds.
    static func storage(
        _ type: PhysicalType, _ width: Int, _ logicalType: LogicalType?
    ) -> StorageKind {
        if case .decimal(let precision, _) = logicalType, (1...38).contains(precision) {
            switch type {
            case .int32, .int64, .byteArray, .fixedLengthByteArray:
                return precision <= 18 ? .int64 : .int128
            default: break
            }
        }
        return switch type {
        case .boolean: .boolean
        case .int32: .int32
        case .int64, .int96: .int64
        case .float: .float
        case .double: .double
        case .byteArray: .bytes
        case .fixedLengthByteArray: .fixed(width)
        }
    }
}
