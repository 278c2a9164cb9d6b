import Bytes
import Parquet
import Testing
import TestSupport

/// An edit changes the pages around it, and no others.
struct ContentDefinedPagesTests {
    private static let fields: [SchemaElement] = [
        .leaf("id", .int64, nullable: false), .leaf("day", .int32, .date),
        .decimal("price", precision: 15, scale: 2), .leaf("city", .byteArray, .string),
        .leaf("comment", .byteArray, .string),
    ]

    private static func options() -> WriterOptions {
        var options = WriterOptions()
        options.pageBytes = CutSizes(minimum: 1 << 10, average: 2 << 10, maximum: 4 << 10)
        options.groupRows = CutSizes(minimum: 1_500, average: 3_000, maximum: 6_000)
        return options
    }

    private static func table(_ seed: Seed, rows: Int = 20_000) throws -> RecordBatch {
        let schema = try Schema(writing: fields)
        var random = SplitMix64(seed)
        let cities: [ExactText] = ["Oslo", "Bergen", "Tromsø", "Ålesund", "Vadsø"]
        var columns: [Column] = []
        columns.append(.int64((0..<rows).map { Int64($0 * 4) }))
        columns.append(.int32((0..<rows).map { Int32(8_000 + $0 / 50 + random.below(30)) }))
        columns.append(.int64((0..<rows).map { _ in Int64(random.below(10_000_000)) }))
        columns.append(
            .strings((0..<rows).map { _ in random.below(20) == 0 ? nil : cities[random.below(5)] }))
        columns.append(.bytes((0..<rows).map { _ in random.text(10 + random.below(40)) }))
        #expect(schema.fields.count == columns.count)
        return RecordBatch(rowCount: rows, columns: columns)
    }

    private static func write(_ batches: [RecordBatch]) throws -> [UInt8] {
        var writer = try ParquetWriter(MemoryFile(), try Schema(writing: fields), options())
        for batch in batches { try writer.write(batch) }
        _ = try writer.finish()
        return writer.sink.bytes
    }

    private static func part(_ batch: RecordBatch, _ range: Range<Int>) -> RecordBatch {
        RecordBatch(rowCount: range.count, columns: batch.columns.map { $0.slice(range) })
    }

    /// The pieces of a file between its page boundaries, without indexes and footer.
    private static func pages(_ bytes: [UInt8]) throws -> [[UInt8]] {
        let boundaries = try #require(ParquetFile.pageBoundaries(in: MemoryFile(bytes)))
        return zip(boundaries, boundaries.dropFirst())
            .filter { $0.0.kind != .index && $0.0.kind != .footer }
            .map { Array(bytes[Int($0.0.offset)..<Int($0.1.offset)]) }
    }

    /// How many bytes of `after` are in no page of `before`.
    private static func newBytes(_ before: [UInt8], _ after: [UInt8]) throws -> (Int, Int) {
        let known = Set(try pages(before))
        let pieces = try pages(after)
        let fresh = pieces.filter { !known.contains($0) }
        return (fresh.reduce(0) { $0 + $1.count }, pieces.reduce(0) { $0 + $1.count })
    }

    /// The share of bytes that an edit makes new, over several tables: one alone may have the bad
    /// luck that the next row groups, each a tenth of it, find back late.
    private static func share(
        _ seeds: [Seed], _ files: (RecordBatch) throws -> (before: [UInt8], after: [UInt8])
    ) throws -> Double {
        var (fresh, all) = (0, 0)
        for seed in seeds {
            let (before, after) = try files(try table(seed))
            let (new, size) = try newBytes(before, after)
            fresh += new
            all += size
        }
        return Double(fresh) / Double(all)
    }

    @Test func `Rows inserted in the middle change few pages`() throws {
        let added = try Self.table(Seed(99), rows: 20)
        let seeds = Seed.some(8)
        let share = try Self.share(seeds) { batch in
            let after = try Self.write([
                Self.part(batch, 0..<9_000), added, Self.part(batch, 9_000..<20_000),
            ])
            return (try Self.write([batch]), after)
        }
        #expect(share < 0.12, "\(seeds)")
    }

    @Test func `Rows deleted in the middle change few pages`() throws {
        let seeds = Seed.some(8)
        let share = try Self.share(seeds) { batch in
            let after = try Self.write([
                Self.part(batch, 0..<12_345), Self.part(batch, 12_545..<20_000),
            ])
            return (try Self.write([batch]), after)
        }
        #expect(share < 0.12, "\(seeds)")
    }

    @Test func `Rows appended change the pages at the end`() throws {
        let seeds = Seed.some(8)
        let share = try Self.share(seeds) { batch in
            (try Self.write([Self.part(batch, 0..<19_800)]), try Self.write([batch]))
        }
        #expect(share < 0.12, "\(seeds)")
    }

    @Test func `Pages and row groups do not depend on how rows are handed over`() throws {
        let batch = try Self.table(Seed(5), rows: 8_000)
        let once = try Self.write([batch])
        let pieces = stride(from: 0, to: 8_000, by: 333).map {
            Self.part(batch, $0..<min($0 + 333, 8_000))
        }
        let isSame = try Self.write(pieces) == once
        #expect(isSame)
    }

    /// Other cuts are as good, but share fewer pages with the files of yesterday.
    @Test func `Row groups and pages end where they always did`() throws {
        let file = try ParquetFile(MemoryFile(try Self.write([try Self.table(Seed(7))])))
        #expect(
            file.footer.rowGroups.map(\.rowCount) == [
                2470, 1825, 2641, 2583, 2532, 1853, 4404, 1692,
            ])
        for (leaf, rows) in [(0, [Int64(0)]), (2, [0, 519, 1261]), (4, [0, 54, 192, 243, 311])] {
            let index = try #require(try file.offsetIndex(rowGroup: 1, leaf: leaf))
            #expect(Array(index.locations.map(\.firstRow).prefix(5)) == rows)
        }
    }

    @Test func `Encoded pages have the sizes that were asked for`() throws {
        let file = try ParquetFile(MemoryFile(try Self.write([try Self.table(Seed(6))])))
        var inside = 0
        for group in file.footer.rowGroups.indices {
            let index = try #require(try file.offsetIndex(rowGroup: group, leaf: 2))
            for (page, next) in zip(index.locations, index.locations.dropFirst()) {
                // Four bytes a value where plain, fewer where packed.
                #expect(next.firstRow - page.firstRow <= 8 * 4096)
                inside += 1
            }
        }
        #expect(inside > 20)
    }
}
