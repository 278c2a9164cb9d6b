/// A data page that is decoded, and how far it has been taken.
struct DecodedPage {
    private let maximumDefinition: UInt8
    /// Levels of the page.
    private(set) var count = 0
    /// Values that are there.
    private(set) var presentCount = 0
    /// The next level, and the next value, to be taken.
    private var position = 0
    private var valuePosition = 0
    /// Nil stands for levels that are all the highest, or all 0.
    private var definition: [UInt8] = []
    private var hasDefinition = false
    private var repetition: [UInt8] = []
    private var hasRepetition = false
    private var values: DenseValues

    init(_ leaf: Leaf, _ limits: ReaderLimits) {
        maximumDefinition = UInt8(truncatingIfNeeded: leaf.maximumDefinition)
        values = DenseValues(leaf.storage, byteLimit: limits.batchBytes)
    }

    var remaining: Int { count - position }

    /// Lends the buffers for the values of the next page.
    mutating func takeValues() -> DenseValues {
        let lent = values
        values = DenseValues(lent.kind, byteLimit: lent.byteLimit)
        return lent
    }

    /// Begins to be taken, with the values that were decoded.
    mutating func begin(_ values: DenseValues) {
        self.values = values
        (position, valuePosition) = (0, 0)
    }

    /// Is taken whole.
    mutating func end() { position = count }

    /// Reads the levels of a page, and returns where its values lie and their encoding.
    mutating func readLevels(
        _ bytes: PageBytes, _ header: PageHeader, _ leaf: Leaf
    ) throws(ParquetError) -> (Range<Int>, Encoding) {
        count = header.valueCount
        position = count
        var rest = bytes.all
        let (repetitions, definitions): (Range<Int>, Range<Int>)
        let encoding: Encoding
        switch header.content {
        case .data(let page):
            repetitions = try Self.levels(
                bytes, &rest, page.repetitionEncoding, leaf.maximumRepetition)
            definitions = try Self.levels(
                bytes, &rest, page.definitionEncoding, leaf.maximumDefinition)
            encoding = page.encoding
        case .dataV2(let page):
            let (first, second) = (Int(page.repetitionBytes), Int(page.definitionBytes))
            guard first <= rest.count, second <= rest.count - first else {
                throw bytes.error(.invalid, 0, "levels inside of a page")
            }
            repetitions = rest.prefix(first)
            definitions = rest.dropFirst(first).prefix(second)
            rest = rest.dropFirst(first + second)
            encoding = page.encoding
        case .dictionary, .index: throw bytes.error(.invalid, 0, "a data page")
        }
        hasRepetition = try Self.decode(
            bytes, repetitions, leaf.maximumRepetition, count, into: &repetition)
        hasDefinition = try Self.decode(
            bytes, definitions, leaf.maximumDefinition, count, into: &definition)
        countPresent()
        return (rest, encoding)
    }

    private mutating func countPresent() {
        presentCount = count
        guard hasDefinition else { return }
        var present = 0
        for level in definition where level == maximumDefinition { present &+= 1 }
        presentCount = present
        if present == count { hasDefinition = false }
    }

    /// The bytes of levels in a V1 page, which `rest` is behind afterwards.
    private static func levels(
        _ bytes: PageBytes, _ rest: inout Range<Int>, _ encoding: Encoding, _ maximum: Int
    ) throws(ParquetError) -> Range<Int> {
        guard maximum > 0 else { return rest.prefix(0) }
        guard encoding == .rle else {
            throw bytes.error(.unsupported, rest.lowerBound, "levels in encoding \(encoding)")
        }
        let range = try bytes.lengthPrefixed(rest.lowerBound, limit: rest.upperBound)
        rest = range.upperBound..<rest.upperBound
        return range
    }

    /// Whether there are levels, and they are not all alike in the usual way.
    private static func decode(
        _ bytes: PageBytes, _ range: Range<Int>, _ maximum: Int, _ count: Int,
        into levels: inout [UInt8]
    ) throws(ParquetError) -> Bool {
        guard maximum > 0 else { return false }
        guard maximum < 256 else { throw bytes.error(.unsupported, 0, "levels above 255") }
        if levels.count > count { levels.removeLast(levels.count - count) }
        if levels.count < count {
            levels.append(contentsOf: repeatElement(0, count: count - levels.count))
        }
        guard try HybridRuns.levels(bytes, range, maximum: maximum, into: &levels) else {
            // All are the highest: usual for definitions, odd for repetitions.
            for place in levels.indices { levels[place] = UInt8(truncatingIfNeeded: maximum) }
            return true
        }
        return true
    }
}

// MARK: - Taking
extension DecodedPage {
    private func present(_ range: Range<Int>) -> Int {
        guard hasDefinition else { return range.count }
        var present = 0
        for level in definition[range] where level == maximumDefinition { present &+= 1 }
        return present
    }

    mutating func skip(_ levels: Int) {
        precondition(levels <= remaining)
        if position + levels < count {
            valuePosition += present(position..<position + levels)
        }
        position += levels
    }

    /// Appends the next `levels` rows with room for the nulls among them.
    mutating func takeFlat(_ levels: Int, into batch: inout LeafBatch) throws(ParquetError) {
        precondition(levels <= remaining)
        let range = position..<position + levels
        if hasDefinition {
            try batch.values.scatter(
                values, &valuePosition, definition[range], maximum: maximumDefinition)
            batch.addLevels(definition, range, maximum: maximumDefinition)
        } else {
            try batch.values.append(values, valuePosition..<valuePosition + levels)
            valuePosition += levels
            batch.addPresent(levels)
        }
        position += levels
    }

    /// How many levels the next `wanted` rows have here, how many rows begin among them, and
    /// whether the last row is known to have ended.
    func span(ofRows wanted: Int) -> (levels: Int, rows: Int, isDone: Bool) {
        guard hasRepetition else {
            let rows = min(wanted, remaining)
            return (rows, rows, remaining > wanted)
        }
        var (index, rows) = (position, 0)
        while index < count {
            if repetition[index] == 0 {
                if rows == wanted { return (index - position, rows, true) }
                rows += 1
            }
            index += 1
        }
        return (index - position, rows, false)
    }

    /// Appends the next levels and the values that belong to them.
    mutating func takeNested(_ levels: Int, into batch: inout LeafBatch) throws(ParquetError) {
        precondition(levels <= remaining)
        let range = position..<position + levels
        let present = present(range)
        try batch.addLevels(
            hasDefinition ? definition[range] : nil, hasRepetition ? repetition[range] : nil,
            count: levels)
        try batch.values.append(values, valuePosition..<valuePosition + present)
        valuePosition += present
        position += levels
    }
}
