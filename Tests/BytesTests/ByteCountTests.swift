import Bytes
import Testing

struct ByteCountTests {
    @Test(
        arguments: [
            (0, "0 B"), (1, "1 B"), (999, "999 B"), (1_000, "1.00 kB"), (1_009, "1.00 kB"),
            (1_010, "1.01 kB"), (1_050, "1.05 kB"), (9_999, "9.99 kB"), (10_000, "10.0 kB"),
            (10_099, "10.0 kB"), (99_999, "99.9 kB"), (100_000, "100 kB"), (999_999, "999 kB"),
            (1_000_000, "1.00 MB"), (1_840_000_000, "1.84 GB"), (.max, "18.4 EB"),
        ] as [(UInt64, String)]
    )
    func `A count is printed with three digits and a decimal unit`(bytes: UInt64, text: String) {
        #expect("\(ByteCount(bytes))" == text)
    }

    @Test(
        arguments: [
            ("0", 0), ("512", 512), ("512B", 512), ("64K", 65_536), ("64k", 65_536),
            ("64KiB", 65_536), ("64kB", 64_000), ("1.5G", 3 << 29), ("2MiB", 2 << 20),
            ("10MB", 10_000_000), ("1T", 1 << 40), ("1TB", 1_000_000_000_000), ("0.5K", 512),
            ("3GB", 3_000_000_000),
        ] as [(String, UInt64)]
    )
    func `Sizes are parsed with binary and decimal units`(text: String, bytes: UInt64) {
        #expect(ByteCount(parsing: text)?.bytes == bytes)
    }

    @Test(arguments: [
        "", "K", "-1", "+1", "1e5", "1 K", "1.2.3", "0x10", "1KK", "inf", "nan", "9E", "1,5G",
        "٣", "99999999999999999999", "9999999T", "1\n", ".",
    ])
    func `What is not a size is refused`(text: String) {
        #expect(ByteCount(parsing: text) == nil)
    }

    @Test func `Binary sizes are powers of two`() {
        #expect(ByteCount.kibibytes(3).bytes == 3_072)
        #expect(ByteCount.mebibytes(2).bytes == 2_097_152)
        #expect(ByteCount.kibibytes(1) < ByteCount.mebibytes(1))
    }
}

struct DigestTests {
    private let digest = SHA256Digest(
        0x0102_0304_0506_0708,
        0x090a_0b0c_0d0e_0f10,
        0,
        0xffff_ffff_ffff_fffe
    )
    private let hex = "0102030405060708090a0b0c0d0e0f100000000000000000fffffffffffffffe"

    @Test func `A digest goes to text and back`() {
        #expect(digest.hex == hex)
        #expect(SHA256Digest(hex: hex) == digest)
        #expect(SHA256Digest(hex: hex.uppercased()) == digest)
    }

    @Test func `Text that is not a whole digest is refused`() {
        for text in ["", "0", String(hex.dropLast()), hex + "00", hex.dropLast() + "g"] {
            #expect(SHA256Digest(hex: text) == nil)
        }
    }

    @Test(arguments: [("", []), ("00ff", [0, 255]), ("A0", [160])] as [(String, [UInt8])])
    func `Hexadecimal text is read`(text: String, bytes: [UInt8]) {
        #expect(Hex.decode(text) == bytes)
        #expect(Hex.encode(bytes) == text.lowercased())
    }

    @Test(arguments: ["0", "0x", " 0", "g0", "é", "0\u{0}"])
    func `Other text is not`(text: String) { #expect(Hex.decode(text) == nil) }

    @Test func `Fingerprints differ when either half does`() {
        let xxh3 = XXH3Digest(high: 1, low: 2)
        let one = Fingerprint(xxh3: xxh3, sha256: digest)
        let other = Fingerprint(xxh3: xxh3, sha256: SHA256Digest(0, 0, 0, 0))
        #expect(one != other && other < one && Set([one, other]).count == 2)
        #expect(one.hex == "00000000000000010000000000000002" + hex)
    }

    @Test func `Digests sort as their text does`() {
        let digests = [
            SHA256Digest(1, 0, 0, 0), SHA256Digest(0, 1, 0, 0), SHA256Digest(0, 0, 1, 0),
            SHA256Digest(0, 0, 0, 1), SHA256Digest(.max, 0, 0, 0),
        ]
        #expect(digests.sorted().map(\.hex) == digests.map(\.hex).sorted())
    }
}
