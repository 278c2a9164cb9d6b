import Bytes
import Parquet
import Testing
import TestSupport

/// Row groups that go from file to file as they are.
struct SplicingTests {
    private static func splice(_ files: [[UInt8]]) throws -> [UInt8] {
        let schema = try ParquetFile(MemoryFile(files[0])).schema
        var writer = try FileWriter(MemoryFile(), schema, WriterOptions())
        for bytes in files {
            let file = try ParquetFile(MemoryFile(bytes))
            for group in file.footer.rowGroups.indices {
                try writer.splice(file, rowGroup: group)
            }
        }
        _ = try writer.finish()
        return writer.sink.bytes
    }

    private static func dataBytes(_ bytes: [UInt8]) throws -> ArraySlice<UInt8> {
        let boundaries = try #require(ParquetFile.pageBoundaries(in: MemoryFile(bytes)))
        let end = try #require(boundaries.first { $0.kind == .index })
        return bytes[4..<Int(end.offset)]
    }

    @Test(arguments: Seed.some(2))
    func `Spliced files have the bytes and the rows of their sources`(seed: Seed) throws {
        let tables = try (0..<3).map { try RandomTable.flat(Seed(seed.value + $0), rows: 900) }
        let files = try tables.map { try TestFiles.write($0, TestFiles.smallPieces) }
        let spliced = try Self.splice(files)
        let rows = try TestFiles.rows(spliced)
        #expect(ColumnText.difference(rows, tables.flatMap { ColumnText.rows($0.batch) }) == nil)
        let isSame = try Array(Self.dataBytes(spliced)) == files.flatMap { try Self.dataBytes($0) }
        #expect(isSame)
    }

    @Test func `Indexes of spliced row groups find the same pages`() throws {
        let table = try RandomTable.flat(Seed(3), rows: 3_000)
        let bytes = try TestFiles.write(table, TestFiles.smallPieces)
        let once = try ParquetFile(MemoryFile(bytes))
        let twice = try ParquetFile(MemoryFile(try Self.splice([bytes, bytes])))
        let groups = once.footer.rowGroups.count
        #expect(twice.footer.rowGroups.count == 2 * groups)
        for group in 0..<groups {
            for leaf in once.schema.leaves.indices {
                let ranges = try once.pageRanges(rowGroup: group, leaf: leaf)
                #expect(ranges == (try twice.pageRanges(rowGroup: groups + group, leaf: leaf)))
                #expect(
                    once.range(rowGroup: group, leaf: leaf)
                        == twice.range(rowGroup: groups + group, leaf: leaf))
            }
        }
        var selection = RowSelection(10..<11)
        selection.add(170..<180)
        let fields = once.schema.fields
        var one = try RowGroupReader(once, rowGroup: 0, fields: fields, rows: selection)
        var two = try RowGroupReader(twice, rowGroup: groups, fields: fields, rows: selection)
        let rows = try #require(try one.next(limit: 100))
        #expect(ColumnText.rows(rows) == (try two.next(limit: 100)).map(ColumnText.rows))
    }

    @Test func `A row group with other fields is refused before anything is written`() throws {
        let file = try TestFiles.write(try RandomTable.nested(Seed(1), rows: 10))
        let schema = try Schema(writing: [.leaf("a", .int32)])
        var writer = try FileWriter(MemoryFile(), schema, WriterOptions())
        let source = try ParquetFile(MemoryFile(file))
        #expect(throws: ParquetError.self) { try writer.splice(source, rowGroup: 0) }
        #expect(writer.size == 4)
    }

    @Test func `A file without rows is a file`() throws {
        let empty = try TestFiles.write(try RandomTable.flat(Seed(1), rows: 0))
        #expect(try TestFiles.rows(empty).isEmpty)
        #expect(try TestFiles.rows(try Self.splice([empty, empty])).isEmpty)
    }
}
