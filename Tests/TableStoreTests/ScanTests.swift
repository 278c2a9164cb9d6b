import Bytes
import Parquet
import Platform
import TableLog
import TableStore
import Testing
import TestSupport

struct ScanTests {
    private static func numbers(_ range: Range<Int>, _ more: String = "") -> String {
        "id" + (more.isEmpty ? "" : ",day") + "\n"
            + range.map { "\($0)" + more }.joined(separator: "\n") + "\n"
    }

    @Test func `Columns come in the order in which they are wanted, and no more rows`() throws {
        let store = try TestStore()
        try store.create("a long, b string, c date")
        try store.append("a,b,c\n1,x,2026-01-01\n2,y,2026-01-02\n3,z,2026-01-03\n")
        var request = ScanRequest()
        request.columns = ["c", "a", "c"]
        request.limit = 2
        #expect(try store.lines(request) == ["2026-01-01,1,2026-01-01", "2026-01-02,2,2026-01-02"])
        request.limit = 0
        #expect(try store.lines(request).isEmpty)
    }

    @Test func `Files of other partitions and with other values are not opened`() throws {
        let store = try TestStore()
        try store.create("id long, day date", partitionBy: ["day"])
        for day in 1...5 {
            try store.append(Self.numbers(day * 100..<day * 100 + 10, ",2026-01-0\(day)"))
        }
        for (filter, files, rows) in [
            ("day = '2026-01-03'", 1, 10), ("id >= 400", 2, 20), ("id = 9999", 0, 0),
            ("day < '2026-01-03' or id = 505", 3, 21), ("day is null", 0, 0),
            ("day is not null and id < 150", 1, 10),
        ] {
            var request = ScanRequest()
            request.filter = try Filter(parsing: filter)
            var scan = try TableScan(try store.table(), request)
            var count = 0
            while let batch = try scan.next() { count += batch.rowCount }
            #expect(scan.openedFiles == files, "\(filter)")
            #expect(scan.skippedFiles == 5 - files && count == rows, "\(filter)")
        }
    }

    @Test func `Pages are skipped, and no row is lost`() throws {
        let store = try TestStore()
        try store.create("id long, name string")
        let rows = (0..<200_000).map { "\($0),name \($0 &* 7919 % 1000)" }
        try store.append("id,name\n" + rows.joined(separator: "\n"))
        #expect(
            try store.lines(where: "id BETWEEN 123456 AND 123458", columns: ["id"])
                == ["123456", "123457", "123458"])
        #expect(
            try store.lines(where: "id = 77777 OR id = 199999", columns: ["id"])
                == ["77777", "199999"])
        #expect(try store.lines(where: "name = 'name 5'").count == 200)
    }

    @Test func `Older versions are read by number and by time`() throws {
        let store = try TestStore()
        try store.create("id long")
        for id in 1...12 {
            try store.append("id\n\(id)\n")
            let log = store.temporary.path("table/_delta_log")
            let directory = try Descriptor.open(log, [.readOnly, .directory])
            let digits = id < 10 ? "0\(id)" : "\(id)"
            let name = String(repeating: "0", count: 18) + digits + ".json"
            try FileOperations.setModificationTime(
                Array(name.utf8), Timestamp(seconds: 1_800_000_000 + Int64(id), nanoseconds: 0),
                at: directory.raw)
        }
        for version in [0, 1, 7, 10, 11, 12] {
            #expect(try store.lines(ScanRequest(), .number(Int64(version))).count == version)
        }
        let time = Timestamp(seconds: 1_800_000_005, nanoseconds: 500_000_000)
        #expect(try store.lines(ScanRequest(), .time(time)).count == 5)
        #expect(throws: TableStoreError.self) { try store.table(.number(13)) }
        #expect(throws: TableStoreError.self) {
            try store.table(.time(Timestamp(seconds: 0, nanoseconds: 0)))
        }
        let names = try Descriptor.open(
            store.temporary.path("table/_delta_log"), [.readOnly, .directory]
        ).names([]).map { String(decoding: $0, as: UTF8.self) }
        #expect(names.contains("00000000000000000010.checkpoint.parquet"))
        #expect(names.contains("00000000000000000011.crc"))
    }

    @Test func `Segments are sorted by the declared columns, nulls first`() throws {
        let store = try TestStore()
        try store.create("a long, b string", sortBy: ["b", "a"])
        try store.append("a,b\n3,x\n1,y\n2,x\n9,\n1,x\n8,\n")
        #expect(try store.lines() == ["8,", "9,", "1,x", "2,x", "3,x", "1,y"])
        #expect(try store.table().snapshot.metadata.configuration["varve.sortBy"] == "b,a")
    }

    @Test func `Rows go to their partitions whatever the values`() throws {
        let store = try TestStore()
        try store.create("id long, p string, n long", partitionBy: ["p", "n"])
        let odd = [
            "a b", "x/y", "50%", "é=ü", "..", "a:b", "#?", "__HIVE",
            String(
                repeating: "long", count: 100),
        ]
        var text = "id,p,n\n"
        for round in 0..<3 {
            for (index, value) in odd.enumerated() { text += "\(round * 10 + index),\(value),1\n" }
        }
        text += "99,,\n"
        try store.append(text)
        for (index, value) in odd.enumerated() {
            #expect(
                try store.lines(where: "p = '\(value)'", columns: ["id"])
                    == ["\(index)", "\(10 + index)", "\(20 + index)"])
        }
        #expect(try store.lines(where: "p is null and n is null", columns: ["id"]) == ["99"])
        #expect(try store.table().files.count == odd.count + 1)
        #expect(try store.table().verify().damages.isEmpty)
    }

    @Test func `An empty text is refused as the value of a partition`() throws {
        let store = try TestStore()
        try store.create("id long, p string", partitionBy: ["p"])
        #expect(throws: TableStoreError.self) { try store.append("id,p\n1,\"\"\n") }
    }

    @Test func `Many partitions at once stay within the limit of open files`() throws {
        let store = try TestStore()
        try store.create("id long, p long", partitionBy: ["p"])
        let rows = (0..<3000).map { "\($0),\($0 % 300)" }.joined(separator: "\n")
        try store.append("id,p\n" + rows)
        #expect(try store.table().files.count == 300)
        #expect(try store.lines().count == 3000)
    }

    @Test func `Large imports are split at the target size`() throws {
        let store = try TestStore()
        try store.create("id long, x double")
        var random = SplitMix64(seed: 3)
        let rows = (0..<300_000).map { _ in
            "\(random.next() >> 1),\(Double(random.next() >> 12) / 1e9)"
        }
        var options = ImportOptions()
        options.targetSize = 1 << 20
        try store.append("id,x\n" + rows.joined(separator: "\n"), as: "r.csv", options)
        let files = try store.table().files
        #expect(files.count >= 2)
        #expect(try store.lines().count == 300_000)
    }
}
