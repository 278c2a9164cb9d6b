internal import Compression

/// Reads the values of one leaf of one row group, page by page.
///
/// Holds one page at a time, and the dictionary.
struct LeafReader {
    let leaf: Leaf
    private var stream: PageStream
    private let limits: ReaderLimits
    private let offsetIndex: OffsetIndex?
    private let rowCount: Int64
    /// Levels that the chunk has in all, and that pages read so far had.
    private let valueCount: Int64
    private var valuesSeen: Int64 = 0
    private var dictionary: DenseValues?
    private var page: DecodedPage
    private var scratch: [UInt32] = []
    private var raw: DenseValues
    /// The next row to be read, counted from the beginning of the row group.
    private var row: Int64 = 0

    init(
        _ file: ParquetFile, rowGroup: Int, leaf: Leaf, offsetIndex: OffsetIndex?,
        _ decoder: PageDecoder
    ) throws(ParquetError) {
        self.leaf = leaf
        let group = file.footer.rowGroups[rowGroup]
        let chunk = group.columns[leaf.index]
        stream = try PageStream(file, chunk, decoder)
        limits = file.limits
        self.offsetIndex = offsetIndex
        rowCount = group.rowCount
        valueCount = chunk.valueCount
        page = DecodedPage(leaf, limits)
        raw = DenseValues(leaf.rawStorage, byteLimit: limits.batchBytes)
    }

    private func failure(_ expected: String) -> ParquetError {
        ParquetError(.invalid, at: stream.offset, "\(expected) (column \(leaf.path))")
    }
}

// MARK: - Pages
extension LeafReader {
    /// Reads headers up to that of the next data page; dictionaries on the way are decoded.
    private mutating func nextDataPage() throws(ParquetError) -> PageStream.StoredPage {
        while true {
            guard valuesSeen < valueCount else { throw failure("as many values as declared") }
            let stored = try stream.next()
            switch stored.header.content {
            case .index: continue
            case .dictionary(let header): try readDictionary(stored, header)
            case .data, .dataV2:
                let count = Int64(stored.header.valueCount)
                guard count <= valueCount - valuesSeen else {
                    throw failure("at most \(valueCount) values")
                }
                valuesSeen += count
                return stored
            }
        }
    }

    private mutating func readDictionary(
        _ stored: PageStream.StoredPage, _ header: PageHeader.DictionaryPage
    ) throws(ParquetError) {
        guard dictionary == nil, valuesSeen == 0 else {
            throw failure("one dictionary before all data")
        }
        guard header.encoding == .plain || header.encoding == .plainDictionary else {
            throw ParquetError(
                .unsupported, at: stored.offset, "a dictionary in encoding \(header.encoding)")
        }
        let bytes = try stream.plainBytes(stored)
        var values = DenseValues(leaf.storage, byteLimit: limits.batchBytes)
        do throws(ParquetError) {
            try decode(bytes, bytes.all, .plain, count: Int(header.valueCount), into: &values)
        } catch {
            throw ParquetError(error.kind, at: stored.offset, error.expected)
        }
        values.pad()
        dictionary = values
    }

    /// Decodes values of a page into what they come out as.
    private mutating func decode(
        _ bytes: PageBytes, _ range: Range<Int>, _ encoding: Encoding, count: Int,
        into values: inout DenseValues
    ) throws(ParquetError) {
        switch encoding {
        case .plainDictionary, .rleDictionary:
            guard let dictionary else { throw failure("a dictionary before its indices") }
            try values.append(
                bytes, range, dictionary: dictionary, count: count, scratch: &scratch)
        default:
            guard leaf.isConverted else {
                try values.append(bytes, range, encoding, count: count)
                return
            }
            raw.removeAll()
            try raw.append(bytes, range, encoding, count: count)
            try values.append(converting: raw, from: leaf.type)
        }
    }

    /// Decodes levels of a page, and its values into `values`.
    private mutating func decode(
        _ stored: PageStream.StoredPage, into values: inout DenseValues
    ) throws(ParquetError) {
        let bytes = try stream.plainBytes(stored)
        do throws(ParquetError) {
            let (range, encoding) = try page.readLevels(bytes, stored.header, leaf)
            try decode(bytes, range, encoding, count: page.presentCount, into: &values)
        } catch {
            throw ParquetError(error.kind, at: stored.offset, error.expected)
        }
    }

    private mutating func loadPage() throws(ParquetError) {
        let stored = try nextDataPage()
        var values = page.takeValues()
        values.removeAll()
        try decode(stored, into: &values)
        page.begin(values)
    }
}

