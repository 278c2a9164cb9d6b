internal import Bytes
internal import Deltas
internal import Hashing

// Blobs that came from elsewhere are decoded and compared with their ids before they are stored.

extension BlobReader {
    /// How a blob that came from elsewhere is to be stored.
    package enum Checked {
        /// With the bytes that came.
        case asSent
        /// As this patch: the same, with a depth that fits its bases here.
        case patch([UInt8])
        /// Encoded anew: its bases are patches of the greatest depth here, or too dear to read.
        case plain([UInt8])
    }

    /// Decodes a blob that came from elsewhere and compares it with its id, XXH3 and SHA-256.
    ///
    /// Sizes must have been checked against the caps. The bases of a patch must be in the
    /// repository. Throws `damaged` when it is not what its id says.
    package func check(_ blob: ForeignBlob) throws(RepositoryError) -> Checked {
        let (plain, checked) = try decode(blob)
        guard BlobID(of: plain.span, blob.id.kind) == blob.id else {
            throw BlobOrigin.received(blob.id).otherContent
        }
        return checked
    }

    /// As `check` of each, but hashed faster; all are held in memory.
    package func check(_ blobs: [ForeignBlob]) -> [Result<Checked, RepositoryError>] {
        var results: [Result<Checked, RepositoryError>] = []
        var chunks: [(index: Int, bytes: [UInt8])] = []
        for (index, blob) in blobs.enumerated() {
            do throws(RepositoryError) {
                guard blob.id.kind == .chunk else {
                    results.append(.success(try check(blob)))
                    continue
                }
                let (plain, checked) = try decode(blob)
                chunks.append((index, plain))
                results.append(.success(checked))
            } catch {
                results.append(.failure(error))
            }
        }
        let digests = SHA256Digest.digests(of: chunks.map(\.bytes))
        for (chunk, digest) in zip(chunks, digests) {
            let found = Fingerprint(xxh3: XXH3Digest(of: chunk.bytes.span), sha256: digest)
            let blob = blobs[chunk.index]
            guard found != blob.id.fingerprint else { continue }
            results[chunk.index] = .failure(BlobOrigin.received(blob.id).otherContent)
        }
        return results
    }

    private func decode(
        _ blob: ForeignBlob
    ) throws(RepositoryError) -> (plain: [UInt8], Checked) {
        budget = Self.readLimit
        let origin = BlobOrigin.received(blob.id)
        guard blob.encoded.codec == .patch else {
            return (try decode(blob.encoded, blob.id, origin, below: 1).bytes, .asSent)
        }
        let header = try Self.header(of: blob.encoded, blob.id, origin)
        let bases = try bases(header, origin, below: PatchHeader.depthLimit + 1)
        let plain = try apply(blob.encoded, bases.bytes, origin)
        guard Self.mayBeBases(bases) else { return (plain, .plain(plain)) }
        if header.depth > bases.depth { return (plain, .asSent) }
        let stored = blob.encoded.bytes
        return (plain, .patch(PatchHeader.changingDepth(of: stored, to: bases.depth + 1)))
    }
}
