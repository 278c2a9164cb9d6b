import Bytes
import Compression
import Testing
import TestSupport

struct ZstdTests {
    private static let levels: [CompressionLevel] = [.standard, .zstd(1), .zstd(3), .zstd(19)]

    @Test(arguments: levels)
    func `Decoding gives back what was encoded`(level: CompressionLevel) throws {
        var generator = SplitMix64(seed: 3)
        let encoder = ZstdEncoder(level)
        let decoder = ZstdDecoder()
        var frame: [UInt8] = []
        for count in [0, 1, 16, 17, 255, 256, 1_000, 65_535, 65_536, 300_000] {
            for plain in [
                generator.bytes(count), generator.text(count), .init(repeating: 0, count: count),
            ] {
                #expect(encoder.encode(plain.span, into: &frame, limit: .max))
                #expect(try decoder.decode(frame.span, size: count) == plain)
            }
        }
    }

    @Test func `A frame that would not be smaller than the limit is not made`() {
        var generator = SplitMix64(seed: 4)
        let (random, text) = (generator.bytes(10_000), generator.text(10_000))
        let encoder = ZstdEncoder(.standard)
        var frame: [UInt8] = [1]
        #expect(!encoder.encode(random.span, into: &frame, limit: 10_000))
        #expect(frame.isEmpty)
        #expect(encoder.encode(text.span, into: &frame, limit: 10_000))
        let count = frame.count
        #expect(!encoder.encode(text.span, into: &frame, limit: count))
        #expect(encoder.encode(text.span, into: &frame, limit: count + 1))
    }

    @Test func `A frame cut short anywhere is refused`() {
        let frame = Frames.text(2_000)
        let decoder = ZstdDecoder()
        for count in 0..<frame.count {
            #expect(throws: CompressionError.self) {
                _ = try decoder.decode(Array(frame.prefix(count)).span, size: 2_000)
            }
        }
        #expect(throws: Never.self) { _ = try decoder.decode(frame.span, size: 2_000) }
    }

    @Test func `A flipped byte gives an error or bytes of the declared size`() {
        let frame = Frames.text(2_000)
        let decoder = ZstdDecoder()
        for index in frame.indices {
            for bit in 0..<8 {
                var flipped = frame
                flipped[index] ^= 1 << bit
                if let plain = try? decoder.decode(flipped.span, size: 2_000) {
                    #expect(plain.count == 2_000)
                }
            }
        }
    }

    @Test(arguments: [0, 1, 1_999, 2_001, 1 << 20])
    func `A frame with another size than the format says is refused`(size: Int) {
        #expect(throws: CompressionError.sizeMismatch(declared: size, found: 2_000)) {
            _ = try ZstdDecoder().decode(Frames.text(2_000).span, size: size)
        }
    }

    @Test(arguments: Frames.hostile)
    func `A hostile frame is refused`(_ hostile: Frames.Hostile) {
        #expect(throws: CompressionError.self) {
            _ = try ZstdDecoder().decode(hostile.frame.span, size: hostile.size)
        }
    }

    @Test(.needs("zstd"))
    func `zstd reads our frames and we read those of zstd`() throws {
        let tool = ExternalTool("zstd")
        var generator = SplitMix64(seed: 5)
        let plain = generator.text(200_000)
        var frame: [UInt8] = []
        #expect(ZstdEncoder(.standard).encode(plain.span, into: &frame, limit: .max))
        let ours = try tool.run(["-d", "-c"], input: frame)
        #expect(ours.status == 0 && ours.output == plain)
        let directory = try TemporaryDirectory()
        let path = String(decoding: try directory.write(plain, "plain"), as: UTF8.self)
        let theirs = try tool.run(["-c", "--check", "-12", path])
        #expect(theirs.status == 0)
        #expect(try ZstdDecoder().decode(theirs.output.span, size: plain.count) == plain)
    }
}

