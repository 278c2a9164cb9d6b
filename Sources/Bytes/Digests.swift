/// An XXH3-128 digest: the address of content, never evidence that two contents are equal.
package struct XXH3Digest: Hashable, Sendable {
    /// The most significant half; printed first, as `xxh128sum` does.
    package let high: UInt64
    package let low: UInt64

    package static let size = 16

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

extension XXH3Digest: Comparable {
    package static func < (one: Self, other: Self) -> Bool {
        one.high != other.high ? one.high < other.high : one.low < other.low
    }
}

/// A SHA-256 digest as four big-endian words (FIPS 180-4).
package struct SHA256Digest: Hashable, Sendable {
    package let word0, word1, word2, word3: UInt64

    package static let size = 32

    /// 32 zero bytes: stands for a digest that is not known.
    package static let zero = SHA256Digest(0, 0, 0, 0)

    package init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
        self.word0 = word0
        self.word1 = word1
        self.word2 = word2
        self.word3 = word3
    }

    package var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.digest(self)
        return writer.bytes
    }

    /// 64 lower-case hexadecimal digits.
    package var hex: String { Hex.encode(bytes) }

    /// Parses exactly 64 hexadecimal digits.
    package init?(hex: some StringProtocol) {
        guard let bytes = Hex.decode(hex), bytes.count == Self.size else { return nil }
        var reader = ByteReader(bytes)
        guard let digest = try? reader.sha256() else { return nil }
        self = digest
    }
}

extension SHA256Digest: Comparable {
    package static func < (one: Self, other: Self) -> Bool {
        (one.word0, one.word1, one.word2, one.word3)
            < (other.word0, other.word1, other.word2, other.word3)
    }
}

/// Both digests of one content, 48 bytes.
///
/// Two contents are the same only when all of it agrees.
package struct Fingerprint: Hashable, Sendable {
    package let xxh3: XXH3Digest
    package let sha256: SHA256Digest

    package static let size = XXH3Digest.size + SHA256Digest.size

    package init(xxh3: XXH3Digest, sha256: SHA256Digest) {
        self.xxh3 = xxh3
        self.sha256 = sha256
    }

    /// 32 hexadecimal digits of XXH3-128 followed by 64 of SHA-256.
    package var hex: String {
        var writer = ByteWriter()
        writer.fingerprint(self)
        return Hex.encode(writer.bytes)
    }

    /// XXH3 digests are well mixed, so their low half alone spreads a hash table.
    package func hash(into hasher: inout Hasher) { hasher.combine(xxh3.low) }
}

extension Fingerprint: Comparable {
    package static func < (one: Self, other: Self) -> Bool {
        one.xxh3 != other.xxh3 ? one.xxh3 < other.xxh3 : one.sha256 < other.sha256
    }
}
