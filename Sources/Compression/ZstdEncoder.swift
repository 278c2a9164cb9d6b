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
///     dense   fast, 5, 15, 15                           88.77 %   520
///             fast, 7, 12, 12                           89.73 %   619
///             fast, 7, 12, 12, no Huffman codes (taken) 97.46 %  5038
///
/// Dense is what samples say that it shrinks by less than a fifth, mostly because it was compressed
/// before; a part of lineitem as Parquet was measured. `GatheredEncoder` tells of columns.
///
/// In blocks of 1 MiB, zstd's level 3 makes 30.01 % of the text at 104 MB/s and 87.48 % of the
/// Parquet at 243 MB/s; its level 1 makes 31.19 % of the text at 155 MB/s.
package final class ZstdEncoder {
    private let text: Context
    private let binary: Context
    private let columns: Context
    private let dense: Context

    /// A compression context with its parameters, freed at the end.
    @safe private final class Context {
        let raw: OpaquePointer?

        init(_ level: Int) {
            unsafe raw = ZSTD_createCCtx()
            set(ZSTD_c_compressionLevel, level)
        }

        /// What is not named is as at zstd's level 3.
        convenience init(_ strategy: ZSTD_strategy, minMatch: Int, hashLog: Int, chainLog: Int) {
            self.init(3)
            set(ZSTD_c_strategy, Int(strategy.rawValue))
            set(ZSTD_c_minMatch, minMatch)
            set(ZSTD_c_hashLog, hashLog)
            set(ZSTD_c_chainLog, chainLog)
        }

        deinit { unsafe ZSTD_freeCCtx(raw) }

        func set(_ parameter: ZSTD_cParameter, _ value: Int) {
            _ = unsafe ZSTD_CCtx_setParameter(raw, parameter, CInt(truncatingIfNeeded: value))
        }
    }

    package init(_ level: CompressionLevel) {
        switch level {
        case .zstd(let level):
            text = Context(level)
            binary = text
            columns = text
            dense = text
        case .standard:
            text = Context(ZSTD_dfast, minMatch: 6, hashLog: 16, chainLog: 14)
            binary = Context(ZSTD_fast, minMatch: 5, hashLog: 15, chainLog: 15)
            columns = Context(ZSTD_fast, minMatch: 7, hashLog: 12, chainLog: 12)
            dense = Context(ZSTD_fast, minMatch: 7, hashLog: 12, chainLog: 12)
            // With the fast strategy, a target length leaves out Huffman codes for literals.
            dense.set(ZSTD_c_targetLength, 1)
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
        encode(plain, context(for: plain), into: &frame, limit: limit)
    }

    private func context(for plain: Span<UInt8>) -> Context {
        if Self.isText(plain) { return text }
        return isDense(plain) ? dense : binary
    }

    /// Whether samples of the block hardly shrink: it was compressed before, and what codes for
    /// single bytes would spare takes most of the time.
    private func isDense(_ plain: Span<UInt8>) -> Bool {
        guard dense !== binary, plain.count >= Self.leastSampled else { return false }
        var size = 0
        for index in 0..<Self.sampleCount {
            let start = plain.count / Self.sampleCount * index
            let sample = plain.extracting(start..<start + Self.sampleSize)
            var frame: [UInt8] = []
            guard encode(sample, binary, into: &frame, limit: Self.sampleSize) else {
                size += Self.sampleSize
                continue
            }
            size += frame.count
        }
        return size * Self.denseShare >= (Self.denseShare - 1) * Self.sampleCount * Self.sampleSize
    }

    private static let sampleCount = 4
    private static let sampleSize = 8 << 10
    private static let leastSampled = 256 << 10
    /// Samples that shrink by less than this share are dense.
    private static let denseShare = 5

    /// The same for gathered columns.
    func encode(columns bytes: Span<UInt8>, into frame: inout [UInt8], limit: Int) -> Bool {
        encode(bytes, columns, into: &frame, limit: limit)
    }

    private func encode(
        _ plain: Span<UInt8>, _ context: Context, into frame: inout [UInt8], limit: Int
    ) -> Bool {
        let bound = ZSTD_compressBound(plain.count)
        frame = unsafe [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            let written = unsafe plain.withUnsafeBytes { source in
                unsafe ZSTD_compress2(
                    context.raw, buffer.baseAddress, bound, source.baseAddress, source.count)
            }
            count = ZSTD_isError(written) == 0 && written < limit ? written : 0
        }
        return !frame.isEmpty
    }
}