/// Frames made by hand (RFC 8878, section 3.1).
enum Frames {
    struct Hostile: Sendable, CustomTestStringConvertible {
        let name: String
        let frame: [UInt8]
        /// What the format around the frame declares.
        let size: Int
        var testDescription: String { name }
    }

    static let magic: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd]

    static func text(_ count: Int) -> [UInt8] {
        var generator = SplitMix64(seed: 6)
        var frame: [UInt8] = []
        _ = ZstdEncoder(.standard).encode(generator.text(count).span, into: &frame, limit: .max)
        return frame
    }

    /// The last block: one byte repeated `count` times.
    static func runLength(_ count: UInt32, _ byte: UInt8 = 0x61) -> [UInt8] {
        let header = 1 | 1 << 1 | count << 3
        return [
            UInt8(truncatingIfNeeded: header), UInt8(truncatingIfNeeded: header >> 8),
            UInt8(truncatingIfNeeded: header >> 16), byte,
        ]
    }

    private static func littleEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }

    /// A single-segment frame that declares `size` in eight bytes.
    static func declaring(_ size: UInt64, _ blocks: [UInt8]) -> [UInt8] {
        magic + [0b1110_0000] + littleEndian(size, 8) + blocks
    }

    /// A frame with a window of 2 to the power `log` that declares `size` in four bytes.
    static func window(_ log: UInt8, _ size: UInt64, _ blocks: [UInt8]) -> [UInt8] {
        magic + [0b1000_0000, (log - 10) << 3] + littleEndian(size, 4) + blocks
    }

    private static let skippable: [UInt8] = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]

    static let hostile: [Hostile] = [
        Hostile(name: "empty", frame: [], size: 0),
        Hostile(name: "not a frame", frame: Array("no frame at all".utf8), size: 15),
        Hostile(name: "two frames", frame: text(100) + text(100), size: 200),
        Hostile(name: "two frames, size of one", frame: text(100) + text(100), size: 100),
        Hostile(name: "bytes after the frame", frame: text(100) + [0], size: 100),
        Hostile(name: "a skippable frame", frame: skippable, size: 0),
        Hostile(name: "a skippable frame of declared size", frame: skippable, size: 3),
        Hostile(name: "a skippable frame after", frame: text(100) + skippable, size: 100),
        Hostile(name: "a skippable frame before", frame: skippable + text(100), size: 100),
        Hostile(name: "declares 1 TiB", frame: declaring(1 << 40, runLength(100)), size: 100),
        Hostile(name: "declares 2^64-2", frame: declaring(.max - 1, runLength(100)), size: 100),
        Hostile(
            name: "decodes to more than declared",
            frame: declaring(10, runLength(1_000)),
            size: 10
        ),
        Hostile(
            name: "decodes to less than declared",
            frame: declaring(1_000, runLength(10)),
            size: 1_000
        ),
        Hostile(name: "no declared size", frame: magic + [0, 0] + runLength(10), size: 10),
        Hostile(name: "window of 256 MiB", frame: window(28, 10, runLength(10)), size: 10),
        Hostile(name: "window of 2 TiB", frame: window(41, 10, runLength(10)), size: 10),
        Hostile(
            name: "window just over 128 MiB",
            frame: magic + [0b1000_0000, 17 << 3 | 1, 10, 0, 0, 0] + runLength(10),
            size: 10
        ),
        Hostile(
            name: "needs a dictionary",
            frame: magic + [0b0010_0001, 9, 10] + runLength(10),
            size: 10
        ),
        Hostile(
            name: "reserved bit",
            frame: magic + [0b0010_1000, 10] + runLength(10),
            size: 10
        ),
    ]

    @Test static func `The frames made by hand are right but for what is hostile in them`() throws {
        let plain = [UInt8](repeating: 0x61, count: 10)
        let decoder = ZstdDecoder()
        #expect(try decoder.decode(declaring(10, runLength(10)).span, size: 10) == plain)
        #expect(try decoder.decode(window(27, 10, runLength(10)).span, size: 10) == plain)
    }
}
