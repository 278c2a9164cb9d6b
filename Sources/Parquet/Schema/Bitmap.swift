/// One bit a row, the lowest bit of a byte first, as in Arrow: set where a value is there.
package struct Bitmap: Equatable, Sendable {
    /// Bits behind `count` are 0.
    package private(set) var bytes: [UInt8]
    package private(set) var count: Int

    package init() { (bytes, count) = ([], 0) }

    package init(repeating value: Bool, count: Int) {
        self.init()
        append(value, count: count)
    }

    package init(_ flags: [Bool]) {
        self.init()
        for flag in flags { append(flag, count: 1) }
    }

    /// Packs the first `count` of `flags`, which are 0 or 1.
    init(packing flags: [UInt8]) {
        self.init()
        append(packing: flags, flags.indices)
    }

    package subscript(index: Int) -> Bool {
        precondition(index < count)
        return bytes[index >> 3] & (1 << UInt8(truncatingIfNeeded: index & 7)) != 0
    }

    /// How many bits are set.
    package var setCount: Int { bytes.reduce(0) { $0 + $1.nonzeroBitCount } }

    package mutating func append(_ value: Bool, count added: Int) {
        precondition(added >= 0)
        var left = added
        while left > 0, count & 7 != 0 || left < 8 {
            if count & 7 == 0 { bytes.append(0) }
            if value { bytes[count >> 3] |= 1 << UInt8(truncatingIfNeeded: count & 7) }
            count += 1
            left -= 1
        }
        guard left > 0 else { return }
        bytes.append(contentsOf: repeatElement(value ? 0xff : 0, count: left >> 3))
        count += left & ~7
        append(value, count: left & 7)
    }

    /// Appends flags that are 0 or 1 each.
    mutating func append(packing flags: [UInt8], _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= flags.count)
        bytes.reserveCapacity((count + range.count + 7) / 8)
        for index in range {
            if count & 7 == 0 { bytes.append(0) }
            bytes[count >> 3] |= (flags[index] & 1) << UInt8(truncatingIfNeeded: count & 7)
            count += 1
        }
    }

    package mutating func append(_ other: Bitmap) { append(other, 0..<other.count) }

    package mutating func append(_ other: Bitmap, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= other.count)
        if count & 7 == 0, range.lowerBound & 7 == 0 {
            let whole = range.count >> 3
            bytes += other.bytes[range.lowerBound >> 3..<(range.lowerBound >> 3) + whole]
            count += whole << 3
            for index in range.dropFirst(whole << 3) { append(other[index], count: 1) }
        } else {
            for index in range { append(other[index], count: 1) }
        }
    }

    /// The bits in `range`.
    package func slice(_ range: Range<Int>) -> Bitmap {
        var bitmap = Bitmap()
        bitmap.append(self, range)
        return bitmap
    }

    /// The bits as bytes of 0 or 1.
    func unpacked() -> [UInt8] {
        var flags = [UInt8](repeating: 0, count: count)
        for index in 0..<count {
            flags[index] = (bytes[index >> 3] >> UInt8(truncatingIfNeeded: index & 7)) & 1
        }
        return flags
    }
}
