internal import CZstd

/// Why a frame was refused.
package enum CompressionError: Error, Equatable {
    /// Not exactly one zstd frame, or one that is damaged.
    case malformed(String)
    /// The frame says it decodes to another number of bytes than the format says.
    case sizeMismatch(declared: Int, found: UInt64)
}

extension CompressionError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformed(let why): why
        case .sizeMismatch(let declared, let found):
            "\(found) bytes where \(declared) were declared"
        }
    }
}

/// Decompresses frames from disk or wire.
///
/// Holds a context: one per thread.
///
/// Never writes more than the declared size, and refuses windows over 128 MiB, dictionaries,
/// skippable frames, several frames and bytes after the frame.
@safe package final class ZstdDecoder {
    private let context: OpaquePointer?

    private static let windowLimit: UInt64 = 128 << 20

    package init() { unsafe context = ZSTD_createDCtx() }

    deinit { unsafe ZSTD_freeDCtx(context) }

    /// Decodes `frame`, which must be one frame of exactly `size` plain bytes, made with `prefix`
    /// at hand; an empty prefix is none.
    ///
    /// The caller has checked `size` against a cap: that many bytes are allocated.
    package func decode(
        _ frame: Span<UInt8>, prefix: Span<UInt8> = Span(), size: Int
    ) throws(CompressionError) -> [UInt8] {
        try Self.checkHeader(frame, size: size)
        var failure: CompressionError?
        let plain = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            let written = unsafe prefix.withUnsafeBytes { prefix in
                unsafe frame.withUnsafeBytes { source in
                    // It holds for the one frame that follows, or for none when it is empty.
                    _ = unsafe ZSTD_DCtx_refPrefix(context, prefix.baseAddress, prefix.count)
                    return unsafe ZSTD_decompressDCtx(
                        context, buffer.baseAddress, size, source.baseAddress, source.count)
                }
            }
            if ZSTD_isError(written) != 0 {
                failure = .malformed(unsafe String(cString: ZSTD_getErrorName(written)))
            } else if written != size {
                failure = .sizeMismatch(declared: size, found: UInt64(written))
            } else {
                count = written
            }
        }
        if let failure { throw failure }
        return plain
    }

    private static func checkHeader(_ frame: Span<UInt8>, size: Int) throws(CompressionError) {
        let (content, length, dictionary) = unsafe frame.withUnsafeBytes { source in
            unsafe (
                ZSTD_getFrameContentSize(source.baseAddress, source.count),
                ZSTD_findFrameCompressedSize(source.baseAddress, source.count),
                ZSTD_getDictID_fromFrame(source.baseAddress, source.count)
            )
        }
        guard ZSTD_isError(length) == 0, length == frame.count, hasMagic(frame) else {
            throw .malformed("not exactly one zstd frame")
        }
        guard windowSize(frame) <= windowLimit else { throw .malformed("a window over 128 MiB") }
        guard dictionary == 0 else { throw .malformed("a frame that needs a dictionary") }
        guard content == UInt64(size) else {
            throw .sizeMismatch(declared: size, found: content)
        }
    }
    /// Skippable frames, and those of zstd before version 1, begin with other bytes.
    private static func hasMagic(_ frame: Span<UInt8>) -> Bool {
        frame.count > 5 && frame[0] == 0x28 && frame[1] == 0xb5 && frame[2] == 0x2f
            && frame[3] == 0xfd
    }

    /// The window that the frame asks for (RFC 8878, section 3.1.1.1.2); zstd itself checks
    /// it only when it decodes a stream.
    private static func windowSize(_ frame: Span<UInt8>) -> UInt64 {
        let isSingleSegment = frame[4] & 0b10_0000 != 0
        guard !isSingleSegment else { return 0 }
        let base = UInt64(1) << UInt64(10 + frame[5] >> 3)
        return base + base / 8 * UInt64(frame[5] & 7)
    }
}
