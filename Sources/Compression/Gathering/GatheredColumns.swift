internal import Bytes

/// Encodes text whose lines have fields as gathered columns.
///
/// What is in one column is alike, so a fast search finds most of what a thorough one finds among
/// whole lines. Measured on TPC-H text in blocks of 2 MiB; speed is that of encoding and decoding
/// again, one core:
///
///                            strategy, minMatch, hashLog    size      MB/s
///     lineitem, 17 fields    lines, dfast, 6, 16            30.60 %   182
///                            columns, dfast, 6, 16          23.63 %   170
///                            columns, fast, 7, 14           23.89 %   223
///                            columns, fast, 7, 12 (taken)   24.28 %   245
///                            columns, fast, 7, 11           24.94 %   247
///     orders, 10 fields      lines, dfast, 6, 16            28.63 %   177
///                            columns, fast, 7, 12 (taken)   23.91 %   275
///
/// Not taken: to store columns of few values as numbers of a dictionary. lineitem takes 20.0 %
/// then, and no less time.
///
/// Holds a context: one per thread.
package final class GatheredEncoder {
    private let frames: ZstdEncoder
    private var frame: [UInt8] = []

    /// What is shorter is not worth the search.
    private static let leastSize = 4 << 10

    /// `frames` serves whoever has it as well.
    package init(_ frames: ZstdEncoder) { self.frames = frames }

    /// Encodes `plain`.
    ///
    /// Returns nil when its lines have no fields, or when it would not be smaller than `limit`
    /// bytes.
    package func encode(_ plain: Span<UInt8>, limit: Int) -> [UInt8]? {
        guard plain.count >= Self.leastSize, let shape = LineShape(guessing: plain)
        else { return nil }
        return encode(plain, shape, limit: limit)
    }

    /// Encodes `plain` as if its lines had this shape, which they need not have.
    package func encode(_ plain: Span<UInt8>, _ shape: LineShape, limit: Int) -> [UInt8]? {
        let (columns, sizes) = gather(plain, shape)
        let header = GatheredHeader(shape, sizes: sizes).encoded()
        guard frames.encode(columns: columns.span, into: &frame, limit: limit - header.count)
        else { return nil }
        return header + frame
    }
}

/// Decodes gathered columns from disk or wire.
///
/// Holds a context: one per thread.
package final class GatheredDecoder {
    private let frames: ZstdDecoder

    /// `frames` serves whoever has it as well.
    package init(_ frames: ZstdDecoder) { self.frames = frames }

    /// Decodes to exactly `size` bytes.
    ///
    /// The caller has checked `size` against a cap: twice as many bytes are allocated.
    package func decode(_ stored: [UInt8], size: Int) throws(CompressionError) -> [UInt8] {
        var reader = ByteReader(stored)
        let header: GatheredHeader
        do throws(MalformedBytes) {
            header = try GatheredHeader(&reader, size: size)
        } catch {
            throw .malformed("\(error)")
        }
        let frame = stored.span.extracting(reader.offset..<stored.count)
        let columns = try frames.decode(frame, size: size)
        guard let text = spread(columns.span, header.shape, sizes: header.sizes) else {
            throw .malformed("columns that no text was gathered from")
        }
        return text
    }
}
