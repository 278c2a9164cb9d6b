/// A number as it is written, with all of its digits: `unscaled` divided by 10 to the `scale`.
struct ExactNumber: Equatable {
    var unscaled: Int128
    var scale: Int

    /// Understands `-12.50`, `+3`, `.5` and `1e-7`; nil for anything else, and for more than 38
    /// digits that count.
    init?(_ text: ArraySlice<UInt8>) {
        var position = text.startIndex
        let isNegative = position < text.endIndex && text[position] == UInt8(ascii: "-")
        if position < text.endIndex, isNegative || text[position] == UInt8(ascii: "+") {
            position += 1
        }
        var (value, digits, fraction, zeros): (Int128, Int, Int, Int) = (0, 0, 0, 0)
        var isFraction = false
        while position < text.endIndex {
            let byte = text[position]
            if byte == UInt8(ascii: "."), !isFraction {
                isFraction = true
                position += 1
                continue
            }
            guard byte >= 0x30, byte <= 0x39 else { break }
            digits += 1
            position += 1
            // Zeros at the end of a fraction count only when another digit follows.
            if isFraction, byte == 0x30 {
                zeros += 1
                continue
            }
            if isFraction {
                for _ in 0...zeros {
                    guard Self.grow(&value) else { return nil }
                }
                fraction += zeros + 1
                zeros = 0
            } else {
                guard Self.grow(&value) else { return nil }
            }
            value += Int128(byte - 0x30)
        }
        guard digits > 0 else { return nil }
        if position < text.endIndex {
            guard text[position] | 0x20 == UInt8(ascii: "e"),
                let exponent = IntegerText.parse(text[(position + 1)...]),
                (-1000...1000).contains(exponent)
            else { return nil }
            fraction -= Int(exponent)
        }
        unscaled = isNegative ? -value : value
        scale = fraction
    }

    /// Multiplies by ten; false when the number would not stay below 10 to the 38.
    private static func grow(_ value: inout Int128) -> Bool {
        guard value < Self.powers[37] else { return false }
        value *= 10
        return true
    }

    /// Powers of ten from 0 to 38.
    static let powers: [Int128] = {
        var powers: [Int128] = [1]
        for _ in 0..<38 { powers.append(powers[powers.count - 1] * 10) }
        return powers
    }()

    /// The largest whole number that is not greater than this one times 10 to the `scale`, and
    /// whether they are equal; nil when it is beyond 38 digits.
    func floor(scale wanted: Int) -> (value: Int128, isExact: Bool)? {
        if unscaled == 0 { return (0, true) }
        if wanted >= scale {
            guard wanted - scale <= 38 else { return nil }
            let (product, overflow) = unscaled.multipliedReportingOverflow(
                by: Self.powers[wanted - scale])
            guard !overflow, product.magnitude < Self.powers[38].magnitude else { return nil }
            return (product, true)
        }
        guard scale - wanted <= 38 else { return (unscaled < 0 ? -1 : 0, false) }
        let (quotient, rest) = unscaled.quotientAndRemainder(
            dividingBy: Self.powers[scale - wanted])
        return (rest < 0 ? quotient - 1 : quotient, rest == 0)
    }
}

/// Decimals as text, with as many digits behind the point as their type has.
enum DecimalText {
    static func append(_ value: Int128, scale: Int, to bytes: inout [UInt8]) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        let digits = Array(String(value.magnitude).utf8)
        let whole = max(0, digits.count - scale)
        bytes += whole == 0 ? [UInt8(ascii: "0")] : digits[..<whole]
        guard scale > 0 else { return }
        bytes.append(UInt8(ascii: "."))
        bytes += repeatElement(UInt8(ascii: "0"), count: max(0, scale - digits.count))
        bytes += digits[whole...]
    }

    /// Nil when the text is no number, or needs more digits than the type has.
    static func parse(_ text: ArraySlice<UInt8>, precision: Int, scale: Int) -> Int128? {
        guard let number = ExactNumber(text), let (value, isExact) = number.floor(scale: scale),
            isExact, value.magnitude < ExactNumber.powers[precision].magnitude
        else { return nil }
        return value
    }
}

/// Whole numbers as text.
enum IntegerText {
    /// Understands an optional sign and digits; nil for anything else, and beyond 64 bits.
    static func parse(_ text: ArraySlice<UInt8>) -> Int64? {
        var position = text.startIndex
        guard position < text.endIndex else { return nil }
        let isNegative = text[position] == UInt8(ascii: "-")
        if isNegative || text[position] == UInt8(ascii: "+") { position += 1 }
        guard position < text.endIndex else { return nil }
        if text.endIndex - position > 18 { return parseLong(text[position...], isNegative) }
        var value: Int64 = 0
        while position < text.endIndex {
            let digit = text[position] &- 0x30
            guard digit <= 9 else { return nil }
            value = value &* 10 &+ Int64(digit)
            position &+= 1
        }
        return isNegative ? -value : value
    }

    /// Checks every step: there may be too many digits.
    private static func parseLong(_ digits: ArraySlice<UInt8>, _ isNegative: Bool) -> Int64? {
        var value: Int64 = 0
        for byte in digits {
            let digit = byte &- 0x30
            guard digit <= 9 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflown) =
                isNegative
                ? product.subtractingReportingOverflow(Int64(digit))
                : product.addingReportingOverflow(Int64(digit))
            guard !overflow, !overflown else { return nil }
            value = sum
        }
        return value
    }

    static func append(_ value: Int64, to bytes: inout [UInt8]) {
        var rest = value.magnitude
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        let start = bytes.count
        repeat {
            bytes.append(0x30 + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }
}
