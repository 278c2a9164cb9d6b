internal import Bytes

/// Floating-point numbers as text.
enum FloatText {
    /// What stands for doubles that are no numbers, in what is written here.
    static let words: [ExactText] = ["NaN", "Infinity", "-Infinity"]

    private static let powers: [Double] = {
        var powers: [Double] = [1]
        for _ in 0..<22 { powers.append(powers[powers.count - 1] * 10) }
        return powers
    }()

    /// Understands a number, "NaN", "Infinity", "inf" and those with a sign, in any case.
    static func parse(_ text: ArraySlice<UInt8>) -> Double? {
        if let number = fast(text) { return number }
        return slow(text) { Double($0) }
    }

    /// The same, rounded once to the shorter format.
    static func parseFloat(_ text: ArraySlice<UInt8>) -> Float? { slow(text) { Float($0) } }

    /// Few digits and a small exponent: both are exact, so one operation rounds right (W.
    ///
    /// Clinger, "How to Read Floating Point Numbers Accurately").
    private static func fast(_ text: ArraySlice<UInt8>) -> Double? {
        guard text.count <= 16 else { return nil }
        var position = text.startIndex
        let isNegative = position < text.endIndex && text[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        var (value, digits, fraction): (Int64, Int, Int) = (0, 0, -1)
        while position < text.endIndex {
            let byte = text[position]
            position += 1
            if byte == UInt8(ascii: "."), fraction < 0 {
                fraction = 0
                continue
            }
            let digit = byte &- 0x30
            guard digit <= 9 else { return nil }
            value = value * 10 + Int64(digit)
            digits += 1
            if fraction >= 0 { fraction += 1 }
        }
        guard digits > 0, digits <= 15 else { return nil }
        let number = Double(value) / powers[max(0, fraction)]
        return isNegative ? -number : number
    }

    private static func slow<Number: BinaryFloatingPoint>(
        _ text: ArraySlice<UInt8>, _ parse: (String) -> Number?
    ) -> Number? {
        guard let first = text.first, first > 0x20 else { return nil }
        let word = String(decoding: text, as: UTF8.self)
        switch word.lowercased() {
        case "nan": return .nan
        case "inf", "+inf", "infinity", "+infinity": return .infinity
        case "-inf", "-infinity": return -.infinity
        default: break
        }
        // Neither hexadecimal digits nor the other spellings that the library knows.
        let isPlain = text.allSatisfy {
            $0 >= 0x30 && $0 <= 0x39 || "+-.eE".utf8.contains($0)
        }
        return isPlain ? parse(word) : nil
    }

    /// Whether a number without a sign is written with no digit that its double would not be.
    static func isLossless(_ text: ArraySlice<UInt8>, _ value: Double) -> Bool {
        // Fifteen digits always come back (IEEE 754-2019, section 5.12.2).
        if text.count <= 15, !text.contains(where: { $0 | 0x20 == UInt8(ascii: "e") }) {
            return true
        }
        guard let digits = significant(text), let kept = significant(Array("\(value)".utf8)[...])
        else { return false }
        return digits == kept
    }

    private struct Significant: Equatable {
        /// Without zeros at both ends.
        var digits: [UInt8]
        /// Where the point stands behind the first of them; 0 for zero.
        var exponent: Int
    }

    private static func significant(_ text: ArraySlice<UInt8>) -> Significant? {
        let number = text.prefix { $0 | 0x20 != UInt8(ascii: "e") }
        let power = text.dropFirst(number.count + 1)
        guard let exponent = power.isEmpty ? 0 : IntegerText.parse(power),
            (-1000...1000).contains(exponent)
        else { return nil }
        let point = number.prefix { $0 != UInt8(ascii: ".") }.count
        let all = number.filter { $0 != UInt8(ascii: ".") }
        var digits = Array(all.drop { $0 == 0x30 })
        let zeros = all.count - digits.count
        while digits.last == 0x30 { digits.removeLast() }
        return Significant(
            digits: digits, exponent: digits.isEmpty ? 0 : point - zeros + Int(exponent))
    }

    static func append(_ value: Double, to bytes: inout [UInt8]) {
        bytes += value.isFinite ? Array("\(value)".utf8) : special(value)
    }

    static func append(_ value: Float, to bytes: inout [UInt8]) {
        bytes += value.isFinite ? Array("\(value)".utf8) : special(Double(value))
    }

    private static func special(_ value: Double) -> [UInt8] {
        Array((value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity").utf8)
    }
}
