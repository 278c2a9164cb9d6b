internal import Bytes
internal import JSON
internal import TableLog

/// Finds the narrowest type that all values of a column have, as they stand in text.
struct TypeGuess {
    private struct Candidates: OptionSet {
        let rawValue: Int
        static let boolean = Self(rawValue: 1)
        static let long = Self(rawValue: 2)
        /// Whole numbers of more than 64 bits.
        static let whole = Self(rawValue: 4)
        /// Numbers of which a double loses no digit.
        static let double = Self(rawValue: 8)
        static let date = Self(rawValue: 16)
        static let zoned = Self(rawValue: 32)
        static let local = Self(rawValue: 64)
        /// Numbers without exponents, of 38 digits at most.
        static let fixed = Self(rawValue: 128)
        static let all = Self(rawValue: 255)
        static let numbers: Self = [.long, .whole, .double, .fixed]
    }

    private var candidates = Candidates.all
    private var hasValues = false
    /// Whether there were words for doubles that are no numbers, and anything else.
    private var (hasOthers, hasWords) = (false, false)
    /// Digits before the point, and behind it, at most.
    private var (wholeDigits, fractionDigits) = (0, 0)

    /// Nothing is known: text.
    var type: TableType {
        // Words alone may be texts as well.
        guard hasValues, hasOthers || !hasWords else { return .string }
        if candidates.contains(.boolean) { return .boolean }
        if candidates.contains(.long) { return .long }
        if candidates.contains(.whole) { return .decimal(precision: 38, scale: 0) }
        if candidates.contains(.double) { return .double }
        if candidates.contains(.fixed) {
            return .decimal(precision: wholeDigits + fractionDigits, scale: fractionDigits)
        }
        if candidates.contains(.date) { return .date }
        if candidates.contains(.zoned) { return .timestamp }
        if candidates.contains(.local) { return .timestampWithoutZone }
        return .string
    }

    mutating func add(text: ArraySlice<UInt8>) {
        hasValues = true
        guard !candidates.isEmpty else { return }
        if addWord(text) { return }
        hasOthers = true
        let word = String(decoding: text.prefix(6), as: UTF8.self).lowercased()
        if word != "true", word != "false" { candidates.remove(.boolean) }
        addNumber(text)
        addTime(text)
    }

    /// Takes a word that stands for a double which is no number; false for others.
    private mutating func addWord(_ text: ArraySlice<UInt8>) -> Bool {
        guard FloatText.words.contains(where: { $0.utf8.elementsEqual(text) }) else {
            return false
        }
        hasWords = true
        candidates.formIntersection(.double)
        return true
    }

    private mutating func addNumber(_ text: ArraySlice<UInt8>) {
        guard !candidates.isDisjoint(with: .numbers) else { return }
        let digits = text.first == UInt8(ascii: "-") ? text.dropFirst() : text
        // Numbers of articles and postal codes begin with zeros that count.
        let hasLeadingZero =
            digits.first == 0x30 && digits.count > 1 && digits.dropFirst().first != 0x2e
        guard !hasLeadingZero, digits.first.map({ $0 != UInt8(ascii: "+") }) == true,
            let value = FloatText.parse(text), value.isFinite
        else {
            candidates.subtract(.numbers)
            return
        }
        let isWhole = digits.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
        if IntegerText.parse(text) == nil { candidates.remove(.long) }
        if !isWhole || digits.count > 38 { candidates.remove(.whole) }
        if !FloatText.isLossless(digits, value.magnitude) { candidates.remove(.double) }
        addDigits(digits)
    }

    private mutating func addDigits(_ text: ArraySlice<UInt8>) {
        guard candidates.contains(.fixed) else { return }
        let whole = text.prefix { $0 != UInt8(ascii: ".") }
        let fraction = text.dropFirst(whole.count + 1)
        wholeDigits = max(wholeDigits, whole.count)
        fractionDigits = max(fractionDigits, fraction.count)
        let isFixed = text.allSatisfy { $0 >= 0x30 && $0 <= 0x39 || $0 == UInt8(ascii: ".") }
        if !isFixed || wholeDigits + fractionDigits > 38 { candidates.remove(.fixed) }
    }

    private mutating func addTime(_ text: ArraySlice<UInt8>) {
        if candidates.contains(.date), TimeText.parseDate(text) == nil {
            candidates.remove(.date)
        }
        guard !candidates.isDisjoint(with: [.zoned, .local]) else { return }
        guard let time = TimeText.parseTimestamp(text) else {
            candidates.subtract([.zoned, .local])
            return
        }
        candidates.remove(time.hasZone ? .local : .zoned)
    }

    /// Adds a value of a JSON document; false for one of several parts.
    mutating func add(json value: JSONValue) -> Bool {
        switch value {
        case .null: return true
        case .bool:
            hasValues = true
            candidates.formIntersection(.boolean)
        case .number(let text):
            (hasValues, hasOthers) = (true, true)
            candidates.formIntersection(.numbers)
            addNumber(Array(text.utf8)[...])
        case .string(let text):
            hasValues = true
            if addWord(Array(text.utf8)[...]) { return true }
            hasOthers = true
            candidates.formIntersection([.date, .zoned, .local])
            addTime(Array(text.utf8)[...])
        case .array, .object: return false
        }
        return true
    }
}
