internal import Bytes
internal import JSON
internal import Parquet
internal import TableLog

/// A bound of a column as a writer of statistics stated it, and how far out it may have been meant.
///
/// A filter that trusts a bound which was rounded or cut loses rows. Writers are known to cut times
/// off behind the milliseconds and offsets of zones behind the minutes (Delta Lake 3.2 and 3.3:
/// github.com/delta-io/delta/issues/5249), to write decimals and large integers as numbers of 64
/// bits that were rounded twice, and to cut texts.
struct StatedBound {
    /// Nil where nothing is stated, or nothing that says something.
    private let value: Scalar?
    private let type: TableType
    /// How far off the value may be, in its own unit.
    private var distance: Int64 = 0

    init(_ stated: JSONValue?, _ type: TableType) {
        self.type = type
        value = Self.value(stated, type)
        distance = Self.distance(stated, type)
    }

    private static func value(_ stated: JSONValue?, _ type: TableType) -> Scalar? {
        switch (stated, type) {
        case (nil, _), (_, .binary), (_, .structure), (_, .array), (_, .map): return nil
        case (_?, .string):
            guard case .string(let text)? = stated else { return nil }
            return .bytes(Array(text.utf8))
        case (.number(let text), _):
            var builder = ColumnBuilder(type, isNullable: true)
            guard (try? builder.append(json: .number(text))) != nil,
                let scalar = builder.take().scalar(0), !isClamped(scalar)
            else { return nil }
            return scalar
        case (.string(let text), .date): return ValueText.parse(Array(text.utf8)[...], type)
        case (.string(let text), .timestamp), (.string(let text), .timestampWithoutZone):
            return TimeText.parseTimestamp(Array(text.utf8)[...]).map { .integer($0.microseconds) }
        case (.bool(let flag), .boolean): return .boolean(flag)
        default: return nil
        }
    }

    /// Whether a decimal is where delta-rs puts those that have more than 64 bits.
    private static func isClamped(_ bound: Scalar) -> Bool {
        guard case .wide(let value) = bound else { return false }
        return value == Int128(Int64.max) || value == Int128(Int64.min)
    }

    private static func distance(_ stated: JSONValue?, _ type: TableType) -> Int64 {
        guard case .string(let text)? = stated else { return 0 }
        switch type {
        case .timestamp, .timestampWithoutZone:
            // An offset from Greenwich was cut to minutes; that of "Z" is none.
            let clock = text.utf8.drop { $0 != UInt8(ascii: "T") && $0 != UInt8(ascii: " ") }
            let hasOffset = clock.contains { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
            return 999 + (hasOffset ? 59_000_000 : 0)
        default: return 0
        }
    }

    /// No value is less; nil when that is not known.
    var lowest: Scalar? { moved(up: false) }

    /// No value is greater; nil when that is not known.
    var highest: Scalar? { moved(up: true) }

    private func moved(up: Bool) -> Scalar? {
        switch (value, type) {
        case (.integer(let number)?, .timestamp), (.integer(let number)?, .timestampWithoutZone):
            return .integer(Self.sum(number, up ? distance : -distance))
        case (.integer(let number)?, .decimal(let precision, _)) where precision > 15:
            let distance = Int64(clamping: number.magnitude >> 50) + 1
            return .integer(Self.sum(number, up ? distance : -distance))
        case (.integer(let number)?, .long) where number.magnitude >= 1 << 53:
            let distance = Int64(clamping: number.magnitude >> 52)
            return .integer(Self.sum(number, up ? distance : -distance))
        case (.wide(let number)?, .decimal):
            let distance = Int128(clamping: number.magnitude >> 50) + 1
            return .wide(Self.sum(number, up ? distance : -distance))
        case (.bytes(let bytes)?, .string): return .bytes(up ? bytes + [0xff] : Self.cut(bytes))
        default: return value
        }
    }

    /// A text that was cut in the middle of a character ends in U+FFFD, which is greater than
    /// most of what may have stood there.
    private static func cut(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes[...]
        let replacement: [UInt8] = [0xef, 0xbf, 0xbd]
        while bytes.suffix(3).elementsEqual(replacement) { bytes.removeLast(3) }
        return Array(bytes)
    }

    /// The sum, or the end of what there is.
    private static func sum<Value: FixedWidthInteger>(
        _ value: Value, _ distance: Value
    ) -> Value {
        let (sum, overflow) = value.addingReportingOverflow(distance)
        return overflow ? (distance > 0 ? .max : .min) : sum
    }
}
