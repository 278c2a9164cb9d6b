/// A place in a file where something begins that is likely to be in other files too.
package struct PageBoundary: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// A row group, with its first column.
        case rowGroup
        /// A column of a row group, with its dictionary or first page.
        case column
        /// A data page.
        case page
        /// Anything that lies between or behind row groups: indexes, Bloom filters. Bounds of pages
        /// of one row group are the same wherever it lies.
        case index
        case footer
    }

    package var offset: Int64
    package var kind: Kind
    /// The pages of the column that begins here were compressed by more than looking for repeats,
    /// and hardly shrink any more.
    package var isDense = false
}

extension ParquetFile {
    /// Finds where the parts of a Parquet file begin, in ascending order, the first of them behind
    /// the magic number.
    ///
    /// Reads the footer and the indexes, or else the header of every page. Returns nil on any
    /// oddity, and for what is no Parquet file: boundaries are hints for cutting bytes, and bytes
    /// can be cut without.
    package static func pageBoundaries(
        in source: any ByteSource, limits: ReaderLimits = ReaderLimits(), atMost: Int = 1 << 22
    ) -> [PageBoundary]? {
        guard let file = try? ParquetFile(source, limits: limits) else { return nil }
        return try? file.boundaries(atMost: atMost)
    }

    private func boundaries(atMost limit: Int) throws(ParquetError) -> [PageBoundary] {
        try checkIndexSizes()
        var boundaries: [PageBoundary] = []
        var end: Int64 = 4
        for (number, group) in footer.rowGroups.enumerated() {
            for (leaf, chunk) in group.columns.enumerated() where chunk.valueCount > 0 {
                guard chunk.start >= end else {
                    throw ParquetError(.invalid, at: chunk.start, "columns in ascending order")
                }
                if chunk.start > end { boundaries.append(PageBoundary(offset: end, kind: .index)) }
                let walk = try pages(
                    rowGroup: number, leaf: leaf, limit: max(0, limit - boundaries.count))
                boundaries.append(
                    PageBoundary(
                        offset: chunk.start, kind: leaf == 0 ? .rowGroup : .column,
                        isDense: [.zstd, .gzip, .brotli].contains(chunk.codec)))
                for page in walk.pages where page > chunk.start {
                    boundaries.append(PageBoundary(offset: page, kind: .page))
                }
                end = walk.end
            }
        }
        if end < footerStart { boundaries.append(PageBoundary(offset: end, kind: .index)) }
        for offset in indexOffsets(behind: end) {
            boundaries.append(PageBoundary(offset: offset, kind: .index))
        }
        boundaries.append(PageBoundary(offset: footerStart, kind: .footer))
        return boundaries
    }

    /// Checks that all offset indexes together are no larger than a footer may be: any number of
    /// columns may claim the same bytes.
    private func checkIndexSizes() throws(ParquetError) {
        var size = 0
        for group in footer.rowGroups {
            for chunk in group.columns { size &+= Int(chunk.offsetIndex?.size ?? 0) }
        }
        guard size <= limits.footerBytes else {
            throw ParquetError(.tooLarge, at: footerStart, "offset indexes of \(size) bytes")
        }
    }

    /// Where the indexes of the row groups begin behind all pages: their bounds, which are the same
    /// in every file that has the row group, and the places of their pages, which are not.
    private func indexOffsets(behind end: Int64) -> [Int64] {
        var offsets: [Int64] = []
        for group in footer.rowGroups {
            offsets += [group.columns.compactMap(\.columnIndex?.offset).min()].compactMap { $0 }
        }
        let places = footer.rowGroups.flatMap { $0.columns.compactMap(\.offsetIndex?.offset) }
        if let first = places.min() { offsets.append(first) }
        var last = end
        return offsets.filter { offset in
            guard offset > last, offset < footerStart else { return false }
            last = offset
            return true
        }
    }
}
