internal import Compression

/// The pages of a column chunk as they follow each other in the file.
struct PageWalk {
    /// Offsets of the headers, in order.
    var dictionary: Int64?
    var pages: [Int64] = []
    /// Where the last page ends.
    var end: Int64
}

extension ParquetFile {
    /// Finds the pages of a chunk: from its offset index, or else by reading every header.
    ///
    /// Throws when pages do not fill the chunk without gaps, or there are more than `limit`.
    func pages(rowGroup: Int, leaf: Int, limit: Int) throws(ParquetError) -> PageWalk {
        let chunk = footer.rowGroups[rowGroup].columns[leaf]
        let range = try range(of: chunk)
        var walk = PageWalk(end: range.lowerBound)
        if let index = try offsetIndex(rowGroup: rowGroup, leaf: leaf),
            let first = index.locations.first
        {
            guard index.locations.count <= limit else {
                throw ParquetError(.tooLarge, at: range.lowerBound, "pages of a column")
            }
            if first.offset > range.lowerBound { walk.dictionary = range.lowerBound }
            walk.end = first.offset
            for location in index.locations {
                guard location.offset == walk.end else { throw gap(walk.end) }
                walk.pages.append(location.offset)
                walk.end += Int64(location.size)
            }
        } else {
            walk = try pagesByHeaders(chunk, range, limit)
        }
        guard walk.end == range.upperBound else { throw gap(walk.end) }
        return walk
    }

    private func gap(_ offset: Int64) -> ParquetError {
        ParquetError(.invalid, at: offset, "pages that fill their chunk")
    }

    private func pagesByHeaders(
        _ chunk: ColumnChunk, _ range: Range<Int64>, _ limit: Int
    ) throws(ParquetError) -> PageWalk {
        var walk = PageWalk(end: range.lowerBound)
        var sparing = self
        sparing.limits.readAhead = 1024
        var stream = try PageStream(sparing, chunk, PageDecoder())
        var values: Int64 = 0
        while walk.end < range.upperBound {
            let page = try stream.next()
            walk.end = stream.offset
            if case .dictionary = page.header.content {
                guard walk.pages.isEmpty, walk.dictionary == nil else { throw gap(page.offset) }
                walk.dictionary = page.offset
                continue
            }
            guard walk.pages.count < limit else {
                throw ParquetError(.tooLarge, at: page.offset, "pages of a column")
            }
            walk.pages.append(page.offset)
            if page.header.isData { values += Int64(page.header.valueCount) }
        }
        guard values == chunk.valueCount else { throw gap(walk.end) }
        return walk
    }
}

extension FileWriter {
    /// Copies a row group of another file byte for byte; only indexes and footer are new.
    ///
    /// Throws, before anything is written, when the fields differ or the row group cannot be taken
    /// apart into pages; its rows are to be read and encoded then.
    package mutating func splice(_ file: ParquetFile, rowGroup: Int) throws(ParquetError) {
        guard file.schema.elements.dropFirst() == schemaElements.dropFirst() else {
            throw ParquetError(.invalid, at: -1, "a row group with the fields of this file")
        }
        let group = file.footer.rowGroups[rowGroup]
        guard group.rowCount > 0 else { return }
        var offsets: [OffsetIndex?] = []
        var bounds: [ColumnIndex?] = []
        for leaf in group.columns.indices {
            _ = try file.pages(rowGroup: rowGroup, leaf: leaf, limit: 1 << 20)
            let start = group.columns[leaf].start
            let index = try file.offsetIndex(rowGroup: rowGroup, leaf: leaf)
            offsets.append(index?.moved(by: -start))
            let columnIndex = try file.trustedColumnIndex(rowGroup: rowGroup, leaf: leaf)
            bounds.append(
                columnIndex?.nullPages.count == index?.locations.count ? columnIndex : nil)
        }
        var columns: [ColumnChunk] = []
        for (leaf, chunk) in group.columns.enumerated() {
            var moved = chunk.moved(by: size - chunk.start)
            if !file.hasTrustedOrder(leaf) { moved.statistics?.forgetBounds() }
            columns.append(moved)
            try copyBytes(of: file, try file.range(of: chunk))
        }
        add(columns, group.rowCount, offsets, bounds)
    }

    private mutating func copyBytes(
        of file: ParquetFile, _ range: Range<Int64>
    ) throws(ParquetError) {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let count = Int(min(range.upperBound - offset, 256 << 10))
            try copy(try file.source.read(count, at: offset))
            offset += Int64(count)
        }
    }
}

extension ParquetFile {
    /// Whether the footer says that bounds of a leaf are in the order of its type.
    fileprivate func hasTrustedOrder(_ leaf: Int) -> Bool {
        footer.hasTypeOrder.indices.contains(leaf) && footer.hasTypeOrder[leaf]
    }

    fileprivate func trustedColumnIndex(
        rowGroup: Int, leaf: Int
    ) throws(ParquetError) -> ColumnIndex? {
        hasTrustedOrder(leaf) ? try columnIndex(rowGroup: rowGroup, leaf: leaf) : nil
    }
}

extension Statistics {
    /// Keeps what does not depend on an order.
    fileprivate mutating func forgetBounds() {
        (minimum, maximum) = (nil, nil)
        (isMinimumExact, isMaximumExact) = (nil, nil)
    }
}
