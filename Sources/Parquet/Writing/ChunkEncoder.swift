internal import Compression

/// A column of a row group as it will stand in a file, with all offsets counted from its own
/// beginning.
package struct EncodedChunk: Equatable, Sendable {
    /// Pages with their headers.
    package var bytes: [UInt8]
    package var column: ColumnChunk
    /// Nil when a spliced column has none.
    package var offsetIndex: OffsetIndex?
    /// Nil when the format forbids it, or a spliced column has none.
    package var columnIndex: ColumnIndex?
}

/// Writes the pages of one leaf of a row group.
///
/// All is decided before the first page is written: whether there is a dictionary, the encoding,
/// and where pages end.
struct ChunkEncoder {
    private let options: WriterOptions
    private let encoder: ZstdEncoder
    private let shredded: ShreddedLeaf
    private let stored: DenseValues
    private let plan: EncodingPlan
    private var bytes: [UInt8] = []
    private var plainSize = 0
    private var locations: [OffsetIndex.Location] = []
    private var bounds: [ValueBounds] = []
    private var nullCounts: [Int64] = []
    private var presentCounts: [Int] = []
    private var frame: [UInt8] = []

    private init(
        _ shredded: ShreddedLeaf, _ hashes: [UInt32], _ options: WriterOptions,
        _ encoder: ZstdEncoder
    ) throws(ParquetError) {
        self.shredded = shredded
        self.options = options
        self.encoder = encoder
        stored = try shredded.values.stored(for: shredded.leaf)
        plan = EncodingChoice(options, encoder).plan(stored, hashes)
    }

    static func encode(
        _ shredded: ShreddedLeaf, _ options: WriterOptions, _ encoder: ZstdEncoder
    ) throws(ParquetError) -> EncodedChunk {
        let hashes = ValueHashes.of(shredded.values)
        var chunk = try ChunkEncoder(shredded, hashes, options, encoder)
        let cuts = PageCutter.cuts(shredded, hashes, chunk.plan, options.pageBytes)
        chunk.writeDictionary()
        var (level, value, row) = (0, 0, 0)
        for end in cuts {
            let present = shredded.present(level..<end)
            chunk.writePage(level..<end, value..<value + present, firstRow: row)
            row += shredded.rows(level..<end)
            (level, value) = (end, value + present)
        }
        return chunk.finish()
    }

    private mutating func writeDictionary() {
        guard let dictionary = plan.dictionary else { return }
        var body: [UInt8] = []
        dictionary.values.encode(0..<dictionary.values.count, .plain, into: &body)
        write(
            body,
            .dictionary(
                PageHeader.DictionaryPage(
                    valueCount: Int32(clamping: dictionary.values.count), encoding: .plain,
                    isSorted: nil)))
    }

    private mutating func writePage(_ levels: Range<Int>, _ values: Range<Int>, firstRow: Int) {
        var body: [UInt8] = []
        let leaf = shredded.leaf
        Self.append(shredded.repetition, levels, leaf.maximumRepetition, 0, to: &body)
        Self.append(
            shredded.definition, levels, leaf.maximumDefinition, leaf.maximumDefinition, to: &body)
        if let dictionary = plan.dictionary {
            body.append(UInt8(truncatingIfNeeded: dictionary.width))
            HybridEncoder.encode(
                indices: dictionary.indices[values], width: dictionary.width, into: &body)
        } else {
            stored.encode(values, plan.encoding, into: &body)
        }
        let start = bytes.count
        write(
            body,
            .data(
                PageHeader.DataPage(
                    valueCount: Int32(clamping: levels.count), encoding: plan.encoding,
                    definitionEncoding: .rle, repetitionEncoding: .rle)))
        locations.append(
            OffsetIndex.Location(
                offset: Int64(start), size: Int32(clamping: bytes.count - start),
                firstRow: Int64(firstRow)))
        bounds.append(pageBounds(values))
        nullCounts.append(Int64(levels.count - values.count))
        presentCounts.append(values.count)
    }

    /// Dictionaries of bytes are sorted in the order of the column: the bounds of a page are those
    /// of its indices.
    private func pageBounds(_ values: Range<Int>) -> ValueBounds {
        guard let dictionary = plan.dictionary, shredded.leaf.order == .bytes,
            let lowest = dictionary.indices[values].min(),
            let highest = dictionary.indices[values].max()
        else { return ValueBounds(shredded.values, values, shredded.leaf.order) }
        var bounds = ValueBounds()
        bounds.minimum = .bytes(Array(dictionary.values.slice(Int(lowest))))
        bounds.maximum = .bytes(Array(dictionary.values.slice(Int(highest))))
        return bounds
    }

