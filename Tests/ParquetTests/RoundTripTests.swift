import Bytes
import Parquet
import Testing
import TestSupport

/// What was written is what is read.
struct RoundTripTests {
    @Test(arguments: Seed.some(3), [0, 1, 7, 2_000])
    func `Rows of all kinds come back`(seed: Seed, rows: Int) throws {
        let table = try RandomTable.flat(seed, rows: rows)
        for options in [WriterOptions(), TestFiles.smallPieces] {
            let bytes = try TestFiles.write(table, options, step: 777)
            let expected = ColumnText.rows(table.batch)
            #expect(ColumnText.difference(try TestFiles.rows(bytes), expected) == nil)
            let parts = try TestFiles.rows(bytes, limit: 100)
            #expect(ColumnText.difference(parts, expected) == nil)
        }
    }

    @Test(arguments: Seed.some(4), [1, 7, 2_000])
    func `Lists, maps and structures come back`(seed: Seed, rows: Int) throws {
        let table = try RandomTable.nested(seed, rows: rows)
        let bytes = try TestFiles.write(table, TestFiles.smallPieces, step: 300)
        let expected = ColumnText.rows(table.batch)
        #expect(ColumnText.difference(try TestFiles.rows(bytes), expected) == nil)
        let parts = try TestFiles.rows(bytes, limit: 33)
        #expect(ColumnText.difference(parts, expected) == nil)
    }

    @Test(arguments: Seed.some(2))
    func `The compatible profile has dictionaries and plain values only`(seed: Seed) throws {
        let table = try RandomTable.flat(seed, rows: 3_000)
        var options = TestFiles.smallPieces
        options.profile = .compatible
        let bytes = try TestFiles.write(table, options)
        let rows = try TestFiles.rows(bytes)
        #expect(ColumnText.difference(rows, ColumnText.rows(table.batch)) == nil)
        let file = try ParquetFile(MemoryFile(bytes))
        let used = Set(file.footer.rowGroups.flatMap { $0.columns.flatMap(\.encodings) })
        #expect(used.isSubset(of: [.plain, .rle, .rleDictionary]))
    }

    @Test(arguments: Seed.some(3))
    func `Any selection of rows is read as if from all rows`(seed: Seed) throws {
        for table in [
            try RandomTable.flat(seed, rows: 2_000), try RandomTable.nested(seed, rows: 2_000),
        ] {
            var options = TestFiles.smallPieces
            options.groupRows = CutSizes(minimum: 5_000, average: 6_000, maximum: 7_000)
            let file = try ParquetFile(MemoryFile(try TestFiles.write(table, options)))
            let all = ColumnText.rows(table.batch)
            var random = SplitMix64(seed)
            for _ in 0..<8 {
                var selection = RowSelection()
                var row = random.below(50)
                while row < 2_000 {
                    let end = min(2_000, row + 1 + random.below(300))
                    selection.add(Int64(row)..<Int64(end))
                    row = end + random.below(700)
                }
                let fields = file.schema.fields.filter { _ in random.below(2) == 0 }
                guard !fields.isEmpty else { continue }
                var reader = try RowGroupReader(
                    file, rowGroup: 0, fields: fields, rows: selection)
                var rows: [String] = []
                while let batch = try reader.next(limit: 97) { rows += ColumnText.rows(batch) }
                let chosen = Set(fields.map(\.name))
                let places = file.schema.fields.indices.filter {
                    chosen.contains(file.schema.fields[$0].name)
                }
                let expected = selection.ranges.flatMap {
                    all[Int($0.lowerBound)..<Int($0.upperBound)]
                }
                .map { line in
                    let cells = line.split(separator: "\t", omittingEmptySubsequences: false)
                    return places.map { String(cells[$0]) }.joined(separator: "\t")
                }
                #expect(ColumnText.difference(rows, expected) == nil)
            }
        }
    }

    @Test func `A null in a required field is refused`() throws {
        let schema = try Schema(writing: [.leaf("a", .int32, nullable: false)])
        let batch = RecordBatch(rowCount: 2, columns: [.int32([1, nil])])
        var writer = try ParquetWriter(MemoryFile(), schema)
        try writer.write(batch)
        #expect(throws: ParquetError.self) { _ = try writer.finish() }
    }

    @Test func `Decimals that their column cannot hold are refused`() throws {
        let schema = try Schema(writing: [.decimal("a", precision: 9, scale: 0)])
        let encoder = RowGroupEncoder(schema, WriterOptions())
        #expect(throws: ParquetError.self) {
            _ = try encoder.encode(RecordBatch(rowCount: 1, columns: [.int64([1 << 40])]))
        }
    }
}
