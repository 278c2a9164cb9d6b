/// What stands before the bytes of a page.
package struct PageHeader: Equatable, Sendable {
    package enum Content: Equatable, Sendable {
        case data(DataPage)
        case dictionary(DictionaryPage)
        case dataV2(DataPageV2)
        case index
    }

    package struct DataPage: Equatable, Sendable {
        package var valueCount: Int32
        package var encoding: Encoding
        package var definitionEncoding: Encoding
        package var repetitionEncoding: Encoding
    }

    package struct DictionaryPage: Equatable, Sendable {
        package var valueCount: Int32
        package var encoding: Encoding
        package var isSorted: Bool?
    }

    package struct DataPageV2: Equatable, Sendable {
        package var valueCount: Int32
        package var nullCount: Int32
        package var rowCount: Int32
        package var encoding: Encoding
        package var definitionBytes: Int32
        package var repetitionBytes: Int32
        package var isCompressed: Bool
    }

    /// Bytes of the page when it is decompressed.
    package var plainSize: Int32
    /// Bytes of the page in the file, after the header.
    package var storedSize: Int32
    /// CRC-32 of the bytes in the file.
    package var checksum: UInt32?
    package var content: Content

    /// Levels and values, nulls included; 0 for a page without any.
    package var valueCount: Int {
        switch content {
        case .data(let page): Int(page.valueCount)
        case .dictionary(let page): Int(page.valueCount)
        case .dataV2(let page): Int(page.valueCount)
        case .index: 0
        }
    }

    package var isData: Bool {
        switch content {
        case .data, .dataV2: true
        case .dictionary, .index: false
        }
    }
}

// MARK: - As it is stored
extension PageHeader {
    /// Reads a header and checks that no size and no count is negative.
    static func read(_ reader: inout CompactReader) throws(ParquetError) -> PageHeader {
        var (type, plainSize, storedSize): (PageType?, Int32?, Int32?) = (nil, nil, nil)
        var checksum: UInt32?
        var contents: [PageType: Content] = [:]
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            switch field.id {
            case 1: type = try reader.enumeration(field, "page type")
            case 2: plainSize = try reader.int32(field)
            case 3: storedSize = try reader.int32(field)
            case 4: checksum = UInt32(bitPattern: try reader.int32(field))
            case 5: contents[.data] = .data(try readData(&reader, field))
            case 7: contents[.dictionary] = .dictionary(try readDictionary(&reader, field))
            case 8: contents[.dataV2] = .dataV2(try readDataV2(&reader, field))
            default: try reader.skip(field)
            }
        }
        guard let type, let plainSize, let storedSize else {
            throw reader.missing("type and sizes of a page")
        }
        guard let content = type == .index ? .index : contents[type] else {
            throw reader.missing("the header of a page of its type")
        }
        guard plainSize >= 0, storedSize >= 0 else {
            throw reader.error(.invalid, "sizes of a page that are not negative")
        }
        return PageHeader(
            plainSize: plainSize, storedSize: storedSize, checksum: checksum, content: content)
    }

    private static func readData(
        _ reader: inout CompactReader, _ field: CompactReader.Field
    ) throws(ParquetError) -> DataPage {
        try reader.structure(field)
        var (count, encoding): (Int32?, Encoding?) = (nil, nil)
        var (definition, repetition): (Encoding, Encoding) = (.rle, .rle)
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            switch field.id {
            case 1: count = try reader.int32(field)
            case 2: encoding = try reader.enumeration(field, "encoding")
            case 3: definition = try reader.enumeration(field, "encoding of levels")
            case 4: repetition = try reader.enumeration(field, "encoding of levels")
            default: try reader.skip(field)
            }
        }
        guard let count, count >= 0, let encoding else {
            throw reader.missing("count and encoding of a data page")
        }
        return DataPage(
            valueCount: count, encoding: encoding, definitionEncoding: definition,
            repetitionEncoding: repetition)
    }

    private static func readDictionary(
        _ reader: inout CompactReader, _ field: CompactReader.Field
    ) throws(ParquetError) -> DictionaryPage {
        try reader.structure(field)
        var (count, encoding, isSorted): (Int32?, Encoding?, Bool?) = (nil, nil, nil)
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            switch field.id {
            case 1: count = try reader.int32(field)
            case 2: encoding = try reader.enumeration(field, "encoding")
            case 3: isSorted = try reader.bool(field)
            default: try reader.skip(field)
            }
        }
        guard let count, count >= 0, let encoding else {
            throw reader.missing("count and encoding of a dictionary page")
        }
        return DictionaryPage(valueCount: count, encoding: encoding, isSorted: isSorted)
    }

    private static func readDataV2(
        _ reader: inout CompactReader, _ field: CompactReader.Field
    ) throws(ParquetError) -> DataPageV2 {
        try reader.structure(field)
        var (counts, sizes) = ([Int32](repeating: -1, count: 3), [Int32](repeating: -1, count: 2))
        var encoding: Encoding?
        var isCompressed = true
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            switch field.id {
            case 1...3: counts[Int(field.id) - 1] = try reader.int32(field)
            case 4: encoding = try reader.enumeration(field, "encoding")
            case 5...6: sizes[Int(field.id) - 5] = try reader.int32(field)
            case 7: isCompressed = try reader.bool(field)
            default: try reader.skip(field)
            }
        }
        guard let encoding, counts.allSatisfy({ $0 >= 0 }), sizes.allSatisfy({ $0 >= 0 }) else {
            throw reader.missing("counts, sizes and encoding of a data page V2")
        }
        return DataPageV2(
            valueCount: counts[0], nullCount: counts[1], rowCount: counts[2], encoding: encoding,
            definitionBytes: sizes[0], repetitionBytes: sizes[1], isCompressed: isCompressed)
    }

    /// The header of a data page V1 or of a dictionary page, with `statistics` of the former.
    func encoded(statistics: Statistics? = nil) -> [UInt8] {
        var writer = CompactWriter()
        switch content {
        case .data(let page):
            writePrefix(.data, to: &writer)
            writer.begin(5)
            writer.field(1, page.valueCount)
            writer.field(2, page.encoding.rawValue)
            writer.field(3, page.definitionEncoding.rawValue)
            writer.field(4, page.repetitionEncoding.rawValue)
            statistics?.write(5, to: &writer)
            writer.end()
        case .dictionary(let page):
            writePrefix(.dictionary, to: &writer)
            writer.begin(7)
            writer.field(1, page.valueCount)
            writer.field(2, page.encoding.rawValue)
            if let isSorted = page.isSorted { writer.field(3, isSorted) }
            writer.end()
        case .dataV2, .index: preconditionFailure("only V1 pages are written")
        }
        return writer.finish()
    }

    private func writePrefix(_ type: PageType, to writer: inout CompactWriter) {
        writer.field(1, type.rawValue)
        writer.field(2, plainSize)
        writer.field(3, storedSize)
        if let checksum { writer.field(4, Int32(bitPattern: checksum)) }
    }
}
