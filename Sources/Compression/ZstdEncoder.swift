internal import CZstd

/// How hard blobs are compressed: zstd's levels 1 to 19, or the default tuned for table stores.
package enum CompressionLevel: Equatable, Sendable {
    /// Other parameters for text than for binary data; see `ZstdEncoder` for the measurement.
    case standard
    case zstd(Int)

    package static let range = 1...19
}

/// Compresses blobs, one zstd frame each (RFC 8878).
///
/// Holds contexts: one per thread.
///
/// The parameters of the standard level, measured on TPC-H tables in blocks of 1 MiB; speed is that
/// of compressing and decompressing again:
///
///     text    strategy, minMatch, hashLog, chainLog     size     MB/s
///             zstd level 1                              31.2 %   155
///             zstd level 3                              30.0 %   104
///             dfast, 6, 16, 15   (taken)                29.6 %   120
///     Parquet zstd level 3                              87.5 %   243
///             fast, 5, 14, 14    (taken)                87.8 %   362
package final class ZstdEncoder {
    private let text: Context
    private let binary: Context

    /// A compression context with its parameters, freed at the end.
    @safe private final class Context {
        let raw: OpaquePointer?

        init() { unsafe raw = ZSTD_createCCtx() }

        deinit { unsafe ZSTD_freeCCtx(raw) }

        func set(_ parameter: ZSTD_cParameter, _ value: Int) {
            _ = unsafe ZSTD_CCtx_setParameter(raw, parameter, CInt(truncatingIfNeeded: value))
        }
    }

    package init(_ level: CompressionLevel) {
        text = Context()
        switch level {
        case .zstd(let level):
            text.set(ZSTD_c_compressionLevel, level)
            binary = text
        case .standard:
            binary = Context()
            text.set(ZSTD_c_compressionLevel, 3)
            text.set(ZSTD_c_strategy, Int(ZSTD_dfast.rawValue))
            text.set(ZSTD_c_minMatch, 6)
            text.set(ZSTD_c_hashLog, 16)
            text.set(ZSTD_c_chainLog, 15)
            binary.set(ZSTD_c_compressionLevel, 3)
            binary.set(ZSTD_c_strategy, Int(ZSTD_fast.rawValue))
            binary.set(ZSTD_c_minMatch, 5)
            binary.set(ZSTD_c_hashLog, 14)
            binary.set(ZSTD_c_chainLog, 14)
        }
    }

    /// Whether a thousand bytes spread over the block look like text: hardly any control bytes, and
    /// hardly any above 0x7f.
    private static func isText(_ plain: Span<UInt8>) -> Bool {
        let step = max(1, plain.count / 1000)
        var odd = 0
        var seen = 0
        for index in stride(from: 0, to: plain.count, by: step) {
            let byte = plain[index]
            if byte >= 0x80 || byte < 0x09 { odd += 1 }
            seen += 1
        }
        return odd * 16 < seen
    }

    /// Replaces the content of `frame` by one frame that decodes to `plain`.
    ///
    /// Returns false, with `frame` empty, when the frame would not be smaller than `limit` bytes.
    package func encode(_ plain: Span<UInt8>, into frame: inout [UInt8], limit: Int) -> Bool {
        let context = unsafe Self.isText(plain) ? text.raw : binary.raw
        let bound = ZSTD_compressBound(plain.count)
        frame = unsafe [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            let written = unsafe plain.withUnsafeBytes { source in
                unsafe ZSTD_compress2(
                    context, buffer.baseAddress, bound, source.baseAddress, source.count)
            }
            count = ZSTD_isError(written) == 0 && written < limit ? written : 0
        }
        return !frame.isEmpty
    }
}
