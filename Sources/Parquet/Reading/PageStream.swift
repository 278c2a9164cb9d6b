internal import Compression

/// The pages of one column chunk, one after the other, read ahead in large pieces.
struct PageStream {
    private let source: any ByteSource
    private let limits: ReaderLimits
    private let codec: CompressionCodec
    /// Where the chunk ends, or a little behind.
    private let end: Int64
    /// Bytes from `windowStart` on.
    private var window: [UInt8] = []
    private var windowStart: Int64
    /// Offset of the next header.
    private(set) var offset: Int64
    private let decoder: PageDecoder

    /// A page with its header; the bytes are still as they are in the file.
    struct StoredPage {
        let header: PageHeader
        /// Offset of the header, for errors.
        let offset: Int64
        /// Where its bytes begin.
        fileprivate let dataOffset: Int64
    }

    init(_ file: ParquetFile, _ chunk: ColumnChunk, _ decoder: PageDecoder) throws(ParquetError) {
        source = file.source
        limits = file.limits
        codec = chunk.codec
        let range = try file.range(of: chunk)
        offset = range.lowerBound
        windowStart = offset
        // Old writers left the header of the dictionary out of the size: readers give some leeway.
        end = min(file.footerStart, range.upperBound + 100)
        self.decoder = decoder
    }

    var isAtEnd: Bool { offset >= end }

    /// Goes to the header of a page; `place` lies in the chunk.
    mutating func seek(_ place: Int64) { offset = place }

    /// Makes the window hold `count` bytes from `place` on, or up to the end of the chunk.
    private mutating func fill(_ count: Int, at place: Int64) throws(ParquetError) {
        let have = windowStart + Int64(window.count)
        let wanted = min(end, place + Int64(count))
        if place >= windowStart, wanted <= have { return }
        let target = min(end, max(wanted, place + Int64(limits.readAhead)))
        window = try source.read(Int(target - place), at: place)
        windowStart = place
    }

    /// Reads the header of the next page, and moves behind the page.
    mutating func next() throws(ParquetError) -> StoredPage {
        guard !isAtEnd else { throw ParquetError(.truncated, at: offset, "another page") }
        let start = offset
        var size = 256
        while true {
            try fill(size, at: start)
            let inner = Int(start - windowStart)
            var reader = CompactReader(window, from: inner, limits: limits)
            let header: PageHeader
            do throws(ParquetError) {
                header = try PageHeader.read(&reader)
            } catch {
                let isWhole = windowStart + Int64(window.count) >= end
                guard error.kind == .truncated, !isWhole, size < limits.pageHeaderBytes else {
                    throw error.moved(by: windowStart)
                }
                size *= 4
                continue
            }
            let dataOffset = windowStart + Int64(reader.offset)
            guard Int64(header.storedSize) <= end - dataOffset else {
                throw ParquetError(.truncated, at: start, "\(header.storedSize) bytes of a page")
            }
            offset = dataOffset + Int64(header.storedSize)
            return StoredPage(header: header, offset: start, dataOffset: dataOffset)
        }
    }

    /// Checks sizes and checksum of a page; returns where its bytes lie in the window.
    private mutating func check(_ page: StoredPage) throws(ParquetError) -> Range<Int> {
        let header = page.header
        guard header.plainSize <= limits.pageBytes, header.storedSize <= limits.pageBytes,
            header.valueCount <= limits.pageValues
        else { throw ParquetError(.tooLarge, at: page.offset, "a page of \(header.plainSize)") }
        try fill(Int(header.storedSize), at: page.dataOffset)
        let start = Int(page.dataOffset - windowStart)
        let range = start..<start + Int(header.storedSize)
        if let checksum = header.checksum {
            guard CRC32.of(window.span.extracting(range)) == checksum else {
                throw ParquetError(.checksum, at: page.offset, "a page with the CRC-32 it declares")
            }
        }
        return range
    }

    /// Checks the next page as far as that can be done without decompressing it.
    mutating func checkNext() throws(ParquetError) -> StoredPage {
        let page = try next()
        _ = try check(page)
        return page
    }

    /// Checks sizes and checksum of a page, and decompresses it.
    mutating func plainBytes(_ page: StoredPage) throws(ParquetError) -> PageBytes {
        let header = page.header
        let range = try check(page)
        do throws(ParquetError) {
            if case .dataV2(let inner) = header.content {
                return try plainV2(header, inner, range)
            }
            return try plain(range, size: Int(header.plainSize), isCompressed: true)
        } catch {
            throw ParquetError(error.kind, at: page.offset, error.expected)
        }
    }

    private func plain(
        _ range: Range<Int>, size: Int, isCompressed: Bool
    ) throws(ParquetError) -> PageBytes {
        guard isCompressed, let codec = try pageCodec() else {
            guard range.count == size else {
                throw ParquetError(.invalid, at: -1, "a page of \(size) bytes")
            }
            return PageBytes(Array(window[range]))
        }
        do throws(CompressionError) {
            return PageBytes(
                padded: try decoder.decode(
                    window.span.extracting(range), codec, size: size, padding: PageBytes.padding))
        } catch {
            throw ParquetError(.invalid, at: -1, "a page that decompresses (\(error))")
        }
    }

    private func pageCodec() throws(ParquetError) -> PageCodec? {
        switch codec {
        case .uncompressed: return nil
        case .snappy: return .snappy
        case .gzip: return .gzip
        case .zstd: return .zstd
        case .lz4Raw: return .lz4Raw
        case .lzo, .brotli, .lz4:
            throw ParquetError(.unsupported, at: -1, "pages compressed by \(codec)")
        }
    }

    /// Levels of V2 pages are never compressed.
    private func plainV2(
        _ header: PageHeader, _ page: PageHeader.DataPageV2, _ range: Range<Int>
    ) throws(ParquetError) -> PageBytes {
        let levels = Int(page.definitionBytes) + Int(page.repetitionBytes)
        guard levels <= range.count, levels <= header.plainSize else {
            throw ParquetError(.invalid, at: -1, "levels inside of a page")
        }
        let values = range.dropFirst(levels)
        let size = Int(header.plainSize) - levels
        // A page of nulls may have no bytes at all where a compressed nothing would be expected.
        guard !values.isEmpty || size > 0 else { return PageBytes(Array(window[range])) }
        let plain = try plain(values, size: size, isCompressed: page.isCompressed)
        guard levels > 0 else { return plain }
        return PageBytes(padded: Array(window[range.prefix(levels)]) + plain.bytes)
    }
}
