import Bytes
import Parquet
import Testing
import TestSupport

/// Our files as other readers see them, and theirs as we do.
struct PeerTests {
    private static let script = String(
        decoding: PathBytes.join(Fixtures.project, Array("Scripts/parquet-peer.py".utf8)),
        as: UTF8.self)

    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    private static func check(_ table: RandomTable, _ options: WriterOptions) throws {
        let directory = try TemporaryDirectory()
        try directory.write(try TestFiles.write(table, options), "ours.parquet")
        let path = directory.text + "/ours.parquet"
        let expected = ColumnText.rows(table.batch)
        for engine in ["pyarrow", "duckdb"] {
            let text = try ExternalTool.python.text([script, "dump", engine, path])
            #expect(ColumnText.difference(lines(text), expected) == nil, "\(engine)")
        }
    }

    @Test(.needs(.python), arguments: Seed.some(2))
    func `pyarrow and DuckDB read our files as they are`(seed: Seed) throws {
        var compatible = TestFiles.smallPieces
        compatible.profile = .compatible
        var split = WriterOptions()
        split.splitsFloats = true
        for options in [WriterOptions(), TestFiles.smallPieces, compatible, split] {
            try Self.check(try RandomTable.flat(seed, rows: 2_500), options)
            try Self.check(try RandomTable.nested(seed, rows: 1_200), options)
        }
    }

    @Test(.needs(.python), arguments: Seed.some(1))
    func `Files of pyarrow and DuckDB are read as they are`(seed: Seed) throws {
        let directory = try TemporaryDirectory()
        _ = try ExternalTool.python.text([
            Self.script, "write", directory.text, String(seed.value), "700",
        ])
        for golden in GoldenFiles.all {
            let bytes = try Fixtures.read(directory.path(golden.name + ".parquet"))
            let text = try Fixtures.read(directory.path(golden.name + ".txt"))
            let expected = Self.lines(String(decoding: text, as: UTF8.self))
            let rows = try TestFiles.rows(bytes)
            #expect(ColumnText.difference(rows, expected) == nil, "\(golden.name)")
        }
    }

    @Test(.needs(.python))
    func `A row group copied from pyarrow is read by pyarrow`() throws {
        let directory = try TemporaryDirectory()
        let golden = try #require(GoldenFiles.all.first { $0.name == "flat-v2-small-pages" })
        let file = try ParquetFile(MemoryFile(try golden.bytes()))
        var writer = try FileWriter(MemoryFile(), file.schema, WriterOptions())
        for group in file.footer.rowGroups.indices { try writer.splice(file, rowGroup: group) }
        _ = try writer.finish()
        try directory.write(writer.sink.bytes, "spliced.parquet")
        for engine in ["pyarrow", "duckdb"] {
            let text = try ExternalTool.python.text([
                Self.script, "dump", engine, directory.text + "/spliced.parquet",
            ])
            if engine == "pyarrow" {
                #expect(ColumnText.difference(Self.lines(text), try golden.rows()) == nil)
            } else {
                #expect(Self.lines(text).count == (try golden.rows()).count)
            }
        }
    }
}