    /// Appends levels, `level` standing for an empty list of them; nothing when there are none.
    private static func append(
        _ levels: [UInt8], _ range: Range<Int>, _ maximum: Int, _ level: Int,
        to body: inout [UInt8]
    ) {
        guard maximum > 0 else { return }
        guard levels.isEmpty else {
            HybridEncoder.encode(levels: levels[range], maximum: maximum, into: &body)
            return
        }
        HybridEncoder.encode(level: level, count: range.count, maximum: maximum, into: &body)
    }

    /// Compresses a page and appends it with its header.
    private mutating func write(_ body: [UInt8], _ content: PageHeader.Content) {
        _ = encoder.encode(body.span, into: &frame, limit: .max)
        let header = PageHeader(
            plainSize: Int32(clamping: body.count), storedSize: Int32(clamping: frame.count),
            checksum: CRC32.of(frame.span), content: content
        ).encoded()
        bytes += header
        bytes += frame
        plainSize += header.count + body.count
    }
}

// MARK: - What the footer says about it
extension ChunkEncoder {
    private func finish() -> EncodedChunk {
        let leaf = shredded.leaf
        let hasDictionary = plan.dictionary != nil
        let column = ColumnChunk(
            type: leaf.type, encodings: encodings(), path: leaf.path, codec: .zstd,
            valueCount: Int64(shredded.count), plainSize: Int64(plainSize),
            storedSize: Int64(bytes.count), keyValues: [],
            dataPageOffset: locations.first?.offset ?? 0,
            dictionaryPageOffset: hasDictionary ? 0 : nil, statistics: statistics(),
            pageCounts: pageCounts(), offsetIndex: nil, columnIndex: nil)
        return EncodedChunk(
            bytes: bytes, column: column, offsetIndex: OffsetIndex(locations: locations),
            columnIndex: columnIndex())
    }

    private func encodings() -> [Encoding] {
        var encodings: [Encoding] = plan.dictionary == nil ? [] : [.plain]
        encodings.append(plan.encoding)
        if shredded.leaf.maximumDefinition > 0 || shredded.leaf.maximumRepetition > 0 {
            encodings.append(.rle)
        }
        return encodings
    }

    private func pageCounts() -> [ColumnChunk.PageCount] {
        var counts: [ColumnChunk.PageCount] = []
        if plan.dictionary != nil {
            counts.append(.init(type: .dictionary, encoding: .plain, count: 1))
        }
        counts.append(
            .init(type: .data, encoding: plan.encoding, count: Int32(clamping: locations.count)))
        return counts
    }

    private func statistics() -> Statistics {
        var all = ValueBounds()
        for page in bounds { all.add(page) }
        var statistics = Statistics()
        statistics.nullCount = nullCounts.reduce(0, +)
        if shredded.leaf.order == .floating { statistics.nanCount = all.nanCount }
        if let minimum = all.minimum, let maximum = all.maximum {
            let low = StoredBound.minimum(minimum, shredded.leaf, limit: options.boundBytes)
            let high = StoredBound.maximum(maximum, shredded.leaf, limit: options.boundBytes)
            (statistics.minimum, statistics.isMinimumExact) = (low.bytes, low.isExact)
            (statistics.maximum, statistics.isMaximumExact) = (high.bytes, high.isExact)
        }
        return statistics
    }

    /// Nil when the order of values is not defined, or a page has nothing but what is no number.
    private func columnIndex() -> ColumnIndex? {
        let leaf = shredded.leaf
        guard leaf.order != nil else { return nil }
        var index = ColumnIndex(
            nullPages: [], minima: [], maxima: [], order: .unordered, nullCounts: nullCounts,
            nanCounts: leaf.order == .floating ? bounds.map(\.nanCount) : nil)
        for (page, bounds) in bounds.enumerated() {
            let isNull = presentCounts[page] == 0
            index.nullPages.append(isNull)
            guard !isNull else {
                index.minima.append([])
                index.maxima.append([])
                continue
            }
            guard let minimum = bounds.minimum, let maximum = bounds.maximum else { return nil }
            let limit = options.pageBoundBytes
            index.minima.append(StoredBound.minimum(minimum, leaf, limit: limit).bytes)
            index.maxima.append(StoredBound.maximum(maximum, leaf, limit: limit).bytes)
        }
        index.order = boundaryOrder()
        return index
    }

    private func boundaryOrder() -> BoundaryOrder {
        var (ascends, descends) = (true, true)
        let known = bounds.filter { $0.minimum != nil }
        for (one, next) in zip(known, known.dropFirst()) {
            guard let low = one.minimum, let high = one.maximum, let nextLow = next.minimum,
                let nextHigh = next.maximum
            else { continue }
            if nextLow.precedes(low) || nextHigh.precedes(high) { ascends = false }
            if low.precedes(nextLow) || high.precedes(nextHigh) { descends = false }
        }
        return ascends ? .ascending : descends ? .descending : .unordered
    }
}
