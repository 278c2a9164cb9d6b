package import Bytes

/// A column of values: a field without fields below it.
package struct Leaf: Equatable, Sendable {
    /// Its place among the leaves, which is that of its column chunks in every row group.
    package let index: Int
    /// Names of the fields from the outermost to the leaf itself.
    package let path: [ExactText]
    package let type: PhysicalType
    /// Bytes of a value of a fixed-length array, else 0.
    package let width: Int
    package let logicalType: LogicalType?
    /// How its values come out.
    package let storage: StorageKind
    /// The definition level of a value that is there.
    package let maximumDefinition: Int
    /// How many repeated fields lie above it.
    package let maximumRepetition: Int

    /// Whether it is a field of the rows itself and no part of a list.
    package var isFlat: Bool { maximumRepetition == 0 && path.count == 1 }
}

/// A field as its values come out: lists and maps instead of the groups that they are made of.
package struct Field: Equatable, Sendable {
    package indirect enum Content: Equatable, Sendable {
        /// The index of the leaf.
        case leaf(Int)
        case structure([Field])
        case list(Field)
        case map(key: Field, value: Field?)
    }

    package let name: ExactText
    package let isNullable: Bool
    package let fieldID: Int32?
    package let content: Content
    /// The definition level from which on a value is there.
    let definition: Int
    /// The number of repeated fields above; those of the field itself do not count.
    let repetition: Int

    /// The leaves below, in order; at least one.
    package var leaves: [Int] {
        switch content {
        case .leaf(let index): [index]
        case .structure(let fields): fields.flatMap(\.leaves)
        case .list(let element): element.leaves
        case .map(let key, let value): key.leaves + (value?.leaves ?? [])
        }
    }

    /// The same structure with those of its fields only that have one of these names.
    ///
    /// Nil when none has, or it is no structure. What it leaves out is not read.
    package func keeping(_ names: Set<ExactText>) -> Field? {
        guard case .structure(let fields) = content else { return nil }
        let kept = fields.filter { names.contains($0.name) }
        guard !kept.isEmpty else { return nil }
        return Field(
            name: name, isNullable: isNullable, fieldID: fieldID, content: .structure(kept),
            definition: definition, repetition: repetition)
    }
}

/// The fields of the rows of a file, and the leaves that hold their values.
package struct Schema: Equatable, Sendable {
    /// As they stand in the footer.
    package let elements: [SchemaElement]
    package let fields: [Field]
    package let leaves: [Leaf]

    /// Understands the schema of a footer; `depth` bounds how deep it may be.
    package init(_ elements: [SchemaElement], depth: Int) throws(ParquetError) {
        var builder = SchemaBuilder(elements: elements, depth: depth)
        fields = try builder.build()
        leaves = builder.leaves
        self.elements = elements
    }

    package func field(named name: ExactText) -> Field? { fields.first { $0.name == name } }
}

// MARK: - Fields of new files
extension SchemaElement {
    /// A field with values.
    package static func leaf(
        _ name: ExactText, _ type: PhysicalType, _ logicalType: LogicalType? = nil,
        nullable: Bool = true, width: Int? = nil
    ) -> SchemaElement {
        var element = SchemaElement(name: name)
        element.type = type
        element.logicalType = logicalType
        element.repetition = nullable ? .optional : .required
        element.typeLength = width.map { Int32(clamping: $0) }
        return element
    }

    /// A field with fields, which follow it.
    package static func group(
        _ name: ExactText, _ childCount: Int, _ logicalType: LogicalType? = nil,
        _ repetition: Repetition = .optional
    ) -> SchemaElement {
        var element = SchemaElement(name: name)
        element.childCount = Int32(clamping: childCount)
        element.logicalType = logicalType
        element.repetition = repetition
        return element
    }

    /// A decimal as the Delta protocol wants it: the smallest integer that holds the precision.
    package static func decimal(
        _ name: ExactText, precision: Int, scale: Int, nullable: Bool = true
    ) -> SchemaElement {
        precondition((1...38).contains(precision) && (0...precision).contains(scale))
        let logical = LogicalType.decimal(precision: precision, scale: scale)
        if precision <= 9 { return leaf(name, .int32, logical, nullable: nullable) }
        if precision <= 18 { return leaf(name, .int64, logical, nullable: nullable) }
        return leaf(
            name, .fixedLengthByteArray, logical, nullable: nullable,
            width: DecimalWidth.bytes(precision: precision))
    }
}

/// How many bytes a decimal needs.
enum DecimalWidth {
    /// The fewest bytes of a two's complement number that holds every number of `precision`
    /// digits.
    static func bytes(precision: Int) -> Int {
        var largest: Int128 = 0
        for _ in 0..<min(max(precision, 1), 38) { largest = largest * 10 + 9 }
        return (128 - largest.leadingZeroBitCount + 8) / 8
    }
}

extension Schema {
    /// Makes the schema of a new file from its fields, without the root.
    package init(writing fields: [SchemaElement]) throws(ParquetError) {
        // Children of groups follow them, so the fields of the root are not just all of them.
        var (roots, index) = (0, 0)
        while index < fields.count {
            var open = 1
            while open > 0, index < fields.count {
                open += Int(fields[index].childCount ?? 0) - 1
                index += 1
            }
            roots += 1
        }
        var root = SchemaElement(name: "schema")
        root.childCount = Int32(clamping: roots)
        try self.init([root] + fields, depth: 64)
    }
}
