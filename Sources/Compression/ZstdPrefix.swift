internal import CZstd

/// Compresses pieces against other bytes as reference prefix (`ZSTD_CCtx_refPrefix`), one zstd
/// frame each.
///
/// Only what lies within the reach of the match finder's tables serves: pieces and prefixes must be
/// small. Measured with 64 KiB against 72 KiB of a column of prices before its update, see
/// `PatchEncoder`:
///
///     strategy, minMatch, hashLog, chainLog     size      MB/s
///     fast, 6, 14, 13 (level 1)                 83.6 %    584
///     dfast, 4, 16, 16 (level 3)                60.3 %     95
///     greedy, 5, 16, 17                         55.0 %     74
///     greedy, 5, 17, 17                (taken)  50.9 %     75
///     lazy, 5, 17, 17                           50.9 %     63
///
/// The parameters that zstd chooses for a level depend on the size: the last, smaller unit of a
/// column would be compressed to 59 % by those of level 4.
///
/// Holds a context: one per thread.
@safe package final class ZstdPrefixEncoder {
    private let context: OpaquePointer?

    package init() {
        unsafe context = ZSTD_createCCtx()
        set(ZSTD_c_windowLog, 18)
        set(ZSTD_c_strategy, Int(ZSTD_greedy.rawValue))
        set(ZSTD_c_minMatch, 5)
        set(ZSTD_c_hashLog, 17)
        set(ZSTD_c_chainLog, 17)
        set(ZSTD_c_searchLog, 2)
    }

    private func set(_ parameter: ZSTD_cParameter, _ value: Int) {
        _ = unsafe ZSTD_CCtx_setParameter(context, parameter, CInt(truncatingIfNeeded: value))
    }

    deinit { unsafe ZSTD_freeCCtx(context) }

    /// Replaces the content of `frame` by one frame that decodes to `plain` with `prefix` at hand.
    ///
    /// Returns false, with `frame` empty, when the frame would not be smaller than `limit` bytes.
    package func encode(
        _ plain: Span<UInt8>, prefix: Span<UInt8>, into frame: inout [UInt8], limit: Int
    ) -> Bool {
        let bound = ZSTD_compressBound(plain.count)
        frame = unsafe [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            let written = unsafe prefix.withUnsafeBytes { prefix in
                unsafe plain.withUnsafeBytes { plain in
                    _ = unsafe ZSTD_CCtx_refPrefix(context, prefix.baseAddress, prefix.count)
                    return unsafe ZSTD_compress2(
                        context, buffer.baseAddress, bound, plain.baseAddress, plain.count)
                }
            }
            count = ZSTD_isError(written) == 0 && written < limit ? written : 0
        }
        return !frame.isEmpty
    }
}
