internal import Parquet

extension Predicate {
    /// For each row whether it matches; `columns` has those that are compared, by their places.
    func matches(_ columns: [Int: Column], rowCount: Int) -> [Bool] {
        switch self {
        case .never: return [Bool](repeating: false, count: rowCount)
        case .and(let parts):
            var mask = [Bool](repeating: true, count: rowCount)
            for part in parts {
                let other = part.matches(columns, rowCount: rowCount)
                for row in mask.indices { mask[row] = mask[row] && other[row] }
            }
            return mask
        case .or(let parts):
            var mask = [Bool](repeating: false, count: rowCount)
            for part in parts {
                let other = part.matches(columns, rowCount: rowCount)
                for row in mask.indices { mask[row] = mask[row] || other[row] }
            }
            return mask
        case .isNull(let index, let flag):
            guard let column = columns[index] else {
                return [Bool](repeating: false, count: rowCount)
            }
            return (0..<rowCount).map { column.isNull($0) == flag }
        case .compare(let index, let comparison, let value):
            guard let column = columns[index] else {
                return [Bool](repeating: false, count: rowCount)
            }
            var mask = Self.compare(column, comparison, value)
            if let validity = column.validity {
                for row in mask.indices where !validity[row] { mask[row] = false }
            }
            return mask
        }
    }

    private static func compare(
        _ column: Column, _ comparison: Comparison, _ value: Scalar
    ) -> [Bool] {
        switch (column.values, value) {
        case (.int32(let values), .integer(let limit)):
            guard let narrow = Int32(exactly: limit) else {
                return values.map { test(Int64($0), comparison, limit) }
            }
            return test(values, comparison, narrow)
        case (.int64(let values), .integer(let limit)): return test(values, comparison, limit)
        case (.int128(let values), .wide(let limit)): return test(values, comparison, limit)
        case (.float(let values), .floating(let limit)):
            return values.map { test(TotalDouble(Double($0)), comparison, TotalDouble(limit)) }
        case (.double(let values), .floating(let limit)):
            return values.map { test(TotalDouble($0), comparison, TotalDouble(limit)) }
        case (.boolean(let bits), .boolean(let flag)):
            return (0..<bits.count).map { test(bits[$0] ? 1 : 0, comparison, flag ? 1 : 0) }
        case (.bytes(let offsets, let data), .bytes(let limit)):
            return (0..<column.count).map { row in
                let place = Int(offsets[row])..<Int(offsets[row + 1])
                return test(ByteOrder.compare(data, place, limit), comparison, 0)
            }
        default: return [Bool](repeating: false, count: column.count)
        }
    }

    @inline(__always)
    private static func test<Value: Comparable>(
        _ value: Value, _ comparison: Comparison, _ limit: Value
    ) -> Bool {
        switch comparison {
        case .equal: value == limit
        case .notEqual: value != limit
        case .less: value < limit
        case .lessOrEqual: value <= limit
        case .greater: value > limit
        case .greaterOrEqual: value >= limit
        }
    }

    /// One loop for each comparison, so that none is decided row by row.
    private static func test<Value: Comparable>(
        _ values: [Value], _ comparison: Comparison, _ limit: Value
    ) -> [Bool] {
        switch comparison {
        case .equal: values.map { $0 == limit }
        case .notEqual: values.map { $0 != limit }
        case .less: values.map { $0 < limit }
        case .lessOrEqual: values.map { $0 <= limit }
        case .greater: values.map { $0 > limit }
        case .greaterOrEqual: values.map { $0 >= limit }
        }
    }
}

/// Numbers with NaN in their order: equal to itself and greater than all others.
struct TotalDouble: Comparable {
    let value: Double

    init(_ value: Double) { self.value = value }

    static func == (one: Self, other: Self) -> Bool {
        one.value == other.value || one.value.isNaN && other.value.isNaN
    }

    static func < (one: Self, other: Self) -> Bool {
        one.value < other.value || other.value.isNaN && !one.value.isNaN
    }
}

/// Strings of bytes in their order: that of UTF-8 and of code points.
enum ByteOrder {
    /// -1, 0 or 1 for less, equal and greater.
    static func compare(_ data: [UInt8], _ place: Range<Int>, _ other: [UInt8]) -> Int {
        compare(data, place, other, 0..<other.count)
    }

    static func compare(
        _ one: [UInt8], _ place: Range<Int>, _ other: [UInt8], _ there: Range<Int>
    ) -> Int {
        let shared = min(place.count, there.count)
        for index in 0..<shared {
            let (mine, theirs) = (one[place.lowerBound + index], other[there.lowerBound + index])
            if mine != theirs { return mine < theirs ? -1 : 1 }
        }
        return place.count == there.count ? 0 : place.count < there.count ? -1 : 1
    }
}
