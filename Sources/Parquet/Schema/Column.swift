package import Bytes

/// How the values of a leaf lie in memory.
package enum StorageKind: Equatable, Sendable {
    case boolean
    /// Integers of up to 32 bits, dates, times in milliseconds; unsigned ones by their bits.
    case int32
    /// Integers of 64 bits, times, timestamps, and decimals of up to 18 digits.
    case int64
    /// Decimals of 19 to 38 digits.
    case int128
    case float
    case double
    /// Strings and binary values of any length.
    case bytes
    /// Binary values of this many bytes.
    case fixed(Int)
}

/// Values of a column in Arrow's layout: buffers of one type, and a bitmap of what is there.
///
/// Where a bit of `validity` is not set, the value is null and what stands in the buffers is of no
/// meaning. A field of a null structure is null.
package struct Column: Equatable, Sendable {
    package var count: Int
    /// Nil when nothing is null.
    package var validity: Bitmap?
    package var values: ColumnValues

    package init(count: Int, validity: Bitmap? = nil, values: ColumnValues) {
        self.count = count
        self.validity = validity
        self.values = values
    }

    package func isNull(_ row: Int) -> Bool { validity.map { !$0[row] } ?? false }

    package var nullCount: Int { validity.map { $0.count - $0.setCount } ?? 0 }
}

/// Buffers of a column.
package indirect enum ColumnValues: Equatable, Sendable {
    case boolean(Bitmap)
    case int32([Int32])
    case int64([Int64])
    case int128([Int128])
    case float([Float])
    case double([Double])
    /// Value `n` lies between offsets `n` and `n + 1`.
    case bytes(offsets: [Int32], data: [UInt8])
    case fixed(width: Int, data: [UInt8])
    case structure([Column])
    /// Elements of row `n` lie between offsets `n` and `n + 1` of `element`.
    case list(offsets: [Int32], element: Column)
    /// As lists of keys and values; without values it is a set.
    case map(offsets: [Int32], key: Column, value: Column?)
}

// MARK: - Making columns
extension Column {
    /// Takes values that may be nil.
    private static func column<Value>(
        _ values: [Value?], _ missing: Value, _ make: ([Value]) -> ColumnValues
    ) -> Column {
        let plain = values.map { $0 ?? missing }
        let isWhole = values.allSatisfy { $0 != nil }
        return Column(
            count: values.count, validity: isWhole ? nil : Bitmap(values.map { $0 != nil }),
            values: make(plain))
    }

    package static func boolean(_ values: [Bool?]) -> Column {
        column(values, false) { .boolean(Bitmap($0)) }
    }

    package static func int32(_ values: [Int32?]) -> Column { column(values, 0) { .int32($0) } }
    package static func int64(_ values: [Int64?]) -> Column { column(values, 0) { .int64($0) } }
    package static func int128(_ values: [Int128?]) -> Column { column(values, 0) { .int128($0) } }
    package static func float(_ values: [Float?]) -> Column { column(values, 0) { .float($0) } }
    package static func double(_ values: [Double?]) -> Column { column(values, 0) { .double($0) } }

    package static func bytes(_ values: [[UInt8]?]) -> Column {
        column(values, []) { values in
            var offsets: [Int32] = [0]
            var data: [UInt8] = []
            for value in values {
                data += value
                offsets.append(Int32(clamping: data.count))
            }
            return .bytes(offsets: offsets, data: data)
        }
    }

    package static func strings(_ values: [ExactText?]) -> Column {
        bytes(values.map { $0.map { Array($0.utf8) } })
    }
}

// MARK: - Taking parts
extension Column {
    /// The rows in `range`, as a column of their own.
    package func slice(_ range: Range<Int>) -> Column {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        if range == 0..<count { return self }
        return Column(
            count: range.count, validity: validity?.slice(range), values: values.slice(range))
    }

    /// The bytes of row `row` of a column of bytes.
    package func bytes(_ row: Int) -> ArraySlice<UInt8>? {
        switch values {
        case .bytes(let offsets, let data):
            return data[Int(offsets[row])..<Int(offsets[row + 1])]
        case .fixed(let width, let data): return data[row * width..<(row + 1) * width]
        default: return nil
        }
    }
}

extension ColumnValues {
    func slice(_ range: Range<Int>) -> ColumnValues {
        switch self {
        case .boolean(let values): return .boolean(values.slice(range))
        case .int32(let values): return .int32(Array(values[range]))
        case .int64(let values): return .int64(Array(values[range]))
        case .int128(let values): return .int128(Array(values[range]))
        case .float(let values): return .float(Array(values[range]))
        case .double(let values): return .double(Array(values[range]))
        case .bytes(let offsets, let data):
            let (part, inner) = Self.slice(offsets, range)
            return .bytes(offsets: part, data: Array(data[inner]))
        case .fixed(let width, let data):
            let inner = range.lowerBound * width..<range.upperBound * width
            return .fixed(width: width, data: Array(data[inner]))
        case .structure(let fields): return .structure(fields.map { $0.slice(range) })
        case .list(let offsets, let element):
            let (part, inner) = Self.slice(offsets, range)
            return .list(offsets: part, element: element.slice(inner))
        case .map(let offsets, let key, let value):
            let (part, inner) = Self.slice(offsets, range)
            return .map(offsets: part, key: key.slice(inner), value: value?.slice(inner))
        }
    }

    private static func slice(_ offsets: [Int32], _ range: Range<Int>) -> ([Int32], Range<Int>) {
        let (start, end) = (offsets[range.lowerBound], offsets[range.upperBound])
        let part = offsets[range.lowerBound...range.upperBound].map { $0 - start }
        return (part, Int(start)..<Int(end))
    }
}
