/// An open file: its footer, understood and checked.
///
///     file   = "PAR1", row groups, indexes, footer, size of the footer in 4 bytes, "PAR1"
///
/// Reading the values is the work of `RowGroupReader`.
package struct ParquetFile: Sendable {
    package let source: any ByteSource
    package let footer: Footer
    package let schema: Schema
    package internal(set) var limits: ReaderLimits
    /// Where the footer begins; everything else lies before.
    let footerStart: Int64

    static let magic = Array("PAR1".utf8)
    static let tailSize: Int64 = 8

    package init(
        _ source: any ByteSource, limits: ReaderLimits = ReaderLimits()
    ) throws(ParquetError) {
        self.source = source
        self.limits = limits
        let size = try Self.footerSize(source, limits)
        footerStart = source.size - Self.tailSize - Int64(size)
        let bytes = try source.read(size, at: footerStart)
        var reader = CompactReader(bytes, limits: limits)
        do throws(ParquetError) {
            footer = try Footer.read(&reader)
        } catch {
            throw error.moved(by: footerStart)
        }
        schema = try Schema(footer.schema, depth: limits.depth)
        try check()
    }

    private static func footerSize(
        _ source: any ByteSource, _ limits: ReaderLimits
    ) throws(ParquetError) -> Int {
        let size = source.size
        guard size >= tailSize + 4 else {
            throw ParquetError(.truncated, at: size, "a Parquet file")
        }
        let tail = try source.read(Int(tailSize), at: size - tailSize)
        if Array(tail[4...]) == Array("PARE".utf8) {
            throw ParquetError(.unsupported, at: size - 4, "an encrypted footer")
        }
        let head = try source.read(4, at: 0)
        guard Array(tail[4...]) == magic, head == magic else {
            throw ParquetError(.invalid, at: size - 4, "'PAR1' at both ends of the file")
        }
        var footerSize: UInt32 = 0
        for index in 0..<4 { footerSize |= UInt32(tail[index]) << UInt32(8 * index) }
        guard Int64(footerSize) <= size - tailSize - 4 else {
            throw ParquetError(.invalid, at: size - tailSize, "a footer inside of the file")
        }
        guard Int(footerSize) <= limits.footerBytes else {
            throw ParquetError(.tooLarge, at: size - tailSize, "a footer of \(footerSize) bytes")
        }
        return Int(footerSize)
    }

    /// Checks that row groups have the columns of the schema, inside of the file, and as many rows
    /// as the file.
    private func check() throws(ParquetError) {
        var rows: Int64 = 0
        for (number, group) in footer.rowGroups.enumerated() {
            // Pages count their values in 32 bits.
            guard group.rowCount <= Int64(Int32.max) else {
                throw ParquetError(.tooLarge, at: -1, "rows of row group \(number)")
            }
            rows += group.rowCount
            guard group.columns.count == schema.leaves.count else {
                throw ParquetError(.invalid, at: -1, "every column in row group \(number)")
            }
            for (chunk, leaf) in zip(group.columns, schema.leaves) {
                guard chunk.type == leaf.type, chunk.path.isEmpty || chunk.path == leaf.path else {
                    throw ParquetError(
                        .invalid, at: -1, "column \(leaf.path) in row group \(number)")
                }
                guard leaf.maximumRepetition > 0 || chunk.valueCount == group.rowCount else {
                    throw ParquetError(
                        .invalid, at: -1, "\(group.rowCount) values of column \(leaf.path)")
                }
                _ = try range(of: chunk)
            }
        }
        guard rows == footer.rowCount else {
            throw ParquetError(.invalid, at: -1, "\(footer.rowCount) rows in all row groups")
        }
    }

    /// Where the pages of a column chunk lie.
    func range(of chunk: ColumnChunk) throws(ParquetError) -> Range<Int64> {
        // Without values there are no pages, and the offset may be anything.
        guard chunk.valueCount > 0 else { return 4..<4 }
        let start = chunk.start
        guard start >= 4, start <= footerStart, chunk.storedSize <= footerStart - start else {
            throw ParquetError(.invalid, at: start, "a column chunk inside of the file")
        }
        return start..<start + chunk.storedSize
    }

    private func indexBytes(_ place: ColumnChunk.Place) throws(ParquetError) -> [UInt8] {
        guard place.offset >= 4, place.offset <= footerStart,
            Int64(place.size) <= footerStart - place.offset,
            Int(place.size) <= limits.footerBytes
        else { throw ParquetError(.invalid, at: place.offset, "an index inside of the file") }
        return try source.read(Int(place.size), at: place.offset)
    }

    /// Where the pages of a column of a row group lie; nil when the file does not say.
    package func offsetIndex(rowGroup: Int, leaf: Int) throws(ParquetError) -> OffsetIndex? {
        let group = footer.rowGroups[rowGroup]
        let chunk = group.columns[leaf]
        guard let place = chunk.offsetIndex else { return nil }
        var reader = CompactReader(try indexBytes(place), limits: limits)
        let index: OffsetIndex
        do throws(ParquetError) {
            index = try OffsetIndex.read(&reader)
        } catch {
            throw error.moved(by: place.offset)
        }
        let range = try range(of: chunk)
        var (end, row) = (range.lowerBound, Int64(-1))
        for (number, location) in index.locations.enumerated() {
            let isInside =
                location.offset >= end && location.size > 0
                && Int64(location.size) <= range.upperBound - location.offset
            let isRow = number == 0 ? location.firstRow == 0 : location.firstRow >= row
            guard isInside, isRow, location.firstRow <= group.rowCount else {
                throw ParquetError(.invalid, at: place.offset, "pages of a chunk in order")
            }
            end = location.offset + Int64(location.size)
            row = location.firstRow
        }
        return index
    }

    /// Bounds of the pages of a column of a row group; nil when the file does not have them.
    package func columnIndex(rowGroup: Int, leaf: Int) throws(ParquetError) -> ColumnIndex? {
        guard let place = footer.rowGroups[rowGroup].columns[leaf].columnIndex else { return nil }
        var reader = CompactReader(try indexBytes(place), limits: limits)
        do throws(ParquetError) {
            return try ColumnIndex.read(&reader)
        } catch {
            throw error.moved(by: place.offset)
        }
    }
}
