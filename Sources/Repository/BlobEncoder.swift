package import Bytes
package import Compression
package import Deltas
internal import Hashing

/// Blobs that another blob may be encoded against, with their bytes.
package struct PatchSource: Sendable {
    /// Which blobs they are, and how deep a patch against them is.
    package var header: PatchHeader
    /// The bytes of all bases, one after the other.
    package var bytes: [UInt8]
    /// Where in the bases the content of the blob is expected to begin; may lie outside.
    package var place: Int

    /// Bases that were read; `place` is a byte offset in `bytes`.
    package init(header: PatchHeader, bytes: [UInt8], place: Int) {
        self.header = header
        self.bytes = bytes
        self.place = place
    }
}

/// Encodes blobs for packs.
///
/// Holds contexts: one per thread.
package final class BlobEncoder {
    private let encoder: ZstdEncoder
    private let gatheredEncoder: GatheredEncoder
    private let decoder = LoneBlobDecoder()
    private let patchEncoder: PatchEncoder
    private let patchDecoder = PatchDecoder()
    private var frame: [UInt8] = []

    /// A frame must spare this share of the plain size, or the blob is stored as it is: reading it
    /// back then costs nothing.
    private static let leastGain = 32
    /// A patch smaller than this share is taken without trying what the blob compresses to alone.
    private static let sureGain = 64

    /// Makes the contexts of one thread.
    package init(_ level: CompressionLevel) {
        encoder = ZstdEncoder(level)
        gatheredEncoder = GatheredEncoder(encoder)
        patchEncoder = PatchEncoder(level)
    }

    /// Encodes `plain`, whose XXH3 is given, as a patch against `source` where that is smaller, and
    /// as gathered columns where its lines have fields; there are no bytes for `stored`.
    ///
    /// What was encoded is decoded again and compared (invariant 3): a fault of the library or of
    /// memory is found now, while the right bytes are still there.
    package func encode(
        _ plain: Span<UInt8>, _ digest: XXH3Digest, against source: PatchSource? = nil
    ) throws(RepositoryError) -> (BlobCodec, [UInt8]) {
        var limit = plain.count - plain.count / Self.leastGain
        let patch = source.flatMap { patchEncoder.encode(plain, $0, limit: limit) }
        if let patch { limit = patch.count }
        if let patch, patch.count <= plain.count / Self.sureGain {
            return try checked(patch, source, plain.count, digest)
        }
        if let columns = gatheredEncoder.encode(plain, limit: limit) {
            return try checked(.gathered, columns, plain.count, digest)
        }
        guard plain.count > 16, encoder.encode(plain, into: &frame, limit: limit) else {
            guard let patch else { return (.stored, []) }
            return try checked(patch, source, plain.count, digest)
        }
        return try checked(.zstd, frame, plain.count, digest)
    }

    private func checked(
        _ codec: BlobCodec, _ stored: [UInt8], _ size: Int, _ digest: XXH3Digest
    ) throws(RepositoryError) -> (BlobCodec, [UInt8]) {
        try compare(digest) { () throws(CompressionError) in
            try decoder.decode(stored, codec, size: size)
        }
        return (codec, stored)
    }

    private func checked(
        _ patch: [UInt8], _ source: PatchSource?, _ size: Int, _ digest: XXH3Digest
    ) throws(RepositoryError) -> (BlobCodec, [UInt8]) {
        let bases = source?.bytes ?? []
        try compare(digest) { () throws(PatchError) in
            try patchDecoder.decode(patch, bases: bases.span, size: size)
        }
        return (.patch, patch)
    }

    private func compare<Fault: Error>(
        _ digest: XXH3Digest, _ decode: () throws(Fault) -> [UInt8]
    ) throws(RepositoryError) {
        let again: [UInt8]
        do throws(Fault) {
            again = try decode()
        } catch {
            throw Self.otherThanEncoded("\(error)")
        }
        guard XXH3Digest(of: again.span) == digest else {
            throw Self.otherThanEncoded("other bytes")
        }
    }

    private static func otherThanEncoded(_ why: String) -> RepositoryError {
        RepositoryError(.damaged("a blob did not decode to what was encoded: \(why)"), "memory")
    }
}

extension PatchEncoder {
    fileprivate func encode(
        _ plain: Span<UInt8>, _ source: PatchSource, limit: Int
    ) -> [UInt8]? {
        let bases = source.bytes.span
        return encode(plain, source.header, bases: bases, place: source.place, limit: limit)
    }
}
