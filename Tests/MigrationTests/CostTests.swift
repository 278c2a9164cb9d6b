import Bytes
import Platform
import TableStore
import Testing
import TestSupport

@testable import Migration

/// What a migration is expected to cost, and how that is measured.
struct CostTests {
    private static func rates() -> DeviceRates {
        var rates = DeviceRates()
        rates.copySequential = 100e6
        rates.copyParallel = 200e6
        rates.fileSequential = 1e-3
        rates.fileParallel = 0.5e-3
        rates.batch = 1
        rates.compare = 400e6
        rates.compareFile = 0.25e-3
        rates.walkPath = 0
        rates.readFile = 0
        return rates
    }

    private static func model(files: UInt64, small: UInt64, large: UInt64) -> CostModel {
        var totals = Inventory.Totals()
        totals.files = files
        totals.bytes = small + large
        totals.allocated = totals.bytes
        totals.smallBytes = small
        totals.largest = large / 4
        return CostModel(rates(), totals, paths: files, processors: 2)
    }

    @Test(arguments: [1, 4096, 4097, 40_960] as [UInt64])
    func `Small files cost by their number, and each batch of 4,096 once`(files: UInt64) {
        let model = Self.model(files: files, small: files * 4096, large: 0)
        let batches = (Double(files) / 4096).rounded(.up)
        #expect(abs(model.execute(.sequential) - (Double(files) * 1e-3 + batches)) < 1e-6)
        #expect(abs(model.execute(.parallel) - (Double(files) * 0.5e-3 + batches)) < 1e-6)
        #expect(abs(model.verify - Double(files) * 0.25e-3) < 1e-6)
    }

    @Test func `Small files are read for the first time once, by the first step`() {
        var model = Self.model(files: 1000, small: 1000, large: 0)
        model.work.smallFiles = 1000
        let (backup, execute) = (model.backup, model.execute(.parallel))
        model.rates.readFile = 2e-3
        #expect(abs(model.backup - backup - 2) < 1e-6)
        #expect(abs(model.execute(.parallel) - execute - 2) < 1e-6)
        model.backsUp = true
        #expect(abs(model.backup - backup - 2) < 1e-6)
        #expect(abs(model.execute(.parallel) - execute) < 1e-6)
    }

    @Test func `Large files cost by their bytes, and the largest holds several threads up`() {
        var model = Self.model(files: 4, small: 0, large: 4_000_000_000)
        let rest = 4 * 0.5e-3 + 4
        #expect(abs(model.execute(.parallel) - (20 + rest)) < 1e-6)
        model.work.largest = 3_000_000_000
        #expect(abs(model.execute(.parallel) - (30 + rest)) < 1e-6)
        #expect(abs(model.execute(.chunked) - (20 + rest)) < 1e-6)
        #expect(model.best == .chunked)
    }

    @Test func `A limit holds for all bytes that are copied`() {
        var model = Self.model(files: 100, small: 1_000_000, large: 99_000_000)
        model.bytesPerSecond = 1_000_000
        #expect(abs(model.execute(.parallel) - 100) < 1e-6)
    }

    @Test(arguments: [0, 1, 63, 64, 65, 300])
    func `The probe measures what there is, and leaves nothing behind`(count: Int) throws {
        let move = try Move()
        for number in 0..<count {
            try move.write("file \(number)", "dir \(number % 3)/\(number)")
        }
        if count % 2 == 1 {
            let bytes = [UInt8](repeating: 7, count: 300_000)
            try move.directory.write(bytes, "source/large")
        }
        let before = try TreeListing.of(move.directory.path)
        let plan = try MigrationRun(move.request).plan(backsUp: true, cleans: true)
        // Only the time of the directory above tells of it.
        let after = try TreeListing.of(move.directory.path)
        expectSame(Array(before.dropFirst()), Array(after.dropFirst()))
        let rates = plan.rates
        for rate in [
            rates.copySequential, rates.copyParallel, rates.fileSequential, rates.fileParallel,
            rates.compare, rates.compareFile, rates.backup, rates.backupFile, rates.removePath,
        ] { #expect(rate > 0 && rate.isFinite) }
        #expect(rates.batch >= 0 && rates.walkPath >= 0)
        #expect((rates.fileSequential == DeviceRates().fileSequential) == (count == 0))
        #expect((rates.copyParallel == DeviceRates().copyParallel) == (count % 2 == 0))
        #expect(plan.estimates.map(\.step) == [.backup, .execute, .verify, .cleanUp])
    }

    @Test(arguments: [1 << 20, 100_000, 0] as [UInt64])
    func `A sample takes no more than the room on the target`(room: UInt64) throws {
        let move = try Move()
        for number in 0..<40 {
            try move.directory.write(
                [UInt8](repeating: 1, count: number < 20 ? 200_000 : 100_000), "source/\(number)")
        }
        let found = try Inventory.walk(
            move.source, move.request.filter, makesTables: false, .system)
        let sample = ProbeSample(found, room: room)
        let ranges = (sample.ranges.0 + sample.ranges.1).reduce(0) { $0 + UInt64($1.count) }
        let files = (sample.files.0 + sample.files.1).reduce(0) { $0 + $1.status.size }
        #expect(ranges + files <= room)
    }

    @Test func `The rows of the largest table are measured, and a damaged one is no hindrance`()
        throws
    {
        let move = try Move()
        let schema = try SchemaGrammar.parse("id long, name string")
        let table = try StoredTable.create(
            move.directory.path("source/table"), TableDesign(schema))
        let lines = (0..<5_000).map { "\($0),name \($0)" }
        let file = try move.directory.write(
            Array((["id,name"] + lines).joined(separator: "\n").utf8), "rows.csv")
        _ = try TableImport.append([file], to: table)
        let rates = try MigrationRun(move.request).plan(backsUp: false, cleans: false).rates
        #expect(rates.row != DeviceRates().row)
        #expect(rates.row > 0 && rates.row < 1)
        // A data file that is none: its rows are not measured, and the plan is made all the same.
        let data = try #require(
            try Descriptor.open(move.directory.path("source/table"), [.readOnly, .directory])
                .names(move.source).first { $0.suffix(8).elementsEqual(".parquet".utf8) })
        try move.directory.write(
            Array("no Parquet".utf8),
            "source/table/" + String(decoding: data, as: UTF8.self))
        let without = try MigrationRun(move.request).plan(backsUp: false, cleans: false).rates
        #expect(without.row == DeviceRates().row)
    }

    @Test(arguments: ["csv", "ndjson"])
    func `Row files are measured on the smallest`(format: String) throws {
        var move = try Move()
        move.makesTables = true
        let isCSV = format == "csv"
        let lines = (0..<2_000).map { isCSV ? "\($0),a" : "{\"id\":\($0),\"text\":\"a\"}" }
        try move.write(
            ((isCSV ? ["id,text"] : []) + lines).joined(separator: "\n"), "rows/1.\(format)")
        let rates = try MigrationRun(move.request).plan(backsUp: false, cleans: false).rates
        #expect(rates.rowFiles != DeviceRates().rowFiles)
        #expect(rates.rowFiles > 0 && rates.rowFiles.isFinite)
    }
}
