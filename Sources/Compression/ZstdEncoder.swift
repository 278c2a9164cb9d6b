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
/// The parameters of the standard level, measured on TPC-H tables in blocks of 2 MiB; speed is that
/// of compressing and decompressing again, one core:
///
///     text    strategy, minMatch, hashLog, chainLog     size      MB/s
///             dfast, 6, 16, 14   (taken)                29.48 %   129
///             dfast, 7, 16, 13                          29.65 %   143
///     Parquet fast, 5, 14, 14                           87.50 %   400
///             fast, 5, 15, 15    (taken)                87.20 %   397
///             fast, 5, 16, 16                           87.03 %   266
///
/// In blocks of 1 MiB, zstd's level 3 makes 30.01 % of the text at 104 MB/s and 87.48 % of the
/// Parquet at 243 MB/s; its level 1 makes 31.19 % of the text at 155 MB/s.
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
            text.set(ZSTD_c_chainLog, 14)
            binary.set(ZSTD_c_compressionLevel, 3)
            binary.set(ZSTD_c_strategy, Int(ZSTD_fast.rawValue))
            binary.set(ZSTD_c_minMatch, 5)
            binary.set(ZSTD_c_hashLog, 15)
            binary.set(ZSTD_c_chainLog, 15)
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
