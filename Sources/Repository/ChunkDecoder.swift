internal import Bytes
internal import Compression
internal import Deltas
package import Hashing

/// Decodes chunks as they lie in packs, for whoever has their bases elsewhere than in a repository.
///
/// Holds contexts: one per thread. The caller compares what comes out with the id.
package final class ChunkDecoder {
    private let decoder = LoneBlobDecoder()
    private let patches = PatchDecoder()

    /// Makes the contexts of one thread.
    package init() {}

    /// The chunks that a patch needs, in order.
    package static func bases(
        of patch: [UInt8]
    ) throws(RepositoryError) -> [(id: ChunkID, size: Int)] {
        do throws(MalformedBytes) {
            return try PatchHeader(decoding: patch).bases.map { base in
                (ChunkID(base.fingerprint), base.size)
            }
        } catch {
            throw Self.damage("\(error)")
        }
    }

    /// Decodes to exactly `size` bytes, which the caller has checked against a cap; `bases` holds
    /// those of a patch, one after the other.
    package func decode(
        _ stored: [UInt8], _ codec: BlobCodec, bases: [UInt8], size: Int
    ) throws(RepositoryError) -> [UInt8] {
        guard codec == .patch else {
            do throws(CompressionError) {
                return try decoder.decode(stored, codec, size: size)
            } catch {
                throw Self.damage("\(error)")
            }
        }
        do throws(PatchError) {
            return try patches.decode(stored, bases: bases.span, size: size)
        } catch {
            throw Self.damage("\(error)")
        }
    }

    private static func damage(_ why: String) -> RepositoryError {
        RepositoryError(.damaged(why), "a chunk that was sent")
    }
}
