internal import Compression

/// Decodes blobs that need no others: all but patches.
///
/// Holds a context: one per thread.
final class LoneBlobDecoder {
    private let frames: ZstdDecoder
    private let columns: GatheredDecoder

    init() {
        frames = ZstdDecoder()
        columns = GatheredDecoder(frames)
    }

    /// Decodes to exactly `size` bytes, which the caller has checked against a cap.
    func decode(
        _ stored: [UInt8], _ codec: BlobCodec, size: Int
    ) throws(CompressionError) -> [UInt8] {
        switch codec {
        case .stored:
            guard stored.count == size else {
                throw .sizeMismatch(declared: size, found: UInt64(stored.count))
            }
            return stored
        case .zstd: return try frames.decode(stored.span, size: size)
        case .gathered: return try columns.decode(stored, size: size)
        case .patch: throw .malformed("a patch, which needs other blobs")
        }
    }
}
