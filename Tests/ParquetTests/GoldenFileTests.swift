import Parquet
import Testing
import TestSupport

/// Files of other writers in `fixtures/parquet`, with the rows that are in them.
struct GoldenFiles: Sendable, CustomTestStringConvertible {
    let name: String
    var testDescription: String { name }

    static let all: [GoldenFiles] = {
        let paths = (try? ProjectFiles.paths(below: "fixtures/parquet")) ?? []
        return paths.compactMap { path in
            guard path.hasSuffix(".parquet"), let name = path.split(separator: "/").last else {
                return nil
            }
            return GoldenFiles(name: String(name.dropLast(".parquet".count)))
        }.sorted { $0.name < $1.name }
    }()

    func bytes() throws -> [UInt8] { try Fixtures.bytes("parquet/\(name).parquet") }

    func rows() throws -> [String] {
        let text = try Fixtures.bytes("parquet/\(name).txt")
        return String(decoding: text, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
}

struct GoldenFileTests {
    @Test func `There are golden files`() { #expect(GoldenFiles.all.count > 15) }

    @Test(arguments: GoldenFiles.all)
    func `Files of other writers are read as they are`(_ golden: GoldenFiles) throws {
        let (bytes, rows) = (try golden.bytes(), try golden.rows())
        #expect(ColumnText.difference(try TestFiles.rows(bytes), rows) == nil)
        #expect(ColumnText.difference(try TestFiles.rows(bytes, limit: 3), rows) == nil)
    }

    @Test(arguments: GoldenFiles.all)
    func `Every row of a file of others is found by itself`(_ golden: GoldenFiles) throws {
        let file = try ParquetFile(MemoryFile(try golden.bytes()))
        var rows = try golden.rows()[...]
        for group in file.footer.rowGroups.indices {
            let count = file.footer.rowGroups[group].rowCount
            var selection = RowSelection()
            for row in stride(from: 1, to: count, by: 3) { selection.add(row..<row + 1) }
            var reader = try RowGroupReader(
                file, rowGroup: group, fields: file.schema.fields, rows: selection)
            var found: [String] = []
            while let batch = try reader.next(limit: 4) { found += ColumnText.rows(batch) }
            let expected = rows.prefix(Int(count)).enumerated().filter { $0.offset % 3 == 1 }
            #expect(ColumnText.difference(found, expected.map(\.element)) == nil)
            rows = rows.dropFirst(Int(count))
        }
    }

    @Test(arguments: GoldenFiles.all)
    func `Pages of other writers are found`(_ golden: GoldenFiles) throws {
        let bytes = try golden.bytes()
        let boundaries = try #require(ParquetFile.pageBoundaries(in: MemoryFile(bytes)))
        #expect(boundaries.first?.offset == 4 && boundaries.first?.kind == .rowGroup)
        #expect(boundaries.last?.kind == .footer)
        #expect(zip(boundaries, boundaries.dropFirst()).allSatisfy { $0.offset < $1.offset })
    }

    @Test(arguments: GoldenFiles.all)
    func `Row groups of other writers can be spliced`(_ golden: GoldenFiles) throws {
        let file = try ParquetFile(MemoryFile(try golden.bytes()))
        var writer = try FileWriter(MemoryFile(), file.schema, WriterOptions())
        for group in file.footer.rowGroups.indices { try writer.splice(file, rowGroup: group) }
        _ = try writer.finish()
        let rows = try TestFiles.rows(writer.sink.bytes)
        #expect(ColumnText.difference(rows, try golden.rows()) == nil)
    }
}
