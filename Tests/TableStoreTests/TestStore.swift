import Bytes
import Parquet
import Platform
import TableLog
import TableStore
import TestSupport

/// A directory for a table and for files of rows.
struct TestStore {
    let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    var path: [UInt8] { temporary.path("table") }
    var text: String { String(decoding: path, as: UTF8.self) }

    /// The table as it is now.
    func table(_ choice: VersionChoice = .latest) throws -> StoredTable {
        try StoredTable(path, at: choice)
    }

    func create(
        _ schema: String, partitionBy: [ExactText] = [], sortBy: [ExactText] = []
    ) throws {
        var design = TableDesign(try SchemaGrammar.parse(schema))
        design.partitionBy = partitionBy
        design.sortBy = sortBy
        _ = try StoredTable.create(path, design)
    }

    @discardableResult
    func append(
        _ text: String, as name: String = "rows.csv", _ options: ImportOptions = ImportOptions()
    ) throws -> ImportReport {
        let file = try temporary.write(Array(text.utf8), name)
        return try TableImport.append([file], to: try table(), options)
    }

    /// The rows as lines of text, in the order of the table.
    func lines(
        _ request: ScanRequest = ScanRequest(), _ choice: VersionChoice = .latest,
        _ form: RowText.Form = .csv(delimiter: UInt8(ascii: ","))
    ) throws -> [String] {
        var scan = try TableScan(try table(choice), request)
        let text = RowText(scan.fields, form)
        var bytes: [UInt8] = []
        while let batch = try scan.next() { text.append(batch, to: &bytes) }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    func lines(where filter: String, columns: [ExactText]? = nil) throws -> [String] {
        var request = ScanRequest()
        request.filter = try Filter(parsing: filter)
        request.columns = columns
        return try lines(request)
    }

    /// Paths of all data files on the disk.
    func dataFiles() throws -> [String] {
        try Self.walk(path).filter { $0.hasSuffix(".parquet") && !$0.contains("_delta_log") }
    }

    private static func walk(_ path: [UInt8]) throws -> [String] {
        let directory = try Descriptor.open(path, [.readOnly, .directory])
        return try directory.list(path).flatMap { entry in
            let inner = PathBytes.join(path, entry.name)
            guard try entry.status.get().type == .directory else {
                return [String(decoding: inner, as: UTF8.self)]
            }
            return try walk(inner)
        }
    }
}
