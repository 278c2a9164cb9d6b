/// A number of bytes; printed in decimal units, as `ls --si` and disk makers do.
package struct ByteCount: Hashable, Sendable, Comparable {
    package var bytes: UInt64

    package init(_ bytes: UInt64) { self.bytes = bytes }

    /// A count that must not be negative.
    package init(_ bytes: Int) {
        precondition(bytes >= 0)
        self.bytes = UInt64(bytes)
    }

    package static func kibibytes(_ count: UInt64) -> Self { Self(count << 10) }
    package static func mebibytes(_ count: UInt64) -> Self { Self(count << 20) }

    package static func < (one: Self, other: Self) -> Bool { one.bytes < other.bytes }
}

extension ByteCount: CustomStringConvertible {
    private static let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]

    /// Three significant digits and a unit, "1.84 GB".
    package var description: String {
        var scaled = bytes
        var remainder: UInt64 = 0
        var unit = 0
        while scaled >= 1000 {
            remainder = scaled % 1000
            scaled /= 1000
            unit += 1
        }
        guard unit > 0, scaled < 100 else { return "\(scaled) \(Self.units[unit])" }
        let digits = scaled < 10 ? remainder / 10 : remainder / 100
        let padding = scaled < 10 && digits < 10 ? "0" : ""
        return "\(scaled).\(padding)\(digits) \(Self.units[unit])"
    }
}

extension ByteCount {
    /// Parses "512", "64K", "1.5G", "2MiB", "10MB".
    ///
    /// K, M, G and T are binary unless they are written kB, MB, GB, TB.
    package init?(parsing text: some StringProtocol) {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let value = Double(String(number)), value >= 0,
            let unit = Self.unit(named: text.dropFirst(number.count).lowercased())
        else { return nil }
        let product = (value * Double(unit)).rounded()
        guard product < 0x1p63 else { return nil }
        self.init(UInt64(product))
    }

    private static func unit(named name: String) -> UInt64? {
        switch name {
        case "", "b": 1
        case "k", "kib": 1 << 10
        case "m", "mib": 1 << 20
        case "g", "gib": 1 << 30
        case "t", "tib": 1 << 40
        case "kb": 1_000
        case "mb": 1_000_000
        case "gb": 1_000_000_000
        case "tb": 1_000_000_000_000
        default: nil
        }
    }
}
