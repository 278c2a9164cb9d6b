@testable import Repository
import Restoring
import Upkeep
@testable import Capturing
@testable import Snapshots
import Bytes
import Chunking
import Hashing
import Parquet
import Platform
import Testing
import TestSupport

/// Parquet files are cut where their parts end, and come back as every file does.
struct ParquetCaptureTests {
    private let vault: Vault

    init() throws { vault = try Vault() }

    @discardableResult
    private func night(
        _ content: [UInt8], _ name: String = "table.parquet"
    ) throws
        -> CaptureResult
    {
        try vault.directory.write(content, "source/" + name)
        let result = try vault.capture()
        try vault.settle(result.record)
        return result
    }

    private func pieces(_ name: String, of record: SnapshotRecord) throws -> [ContentPiece] {
        let entry = try #require(try vault.entry(name, of: record))
        guard case .file(_, let content) = entry.payload else { return [] }
        return try NodeSource(try vault.repository()).pieces(content)
    }

    private func lengths(_ name: String, of record: SnapshotRecord) throws -> [Int] {
        try pieces(name, of: record).map { Int($0.size) }
    }

    /// Bytes that chunks of one content take in packs, those of another left out.
    private func storedBytes(
        of pieces: [ContentPiece], without known: [ContentPiece]
    ) throws -> Int {
        func ids(_ pieces: [ContentPiece]) -> Set<ChunkID> {
            Set(pieces.compactMap { if case .chunk(let id, _) = $0 { id } else { nil } })
        }
        let repository = try vault.repository()
        return try ids(pieces).subtracting(ids(known)).reduce(0) { sum, id in
            let place = try #require(try repository.places(of: .chunk(id)).first)
            return sum + Int(place.storedSize)
        }
    }

    private func expectBack(_ content: [UInt8], _ record: SnapshotRecord, _ name: String) throws {
        try vault.restore(record)
        #expect(try vault.directory.read("target/" + name) == content)
        #expect(try vault.check(readDataPercent: 100).damages.isEmpty)
    }

    @Test(arguments: Seed.some(3))
    func `Chunks end where columns and pages do`(seed: Seed) throws {
        let content = try ParquetSample.file(seed, rows: 9_000)
        let result = try night(content)
        try expectBack(content, result.record, "table.parquet")
        var place = 0
        let ends = try lengths("table.parquet", of: result.record).map { length in
            place += length
            return place
        }
        let boundaries = try #require(ParquetFile.pageBoundaries(in: MemoryFile(content)))
        let known = Set(boundaries.map { Int($0.offset) } + [content.count])
        #expect(ends.allSatisfy(known.contains))
        let groups = boundaries.filter { $0.kind == .rowGroup || $0.kind == .footer }
        #expect(groups.allSatisfy { ends.contains(Int($0.offset)) })
    }

    @Test(arguments: Seed.some(2))
    func `Row groups that were copied into another file are not stored again`(seed: Seed) throws {
        let segments = try (0..<4).map {
            try ParquetSample.file(Seed(seed.value &+ UInt64($0)), rows: 9_000)
        }
        for (index, segment) in segments.enumerated() {
            try night(segment, "part-\(index).parquet")
        }
        let merged = try ParquetSample.spliced(segments)
        let result = try night(merged, "merged.parquet")
        #expect(result.write.storedBytes * 10 < UInt64(merged.count))
        try expectBack(merged, result.record, "merged.parquet")
    }

    @Test(arguments: Seed.some(2))
    func `One page that is new costs its chunk and the footer`(seed: Seed) throws {
        let before = try ParquetSample.file(seed, rows: 30_000)
        let after = try ParquetSample.file(seed, rows: 30_000, changing: 15_000)
        try night(before, "before.parquet")
        let result = try night(after, "after.parquet")
        #expect(result.write.storedBytes * 8 < UInt64(after.count))
        try expectBack(after, result.record, "after.parquet")
    }

