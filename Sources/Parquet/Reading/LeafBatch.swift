/// What was read of a leaf for one batch of rows.
struct LeafBatch {
    let leaf: Leaf
    private let limit: Int
    /// Rows of a flat leaf, levels of any other.
    private(set) var count = 0
    /// For a flat leaf a value a row; for any other, those that are there.
    var values: DenseValues
    /// Of a flat leaf; nil while nothing is null.
    private(set) var validity: Bitmap?
    /// Of a leaf that is not flat.
    private(set) var definition: [UInt8] = []
    private(set) var repetition: [UInt8] = []

    init(_ leaf: Leaf, _ limits: ReaderLimits) {
        self.leaf = leaf
        limit = limits.batchValues
        values = DenseValues(leaf.storage, byteLimit: limits.batchBytes)
    }

    /// Notes rows that are all there.
    mutating func addPresent(_ rows: Int) {
        validity?.append(true, count: rows)
        count += rows
    }

    /// Notes rows of which those with the level `maximum` are there.
    mutating func addLevels(_ levels: [UInt8], _ range: Range<Int>, maximum: UInt8) {
        if validity == nil { validity = Bitmap(repeating: true, count: count) }
        if maximum == 1 {
            validity?.append(packing: levels, range)
        } else {
            validity?.append(packing: levels[range].map { $0 == maximum ? 1 : 0 }, 0..<range.count)
        }
        count += range.count
    }

    /// Notes levels; nil stands for definitions that are all the highest, repetitions all 0.
    mutating func addLevels(
        _ definitions: ArraySlice<UInt8>?, _ repetitions: ArraySlice<UInt8>?, count added: Int
    ) throws(ParquetError) {
        guard added <= limit - count else {
            throw ParquetError(.tooLarge, at: -1, "\(limit) values of one column")
        }
        let highest = UInt8(truncatingIfNeeded: leaf.maximumDefinition)
        if let definitions {
            definition += definitions
        } else {
            definition.append(contentsOf: repeatElement(highest, count: added))
        }
        if leaf.maximumRepetition > 0 {
            if let repetitions {
                repetition += repetitions
            } else {
                repetition.append(contentsOf: repeatElement(0, count: added))
            }
        }
        count += added
    }
}
