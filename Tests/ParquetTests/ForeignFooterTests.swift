import Bytes
import Testing
import TestSupport

@testable import Parquet

/// Footers of others, which claim what is not so, or what is of no use.
struct ForeignFooterTests {
    private static func file(
        _ field: SchemaElement, _ column: Column, _ change: (inout Footer) -> Void
    ) throws -> [UInt8] {
        let schema = try Schema(writing: [field])
        var writer = try ParquetWriter(MemoryFile(), schema)
        try writer.write(RecordBatch(rowCount: column.count, columns: [column]))
        _ = try writer.finish()
        return try changed(writer.sink.bytes, change)
    }

    /// The same file with another footer, and with `inserted` before it.
    private static func changed(
        _ bytes: [UInt8], inserting inserted: [UInt8] = [], _ change: (inout Footer) -> Void
    ) throws -> [UInt8] {
        let file = try ParquetFile(MemoryFile(bytes))
        var footer = file.footer
        change(&footer)
        let encoded = footer.encoded()
        var tail = ByteWriter()
        tail.u32(UInt32(encoded.count))
        return bytes[..<Int(file.footerStart)] + inserted + encoded + tail.bytes + ParquetFile.magic
    }

    @Test(arguments: [9, 18, 19, 38])
    func `Old bounds of decimals in bytes are not believed`(precision: Int) throws {
        let width = DecimalWidth.bytes(precision: precision)
        let field = SchemaElement.leaf(
            "a", .fixedLengthByteArray, .decimal(precision: precision, scale: 0), width: width)
        let column: Column = precision > 18 ? .int128([-5, 7]) : .int64([-5, 7])
        let bytes = try Self.file(field, column) { footer in
            // By its bytes, -5 is the greatest.
            var statistics = footer.rowGroups[0].columns[0].statistics ?? Statistics()
            (statistics.oldMinimum, statistics.oldMaximum) =
                (statistics.maximum, statistics.maximum)
            (statistics.minimum, statistics.maximum) = (nil, nil)
            footer.rowGroups[0].columns[0].statistics = statistics
        }
        let file = try ParquetFile(MemoryFile(bytes))
        #expect(file.range(rowGroup: 0, leaf: 0).minimum == nil)
        var writer = try FileWriter(MemoryFile(), file.schema, WriterOptions())
        try writer.splice(file, rowGroup: 0)
        let spliced = try writer.finish()
        #expect(spliced.rowGroups[0].columns[0].statistics?.oldMaximum == nil)
    }

    @Test func `Old bounds of numbers are believed, also after splicing`() throws {
        let bytes = try Self.file(.leaf("a", .int32), .int32([-5, 7])) { footer in
            var statistics = footer.rowGroups[0].columns[0].statistics ?? Statistics()
            (statistics.oldMinimum, statistics.oldMaximum) =
                (statistics.minimum, statistics.maximum)
            (statistics.minimum, statistics.maximum) = (nil, nil)
            footer.rowGroups[0].columns[0].statistics = statistics
        }
        let file = try ParquetFile(MemoryFile(bytes))
        #expect(file.range(rowGroup: 0, leaf: 0).minimum == .integer(-5))
        var writer = try FileWriter(MemoryFile(), file.schema, WriterOptions())
        try writer.splice(file, rowGroup: 0)
        _ = try writer.finish()
        let spliced = try ParquetFile(writer.sink)
        #expect(spliced.range(rowGroup: 0, leaf: 0).maximum == .integer(7))
    }

    @Test func `A spliced row group claims the order that its file claims`() throws {
        var options = WriterOptions()
        options.sorting = [SortingColumn(leaf: 0)]
        let claimed = [nil, [SortingColumn(leaf: 0, isDescending: true)]]
        for sorting in claimed {
            let bytes = try Self.file(.leaf("a", .int32), .int32([2, 1])) { footer in
                footer.rowGroups[0].sorting = sorting
            }
            let file = try ParquetFile(MemoryFile(bytes))
            var writer = try FileWriter(MemoryFile(), file.schema, options)
            try writer.splice(file, rowGroup: 0)
            #expect(try writer.finish().rowGroups[0].sorting == sorting)
        }
    }

    @Test func `An index without pages hides no rows`() throws {
        let bytes = try Self.file(.leaf("a", .int32), .int32([1, 2])) { _ in }
        let columns = ColumnIndex(
            nullPages: [], minima: [], maxima: [], order: .unordered, nullCounts: nil,
            nanCounts: nil
        ).encoded()
        let offsets = OffsetIndex(locations: []).encoded()
        let start = try ParquetFile(MemoryFile(bytes)).footerStart
        let empty = try Self.changed(bytes, inserting: columns + offsets) { footer in
            footer.rowGroups[0].columns[0].columnIndex = ColumnChunk.Place(
                offset: start, size: Int32(columns.count))
            footer.rowGroups[0].columns[0].offsetIndex = ColumnChunk.Place(
                offset: start + Int64(columns.count), size: Int32(offsets.count))
        }
        let file = try ParquetFile(MemoryFile(empty))
        #expect(try file.pageRanges(rowGroup: 0, leaf: 0) == nil)
    }

    @Test(arguments: [Int64(0), 1, 3, 1 << 31, .max])
    func `A file with other rows than its row groups is refused`(rows: Int64) throws {
        let bytes = try Self.file(.leaf("a", .int32), .int32([1, 2])) { $0.rowCount = rows }
        #expect(throws: ParquetError.self) { _ = try ParquetFile(MemoryFile(bytes)) }
    }

    @Test(arguments: [Int64(1) << 31, .max])
    func `Row groups of more rows than pages can count are refused`(rows: Int64) throws {
        let bytes = try Self.file(.leaf("a", .int32), .int32([1, 2])) { footer in
            footer.rowGroups[0].rowCount = rows
            footer.rowGroups[0].columns[0].valueCount = rows
            footer.rowGroups.append(footer.rowGroups[0])
            footer.rowCount = rows &+ rows
        }
        #expect(throws: ParquetError.self) { _ = try ParquetFile(MemoryFile(bytes)) }
    }
}
