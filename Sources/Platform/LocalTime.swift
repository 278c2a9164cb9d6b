internal import Glibc

/// A date and a time of day as people write them.
package struct CivilTime: Equatable, Sendable {
    /// The smallest unit that was written; smaller ones are zero.
    package enum Precision: Sendable {
        case day, minute, second
    }

    package var year: Int
    package var month: Int
    package var day: Int
    package var hour = 0
    package var minute = 0
    package var second = 0
    /// Seconds east of Greenwich; nil for the local time of the host.
    package var offset: Int?
    package var precision = Precision.second

    /// Parses `2026-11-20`, `2026-11-20T03:00` or `2026-11-20T03:00:05`.
    ///
    /// A time of day may have "Z" or an offset such as `+01:00` behind it. Years are 1970 to 9999.
    package init?(parsing text: some StringProtocol) {
        var scanner = CivilTimeScanner(rest: text.utf8.map { $0 }[...])
        guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2),
            scanner.skip("-"), let day = scanner.number(2)
        else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
        precision = .day
        if !scanner.rest.isEmpty {
            guard scanner.skip("T"), let hour = scanner.number(2), scanner.skip(":"),
                let minute = scanner.number(2)
            else { return nil }
            (self.hour, self.minute) = (hour, minute)
            precision = .minute
            if scanner.skip(":") {
                guard let second = scanner.number(2) else { return nil }
                self.second = second
                precision = .second
            }
            offset = scanner.offset()
        }
        guard scanner.rest.isEmpty, isValid else { return nil }
    }

    private var isValid: Bool {
        year >= 1970 && (1...12).contains(month) && (1...daysInMonth).contains(day)
            && hour < 24 && minute < 60 && second < 60 && (offset ?? 0).magnitude < 86_400
    }

    private var daysInMonth: Int {
        let isLeap = year.isMultiple(of: 4) && !year.isMultiple(of: 100) || year.isMultiple(of: 400)
        switch month {
        case 2: return isLeap ? 29 : 28
        case 4, 6, 9, 11: return 30
        default: return 31
        }
    }

    /// Days since 1970-01-01 in the Gregorian calendar.
    ///
    /// Counts years from March, so that the leap day comes last (H. Hinnant, "chrono-Compatible
    /// Low-Level Date Algorithms").
    private var daysSinceEpoch: Int {
        let shifted = month > 2 ? year : year - 1
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The moment that this is where the clock is `offset` seconds ahead of Greenwich.
    package func moment(offset: Int) -> Timestamp {
        let clock = hour * 3600 + minute * 60 + second
        return Timestamp(
            seconds: Int64(daysSinceEpoch * 86_400 + clock - offset),
            nanoseconds: 0
        )
    }
}

extension CivilTime {
    /// The day, minute or second after this one, in the unit that was written.
    ///
    /// Its fields may be beyond their range, which `moment` understands.
    package var next: Self {
        var time = self
        switch precision {
        case .day: time.day += 1
        case .minute: time.minute += 1
        case .second: time.second += 1
        }
        return time
    }

    /// The moment that this names: by its own offset, else by the host's time zone (mktime(3)).
    package func moment() -> Timestamp {
        if let offset { return moment(offset: offset) }
        var fields = unsafe tm()
        unsafe fields.tm_year = CInt(clamping: year - 1900)
        unsafe fields.tm_mon = CInt(clamping: month - 1)
        unsafe fields.tm_mday = CInt(clamping: day)
        unsafe fields.tm_hour = CInt(clamping: hour)
        unsafe fields.tm_min = CInt(clamping: minute)
        unsafe fields.tm_sec = CInt(clamping: second)
        unsafe fields.tm_isdst = -1
        return Timestamp(seconds: Int64(unsafe mktime(&fields)), nanoseconds: 0)
    }

    /// Read once: `localtime_r` need not look for the time zone, and `tzset` would each time.
    private static let zone: Void = tzset()

    /// The time that clocks of this host show at a moment (localtime_r(3)).
    package init(local moment: Timestamp) {
        var seconds = time_t(moment.seconds)
        var fields = unsafe tm()
        _ = Self.zone
        _ = unsafe localtime_r(&seconds, &fields)
        year = unsafe Int(fields.tm_year) + 1900
        month = unsafe Int(fields.tm_mon) + 1
        day = unsafe Int(fields.tm_mday)
        hour = unsafe Int(fields.tm_hour)
        minute = unsafe Int(fields.tm_min)
        second = unsafe Int(fields.tm_sec)
        offset = unsafe fields.tm_gmtoff
    }
}

extension CivilTime: CustomStringConvertible {
    /// "2026-11-20 03:00:05", without the offset.
    package var description: String { date + " " + clock }

    private var date: String {
        [year, month, day].map(Self.twoDigits).joined(separator: "-")
    }

    private var clock: String {
        [hour, minute, second].map(Self.twoDigits).joined(separator: ":")
    }

    /// "2026-11-20T03:00:05+01:00" (RFC 3339); without a known offset "Z" stands for it.
    package var rfc3339: String {
        guard let offset, offset != 0 else { return date + "T" + clock + "Z" }
        let minutes = Int(offset.magnitude) / 60
        let sign = offset < 0 ? "-" : "+"
        return date + "T" + clock + sign + Self.twoDigits(minutes / 60) + ":"
            + Self.twoDigits(minutes % 60)
    }

    private static func twoDigits(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}

/// Takes the parts of a written time from its front.
private struct CivilTimeScanner {
    var rest: ArraySlice<UInt8>

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    mutating func number(_ digits: Int) -> Int? {
        let taken = rest.prefix(digits)
        guard taken.count == digits, taken.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        rest = rest.dropFirst(digits)
        return taken.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// "Z", "+01:00" or "-05:30"; leaves anything else where it is.
    mutating func offset() -> Int? {
        let start = rest
        if skip("Z") { return 0 }
        let isWest = rest.first == UInt8(ascii: "-")
        guard skip("+") || skip("-"), let hours = number(2), skip(":"), let minutes = number(2)
        else {
            rest = start
            return nil
        }
        return (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
    }
}
