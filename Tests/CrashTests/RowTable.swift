import Bytes
import Platform
import TableLog
import TableStore
import TestSupport

/// A table with a column of numbers, as crash laws change it.
struct RowTable {
    let path: [UInt8]

    func stored(_ choice: VersionChoice = .latest) throws -> StoredTable {
        try StoredTable(path, at: choice)
    }

    func create() throws {
        _ = try StoredTable.create(
            path, TableDesign(try SchemaGrammar.parse("id long, name string")))
    }

    func append(_ range: Range<Int>) throws {
        let rows = range.map { "\($0),name \($0)\n" }.joined()
        let files = try TemporaryDirectory(inMemory: true)
        let file = try files.write(Array("id,name\n\(rows)".utf8), "rows.csv")
        _ = try TableImport.append([file], to: try stored(), ImportOptions())
    }

    func delete(_ filter: String) throws {
        _ = try stored().delete(where: try Filter(parsing: filter))
    }

    /// How many versions there are; none where there is no table.
    func versionCount() throws -> Int {
        try StoredTable.exists(path) ? Int(stored().snapshot.version) + 1 : 0
    }

    /// The numbers, sorted.
    func ids(_ choice: VersionChoice = .latest) throws -> [Int] {
        var request = ScanRequest()
        request.columns = ["id"]
        var scan = try TableScan(try stored(choice), request)
        let text = RowText(scan.fields, .csv(delimiter: UInt8(ascii: ",")))
        var bytes: [UInt8] = []
        while let batch = try scan.next() { text.append(batch, to: &bytes) }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            .compactMap { Int($0) }.sorted()
    }

    /// Whether every file is there and has what the log says of it.
    func isSound() throws -> Bool { try stored().verify().damages.isEmpty }
}
