package import Bytes
internal import CCrypto
internal import CXXHash

// SHA-256 comes from the system's libcrypto. Measured here against swift-crypto 4.5: SHA-256 is
// equal (both use the SHA extensions), AES-GCM is 3.7 times faster, and a first release build is
// 2.3 minutes shorter. This file and `PairedSHA256.swift` are the only ones that know which library
// it is.

extension XXH3Digest {
    /// Hashes with seed 0, as `xxh128sum` does.
    package init(of bytes: Span<UInt8>) {
        self = unsafe bytes.withUnsafeBytes { buffer in
            let digest = unsafe varve_xxh3_128(buffer.baseAddress, buffer.count)
            return XXH3Digest(high: digest.high64, low: digest.low64)
        }
    }
}

extension SHA256Digest {
    package init(of bytes: Span<UInt8>) {
        var hasher = SHA256Hasher()
        hasher.update(bytes)
        self = hasher.finish()
    }
}

/// Computes a SHA-256 digest piece by piece.
package struct SHA256Hasher {
    private var context = SHA256_CTX()

    package init() { _ = unsafe SHA256_Init(&context) }

    package mutating func update(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBytes { buffer in unsafe update(buffer) }
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        _ = unsafe SHA256_Update(&context, bytes.baseAddress, bytes.count)
    }

    /// Adds `blocks` blocks of 64 bytes to each of two messages of whole blocks; there must be so
    /// many, and instructions for it.
    static func update(
        _ one: inout Self, _ bytes: UnsafeRawBufferPointer,
        _ other: inout Self, _ otherBytes: UnsafeRawBufferPointer, blocks: Int
    ) {
        precondition(blocks >= 0 && min(bytes.count, otherBytes.count) / 64 >= blocks)
        unsafe varve_sha256_add_pair(
            &one.context, bytes.baseAddress, &other.context, otherBytes.baseAddress,
            UInt64(blocks))
    }

    /// Ends the message; the hasher starts afresh.
    package mutating func finish() -> SHA256Digest {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        unsafe withUnsafeMutableBytes(of: &words) { buffer in
            let digest = unsafe buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
            _ = unsafe SHA256_Final(digest, &context)
        }
        _ = unsafe SHA256_Init(&context)
        return SHA256Digest(
            words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
    }
}

/// Computes both digests of a content piece by piece.
///
/// Holds a state of libxxhash, so one per thread.
package final class FingerprintHasher {
    private var sha256 = SHA256Hasher()
    private let xxh3: OpaqueState

    /// A state of XXH3-128, freed at the end.
    @safe private final class OpaqueState {
        let raw: OpaquePointer?

        init() {
            unsafe raw = XXH3_createState()
            reset()
        }

        func reset() { _ = unsafe XXH3_128bits_reset(raw) }

        deinit { _ = unsafe XXH3_freeState(raw) }
    }

    package init() { xxh3 = OpaqueState() }

    package func update(_ bytes: Span<UInt8>) {
        sha256.update(bytes)
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe varve_xxh3_update(xxh3.raw, buffer.baseAddress, buffer.count)
        }
    }

    /// Ends the content; the hasher starts afresh.
    package func finish() -> Fingerprint {
        let digest = unsafe XXH3_128bits_digest(xxh3.raw)
        xxh3.reset()
        return Fingerprint(
            xxh3: XXH3Digest(high: digest.high64, low: digest.low64), sha256: sha256.finish())
    }
}
