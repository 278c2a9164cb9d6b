import Parquet
import TableLog
import Testing
import TestSupport

@testable import TableStore

/// CSV is taken apart in a fast way where that is possible, and in a plain one elsewhere: both are
/// to find the same.
struct CSVParsingTests {
    private static let comma = UInt8(ascii: ",")

    /// Bytes of a few kinds, so that what is rare is not.
    private static func text(_ random: inout SplitMix64, _ count: Int, _ signs: String) -> [UInt8] {
        let signs = Array(signs.utf8)
        return (0..<count).map { _ in signs[random.below(signs.count)] }
    }

    /// What `CSVFields` holds, in words.
    private static func words(_ fields: CSVFields) -> [String] {
        zip(fields.places, fields.places.indices).map { place, index in
            "\(place >> 32)..<\(place & 0xffff_ffff) \(fields.lines[index / fields.width])"
        } + fields.problems.map { "\($0.line): \($0.expected)" }
    }

    @Test(arguments: Seed.some(3))
    func `Lines are split as rows are`(seed: Seed) {
        var random = SplitMix64(seed)
        for round in 0..<400 {
            let size = 1 + random.below(round < 300 ? 40 : 3000)
            let bytes = Self.text(&random, size, round % 2 == 0 ? "aa,,\n" : "a12,\r\n\u{e9}bcdef")
            let (width, step) = (1 + random.below(4), 1 + random.below(6))
            let keeps = random.below(2) == 0
            var fast = CSVFields(width: width, keepsEmptyLines: keeps)
            var plain = fast
            let block = CSVBlock(bytes: bytes, hasQuotes: false)
            var lines = CSVSplitting(block, delimiter: Self.comma)
            while lines.next(step, into: &fast) {}
            var rows = CSVSplitting(
                CSVBlock(bytes: bytes, hasQuotes: true), delimiter: Self.comma)
            while rows.next(1 + step / 2, into: &plain) {}
            #expect(Self.words(fast) == Self.words(plain), "\(bytes), \(width)")
            #expect(lines.lineCount == rows.lineCount)
        }
    }

    private static let types: [TableType] = [
        .long, .integer, .short, .byte, .date, .double, .boolean, .string, .binary, .timestamp,
        .decimal(precision: 9, scale: 2), .decimal(precision: 18, scale: 0),
        .decimal(precision: 18, scale: 18), .decimal(precision: 30, scale: 4),
    ]

    @Test(arguments: Seed.some(2), types)
    func `Columns are read as their values are one by one`(seed: Seed, type: TableType) {
        var random = SplitMix64(seed)
        for round in 0..<150 {
            let isNullable = round % 3 > 0
            var (fast, plain) = (
                ColumnBuilder(type, isNullable: isNullable),
                ColumnBuilder(type, isNullable: isNullable)
            )
            let values = (0..<random.below(40)).map { _ in Self.value(type, &random) }
            let bytes = values.flatMap { $0 + [Self.comma, UInt8(ascii: "x"), 0x0a] }
            guard !bytes.isEmpty else { continue }
            var splitting = CSVSplitting(
                CSVBlock(bytes: bytes, hasQuotes: false), delimiter: Self.comma)
            var fields = CSVFields(width: 2, keepsEmptyLines: false)
            while splitting.next(1000, into: &fields) {}
            let rows = FieldRows(
                bytes: splitting.bytes, fields: fields, isASCII: ByteScan.isASCII(bytes))
            let problems = fast.append(rows, 0)
            var wrong: [Int] = []
            for (row, value) in values.enumerated() where !Self.add(value, to: &plain) {
                wrong.append(row)
            }
            #expect(problems.map(\.row) == wrong, "\(values)")
            #expect(fast.take() == plain.take(), "\(values)")
        }
    }

    /// Adds a value as it is done for what is rare; false when it does not fit.
    private static func add(_ value: [UInt8], to builder: inout ColumnBuilder) -> Bool {
        do throws(ValueProblem) {
            if value.isEmpty, builder.isNullable || builder.type != .string {
                try builder.appendNull()
            } else {
                try builder.append(text: value[...])
            }
            return true
        } catch {
            builder.appendPlaceholder()
            return false
        }
    }

    /// Mostly something that looks like a value of the type, sometimes anything.
    private static func value(_ type: TableType, _ random: inout SplitMix64) -> [UInt8] {
        switch random.below(8) {
        case 0: return []
        case 1: return text(&random, random.below(24), "0123456789-+.eE T:Zé")
        default: break
        }
        let digits = text(&random, 1 + random.below(10), "0123456789")
        switch type {
        case .date:
            let year = 1000 + random.below(9000)
            return Array("\(year)-\(10 + random.below(4))-\(10 + random.below(23))".utf8)
        case .decimal(_, let scale) where scale > 0:
            let sign = random.below(3) == 0 ? "-" : ""
            let behind = text(&random, random.below(scale + 2), "0123456789")
            return Array(sign.utf8) + digits + [UInt8(ascii: ".")] + behind
        default: return (random.below(3) == 0 ? [UInt8(ascii: "-")] : []) + digits
        }
    }

    @Test func `Rows that reach over the ends of blocks are read whole`() throws {
        let store = try TestStore()
        try store.create("id long, text string, more string")
        var (text, expected) = ("id,text,more\n", [String]())
        for id in 0..<60_000 {
            // Quotes here and there, so that blocks of both kinds come.
            let isQuoted = id / 20_000 == 1
            let value = isQuoted ? "line \(id)\n\"\"and\"\", more" : "plain text number \(id)"
            text += isQuoted ? "\(id),\"\(value)\",x\n" : "\(id),\(value),x\n"
            expected.append(value.replacing("\"\"", with: "\""))
        }
        let report = try store.append(text)
        #expect(report.rows == 60_000)
        var scan = try TableScan(try store.table())
        var found: [String] = []
        while let batch = try scan.next() {
            for row in 0..<batch.rowCount {
                found.append(
                    String(decoding: batch.columns[1].bytes(row) ?? [], as: UTF8.self))
            }
        }
        #expect(found == expected)
    }

    @Test func `A row longer than a block is one row`() throws {
        let store = try TestStore()
        try store.create("id long, text string")
        let long = String(repeating: "a line\n", count: 700_000)
        try store.append("id,text\n1,\"\(long)\"\n2,short\n3,\"x\"\n")
        #expect(try store.lines(where: "id > 1") == ["2,short", "3,x"])
    }

    @Test func `Lines are counted over all blocks`() throws {
        let store = try TestStore()
        try store.create("id long, text string")
        var options = ImportOptions()
        options.onError = .skip
        var text = "id,text\n"
        for line in 2...200_001 {
            text += [50_000, 150_000, 200_001].contains(line) ? "bad,\n" : "\(line),\"a text\"\n"
        }
        let report = try store.append(text, as: "rows.csv", options)
        #expect(report.rejections.map(\.line) == [50_000, 150_000, 200_001])
        #expect(report.rows == 199_997 && report.rejectedRows == 3)
    }
}
