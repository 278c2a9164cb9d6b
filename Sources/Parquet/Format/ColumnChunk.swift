package import Bytes

/// A column of a row group: where its pages lie, and what they hold.
package struct ColumnChunk: Equatable, Sendable {
    package var type: PhysicalType
    package var encodings: [Encoding]
    package var path: [ExactText]
    package var codec: CompressionCodec
    /// Levels and values, nulls included.
    package var valueCount: Int64
    package var plainSize: Int64
    /// Bytes of all pages in the file with their headers.
    package var storedSize: Int64
    package var keyValues: [KeyValue]
    package var dataPageOffset: Int64
    package var dictionaryPageOffset: Int64?
    package var statistics: Statistics?
    package var pageCounts: [PageCount]
    package var offsetIndex: Place?
    package var columnIndex: Place?

    /// Where an index lies in the file.
    package struct Place: Equatable, Sendable {
        package var offset: Int64
        package var size: Int32
    }

    /// How many pages of a type have an encoding.
    package struct PageCount: Equatable, Sendable {
        package var type: PageType
        package var encoding: Encoding
        package var count: Int32
    }

    /// Offset of the first page.
    ///
    /// An offset of 0, where no page can lie, was written by some for "no dictionary".
    package var start: Int64 {
        guard let dictionary = dictionaryPageOffset, dictionary > 0, dictionary < dataPageOffset
        else { return dataPageOffset }
        return dictionary
    }
}

// MARK: - As it is stored
extension ColumnChunk {
    static func read(_ reader: inout CompactReader) throws(ParquetError) -> ColumnChunk {
        var chunk: ColumnChunk?
        var (offsets, sizes): ([Int64?], [Int32?]) = ([nil, nil], [nil, nil])
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            switch field.id {
            case 1: throw reader.error(.unsupported, "a column chunk in another file")
            case 3:
                try reader.structure(field)
                chunk = try readMetadata(&reader)
            case 4: offsets[0] = try reader.int64(field)
            case 5: sizes[0] = try reader.int32(field)
            case 6: offsets[1] = try reader.int64(field)
            case 7: sizes[1] = try reader.int32(field)
            case 8, 9: throw reader.error(.unsupported, "an encrypted column")
            default: try reader.skip(field)
            }
        }
        guard var chunk else { throw reader.missing("the metadata of a column chunk") }
        chunk.offsetIndex = place(offsets[0], sizes[0])
        chunk.columnIndex = place(offsets[1], sizes[1])
        return chunk
    }

    private static func place(_ offset: Int64?, _ size: Int32?) -> Place? {
        guard let offset, let size, offset > 0, size > 0 else { return nil }
        return Place(offset: offset, size: size)
    }

    private static func readMetadata(
        _ reader: inout CompactReader
    ) throws(ParquetError) -> ColumnChunk {
        var chunk = ColumnChunk(
            type: .boolean, encodings: [], path: [], codec: .uncompressed, valueCount: -1,
            plainSize: 0, storedSize: -1, keyValues: [], dataPageOffset: -1,
            dictionaryPageOffset: nil, statistics: nil, pageCounts: [], offsetIndex: nil,
            columnIndex: nil)
        var hasType = false
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            switch field.id {
            case 1:
                chunk.type = try reader.enumeration(field, "physical type")
                hasType = true
            case 4: chunk.codec = try reader.enumeration(field, "codec")
            case 5: chunk.valueCount = try reader.int64(field)
            case 6: chunk.plainSize = try reader.int64(field)
            case 7: chunk.storedSize = try reader.int64(field)
            case 9: chunk.dataPageOffset = try reader.int64(field)
            case 11: chunk.dictionaryPageOffset = try reader.int64(field)
            case 12:
                try reader.structure(field)
                chunk.statistics = try Statistics.read(&reader)
            default: try chunk.readList(&reader, field)
            }
        }
        guard hasType, chunk.valueCount >= 0, chunk.storedSize >= 0, chunk.dataPageOffset >= 0
        else { throw reader.missing("type, counts and offsets of a column chunk") }
        return chunk
    }

    private mutating func readList(
        _ reader: inout CompactReader, _ field: CompactReader.Field
    ) throws(ParquetError) {
        switch field.id {
        case 2:
            for _ in 0..<(try reader.list(field, of: .i32)) {
                // Encodings that are not known matter only when a page has them.
                if let encoding = Encoding(rawValue: try reader.int32()) {
                    encodings.append(encoding)
                }
            }
        case 3:
            for _ in 0..<(try reader.list(field, of: .binary)) { path.append(try reader.string()) }
        case 8:
            for _ in 0..<(try reader.list(field, of: .structure)) {
                keyValues.append(try KeyValue.read(&reader))
            }
        case 13:
            for _ in 0..<(try reader.list(field, of: .structure)) {
                if let count = try PageCount.read(&reader) { pageCounts.append(count) }
            }
        default: try reader.skip(field)
        }
    }

    func write(to writer: inout CompactWriter) {
        writer.begin()
        writer.field(2, Int64(0))
        writer.begin(3)
        writer.field(1, type.rawValue)
        writer.list(2, of: .i32, count: encodings.count)
        for encoding in encodings { writer.element(encoding.rawValue) }
        writer.list(3, of: .binary, count: path.count)
        for name in path { writer.element(name) }
        writer.field(4, codec.rawValue)
        writer.field(5, valueCount)
        writer.field(6, plainSize)
        writer.field(7, storedSize)
        if !keyValues.isEmpty {
            writer.list(8, of: .structure, count: keyValues.count)
            for keyValue in keyValues { keyValue.write(to: &writer) }
        }
        writer.field(9, dataPageOffset)
        if let dictionaryPageOffset { writer.field(11, dictionaryPageOffset) }
        statistics?.write(12, to: &writer)
        if !pageCounts.isEmpty {
            writer.list(13, of: .structure, count: pageCounts.count)
            for count in pageCounts { count.write(to: &writer) }
        }
        writer.end()
        if let offsetIndex {
            writer.field(4, offsetIndex.offset)
            writer.field(5, offsetIndex.size)
        }
        if let columnIndex {
            writer.field(6, columnIndex.offset)
            writer.field(7, columnIndex.size)
        }
        writer.end()
    }
}

extension ColumnChunk.PageCount {
    /// Nil for types and encodings that are not known.
    static func read(
        _ reader: inout CompactReader
    ) throws(ParquetError) -> ColumnChunk.PageCount? {
        var (type, encoding, count): (Int32, Int32, Int32) = (-1, -1, 0)
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            switch field.id {
            case 1: type = try reader.int32(field)
            case 2: encoding = try reader.int32(field)
            case 3: count = try reader.int32(field)
            default: try reader.skip(field)
            }
        }
        guard let type = PageType(rawValue: type), let encoding = Encoding(rawValue: encoding)
        else { return nil }
        return ColumnChunk.PageCount(type: type, encoding: encoding, count: count)
    }

    func write(to writer: inout CompactWriter) {
        writer.begin()
        writer.field(1, type.rawValue)
        writer.field(2, encoding.rawValue)
        writer.field(3, count)
        writer.end()
    }
}
