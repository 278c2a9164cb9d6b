internal import CLZ4
internal import CSnappy
internal import CZlib
internal import CZstd

/// The codecs that pages of Parquet files are compressed with, as far as they are read here.
package enum PageCodec: Sendable {
    case snappy
    /// RFC 1952, one member or several; also a zlib stream, which some writers made of it.
    case gzip
    case zstd
    /// LZ4 blocks without any frame.
    case lz4Raw
}

/// Decompresses pages of columnar files, whose plain size stands in the header of the page.
///
/// Holds a context: one per thread.
///
/// Never writes more than the declared size. Unlike blobs of a repository, pages come from many
/// writers: a zstd page need not declare its size, and may have several frames.
@safe package final class PageDecoder {
    /// Made when it is first needed: whoever only checks pages has a decoder for each column.
    private var zstd: OpaquePointer?

    package init() {}

    deinit { unsafe ZSTD_freeDCtx(zstd) }

    /// Decodes `page` to exactly `size` bytes, which are followed by `padding` zero bytes.
    ///
    /// The caller has checked `size` against a cap: that many bytes are allocated.
    package func decode(
        _ page: Span<UInt8>, _ codec: PageCodec, size: Int, padding: Int
    ) throws(CompressionError) -> [UInt8] {
        precondition(size >= 0 && padding >= 0)
        var failure: CompressionError?
        let plain = unsafe [UInt8](unsafeUninitializedCapacity: size + padding) { buffer, count in
            let target = unsafe UnsafeMutableRawBufferPointer(
                rebasing: UnsafeMutableRawBufferPointer(buffer)[..<size])
            failure = unsafe page.withUnsafeBytes { source in
                unsafe decode(source, codec, into: target)
            }
            guard failure == nil else { return }
            unsafe buffer[size...].initialize(repeating: 0)
            count = size + padding
        }
        if let failure { throw failure }
        return plain
    }

    private func decode(
        _ source: UnsafeRawBufferPointer, _ codec: PageCodec,
        into target: UnsafeMutableRawBufferPointer
    ) -> CompressionError? {
        switch codec {
        case .snappy: unsafe Self.snappy(source, into: target)
        case .gzip: unsafe Self.gzip(source, into: target)
        case .zstd: unsafe zstandard(source, into: target)
        case .lz4Raw: unsafe Self.lz4(source, into: target)
        }
    }

    private func zstandard(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> CompressionError? {
        if unsafe zstd == nil { unsafe zstd = ZSTD_createDCtx() }
        let written = unsafe ZSTD_decompressDCtx(
            zstd, target.baseAddress, target.count, source.baseAddress, source.count)
        guard ZSTD_isError(written) == 0 else {
            return .malformed(unsafe String(cString: ZSTD_getErrorName(written)))
        }
        return unsafe Self.check(written, target)
    }

    private static func check(
        _ written: Int, _ target: UnsafeMutableRawBufferPointer
    ) -> CompressionError? {
        let size = target.count
        return written == size
            ? nil : .sizeMismatch(declared: size, found: UInt64(clamping: written))
    }

    private static func snappy(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> CompressionError? {
        let compressed = unsafe source.assumingMemoryBound(to: CChar.self)
        let plain = unsafe target.assumingMemoryBound(to: CChar.self)
        var size = 0
        let sized = unsafe snappy_uncompressed_length(
            compressed.baseAddress, compressed.count, &size)
        guard sized == SNAPPY_OK else { return .malformed("a snappy page without a size") }
        if let mismatch = unsafe check(size, target) { return mismatch }
        guard size > 0 else { return source.count == 1 ? nil : .malformed("snappy data") }
        let status = unsafe snappy_uncompress(
            compressed.baseAddress, compressed.count, plain.baseAddress, &size)
        guard status == SNAPPY_OK else { return .malformed("damaged snappy data") }
        return unsafe check(size, target)
    }

    private static func lz4(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> CompressionError? {
        guard let compressed = CInt(exactly: source.count),
            let size = CInt(exactly: target.count)
        else { return .malformed("an LZ4 block of more than 2 GiB") }
        let written = unsafe LZ4_decompress_safe(
            source.assumingMemoryBound(to: CChar.self).baseAddress,
            target.assumingMemoryBound(to: CChar.self).baseAddress, compressed, size)
        guard written >= 0 else { return .malformed("damaged LZ4 data") }
        return unsafe check(Int(written), target)
    }

    /// Decodes member after member until the source ends.
    private static func gzip(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> CompressionError? {
        guard let inputSize = UInt32(exactly: source.count),
            let outputSize = UInt32(exactly: target.count)
        else { return .malformed("a gzip page of more than 4 GiB") }
        var stream = unsafe z_stream()
        // 32 added to the size of the window: gzip and zlib are told apart by their headers.
        let started = unsafe inflateInit2_(
            &stream, 15 + 32, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
        guard started == Z_OK else { return .malformed("zlib could not be started") }
        defer { unsafe inflateEnd(&stream) }
        var spare: UInt8 = 0
        return unsafe withUnsafeMutablePointer(to: &spare) { spare in
            unsafe stream.next_in = UnsafeMutablePointer(
                mutating: source.assumingMemoryBound(to: UInt8.self).baseAddress)
            unsafe stream.avail_in = inputSize
            // zlib refuses a null pointer even when there is no room behind it.
            unsafe stream.next_out =
                target.assumingMemoryBound(to: UInt8.self).baseAddress ?? spare
            unsafe stream.avail_out = outputSize
            while true {
                let status = unsafe inflate(&stream, Z_FINISH)
                guard status == Z_STREAM_END else { return .malformed("damaged gzip data") }
                guard unsafe stream.avail_in > 0 else { break }
                guard unsafe inflateReset(&stream) == Z_OK else {
                    return .malformed("damaged gzip data")
                }
            }
            return unsafe check(Int(outputSize - stream.avail_out), target)
        }
    }
}
