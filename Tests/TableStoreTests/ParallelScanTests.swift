import Bytes
import Parquet
import TableLog
import Testing
import TestSupport

@testable import TableStore

/// A scan on several threads gives the rows of one on one thread, in their order.
struct ParallelScanTests {
    private static func rows(
        _ table: StoredTable, _ request: ScanRequest, threads: Int
    ) throws -> [String] {
        var scan = try TableScan(table, request, threads: threads)
        let text = RowText(scan.fields, .ndjson)
        var bytes: [UInt8] = []
        while let batch = try scan.next() {
            #expect(batch.rowCount > 0)
            text.append(batch, to: &bytes)
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Several data files of some row groups each, in partitions.
    private static func store(_ seed: Seed) throws -> TestStore {
        var random = SplitMix64(seed)
        let store = try TestStore()
        try store.create("id long, name string, p string, price decimal(9,2)", partitionBy: ["p"])
        for file in 0..<3 {
            var text = "id,name,p,price\n"
            for row in 0..<100_000 {
                let name = random.below(10) == 0 ? "" : "name \(random.below(500))"
                text += "\(row),\(name),\(file % 2),\(row % 1000).\(10 + file)\n"
            }
            try store.append(text, as: "rows\(file).csv")
        }
        return store
    }

    @Test(arguments: Seed.some(1))
    func `Rows and their order are those of one thread`(seed: Seed) throws {
        let store = try Self.store(seed)
        let table = try store.table()
        for (filter, columns) in [
            (nil, nil), ("id >= 500 AND id < 700", ["name"]), ("name IS NULL", ["id", "p"]),
            ("p = '1' AND price < 3", nil), ("id = 99999 OR name = 'name 7'", ["price", "id"]),
            ("id < 0", nil), ("p = '0'", ["p"]),
        ] as [(String?, [ExactText]?)] {
            var request = ScanRequest()
            request.columns = columns
            request.filter = try filter.map { try Filter(parsing: $0) }
            let one = try Self.rows(table, request, threads: 1)
            for threads in [2, 5] {
                let isSame = try Self.rows(table, request, threads: threads) == one
                #expect(isSame, "\(filter ?? "all"), \(threads)")
            }
        }
    }

    @Test func `A scan that is not read to its end ends`() throws {
        let store = try Self.store(Seed(9))
        var request = ScanRequest()
        request.limit = 100_001
        #expect(try Self.rows(try store.table(), request, threads: 3).count == 100_001)
        var scan = try TableScan(try store.table(), ScanRequest(), threads: 3)
        #expect(try scan.next() != nil)
    }

    @Test func `A damaged data file is told by a scan on several threads too`() throws {
        let store = try Self.store(Seed(9))
        let name = try #require(try store.dataFiles().sorted().last)
        let relative = String(name.dropFirst(store.text.utf8.count - 5))
        var bytes = try store.temporary.read(relative)
        for place in 1000..<1100 { bytes[place] ^= 0xff }
        try store.temporary.write(bytes, relative)
        for threads in [1, 3] {
            do {
                _ = try Self.rows(try store.table(), ScanRequest(), threads: threads)
                Issue.record("the damage was not seen by \(threads)")
            } catch let error as TableStoreError {
                #expect(error.kind == .damaged)
            }
        }
    }
}