    /// The new file is seen to have come from the old one, whatever their names.
    ///
    /// Chunks are compared with pages: what lists chunks, here far smaller ones than usual, is not.
    /// With the last seed, what the file came from was once looked for in the smallest column only.
    @Test(arguments: Seed.some(2) + [Seed(126_717)])
    func `A row that is inserted costs less than the pages it moves`(seed: Seed) throws {
        let before = try ParquetSample.file(seed, rows: 30_000)
        let after = try ParquetSample.file(seed, rows: 30_000, inserting: 14_000)
        let known = try pieces("seg-1.parquet", of: try night(before, "seg-1.parquet").record)
        let result = try night(after, "seg-2.parquet")
        #expect(result.write.patchedChunks > 0)
        let new = try pieces("seg-2.parquet", of: result.record)
        let alone = try ParquetSample.newBytes(of: after, to: before)
        #expect(try storedBytes(of: new, without: known) < alone)
        try expectBack(after, result.record, "seg-2.parquet")
    }

    /// The parent's chunks are tried before anything is cut, and make no difference.
    @Test(arguments: Seed.some(6))
    func `With or without a parent the same chunks are cut`(seed: Seed) throws {
        var random = SplitMix64(seed)
        var content = try ParquetSample.file(seed, rows: 20_000)
        try night(content)
        for _ in 0..<6 {
            content = try changed(content, &random)
            let result = try night(content)
            let anew = try vault.captureAnew()
            #expect(result.record.root == anew.record.root)
            try expectBack(content, result.record, "table.parquet")
        }
    }

    /// The file with bytes in pages changed, with row groups dropped or doubled, or cut anew.
    private func changed(_ content: [UInt8], _ random: inout SplitMix64) throws -> [UInt8] {
        var content = content
        switch random.below(4) {
        case 0:
            for _ in 0..<1 + random.below(5) {
                content[content.count / 2 + random.below(content.count / 4)] ^= 0x55
            }
            return content
        case 1: return try ParquetSample.spliced([content, content])
        case 2:
            return try ParquetSample.file(
                Seed(random.next()), rows: 5_000 + random.below(20_000))
        default: return try ParquetSample.spliced([content], keeping: 1 + random.below(3))
        }
    }

    @Test(arguments: Seed.some(4))
    func `Footers damaged at random come back byte for byte`(seed: Seed) throws {
        var random = SplitMix64(seed)
        let whole = try ParquetSample.file(seed, rows: 9_000)
        for _ in 0..<25 {
            var content = whole
            let footer = 8 + ParquetSample.footerSize(content)
            for _ in 0..<1 + random.below(4) {
                content[content.count - 4 - random.below(footer)] = UInt8(random.below(256))
            }
            let result = try night(content)
            try vault.restore(result.record)
            #expect(try vault.directory.read("target/table.parquet") == content)
        }
        #expect(try vault.check(readDataPercent: 100).damages.isEmpty)
    }

    @Test func `A file cut short anywhere comes back byte for byte`() throws {
        let whole = try ParquetSample.file(Seed(5), rows: 9_000)
        for share in 1...8 {
            let content = Array(whole.prefix(whole.count * share / 8 - share))
            let result = try night(content)
            try vault.restore(result.record)
            #expect(try vault.directory.read("target/table.parquet") == content)
        }
    }

    @Test func `What is no Parquet file, or a small one, has no parts`() throws {
        var random = SplitMix64(seed: 8)
        let magic = Array("PAR1".utf8)
        for content in [
            try ParquetSample.file(Seed(1), rows: 100), magic + random.bytes(100_000) + magic,
            Array(try ParquetSample.file(Seed(1), rows: 9_000).dropLast()), [], magic,
        ] {
            let path = try vault.directory.write(content, "file")
            let file = try Descriptor.open(path, .readOnly)
            #expect(ParquetParts.find(file, size: UInt64(content.count), path) == nil)
        }
        let content = try ParquetSample.file(Seed(1), rows: 9_000)
        let path = try vault.directory.write(content, "file")
        let file = try Descriptor.open(path, .readOnly)
        #expect(ParquetParts.find(file, size: UInt64(content.count), path) != nil)
        // The size may be that of a moment ago.
        #expect(ParquetParts.find(file, size: UInt64(content.count + 1), path) == nil)
        #expect(ParquetParts.find(file, size: .max, path) == nil)
    }

