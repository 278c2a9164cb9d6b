/// Puts leaves together to the fields that they are parts of.
///
/// Every value, null and empty list of a row is a level in each leaf below it (Melnik and others,
/// "Dremel: Interactive Analysis of Web-Scale Datasets", 2010). A field that lies below `r`
/// repeated fields, the innermost of which has an element from definition level `d` on, has a
/// place for each level of repetition at most `r` and definition at least `d`. So every field
/// can tell its places from any leaf below it, and siblings must agree about them.
struct Assembly {
    private let batches: [Int: LeafBatch]

    /// Takes what was read of leaves, by their index.
    init(_ batches: [Int: LeafBatch]) { self.batches = batches }

    /// Makes the column of a field of the rows.
    func column(_ field: Field) throws(ParquetError) -> Column {
        try column(field, from: 0)
    }

    private func batch(_ field: Field) throws(ParquetError) -> LeafBatch {
        guard let first = field.leaves.first, let batch = batches[first] else {
            throw ParquetError(.invalid, at: -1, "a leaf of field \(field.name)")
        }
        return batch
    }

    /// `base` is the definition level from which on there is a place.
    private func column(_ field: Field, from base: Int) throws(ParquetError) -> Column {
        let batch = try batch(field)
        switch field.content {
        case .leaf:
            guard !batch.leaf.isFlat else {
                return Column(
                    count: batch.count, validity: batch.validity, values: batch.values.values())
            }
            return try leaf(batch, field, base)
        case .structure(let fields):
            let (count, validity) = places(batch, field, base)
            var columns: [Column] = []
            for inner in fields {
                let column = try column(inner, from: base)
                try check(column.count == count, inner)
                columns.append(column)
            }
            return Column(count: count, validity: validity, values: .structure(columns))
        case .list(let element):
            let (count, validity) = places(batch, field, base)
            let offsets = try offsets(batch, field, base)
            let column = try column(element, from: field.definition + 1)
            try check(column.count == Int(offsets.last ?? 0) && offsets.count == count + 1, field)
            return Column(
                count: count, validity: validity,
                values: .list(offsets: offsets, element: column))
        case .map(let key, let value):
            let (count, validity) = places(batch, field, base)
            let offsets = try offsets(batch, field, base)
            let keys = try column(key, from: field.definition + 1)
            try check(keys.count == Int(offsets.last ?? 0) && offsets.count == count + 1, field)
            var values: Column?
            if let value {
                values = try column(value, from: field.definition + 1)
                try check(values?.count == keys.count, value)
            }
            return Column(
                count: count, validity: validity,
                values: .map(offsets: offsets, key: keys, value: values))
        }
    }

    private func check(_ isRight: Bool, _ field: Field) throws(ParquetError) {
        guard isRight else {
            throw ParquetError(.invalid, at: -1, "leaves that agree about field \(field.name)")
        }
    }

    /// Whether a level is a place of a field below `repetition` repeated fields.
    @inline(__always)
    private func isPlace(
        _ batch: LeafBatch, _ index: Int, _ repetition: Int, _ base: Int
    ) -> Bool {
        (batch.repetition.isEmpty || Int(batch.repetition[index]) <= repetition)
            && Int(batch.definition[index]) >= base
    }

    /// How many places a field has, and which of them are not null.
    private func places(
        _ batch: LeafBatch, _ field: Field, _ base: Int
    ) -> (Int, Bitmap?) {
        var flags: [UInt8] = []
        var isWhole = true
        for index in 0..<batch.count where isPlace(batch, index, field.repetition, base) {
            let isThere = Int(batch.definition[index]) >= field.definition
            flags.append(isThere ? 1 : 0)
            isWhole = isWhole && isThere
        }
        return (flags.count, isWhole ? nil : Bitmap(packing: flags))
    }

    /// Where the elements of each list begin.
    private func offsets(
        _ batch: LeafBatch, _ field: Field, _ base: Int
    ) throws(ParquetError) -> [Int32] {
        var offsets: [Int32] = []
        var elements: Int32 = 0
        for index in 0..<batch.count {
            if isPlace(batch, index, field.repetition, base) { offsets.append(elements) }
            if isPlace(batch, index, field.repetition + 1, field.definition + 1) {
                try check(!offsets.isEmpty, field)
                elements += 1
            }
        }
        offsets.append(elements)
        return offsets
    }

    private func leaf(
        _ batch: LeafBatch, _ field: Field, _ base: Int
    ) throws(ParquetError) -> Column {
        let highest = UInt8(truncatingIfNeeded: batch.leaf.maximumDefinition)
        var levels: [UInt8] = []
        levels.reserveCapacity(batch.count)
        for index in 0..<batch.count where isPlace(batch, index, field.repetition, base) {
            levels.append(batch.definition[index])
        }
        var position = 0
        var values = DenseValues(batch.values.kind, byteLimit: batch.values.byteLimit)
        try values.scatter(batch.values, &position, levels[...], maximum: highest)
        try check(position == batch.values.count, field)
        let isWhole = position == levels.count
        let flags = isWhole ? [] : levels.map { $0 == highest ? UInt8(1) : 0 }
        return Column(
            count: levels.count, validity: isWhole ? nil : Bitmap(packing: flags),
            values: values.values())
    }
}
