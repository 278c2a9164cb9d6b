/// Bytes that are the same on every machine.
///
/// The golden cuts are those of these inputs, so a change here changes what they mean.
enum GeneratedBytes: String, CaseIterable, Sendable {
    /// The outputs of SplitMix64, eight bytes each, lowest first.
    case random
    /// Lines of sixteen words; an output of SplitMix64 chooses them, lowest four bits first.
    case text
    /// Zeros.
    case zeros

    private static let words =
        "the quick ironic deposits sleep furiously among 1996-03-13 O 0.04 TRUCK 17 regular "
        + "accounts. 24386.67 NONE"

    func make(seed: UInt64, count: Int) -> [UInt8] {
        var numbers = SplitMix64(state: seed)
        switch self {
        case .random:
            var bytes: [UInt8] = []
            bytes.reserveCapacity(count + 8)
            while bytes.count < count {
                let number = numbers.next()
                for shift in 0..<8 {
                    bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * shift)))
                }
            }
            return Array(bytes.prefix(count))
        case .text:
            let words = Self.words.split(separator: " ").map { Array($0.utf8) + [0x20] }
            var bytes: [UInt8] = []
            while bytes.count < count {
                let number = numbers.next()
                for shift in 0..<16 {
                    bytes += words[Int((number >> UInt64(4 * shift)) & 15)]
                }
                bytes.append(0x0a)
            }
            return Array(bytes.prefix(count))
        case .zeros:
            return [UInt8](repeating: 0, count: count)
        }
    }
}

/// The generator of Steele, Lea and Flood (2014).
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