    /// Any number of columns may claim the same index: what they claim in all is limited.
    @Test func `Indexes that are claimed again and again cost no time`() throws {
        let content = try ParquetSample.file(Seed(3), rows: 9_000)
        let file = try ParquetFile(MemoryFile(content))
        var group = file.footer.rowGroups[0]
        for leaf in group.columns.indices {
            group.columns[leaf].offsetIndex?.size = .max
        }
        var limits = ReaderLimits()
        limits.footerBytes = 1 << 20
        let forged = ParquetSample.withFooter(content, file) { $0.rowGroups[0] = group }
        #expect(ParquetFile.pageBoundaries(in: MemoryFile(forged), limits: limits) == nil)
        #expect(ParquetParts.find(in: MemoryFile(forged)) == nil)
    }

    @Test(.endsWithin(minutes: 5))
    func `A Parquet file that grows while it is read comes back as far as it was`() throws {
        let content = try ParquetSample.file(Seed(9), rows: 20_000)
        let path = try vault.directory.write(content, "source/table.parquet")
        let isOver = Monitor(false)
        let threads = WorkerThreads(count: 1) { _ in
            while !isOver.withState({ $0 }) {
                guard let file = try? Descriptor.open(path, [.writeOnly, .append]) else { continue }
                try? file.write([UInt8](repeating: 7, count: 500).span, path)
                HostSystem.sleep(.microseconds(100))
            }
        }
        let result = Result { try vault.capture() }
        isOver.update { $0 = true }
        threads.join()
        let record = try result.get().record
        #expect(try vault.restore(record).failures.isEmpty)
        let restored = try vault.directory.read("target/table.parquet")
        #expect(restored.prefix(content.count) == content[...])
        #expect(restored.dropFirst(content.count).allSatisfy { $0 == 7 })
        #expect(try vault.check(readDataPercent: 100).damages.isEmpty)
    }

    /// What a version before this one has stored in other chunks is not stored again.
    @Test func `Chunks from before parts were known still serve`() throws {
        let storage = SimulatedStorage()
        _ = try Repository.create(storage, chunking: .standard)
        let content = try ParquetSample.file(Seed(11), rows: 400_000)
        try #require(content.count > 8 << 20)
        var hidden = content
        hidden[content.count - 1] = 0
        let options = Vault.options()
        func capture(_ content: [UInt8]) throws -> CaptureResult {
            try vault.directory.write(content, "source/table.parquet")
            return try Capture.run(
                [vault.sourcePath], into: try Repository(storage), options, WorkProgress())
        }
        _ = try capture(hidden)
        let result = try capture(content)
        #expect(result.write.storedBytes < 600_000)
    }

    @Test(.needs(.python), arguments: Seed.some(1))
    func `Files of pyarrow and DuckDB come back`(seed: Seed) throws {
        let script = String(decoding: Fixtures.project, as: UTF8.self) + "/Scripts/parquet-peer.py"
        let directory = vault.directory.text + "/source"
        _ = try ExternalTool.python.text([script, "write", directory, "\(seed.value)", "30000"])
        let result = try vault.capture()
        #expect(result.record.isComplete)
        let before = try vault.listing("source")
        try vault.restore(result.record)
        #expect(try vault.listing("target") == before)
        #expect(try vault.check(readDataPercent: 100).damages.isEmpty)
        #expect(try lengths("flat-v1-zstd.parquet", of: result.record).first == 4)
    }
}

/// Cuts of files of other writers, pinned: what their parts are is part of the format.
///
/// The numbers come from an independent implementation in Python.
struct GoldenParquetCutsTests {
    @Test(arguments: [
        ("duckdb-v1", [4, 4_106, 94, 1_804]), ("flat-v1-zstd", [4, 7_629, 2_572, 2_319]),
        ("flat-v1-snappy", [4, 6_732, 3_025, 2_317]),
    ])
    func `Parts of other writers' files stay where they always were`(
        name: String, lengths: [Int]
    ) throws {
        let bytes = try Fixtures.bytes("parquet/\(name).parquet")
        let parts = try #require(ParquetParts.find(in: MemoryFile(bytes)))
        let cutter = PartCutter(parts, try ChunkingParameters(average: 16 << 10))
        var (found, offset): ([Int], Int) = ([], 0)
        while let length = cutter.cut(
            bytes.span.extracting(offset..<bytes.count), at: UInt64(offset), isEnd: true)
        {
            found.append(length)
            offset += length
        }
        #expect(found == lengths)
    }
}

