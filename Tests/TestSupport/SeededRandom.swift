internal import Testing

internal import Platform

/// The generator of Steele, Lea and Flood (2014): small, fast, and the same on every machine.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(_ seed: Seed) { state = seed.value }

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

extension SplitMix64 {
    /// Bytes that zstd cannot shrink.
    package mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            let number = next()
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * shift))) }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Words in random order: zstd shrinks them well.
    package mutating func text(_ count: Int) -> [UInt8] {
        let words = "ironic deposits sleep furiously among 1996-03-13 regular accounts".split(
            separator: " "
        ).map { Array($0.utf8) + [0x20] }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 16)
        while bytes.count < count { bytes += words[Int(next() % UInt64(words.count))] }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    package mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
}

/// The seed of a test with random data: an argument of the test, so that a failure names it.
///
/// Setting VARVE_SEED runs every such test with that seed only.
package struct Seed: Hashable, Codable, Sendable {
    package let value: UInt64

    package init(_ value: UInt64) { self.value = value }

    /// Fixed seeds, and one that is new in every run.
    package static func some(_ count: Int) -> [Seed] {
        if let digits = HostSystem.variable("VARVE_SEED"),
            let value = UInt64(String(decoding: digits, as: UTF8.self))
        {
            return [Seed(value)]
        }
        return (1...UInt64(count)).map(Seed.init) + [Seed(.random(in: 1_000...9_999_999))]
    }
}

extension Seed: CustomTestStringConvertible {
    package var testDescription: String { "VARVE_SEED=\(value)" }
}
