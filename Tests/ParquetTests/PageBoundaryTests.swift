import Parquet
import Testing
import TestSupport

/// Where files are cut for storing them, and when they are not.
struct PageBoundaryTests {
    private static func boundaries(_ bytes: [UInt8]) -> [PageBoundary]? {
        ParquetFile.pageBoundaries(in: MemoryFile(bytes))
    }

    @Test(arguments: Seed.some(3))
    func `Row groups, columns, pages, indexes and footer begin at boundaries`(seed: Seed) throws {
        let table = try RandomTable.flat(seed, rows: 2_000)
        let bytes = try TestFiles.write(table, TestFiles.smallPieces)
        let file = try ParquetFile(MemoryFile(bytes))
        let found = try #require(Self.boundaries(bytes))
        let offsets = Set(found.map(\.offset))
        for (number, group) in file.footer.rowGroups.enumerated() {
            for chunk in group.columns { #expect(offsets.contains(chunk.start)) }
            for leaf in file.schema.leaves.indices {
                let index = try #require(try file.offsetIndex(rowGroup: number, leaf: leaf))
                // The first page belongs to its dictionary where there is one.
                #expect(index.locations.dropFirst().allSatisfy { offsets.contains($0.offset) })
            }
        }
        #expect(found.filter { $0.kind == .rowGroup }.count == file.footer.rowGroups.count)
        #expect(found.filter { $0.kind == .index }.count == file.footer.rowGroups.count + 1)
        // Behind the footer stand its length and four bytes of magic.
        let size = bytes.suffix(8).prefix(4).reversed().reduce(0) { $0 << 8 | Int64($1) }
        #expect(found.last?.kind == .footer)
        #expect(found.last?.offset == Int64(bytes.count) - 8 - size)
        #expect(found.count { $0.kind == .footer } == 1)
        #expect(zip(found, found.dropFirst()).allSatisfy { $0.offset < $1.offset })
    }

    @Test func `Bounds of a row group are the same bytes in every file that has it`() throws {
        let table = try RandomTable.flat(Seed(2), rows: 1_500)
        let bytes = try TestFiles.write(table, TestFiles.smallPieces)
        let file = try ParquetFile(MemoryFile(bytes))
        var writer = try FileWriter(MemoryFile(), file.schema, WriterOptions())
        for group in file.footer.rowGroups.indices.dropFirst() {
            try writer.splice(file, rowGroup: group)
        }
        _ = try writer.finish()
        let pieces = try Self.indexes(bytes)
        #expect(
            try Array(pieces.dropFirst().dropLast()) == Self.indexes(writer.sink.bytes).dropLast())
    }

    /// The pieces of the index area: bounds of each row group, and then the places of all pages.
    private static func indexes(_ bytes: [UInt8]) throws -> [[UInt8]] {
        let found = try #require(boundaries(bytes))
        return zip(found, found.dropFirst()).filter { $0.0.kind == .index }
            .map { Array(bytes[Int($0.0.offset)..<Int($0.1.offset)]) }
    }

    @Test func `What is no Parquet file has no boundaries`() throws {
        var random = SplitMix64(seed: 4)
        #expect(Self.boundaries([]) == nil)
        #expect(Self.boundaries(Array("PAR1PAR1".utf8)) == nil)
        #expect(Self.boundaries(random.bytes(10_000)) == nil)
        let bytes = try TestFiles.write(try RandomTable.flat(Seed(3), rows: 50))
        #expect(Self.boundaries(Array(bytes.dropLast())) == nil)
        #expect(Self.boundaries(bytes) != nil)
    }

    @Test func `More pages than the limit are none`() throws {
        let table = try RandomTable.flat(Seed(5), rows: 1_000)
        let source = MemoryFile(try TestFiles.write(table, TestFiles.smallPieces))
        #expect(ParquetFile.pageBoundaries(in: source, atMost: 10) == nil)
    }
}
