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
        let index = try offsetIndex(rowGroup: rowGroup, leaf: leaf)
        return try pages(rowGroup: rowGroup, leaf: leaf, index, limit: limit)
    }

    /// The same with an offset index that was read before.
    fileprivate func pages(
        rowGroup: Int, leaf: Int, _ index: OffsetIndex?, limit: Int
    ) throws(ParquetError) -> PageWalk {
        let chunk = footer.rowGroups[rowGroup].columns[leaf]
        let range = try range(of: chunk)
        var walk = PageWalk(end: range.lowerBound)
        if let index, let first = index.locations.first {
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

/// A row group of a file, with its indexes, ready to be copied into another.
package struct SplicedGroup: Sendable {
    fileprivate let file: ParquetFile
    fileprivate let group: RowGroup
    /// Offsets count from the beginning of each chunk.
    fileprivate private(set) var offsets: [OffsetIndex?] = []
    fileprivate private(set) var bounds: [ColumnIndex?] = []

    /// Reads the indexes; throws when the row group cannot be taken apart into pages.
    package init(_ file: ParquetFile, rowGroup: Int) throws(ParquetError) {
        self.file = file
        group = file.footer.rowGroups[rowGroup]
        guard group.rowCount > 0 else { return }
        for leaf in group.columns.indices {
            let start = group.columns[leaf].start
            let index = try file.offsetIndex(rowGroup: rowGroup, leaf: leaf)
            _ = try file.pages(rowGroup: rowGroup, leaf: leaf, index, limit: 1 << 20)
            offsets.append(index?.moved(by: 0 &- start))
            let columnIndex = try file.trustedColumnIndex(rowGroup: rowGroup, leaf: leaf)
            bounds.append(
                columnIndex?.nullPages.count == index?.locations.count ? columnIndex : nil)
        }
    }
}

extension FileWriter {
    /// Copies a row group of another file byte for byte; only indexes and footer are new.
    ///
    /// Throws, before anything is written, when the fields differ or the row group cannot be taken
    /// apart into pages; its rows are to be read and encoded then.
    package mutating func splice(_ file: ParquetFile, rowGroup: Int) throws(ParquetError) {
        try splice(try SplicedGroup(file, rowGroup: rowGroup))
    }

    /// The same with a row group whose indexes were read before.
    package mutating func splice(_ spliced: SplicedGroup) throws(ParquetError) {
        let (file, group) = (spliced.file, spliced.group)
        guard file.schema.elements.dropFirst() == schemaElements.dropFirst() else {
            throw ParquetError(.invalid, at: -1, "a row group with the fields of this file")
        }
        guard group.rowCount > 0 else { return }
        var (columns, runs, target): ([ColumnChunk], [Range<Int64>], Int64) = ([], [], size)
        for (leaf, chunk) in group.columns.enumerated() {
            var moved = chunk.moved(by: target &- chunk.start)
            if !file.hasTrustedOrder(leaf) { moved.statistics?.forgetBounds() }
            if !file.schema.leaves[leaf].hasOldOrder { moved.statistics?.forgetOldBounds() }
            columns.append(moved)
            let range = try file.range(of: chunk)
            target += range.upperBound - range.lowerBound
            // Neighbours are copied in one go.
            if let last = runs.last, last.upperBound == range.lowerBound {
                runs[runs.count - 1] = last.lowerBound..<range.upperBound
            } else if !range.isEmpty {
                runs.append(range)
            }
        }
        for run in runs { try copy(run, of: file.source) }
        add(columns, group.rowCount, group.sorting, spliced.offsets, spliced.bounds)
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

    fileprivate mutating func forgetOldBounds() { (oldMinimum, oldMaximum) = (nil, nil) }
}

extension ParquetFile {
    /// Reads the pages of a column chunk and compares them with their checksums, and their values
    /// with the number that the footer tells; nothing is decompressed.
    package func checkPages(rowGroup: Int, leaf: Int) throws(ParquetError) {
        let chunk = footer.rowGroups[rowGroup].columns[leaf]
        let range = try range(of: chunk)
        var stream = try PageStream(self, chunk, PageDecoder())
        var values: Int64 = 0
        while stream.offset < range.upperBound {
            let header = try stream.checkNext().header
            if header.isData { values &+= Int64(header.valueCount) }
        }
        guard stream.offset == range.upperBound || range.isEmpty, values == chunk.valueCount else {
            throw gap(stream.offset)
        }
    }
}
