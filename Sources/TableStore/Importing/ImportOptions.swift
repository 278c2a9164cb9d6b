package import Bytes
package import Platform

/// What the rows of a file look like.
package enum RowFormat: String, CaseIterable, Sendable {
    case csv, ndjson, parquet

    /// By the end of the name of a file; nil for others.
    package init?(fileName path: [UInt8]) {
        let name = PathBytes.name(path)
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return nil }
        switch String(decoding: name[(dot + 1)...], as: UTF8.self).lowercased() {
        case "csv", "tsv", "tbl", "txt": self = .csv
        case "ndjson", "jsonl", "json": self = .ndjson
        case "parquet", "pq": self = .parquet
        default: return nil
        }
    }
}

/// What becomes of rows that do not fit.
package enum ErrorPolicy: String, CaseIterable, Sendable {
    /// Nothing is imported.
    case fail
    /// The row is left out.
    case skip
    /// All rows of the file are left out.
    case rejectFile = "reject-file"
}

/// How files are to be imported.
package struct ImportOptions: Sendable {
    /// Nil: by the names of the files.
    package var format: RowFormat?
    /// Whether the first line of CSV names the columns; else they come in the order of the schema.
    package var hasHeader = true
    /// Nil: by the names of the files, a comma mostly.
    package var delimiter: UInt8?
    /// Of CSV and NDJSON; nil: UTF-8, and files that begin as others do are refused.
    package var encoding: TextEncoding?
    /// What stands for null in CSV, besides nothing at all; not in quotes.
    package var nullWords: Set<ExactText> = []
    package var onError = ErrorPolicy.fail
    /// Bytes of a data file, about.
    package var targetSize: Int64 = TableWriter.targetSize
    /// Whether a first line is refused that holds numbers where names of columns should stand.
    package var doubtsHeader = false
    /// Whether files that were imported so before are passed over, known by their content.
    package var once = false
    /// Whether all rows are looked at for the types of a new table, and not only the first.
    package var looksAtAllRows = false
    /// Told how much of the files has been read.
    package var progress: WorkProgress?

    package init() {}

    func format(_ path: [UInt8]) throws(TableStoreError) -> RowFormat {
        guard let format = format ?? RowFormat(fileName: path) else {
            throw .request(
                "the name of \(PathBytes.printable(path)) does not tell whether it is CSV, NDJSON "
                    + "or Parquet; --input-format does")
        }
        return format
    }

    func delimiter(_ path: [UInt8]) -> UInt8 {
        if let delimiter { return delimiter }
        let name = PathBytes.name(path)
        if name.suffix(4).elementsEqual(".tsv".utf8) { return UInt8(ascii: "\t") }
        if name.suffix(4).elementsEqual(".tbl".utf8) { return UInt8(ascii: "|") }
        return UInt8(ascii: ",")
    }
}

/// A row, or a file, that was left out.
package struct RejectedRow: Equatable, Sendable {
    /// As it was named.
    package var file: [UInt8]
    /// From 1; nil when it is about the whole file.
    package var line: Int?
    package var column: ExactText?
    package var detail: String

    /// What is wrong and where, without the file.
    var problem: String {
        let place = [line.map { "line \($0)" }, column.map { "column \($0)" }].compactMap { $0 }
        return place.isEmpty ? detail : place.joined(separator: ", ") + ": " + detail
    }

    package var text: String {
        let separator = line == nil && column == nil ? ": " : ", "
        return PathBytes.printable(file) + separator + problem
    }
}
