internal import Bytes
internal import Compression
package import Hashing
internal import Platform

/// Reads blobs and checks them against their ids.
///
/// Holds a decoder: one per thread.
package final class BlobReader {
    private let repository: Repository
    private let decoder = ZstdDecoder()

    package init(_ repository: Repository) { self.repository = repository }

    /// Reads a blob wherever a good copy of it lies.
    ///
    /// XXH3 is always compared with the id, which finds bit rot; SHA-256 only if `checkingSHA256`,
    /// which also finds forgery. Throws the first damage when no copy is good, `missing` when there
    /// is none.
    package func read(_ id: BlobID, checkingSHA256: Bool = false) throws(RepositoryError) -> [UInt8]
    {
        if let cached = repository.nodeCache?.find(id) { return cached }
        let plain = try readStored(id, checkingSHA256: checkingSHA256)
        repository.nodeCache?.add(id, plain.span)
        return plain
    }

    private func readStored(
        _ id: BlobID, checkingSHA256: Bool
    ) throws(RepositoryError) -> [UInt8] {
        var tried: [BlobPlace] = []
        var failure: RepositoryError?
        for isLastAttempt in [false, true] {
            let places =
                try isLastAttempt ? repository.index.findAll(id) : repository.places(of: id)
            for place in places where !tried.contains(place) {
                do throws(RepositoryError) {
                    return try read(id, at: place, checkingSHA256: checkingSHA256)
                } catch {
                    failure = failure ?? error
                }
                tried.append(place)
            }
        }
        throw failure ?? RepositoryError(.missing, "blob \(id.fingerprint.hex)")
    }

    /// Reads the blob at one place.
    package func read(
        _ id: BlobID, at place: BlobPlace, checkingSHA256: Bool
    )
        throws(RepositoryError) -> [UInt8]
    {
        let stored = try repository.packReader(place.pack).stored(place)
        let plain = try decode(stored, place)
        let fingerprint = id.fingerprint
        let isRight =
            checkingSHA256
            ? BlobID(of: plain.span, id.kind).fingerprint == fingerprint
            : XXH3Digest(of: plain.span) == fingerprint.xxh3
        guard isRight else { throw Self.damage(place, "its content does not match its id") }
        return plain
    }

    private func decode(_ stored: [UInt8], _ place: BlobPlace) throws(RepositoryError) -> [UInt8] {
        switch place.codec {
        case .stored: return stored
        case .zstd:
            do throws(CompressionError) {
                return try decoder.decode(stored.span, size: Int(place.plainSize))
            } catch {
                throw Self.damage(place, "\(error)")
            }
        case .patch:
            throw RepositoryError(
                .unsupported("a blob is a patch against a base; a newer varve may read it"),
                .pack(place.pack))
        }
    }

    private static func damage(_ place: BlobPlace, _ why: String) -> RepositoryError {
        RepositoryError(
            .damaged("blob at byte \(place.offset): \(why)"), .pack(place.pack))
    }
}
