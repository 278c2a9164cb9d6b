import Compression
import Testing
import TestSupport

/// Pages made by hand or by our own encoder, whole and damaged.
struct PageDecoderTests {
    private static let plain = Array("three words of text, and a few more words of text".utf8)

    private static func little(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    /// RFC 1952 around one stored block of RFC 1951.
    private static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1] + little(bytes.count, 2) + little(~bytes.count, 2)
            + bytes + little(Int(CRC32.of(bytes.span)), 4) + little(bytes.count, 4)
    }

    private static func zstd(_ bytes: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = []
        _ = ZstdEncoder(.zstd(3)).encode(bytes.span, into: &frame, limit: .max)
        return frame
    }

    private static let pages: [(PageCodec, [UInt8])] = [
        // A literal of 49 bytes each.
        (.snappy, [49, 48 << 2] + plain),
        (.lz4Raw, [0xf0, 34] + plain),
        (.gzip, gzip(plain)),
        (.gzip, gzip(Array(plain.prefix(20))) + gzip(Array(plain.dropFirst(20)))),
        (.zstd, zstd(plain)),
        (.zstd, zstd(Array(plain.prefix(20))) + zstd(Array(plain.dropFirst(20)))),
    ]

    @Test(arguments: pages.indices)
    func `Pages of every codec are decoded, zeros behind them`(index: Int) throws {
        let (codec, page) = Self.pages[index]
        let found = try PageDecoder().decode(
            page.span, codec, size: Self.plain.count, padding: 16)
        #expect(found == Self.plain + .init(repeating: 0, count: 16))
    }

    @Test(arguments: pages.indices)
    func `Pages of another size than declared are refused`(index: Int) {
        let (codec, page) = Self.pages[index]
        for size in [0, 1, Self.plain.count - 1, Self.plain.count + 1, 1 << 20] {
            #expect(throws: CompressionError.self) {
                _ = try PageDecoder().decode(page.span, codec, size: size, padding: 16)
            }
        }
    }

    @Test(arguments: pages.indices)
    func `Pages cut short are refused, and changed ones end in an error or bytes`(index: Int) {
        let (codec, page) = Self.pages[index]
        let (decoder, size) = (PageDecoder(), Self.plain.count)
        for count in 0..<page.count {
            #expect(throws: CompressionError.self) {
                _ = try decoder.decode(
                    Array(page.prefix(count)).span, codec, size: size, padding: 16)
            }
        }
        for place in page.indices {
            var changed = page
            changed[place] ^= 0xff
            if let found = try? decoder.decode(changed.span, codec, size: size, padding: 16) {
                #expect(found.count == size + 16)
            }
        }
    }

    @Test func `Pages of nothing are decoded`() throws {
        for (codec, page) in [
            (PageCodec.snappy, [UInt8(0)]), (.gzip, Self.gzip([])), (.zstd, Self.zstd([])),
            (.lz4Raw, [0]),
        ] {
            #expect(try PageDecoder().decode(page.span, codec, size: 0, padding: 0).isEmpty)
        }
    }

    @Test func `The checksum is that of gzip`() {
        #expect(CRC32.of(Array("123456789".utf8).span) == 0xcbf4_3926)
        #expect(CRC32.of([UInt8]().span) == 0)
    }
}
