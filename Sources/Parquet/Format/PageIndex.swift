/// Where the pages of a column chunk lie.
package struct OffsetIndex: Equatable, Sendable {
    package struct Location: Equatable, Sendable {
        /// Offset of the header of the page in the file.
        package var offset: Int64
        /// Bytes of the page, its header included.
        package var size: Int32
        /// The first row of the page, counted from the beginning of the row group.
        package var firstRow: Int64
    }

    package var locations: [Location]

    static func read(_ reader: inout CompactReader) throws(ParquetError) -> OffsetIndex {
        var locations: [Location]?
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            guard field.id == 1 else {
                try reader.skip(field)
                continue
            }
            var list: [Location] = []
            for _ in 0..<(try reader.list(field, of: .structure)) {
                list.append(try readLocation(&reader))
            }
            locations = list
        }
        guard let locations else { throw reader.missing("locations of pages") }
        return OffsetIndex(locations: locations)
    }

    private static func readLocation(
        _ reader: inout CompactReader
    ) throws(ParquetError) -> Location {
        var (offset, size, firstRow): (Int64?, Int32?, Int64?) = (nil, nil, nil)
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            switch field.id {
            case 1: offset = try reader.int64(field)
            case 2: size = try reader.int32(field)
            case 3: firstRow = try reader.int64(field)
            default: try reader.skip(field)
            }
        }
        guard let offset, let size, let firstRow else {
            throw reader.missing("offset, size and first row of a page")
        }
        return Location(offset: offset, size: size, firstRow: firstRow)
    }

    func encoded() -> [UInt8] {
        var writer = CompactWriter()
        writer.list(1, of: .structure, count: locations.count)
        for location in locations {
            writer.begin()
            writer.field(1, location.offset)
            writer.field(2, location.size)
            writer.field(3, location.firstRow)
            writer.end()
        }
        return writer.finish()
    }
}

/// Bounds and counts of each page of a column chunk.
package struct ColumnIndex: Equatable, Sendable {
    /// Whether a page has nothing but nulls; its bounds are empty then and mean nothing.
    package var nullPages: [Bool]
    package var minima: [[UInt8]]
    package var maxima: [[UInt8]]
    package var order: BoundaryOrder
    package var nullCounts: [Int64]?
    package var nanCounts: [Int64]?

    static func read(_ reader: inout CompactReader) throws(ParquetError) -> ColumnIndex {
        var nullPages: [Bool]?
        var (minima, maxima): ([[UInt8]]?, [[UInt8]]?) = (nil, nil)
        var order: BoundaryOrder?
        var (nullCounts, nanCounts): ([Int64]?, [Int64]?) = (nil, nil)
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            switch field.id {
            case 1: nullPages = try readFlags(&reader, field)
            case 2: minima = try readBounds(&reader, field)
            case 3: maxima = try readBounds(&reader, field)
            case 4: order = try reader.enumeration(field, "order of pages")
            case 5: nullCounts = try readCounts(&reader, field)
            case 8: nanCounts = try readCounts(&reader, field)
            default: try reader.skip(field)
            }
        }
        guard let nullPages, let minima, let maxima, let order else {
            throw reader.missing("bounds of pages")
        }
        let count = nullPages.count
        guard minima.count == count, maxima.count == count, nullCounts?.count ?? count == count,
            nanCounts?.count ?? count == count
        else { throw reader.error(.invalid, "lists of one length in a column index") }
        return ColumnIndex(
            nullPages: nullPages, minima: minima, maxima: maxima, order: order,
            nullCounts: nullCounts, nanCounts: nanCounts)
    }

    private static func readFlags(
        _ reader: inout CompactReader, _ field: CompactReader.Field
    ) throws(ParquetError) -> [Bool] {
        var list: [Bool] = []
        for _ in 0..<(try reader.list(field, of: .yes)) { list.append(try reader.bool()) }
        return list
    }

    private static func readBounds(
        _ reader: inout CompactReader, _ field: CompactReader.Field
    ) throws(ParquetError) -> [[UInt8]] {
        var list: [[UInt8]] = []
        for _ in 0..<(try reader.list(field, of: .binary)) { list.append(try reader.binary()) }
        return list
    }

    private static func readCounts(
        _ reader: inout CompactReader, _ field: CompactReader.Field
    ) throws(ParquetError) -> [Int64] {
        var list: [Int64] = []
        for _ in 0..<(try reader.list(field, of: .i64)) { list.append(try reader.int64()) }
        return list
    }

    func encoded() -> [UInt8] {
        var writer = CompactWriter()
        writer.list(1, of: .yes, count: nullPages.count)
        for flag in nullPages { writer.element(flag) }
        writer.list(2, of: .binary, count: minima.count)
        for bound in minima { writer.element(bound) }
        writer.list(3, of: .binary, count: maxima.count)
        for bound in maxima { writer.element(bound) }
        writer.field(4, order.rawValue)
        Self.write(5, nullCounts, to: &writer)
        Self.write(8, nanCounts, to: &writer)
        return writer.finish()
    }

    private static func write(_ id: Int16, _ counts: [Int64]?, to writer: inout CompactWriter) {
        guard let counts else { return }
        writer.list(id, of: .i64, count: counts.count)
        for count in counts { writer.element(count) }
    }
}
