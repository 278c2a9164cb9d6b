import Bytes
import Parquet
import Testing
import TestSupport

/// Bounds that are written say the truth, and those of others are not believed beyond it.
struct BoundsTests {
    private static func file(
        _ field: SchemaElement, _ column: Column, _ options: WriterOptions = WriterOptions()
    ) throws -> ParquetFile {
        let schema = try Schema(writing: [field])
        var writer = try ParquetWriter(MemoryFile(), schema, options)
        try writer.write(RecordBatch(rowCount: column.count, columns: [column]))
        _ = try writer.finish()
        return try ParquetFile(writer.sink)
    }

    @Test func `Zeros bound both zeros, and what is no number bounds nothing`() throws {
        let file = try Self.file(.leaf("a", .double), .double([0.0, .nan, nil, -0.0]))
        let range = file.range(rowGroup: 0, leaf: 0)
        guard case .floating(let low) = range.minimum, case .floating(let high) = range.maximum
        else { return #expect(Bool(false), "bounds of zeros") }
        #expect(low == 0 && low.sign == .minus && high == 0 && high.sign == .plus)
        #expect(range.nullCount == 1 && range.mayHaveNaN)
        #expect(file.footer.rowGroups[0].columns[0].statistics?.nanCount == 1)
    }

    @Test func `A page of nothing but what is no number has no bounds and no column index`() throws
    {
        let file = try Self.file(.leaf("a", .float), .float([.nan, .nan]))
        #expect(file.range(rowGroup: 0, leaf: 0).minimum == nil)
        #expect(file.footer.rowGroups[0].columns[0].columnIndex == nil)
        #expect(file.footer.rowGroups[0].columns[0].offsetIndex != nil)
    }

    @Test func `Long strings are cut at a character, the maximum above all it stands for`() throws {
        let low = ExactText(String(repeating: "a", count: 63) + "øøø")
        let high = ExactText(String(repeating: "z", count: 62) + "øzz")
        let file = try Self.file(.leaf("a", .byteArray, .string), .strings([low, high]))
        let statistics = try #require(file.footer.rowGroups[0].columns[0].statistics)
        #expect(statistics.minimum == Array(String(repeating: "a", count: 63).utf8))
        #expect(statistics.maximum == Array((String(repeating: "z", count: 62) + "ù").utf8))
        #expect(statistics.isMinimumExact == false && statistics.isMaximumExact == false)
    }

    @Test func `A maximum that cannot be rounded up stays whole`() throws {
        let bytes = [UInt8](repeating: 0xff, count: 100)
        let file = try Self.file(.leaf("a", .byteArray), .bytes([bytes]))
        let statistics = try #require(file.footer.rowGroups[0].columns[0].statistics)
        #expect(statistics.maximum == bytes && statistics.isMaximumExact == true)
        #expect(statistics.minimum?.count == 64 && statistics.isMinimumExact == false)
    }

    @Test func `Strings are ordered by their bytes`() throws {
        let file = try Self.file(.leaf("a", .byteArray, .string), .strings(["z", "ø", nil, "a"]))
        let range = file.range(rowGroup: 0, leaf: 0)
        #expect(range.minimum == .bytes(Array("a".utf8)))
        #expect(range.maximum == .bytes(Array("ø".utf8)))
    }

    @Test func `Decimals of all widths are ordered by their value`() throws {
        for precision in [4, 9, 10, 18, 19, 38] {
            let column: Column =
                precision > 18 ? .int128([-5, 7, nil]) : .int64([-5, 7, nil])
            let file = try Self.file(.decimal("a", precision: precision, scale: 2), column)
            let range = file.range(rowGroup: 0, leaf: 0)
            #expect(range.minimum == (precision > 18 ? .wide(-5) : .integer(-5)))
            #expect(range.maximum == (precision > 18 ? .wide(7) : .integer(7)))
        }
    }

    @Test func `Unsigned integers are ordered without sign`() throws {
        let field = SchemaElement.leaf("a", .int32, .integer(bitWidth: 32, isSigned: false))
        let file = try Self.file(field, .int32([-1, 1]))
        #expect(file.range(rowGroup: 0, leaf: 0).minimum == .unsigned(1))
        #expect(file.range(rowGroup: 0, leaf: 0).maximum == .unsigned(0xffff_ffff))
    }

    /// Every page within its bounds, and every row in one page.
    @Test(arguments: Seed.some(3))
    func `Bounds of pages hold for all rows of the pages`(seed: Seed) throws {
        let table = try RandomTable.flat(seed, rows: 2_000)
        let file = try ParquetFile(
            MemoryFile(try TestFiles.write(table, TestFiles.smallPieces)))
        for group in file.footer.rowGroups.indices {
            for leaf in file.schema.leaves {
                guard let pages = try file.pageRanges(rowGroup: group, leaf: leaf.index) else {
                    continue
                }
                #expect(pages.first?.rows.lowerBound == 0)
                for page in pages { try Self.check(page, file, group, leaf) }
            }
        }
    }

    private static func check(
        _ page: PageRange, _ file: ParquetFile, _ group: Int, _ leaf: Leaf
    ) throws {
        var reader = try RowGroupReader(
            file, rowGroup: group, fields: [file.schema.fields[leaf.index]],
            rows: RowSelection(page.rows))
        let column = try #require(try reader.next(limit: page.rows.count)).columns[0]
        #expect(page.values.nullCount == Int64(column.nullCount))
        #expect(page.values.isAllNull == (column.nullCount == column.count))
        guard case .int64(let values) = column.values, case .integer(let low) = page.values.minimum,
            case .integer(let high) = page.values.maximum
        else { return }
        for row in 0..<column.count where !column.isNull(row) {
            #expect(values[row] >= low && values[row] <= high)
        }
    }
}
