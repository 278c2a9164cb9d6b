import Bytes
import Parquet
import Testing
import TestSupport

/// Damaged and crafted files end in an error or in rows, and never in a trap.
struct HostileFileTests {
    /// Small limits: what passes them is slow at worst.
    private static var limits: ReaderLimits {
        var limits = ReaderLimits()
        limits.pageBytes = 1 << 20
        limits.pageValues = 1 << 16
        limits.batchBytes = 1 << 22
        limits.batchValues = 1 << 17
        limits.footerBytes = 1 << 20
        return limits
    }

    /// Reads all that a file has to say; returns the rows, or nil when it was refused.
    static func readAll(_ bytes: [UInt8]) -> [String]? {
        _ = ParquetFile.pageBoundaries(in: MemoryFile(bytes), limits: limits)
        do throws(ParquetError) {
            let file = try ParquetFile(MemoryFile(bytes), limits: limits)
            var rows: [String] = []
            for group in file.footer.rowGroups.indices.prefix(20) {
                for leaf in file.schema.leaves.indices {
                    _ = file.range(rowGroup: group, leaf: leaf)
                    _ = try? file.pageRanges(rowGroup: group, leaf: leaf)
                }
                try? spliceIfPossible(file, group)
                try readSome(file, group)
                rows += ColumnText.rows(try file.read(rowGroup: group))
            }
            return rows
        } catch {
            #expect(!error.description.isEmpty)
            return nil
        }
    }

    private static func spliceIfPossible(_ file: ParquetFile, _ group: Int) throws(ParquetError) {
        var writer = try FileWriter(MemoryFile(), file.schema, WriterOptions())
        try writer.splice(file, rowGroup: group)
        _ = try writer.finish()
    }

    private static func readSome(_ file: ParquetFile, _ group: Int) throws(ParquetError) {
        let middle = file.footer.rowGroups[group].rowCount / 2
        var reader = try RowGroupReader(
            file, rowGroup: group, fields: file.schema.fields,
            rows: RowSelection(middle..<middle + min(1, max(0, Int64.max - middle))))
        _ = try reader.next(limit: 10)
    }

    private static let fields = RandomTable.flatFields.filter {
        ["flag", "sequence", "large", "float", "word", "key"].contains($0.name)
    }

    private static func small() throws -> [[UInt8]] {
        [
            try TestFiles.write(try RandomTable(fields, Seed(1), rows: 9)),
            try TestFiles.write(try RandomTable.nested(Seed(2), rows: 9)),
        ]
    }

    @Test func `A file cut short anywhere is refused`() throws {
        for bytes in try Self.small() {
            for count in 0..<bytes.count {
                #expect(throws: ParquetError.self) {
                    _ = try ParquetFile(MemoryFile(Array(bytes.prefix(count))))
                }
            }
        }
    }

    @Test func `A flipped byte in the pages is found out, and elsewhere does no harm`() throws {
        for bytes in try Self.small() {
            let rows = try #require(Self.readAll(bytes))
            let boundaries = try #require(ParquetFile.pageBoundaries(in: MemoryFile(bytes)))
            let payload = try Self.payload(bytes, boundaries)
            for index in bytes.indices {
                var flipped = bytes
                flipped[index] ^= 0xff
                let found = Self.readAll(flipped)
                guard payload.contains(index) else { continue }
                #expect(found == nil || found == rows, "\(index)")
            }
        }
    }

    /// Offsets of the bytes of pages without their headers.
    private static func payload(
        _ bytes: [UInt8], _ boundaries: [PageBoundary]
    ) throws -> Set<Int> {
        var offsets: Set<Int> = []
        for (here, next) in zip(boundaries, boundaries.dropFirst()) where here.kind == .page {
            // A header takes less than 40 bytes; what is behind belongs to the page.
            offsets.formUnion(min(Int(here.offset) + 40, Int(next.offset))..<Int(next.offset))
        }
        return offsets
    }

    @Test(arguments: Seed.some(3))
    func `Files changed at random end in an error or in rows`(seed: Seed) throws {
        var random = SplitMix64(seed)
        let sources =
            try Self.small()
            + GoldenFiles.all.map { try $0.bytes() }.filter {
                $0.count < 8_000
            }
        for _ in 0..<400 {
            var bytes = sources[random.below(sources.count)]
            for _ in 0..<1 + random.below(6) {
                let place = random.below(bytes.count)
                switch random.below(4) {
                case 0: bytes[place] = UInt8(random.below(256))
                case 1: bytes[place] ^= 1 << UInt8(random.below(8))
                case 2: bytes[place] = [0, 0xff, 0x7f, 0x80][random.below(4)]
                default:
                    let other = random.below(bytes.count)
                    let count = min(1 + random.below(16), bytes.count - max(place, other))
                    for index in 0..<count { bytes[place + index] = bytes[other + index] }
                }
            }
            _ = Self.readAll(bytes)
        }
    }

    @Test func `The checksum of a page is checked`() throws {
        var bytes = try TestFiles.write(try RandomTable.flat(Seed(4), rows: 500))
        let boundaries = try #require(ParquetFile.pageBoundaries(in: MemoryFile(bytes)))
        let page = try #require(boundaries.first { $0.kind == .page || $0.kind == .column })
        bytes[Int(page.offset) - 1] ^= 1
        let error = #expect(throws: ParquetError.self) { _ = try TestFiles.rows(bytes) }
        #expect(error?.kind == .checksum)
    }

    @Test func `A page over the limit is refused by its header`() throws {
        let bytes = try TestFiles.write(try RandomTable.flat(Seed(4), rows: 5_000))
        var limits = ReaderLimits()
        limits.pageBytes = 64
        let error = #expect(throws: ParquetError.self) {
            _ = try TestFiles.rows(bytes, limits: limits)
        }
        #expect(error?.kind == .tooLarge)
    }
}
