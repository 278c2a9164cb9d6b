internal import Bytes

/// The values of one leaf of some rows, with their levels, as they are written.
struct ShreddedLeaf {
    let leaf: Leaf
    let rowCount: Int
    /// Levels in all; of a leaf outside of lists, rows.
    private(set) var count: Int
    /// Empty when all are the highest.
    private(set) var definition: [UInt8] = []
    /// Empty when all are 0.
    private(set) var repetition: [UInt8] = []
    /// The values that are there, as they come out of a reader.
    private(set) var values: DenseValues

    fileprivate init(_ leaf: Leaf, rowCount: Int, values: DenseValues) {
        self.leaf = leaf
        self.rowCount = rowCount
        count = rowCount
        self.values = values
    }

    var presentCount: Int { values.count }
}

/// A place of a field: the levels that it has so far, and the row of its column, or -1 where
/// something above is null or empty and nothing follows.
private struct Place {
    var repetition: UInt8
    var definition: UInt8
    var row: Int32
}

/// Takes the columns of rows apart to the leaves; the opposite of `Assembly`.
enum Shredder {
    /// Shreds a column of a field of the rows.
    static func shred(
        _ field: Field, _ column: Column, _ schema: Schema
    ) throws(ParquetError) -> [ShreddedLeaf] {
        if case .leaf(let index) = field.content {
            return [try flat(schema.leaves[index], column)]
        }
        var leaves: [ShreddedLeaf] = []
        let places = (0..<column.count).map {
            Place(repetition: 0, definition: 0, row: Int32(truncatingIfNeeded: $0))
        }
        try shred(field, column, places, rowCount: column.count, schema, into: &leaves)
        return leaves
    }

    private static func mismatch(_ name: ExactText) -> ParquetError {
        ParquetError(.invalid, at: -1, "a column that fits field \(name)")
    }

    private static func dense(
        _ leaf: Leaf, _ column: Column
    ) throws(ParquetError) -> DenseValues {
        var values = DenseValues(leaf.storage, byteLimit: .max)
        switch (leaf.storage, column.values) {
        case (.boolean, .boolean(let flags)): values.booleans = flags.unpacked()
        case (.int32, .int32(let numbers)): values.int32s = numbers
        case (.int64, .int64(let numbers)): values.int64s = numbers
        case (.int128, .int128(let numbers)): values.int128s = numbers
        case (.float, .float(let numbers)): values.floats = numbers
        case (.double, .double(let numbers)): values.doubles = numbers
        case (.bytes, .bytes(let offsets, let data)):
            values.offsets = offsets
            values.data = data
        case (.fixed(let width), .fixed(let found, let data)) where width == found:
            values.data = data
        default: throw mismatch(ExactText(leaf.path.joined(separator: ".")))
        }
        guard values.count == column.count else {
            throw mismatch(ExactText(leaf.path.joined(separator: ".")))
        }
        return values
    }

    private static func flat(
        _ leaf: Leaf, _ column: Column
    ) throws(ParquetError) -> ShreddedLeaf {
        let dense = try dense(leaf, column)
        var shredded = ShreddedLeaf(leaf, rowCount: column.count, values: dense)
        guard let validity = column.validity, column.nullCount > 0 else { return shredded }
        guard leaf.maximumDefinition == 1 else {
            throw ParquetError(.invalid, at: -1, "a value of required field \(leaf.path)")
        }
        let levels = validity.unpacked()
        var present = DenseValues(leaf.storage, byteLimit: .max)
        var index = 0
        while index < levels.count {
            guard levels[index] == 1 else { index += 1; continue }
            var end = index + 1
            while end < levels.count, levels[end] == 1 { end += 1 }
            try present.append(dense, index..<end)
            index = end
        }
        shredded.replace(present, definition: levels, repetition: [])
        return shredded
    }

