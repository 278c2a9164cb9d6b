/// The smallest and the largest of some values.
struct ValueBounds {
    var minimum: Scalar?
    var maximum: Scalar?
    /// How many are not a number, which no bound takes into account.
    var nanCount: Int64 = 0

    init() {}

    /// Finds the bounds of the values in `range`.
    init(_ values: DenseValues, _ range: Range<Int>, _ order: ValueOrder?) {
        guard let order, !range.isEmpty else { return }
        switch (values.kind, order) {
        case (.boolean, _): set(values.booleans[range]) { .boolean($0 != 0) }
        case (.int32, .unsigned):
            set(values.int32s[range].lazy.map { UInt32(bitPattern: $0) }) { .unsigned(UInt64($0)) }
        case (.int32, _): set(values.int32s[range]) { .integer(Int64($0)) }
        case (.int64, .unsigned):
            set(values.int64s[range].lazy.map { UInt64(bitPattern: $0) }) { .unsigned($0) }
        case (.int64, _): set(values.int64s[range]) { .integer($0) }
        case (.int128, _): set(values.int128s[range]) { .wide($0) }
        case (.float, _): setFloats(values.floats[range])
        case (.double, _): setFloats(values.doubles[range])
        case (.bytes, _), (.fixed, _): setBytes(values, range)
        }
    }

    @inline(__always)
    private mutating func set<Values: Collection>(
        _ values: Values, _ scalar: (Values.Element) -> Scalar
    ) where Values.Element: Comparable {
        guard var smallest = values.first else { return }
        var largest = smallest
        for value in values {
            if value < smallest { smallest = value }
            if value > largest { largest = value }
        }
        (minimum, maximum) = (scalar(smallest), scalar(largest))
    }

    /// Zeros have no sign here: a bound of zero includes both.
    private mutating func setFloats<Value: BinaryFloatingPoint>(_ values: ArraySlice<Value>) {
        var (smallest, largest): (Value, Value) = (.infinity, -.infinity)
        var missing: Int64 = 0
        for value in values {
            if value.isNaN { missing += 1 }
            if value < smallest { smallest = value }
            if value > largest { largest = value }
        }
        nanCount = missing
        guard missing < values.count else { return }
        minimum = .floating(smallest == 0 ? -0.0 : Double(smallest))
        maximum = .floating(largest == 0 ? 0.0 : Double(largest))
    }

    private mutating func setBytes(_ values: DenseValues, _ range: Range<Int>) {
        var (smallest, largest) = (range.lowerBound, range.lowerBound)
        for index in range.dropFirst() {
            if Self.precedes(values, index, smallest) {
                smallest = index
            } else if Self.precedes(values, largest, index) {
                largest = index
            }
        }
        minimum = .bytes(Array(values.slice(smallest)))
        maximum = .bytes(Array(values.slice(largest)))
    }

    @inline(__always)
    private static func precedes(_ values: DenseValues, _ one: Int, _ other: Int) -> Bool {
        let (mine, theirs) = (values.place(one), values.place(other))
        let shared = min(mine.count, theirs.count)
        for index in 0..<shared {
            let (left, right) = (
                values.data[mine.lowerBound + index], values.data[theirs.lowerBound + index]
            )
            if left != right { return left < right }
        }
        return mine.count < theirs.count
    }

    /// The bounds of both.
    mutating func add(_ other: ValueBounds) {
        nanCount += other.nanCount
        if let theirs = other.minimum, minimum.map({ theirs.precedes($0) }) ?? true {
            minimum = theirs
        }
        if let theirs = other.maximum, maximum.map({ $0.precedes(theirs) }) ?? true {
            maximum = theirs
        }
    }
}

extension DenseValues {
    /// Where the bytes of a value of a kind that has them lie.
    @inline(__always)
    func place(_ index: Int) -> Range<Int> {
        if case .fixed(let width) = kind { return index * width..<(index + 1) * width }
        return Int(offsets[index])..<Int(offsets[index + 1])
    }
}