/// Parquet files with small pages and several row groups.
enum ParquetSample {
    static let fields: [SchemaElement] = [
        .leaf("id", .int64, nullable: false), .leaf("price", .int64),
        .leaf("comment", .byteArray, .string),
    ]

    private static var options: WriterOptions {
        var options = WriterOptions()
        options.pageBytes = CutSizes(minimum: 4 << 10, average: 8 << 10, maximum: 16 << 10)
        options.groupRows = CutSizes(minimum: 2_000, average: 4_000, maximum: 8_000)
        return options
    }

    /// Rows from a seed; one of them has another comment, or is there twice, when asked for.
    static func file(
        _ seed: Seed, rows: Int, changing changed: Int? = nil, inserting inserted: Int? = nil
    ) throws -> [UInt8] {
        var random = SplitMix64(seed)
        let prices = (0..<rows).map { _ in Int64(random.below(100_000_000)) }
        var comments: [[UInt8]?] = (0..<rows).map { _ in random.bytes(20 + random.below(30)) }
        if let changed { comments[changed] = Array("something else".utf8) }
        let batch = RecordBatch(
            rowCount: rows,
            columns: [
                .int64((0..<rows).map { Int64($0) * 3 }), .int64(prices), .bytes(comments),
            ])
        var writer = try ParquetWriter(MemoryFile(), try Schema(writing: fields), options)
        let split = inserted ?? rows
        for range in [0..<split, split..<min(rows, split + 1), split..<rows]
        where !range.isEmpty {
            try writer.write(
                RecordBatch(
                    rowCount: range.count, columns: batch.columns.map { $0.slice(range) }))
        }
        _ = try writer.finish()
        return writer.sink.bytes
    }

    /// Bytes between page boundaries of one file that the other does not have.
    static func newBytes(of file: [UInt8], to other: [UInt8]) throws -> Int {
        func pieces(_ bytes: [UInt8]) throws -> [[UInt8]] {
            let found = try #require(ParquetFile.pageBoundaries(in: MemoryFile(bytes)))
            let ends = found.dropFirst().map(\.offset) + [Int64(bytes.count)]
            return zip(found, ends).map { Array(bytes[Int($0.offset)..<Int($1)]) }
        }
        let known = Set(try pieces(other))
        return try pieces(file).filter { !known.contains($0) }.reduce(0) { $0 + $1.count }
    }

    /// The row groups of files in one, of each file at most so many.
    static func spliced(_ files: [[UInt8]], keeping limit: Int = 40) throws -> [UInt8] {
        let schema = try ParquetFile(MemoryFile(files[0])).schema
        var writer = try FileWriter(MemoryFile(), schema, options)
        for bytes in files {
            let file = try ParquetFile(MemoryFile(bytes))
            for group in file.footer.rowGroups.indices.prefix(limit) {
                // What a test damaged cannot always be taken apart.
                try? writer.splice(file, rowGroup: group)
            }
        }
        _ = try writer.finish()
        return writer.sink.bytes
    }

    /// The file with another footer.
    static func withFooter(
        _ bytes: [UInt8], _ file: ParquetFile, _ change: (inout Footer) -> Void
    ) -> [UInt8] {
        var footer = file.footer
        change(&footer)
        let encoded = footer.encoded()
        let size = (0..<4).map { UInt8(truncatingIfNeeded: encoded.count >> (8 * $0)) }
        return bytes.dropLast(8 + footerSize(bytes)) + encoded + size + Array("PAR1".utf8)
    }

    static func footerSize(_ bytes: [UInt8]) -> Int {
        bytes.suffix(8).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
