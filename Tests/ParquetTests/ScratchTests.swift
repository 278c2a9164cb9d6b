import Foundation
import Parquet
import TestSupport
import Testing

struct ScratchTests {
    @Test func `Scratch`() throws {
        for name in ProcessInfo.processInfo.environment["SCRATCH_FILES"]?.split(separator: " ") ?? [] {
            let bytes = try Fixtures.read(Array(name.utf8))
            var out: [String] = []
            do {
                let file = try ParquetFile(MemoryFile(bytes))
                for g in file.footer.rowGroups.indices {
                    out += ColumnText.rows(try file.read(rowGroup: g))
                }
            } catch { out += ["ERROR \(error)"] }
            try (out.joined(separator: "\n") + (out.isEmpty ? "" : "\n")).write(toFile: String(name) + ".ours", atomically: true, encoding: .utf8)
        }
    }
}
