package import Bytes
package import Compression
internal import Hashing

/// Encodes blobs for packs.
///
/// Holds contexts: one per thread.
package final class BlobEncoder {
    private let encoder: ZstdEncoder
    private let decoder = ZstdDecoder()
    private var frame: [UInt8] = []

    /// A frame must spare this share of the plain size, or the blob is stored as it is: reading it
    /// back then costs nothing.
    private static let leastGain = 32

    package init(_ level: CompressionLevel) { encoder = ZstdEncoder(level) }

    /// Encodes `plain`, whose XXH3 is given; the bytes are the frame's, none for `stored`.
    ///
    /// Each frame is decoded again and compared (invariant 3): a fault of the library or of memory
    /// is found now, while the right bytes are still there.
    package func encode(
        _ plain: Span<UInt8>, _ digest: XXH3Digest
    ) throws(RepositoryError)
        -> (BlobCodec, [UInt8])
    {
        let limit = plain.count - plain.count / Self.leastGain
        guard plain.count > 16, encoder.encode(plain, into: &frame, limit: limit) else {
            return (.stored, [])
        }
        let frame = self.frame
        do throws(CompressionError) {
            let again = try decoder.decode(frame.span, size: plain.count)
            guard XXH3Digest(of: again.span) == digest else { throw .malformed("other bytes") }
        } catch {
            throw RepositoryError(
                .damaged("a blob did not decode to what was encoded: \(error)"), "memory")
        }
        return (.zstd, frame)
    }
}