// MARK: - Rows of a column that is no part of a list
extension LeafReader {
    /// Passes over `count` rows.
    mutating func skip(_ count: Int64) throws(ParquetError) {
        guard count > 0 else { return }
        row += count
        guard row <= rowCount else { throw failure("\(rowCount) rows") }
        if leaf.maximumRepetition > 0 { return try skipNested(count) }
        var left = count
        let inPage = min(left, Int64(page.remaining))
        page.skip(Int(inPage))
        left -= inPage
        guard left > 0 else { return }
        left = try seek(to: row - left, skipping: left)
        while left > 0 {
            let stored = try nextDataPage()
            let values = Int64(stored.header.valueCount)
            if values <= left {
                left -= values
            } else {
                var buffer = page.takeValues()
                buffer.removeAll()
                try decode(stored, into: &buffer)
                page.begin(buffer)
                page.skip(Int(left))
                left = 0
            }
        }
    }

    /// Goes to the page with the row after the skipped ones, where the file tells its place;
    /// returns how many rows are still to be skipped.
    private mutating func seek(
        to first: Int64, skipping count: Int64
    ) throws(ParquetError) -> Int64 {
        guard let locations = offsetIndex?.locations else { return count }
        let wanted = first + count
        var (low, high) = (0, locations.count)
        while low < high {
            let middle = (low + high) / 2
            if locations[middle].firstRow <= wanted { low = middle + 1 } else { high = middle }
        }
        guard low > 0, locations[low - 1].firstRow > first else { return count }
        // The dictionary lies before all data pages, so it must have been read by now.
        if valuesSeen == 0, stream.offset < locations[0].offset { try readLeadingDictionary() }
        let location = locations[low - 1]
        guard location.offset >= stream.offset else { return count }
        stream.seek(location.offset)
        valuesSeen = leaf.maximumRepetition == 0 ? location.firstRow : valuesSeen
        return wanted - location.firstRow
    }

    private mutating func readLeadingDictionary() throws(ParquetError) {
        guard dictionary == nil else { return }
        let stored = try stream.next()
        if case .dictionary(let header) = stored.header.content {
            try readDictionary(stored, header)
        }
    }

    /// Appends `count` rows to `batch`.
    mutating func read(_ count: Int, into batch: inout LeafBatch) throws(ParquetError) {
        row += Int64(count)
        guard row <= rowCount else { throw failure("\(rowCount) rows") }
        if !leaf.isFlat { return try readNested(count, into: &batch) }
        var left = count
        while left > 0 {
            if page.remaining == 0 {
                let stored = try nextDataPage()
                if stored.header.valueCount <= left {
                    left -= stored.header.valueCount
                    try readWhole(stored, into: &batch)
                    continue
                }
                var values = page.takeValues()
                values.removeAll()
                try decode(stored, into: &values)
                page.begin(values)
            }
            let taken = min(left, page.remaining)
            try page.takeFlat(taken, into: &batch)
            left -= taken
        }
    }

    /// Decodes a page that is wanted whole; without nulls its values go to the batch directly.
    private mutating func readWhole(
        _ stored: PageStream.StoredPage, into batch: inout LeafBatch
    ) throws(ParquetError) {
        let bytes = try stream.plainBytes(stored)
        do throws(ParquetError) {
            let (range, encoding) = try page.readLevels(bytes, stored.header, leaf)
            if page.presentCount == page.count {
                try decode(bytes, range, encoding, count: page.count, into: &batch.values)
                batch.addPresent(page.count)
                page.end()
            } else {
                var values = page.takeValues()
                values.removeAll()
                try decode(bytes, range, encoding, count: page.presentCount, into: &values)
                page.begin(values)
                try page.takeFlat(page.remaining, into: &batch)
            }
        } catch {
            throw ParquetError(error.kind, at: stored.offset, error.expected)
        }
    }
}

// MARK: - Rows of a column inside of lists
extension LeafReader {
    private var isAtEnd: Bool { page.remaining == 0 && valuesSeen == valueCount }

    /// Loads pages until one has something left, or the chunk ends.
    private mutating func loadNested() throws(ParquetError) {
        while page.remaining == 0, valuesSeen < valueCount { try loadPage() }
    }

    private mutating func skipNested(_ count: Int64) throws(ParquetError) {
        var ignored = LeafBatch(leaf, limits)
        var left = count
        while left > 0 {
            let part = Int(min(left, 4096))
            try readNested(part, into: &ignored)
            ignored = LeafBatch(leaf, limits)
            left -= Int64(part)
        }
    }

    /// Appends the levels and values of `count` rows; a row ends before the next level of
    /// repetition 0, which may stand in a later page.
    private mutating func readNested(
        _ count: Int, into batch: inout LeafBatch
    ) throws(ParquetError) {
        var begun = 0
        while true {
            try loadNested()
            guard !isAtEnd else { break }
            let (levels, rows, isDone) = page.span(ofRows: count - begun)
            guard begun + rows > 0 || levels == 0 else { throw failure("a row's beginning") }
            try page.takeNested(levels, into: &batch)
            begun += rows
            if isDone { break }
        }
        guard begun == count else { throw failure("\(count) rows more") }
    }
}