    private static func shred(
        _ field: Field, _ column: Column, _ places: [Place], rowCount: Int, _ schema: Schema,
        into leaves: inout [ShreddedLeaf]
    ) throws(ParquetError) {
        let own = try placesOfField(field, column, places)
        switch (field.content, column.values) {
        case (.leaf(let index), _):
            let leaf = schema.leaves[index]
            let dense = try dense(leaf, column)
            var values = DenseValues(leaf.storage, byteLimit: .max)
            for place in own where place.row >= 0 {
                try values.append(dense, Int(place.row)..<Int(place.row) + 1)
            }
            var shredded = ShreddedLeaf(leaf, rowCount: rowCount, values: values)
            shredded.replace(
                values, definition: own.map(\.definition),
                repetition: leaf.maximumRepetition > 0 ? own.map(\.repetition) : [])
            leaves.append(shredded)
        case (.structure(let fields), .structure(let columns)) where fields.count == columns.count:
            for (inner, column) in zip(fields, columns) {
                try shred(inner, column, own, rowCount: rowCount, schema, into: &leaves)
            }
        case (.list(let element), .list(let offsets, let inner)):
            let elements = try elements(field, own, offsets)
            try shred(element, inner, elements, rowCount: rowCount, schema, into: &leaves)
        case (.map(let key, let value), .map(let offsets, let keys, let values)):
            let entries = try elements(field, own, offsets)
            try shred(key, keys, entries, rowCount: rowCount, schema, into: &leaves)
            guard let value else { return }
            guard let values else { throw mismatch(field.name) }
            try shred(value, values, entries, rowCount: rowCount, schema, into: &leaves)
        default: throw mismatch(field.name)
        }
    }

    /// The places with the definition of the field itself; those that are null end here.
    private static func placesOfField(
        _ field: Field, _ column: Column, _ places: [Place]
    ) throws(ParquetError) -> [Place] {
        let definition = UInt8(truncatingIfNeeded: field.definition)
        var own = places
        for index in own.indices where own[index].row >= 0 {
            let row = Int(own[index].row)
            guard row < column.count else { throw mismatch(field.name) }
            if column.isNull(row) {
                guard field.isNullable else {
                    throw ParquetError(.invalid, at: -1, "a value of required field \(field.name)")
                }
                own[index].row = -1
            } else {
                own[index].definition = definition
            }
        }
        return own
    }

    /// A place for each element of each list.
    private static func elements(
        _ field: Field, _ places: [Place], _ offsets: [Int32]
    ) throws(ParquetError) -> [Place] {
        let repetition = UInt8(truncatingIfNeeded: field.repetition + 1)
        let definition = UInt8(truncatingIfNeeded: field.definition + 1)
        var elements: [Place] = []
        for place in places {
            guard place.row >= 0 else {
                elements.append(place)
                continue
            }
            guard Int(place.row) + 1 < offsets.count else { throw mismatch(field.name) }
            let (start, end) = (offsets[Int(place.row)], offsets[Int(place.row) + 1])
            guard start < end else {
                elements.append(
                    Place(repetition: place.repetition, definition: place.definition, row: -1))
                continue
            }
            for row in start..<end {
                elements.append(
                    Place(
                        repetition: row == start ? place.repetition : repetition,
                        definition: definition, row: row))
            }
        }
        return elements
    }
}

extension ShreddedLeaf {
    fileprivate mutating func replace(
        _ values: DenseValues, definition: [UInt8], repetition: [UInt8]
    ) {
        self.values = values
        count = definition.count
        let isWhole = values.count == definition.count
        self.definition = isWhole ? [] : definition
        self.repetition = repetition.allSatisfy { $0 == 0 } ? [] : repetition
    }

    /// Which of the levels in `range` begin a row.
    func rows(_ range: Range<Int>) -> Int {
        guard !repetition.isEmpty else { return range.count }
        var rows = 0
        for level in repetition[range] where level == 0 { rows += 1 }
        return rows
    }

    /// How many of the levels in `range` have a value.
    func present(_ range: Range<Int>) -> Int {
        guard !definition.isEmpty else { return range.count }
        let highest = UInt8(truncatingIfNeeded: leaf.maximumDefinition)
        var present = 0
        for level in definition[range] where level == highest { present += 1 }
        return present
    }
}
