/// Dates and times of the Gregorian calendar as text, in the form of ISO 8601.
///
/// Days are counted from 1970-01-01 (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
enum TimeText {
    static let microsecondsOfDay: Int64 = 86_400_000_000

    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
            - 719_468
    }

    static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0)
        return (year, month < 10 ? month + 3 : month - 9, dayOfYear - (153 * month + 2) / 5 + 1)
    }

    // MARK: Writing

    private static func append(_ number: Int64, digits: Int, to bytes: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            bytes.append(0x30 + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

    static func append(days: Int64, to bytes: inout [UInt8]) {
        let (year, month, day) = civil(days)
        if (0...9999).contains(year) {
            append(year, digits: 4, to: &bytes)
        } else {
            // Years beyond four digits have a sign (ISO 8601, expanded representation).
            bytes.append(UInt8(ascii: year < 0 ? "-" : "+"))
            append(abs(year), digits: abs(year) > 999_999 ? 7 : 6, to: &bytes)
        }
        bytes.append(UInt8(ascii: "-"))
        append(month, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(day, digits: 2, to: &bytes)
    }

    /// Writes `2026-11-20T03:00:05.123456Z`, a fraction of 3 or 6 digits only where there is one,
    /// or always one of 6.
    static func append(
        microseconds: Int64, isUTC: Bool, alwaysWithFraction: Bool = false,
        to bytes: inout [UInt8]
    ) {
        var days = microseconds / microsecondsOfDay
        var rest = microseconds % microsecondsOfDay
        if rest < 0 {
            days -= 1
            rest += microsecondsOfDay
        }
        append(days: days, to: &bytes)
        bytes.append(UInt8(ascii: "T"))
        let seconds = rest / 1_000_000
        append(seconds / 3600, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(seconds / 60 % 60, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(seconds % 60, digits: 2, to: &bytes)
        let fraction = rest % 1_000_000
        if fraction != 0 || alwaysWithFraction {
            bytes.append(UInt8(ascii: "."))
            if fraction % 1000 == 0, !alwaysWithFraction {
                append(fraction / 1000, digits: 3, to: &bytes)
            } else {
                append(fraction, digits: 6, to: &bytes)
            }
        }
        if isUTC { bytes.append(UInt8(ascii: "Z")) }
    }

    // MARK: Reading

    /// Understands `2026-11-20`, and years with a sign and up to seven digits.
    static func parseDate(_ text: ArraySlice<UInt8>) -> Int32? {
        var scanner = TimeScanner(rest: text)
        guard let days = scanner.date(), scanner.rest.isEmpty else { return nil }
        return Int32(exactly: days)
    }

    /// Understands a date, and behind it, after "T" or a blank, a time of day with up to six digits
    /// of a fraction, and a zone: "Z" or an offset.
    ///
    /// Gives microseconds since 1970.
    static func parseTimestamp(
        _ text: ArraySlice<UInt8>
    ) -> (microseconds: Int64, hasZone: Bool)? {
        var scanner = TimeScanner(rest: text)
        guard let days = scanner.date() else { return nil }
        var (clock, zone): (Int64, Int64?) = (0, nil)
        if !scanner.rest.isEmpty {
            guard scanner.skip("T") || scanner.skip(" "), let time = scanner.time() else {
                return nil
            }
            clock = time
            zone = scanner.zone()
        }
        guard scanner.rest.isEmpty else { return nil }
        let (start, overflow) = days.multipliedReportingOverflow(by: microsecondsOfDay)
        let (moment, overflown) = start.addingReportingOverflow(clock - (zone ?? 0) * 1_000_000)
        guard !overflow, !overflown else { return nil }
        return (moment, zone != nil)
    }
}

/// Takes the parts of a written time from its front.
private struct TimeScanner {
    var rest: ArraySlice<UInt8>

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    private mutating func number(_ digits: Int) -> Int64? {
        guard rest.count >= digits else { return nil }
        var value: Int64 = 0
        for position in rest.startIndex..<rest.startIndex + digits {
            let digit = rest[position] &- 0x30
            guard digit <= 9 else { return nil }
            value = value * 10 + Int64(digit)
        }
        rest = rest.dropFirst(digits)
        return value
    }

    private mutating func year() -> Int64? {
        let isNegative = skip("-")
        guard isNegative || skip("+") else { return number(4) }
        let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }.count
        guard (4...7).contains(digits), let year = number(digits) else { return nil }
        return isNegative ? -year : year
    }

    mutating func date() -> Int64? {
        guard let year = year(), skip("-"), let month = number(2), skip("-"),
            let day = number(2), (1...12).contains(month), day >= 1,
            day <= Self.length(year, month)
        else { return nil }
        return TimeText.days(year: year, month: month, day: day)
    }

    private static func length(_ year: Int64, _ month: Int64) -> Int64 {
        let isLeap = year % 4 == 0 && year % 100 != 0 || year % 400 == 0
        return switch month {
        case 2: isLeap ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Microseconds since midnight.
    mutating func time() -> Int64? {
        guard let hour = number(2), skip(":"), let minute = number(2), hour < 24, minute < 60
        else { return nil }
        var (second, fraction): (Int64, Int64) = (0, 0)
        if skip(":") {
            guard let seconds = number(2), seconds < 60 else { return nil }
            second = seconds
            if skip(".") {
                guard let part = self.fraction() else { return nil }
                fraction = part
            }
        }
        return (hour * 3600 + minute * 60 + second) * 1_000_000 + fraction
    }

    private mutating func fraction() -> Int64? {
        let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard !digits.isEmpty, digits.dropFirst(6).allSatisfy({ $0 == 0x30 }) else { return nil }
        rest = rest.dropFirst(digits.count)
        var value: Int64 = 0
        for index in 0..<6 {
            let position = digits.startIndex + index
            value = value * 10 + (position < digits.endIndex ? Int64(digits[position] - 0x30) : 0)
        }
        return value
    }

    /// Seconds east of Greenwich.
    mutating func zone() -> Int64? {
        if skip("Z") { return 0 }
        if rest.first == UInt8(ascii: " ") { rest = rest.dropFirst() }
        let isWest = rest.first == UInt8(ascii: "-")
        guard skip("+") || skip("-"), let hours = number(2), hours < 24 else { return nil }
        _ = skip(":")
        let minutes = rest.isEmpty ? 0 : number(2)
        guard let minutes, minutes < 60 else { return nil }
        return (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
    }
}
