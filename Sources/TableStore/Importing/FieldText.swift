/// Values as they mostly stand in CSV.
///
/// What is rare is not understood here: a plus in front, a year of six digits, an exponent. Then
/// `ColumnBuilder` has to look at it; what is understood here it would understand in the same way.
/// Soundness of the pointers: `count` bytes from `text` on belong to the caller.
enum FieldText {
    /// Understands an optional minus and up to 18 digits.
    @inline(__always)
    static func integer(_ text: UnsafePointer<UInt8>, _ count: Int) -> Int64? {
        guard count > 0, count <= 18 else { return nil }
        let isNegative = unsafe text[0] == 0x2d
        var index = isNegative ? 1 : 0
        guard index < count else { return nil }
        var value: Int64 = 0
        while index < count {
            let digit = unsafe text[index] &- 0x30
            guard digit <= 9 else { return nil }
            value = value &* 10 &+ Int64(digit)
            index &+= 1
        }
        return isNegative ? 0 &- value : value
    }

    /// Understands an optional minus, up to 18 digits and a point among or behind them.
    ///
    /// Nil also when there are more digits behind the point than `scale`, or the number, which is
    /// multiplied by 10 to the `scale`, would not be below `limit`.
    @inline(__always)
    static func decimal(
        _ text: UnsafePointer<UInt8>, _ count: Int, scale: Int, limit: Int64
    ) -> Int64? {
        guard count > 0, count <= 19 else { return nil }
        let isNegative = unsafe text[0] == 0x2d
        var index = isNegative ? 1 : 0
        var (value, digits, fraction): (Int64, Int, Int) = (0, 0, 0)
        while index < count {
            let digit = unsafe text[index] &- 0x30
            guard digit <= 9 else { break }
            value = value &* 10 &+ Int64(digit)
            digits &+= 1
            index &+= 1
        }
        if index < count {
            guard unsafe text[index] == 0x2e else { return nil }
            index &+= 1
            fraction = count &- index
            while index < count {
                let digit = unsafe text[index] &- 0x30
                guard digit <= 9 else { return nil }
                value = value &* 10 &+ Int64(digit)
                digits &+= 1
                index &+= 1
            }
        }
        var missing = scale &- fraction
        guard digits > 0, missing >= 0, digits &+ missing <= 18 else { return nil }
        while missing > 0 {
            value = value &* 10
            missing &-= 1
        }
        guard value < limit else { return nil }
        return isNegative ? 0 &- value : value
    }

    /// Understands `2026-11-20`, as days since 1970.
    @inline(__always)
    static func date(_ text: UnsafePointer<UInt8>, _ count: Int) -> Int32? {
        guard count == 10 else { return nil }
        var wrong: UInt8 = 0
        @inline(__always)
        func digit(_ place: Int) -> Int32 {
            let digit = unsafe text[place] &- 0x30
            wrong |= digit > 9 ? 1 : 0
            return Int32(digit)
        }
        let year = digit(0) * 1000 + digit(1) * 100 + digit(2) * 10 + digit(3)
        let month = digit(5) * 10 + digit(6)
        let day = digit(8) * 10 + digit(9)
        wrong |= unsafe (text[4] ^ 0x2d) | (text[7] ^ 0x2d)
        // The 29th and later are not the same in all months.
        guard wrong == 0, month >= 1, month <= 12, day >= 1 else { return nil }
        if day > 28 {
            let isLong = 0b1_0101_1010_1010 >> month & 1 == 1
            guard month != 2, day <= (isLong ? 31 : 30) else { return nil }
        }
        let days = TimeText.days(year: Int64(year), month: Int64(month), day: Int64(day))
        return Int32(truncatingIfNeeded: days)
    }
}
