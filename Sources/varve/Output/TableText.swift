internal import Bytes
internal import Parquet
internal import Platform
internal import TableLog
internal import TableStore

/// Prints the rows of a scan.
enum TableRows {
    /// Rows that decide how wide columns are; what comes later may be wider.
    private static let measuredRows = 1000

    static func print(
        _ scan: inout TableScan, _ form: RowText.Form, _ console: Console
    ) throws {
        let text = RowText(scan.fields, form)
        try console.print(text.header)
        while let batch = try scan.next() {
            var bytes: [UInt8] = []
            text.append(batch, to: &bytes)
            try console.print(bytes)
        }
    }

    /// Prints aligned columns, numbers to the right.
    static func print(_ scan: inout TableScan, _ console: Console) throws {
        let text = RowText(scan.fields, .ndjson)
        var widths: [Int]?
        var waiting = [scan.fields.map(\.name)]
        let isNumber = scan.fields.map { field in
            switch field.type {
            case .long, .integer, .short, .byte, .float, .double, .decimal: true
            default: false
            }
        }
        func flush() throws {
            let columns =
                widths
                ?? isNumber.indices.map { column in
                    waiting.map { TerminalText.width($0[column]) }.max() ?? 0
                }
            widths = columns
            for row in waiting {
                try console.print(line: Self.line(row, columns, isNumber))
            }
            waiting.removeAll()
        }
        while let batch = try scan.next() {
            for row in 0..<batch.rowCount {
                waiting.append(text.cells(batch, row))
                if waiting.count > measuredRows { try flush() }
            }
        }
        try flush()
    }

    private static func line(_ row: [String], _ widths: [Int], _ isNumber: [Bool]) -> String {
        var line = ""
        for (column, cell) in row.enumerated() {
            if column > 0 { line += "  " }
            line += TerminalText.padded(cell, to: widths[column], trailing: isNumber[column])
        }
        while line.last == " " { line.removeLast() }
        return line
    }
}

/// What an import did, for people and programs.
struct TableImportText {
    private let report: ImportReport
    private let path: [UInt8]

    init(_ report: ImportReport, _ path: [UInt8]) {
        self.report = report
        self.path = path
    }

    func print(_ console: Console) throws {
        if report.rejectedRows > 0 || report.rejectedFiles > 0 { console.status = .partial }
        if console.isJSON { return try console.print(json) }
        for file in report.passedFiles {
            console.warn("varve: passed over, imported before: \(PathBytes.printable(file))")
        }
        for rejection in report.rejections { console.warn("varve: left out: \(rejection.text)") }
        let untold =
            report.rejectedRows + Int64(report.rejectedFiles)
            - Int64(report.rejections.count)
        if untold > 0 { console.warn("varve: and \(Wording.grouped(untold)) more rows") }
        if let problem = report.commit?.upkeepProblem {
            console.warn("varve: the rows are committed, but no checkpoint was written: \(problem)")
        }
        if console.isQuiet { return }
        let verb = report.isCreated ? "made table" : "appended to"
        var line = "\(verb) \(PathBytes.printable(path)): \(Wording.count(report.rows, "row"))"
        if let commit = report.commit {
            line += " in \(Wording.count(commit.addedFiles, "data file")), "
            line += "\(Wording.bytes(UInt64(clamping: commit.addedBytes))), "
            line += "version \(commit.version)"
        }
        try console.print(line: line)
    }

    private var json: JSONValue {
        var object: JSONObject = [
            "type": "summary", "created": .bool(report.isCreated), "rows": .integer(report.rows),
            "rejected_rows": .integer(report.rejectedRows),
            "rejected_files": .integer(Int64(report.rejectedFiles)),
        ]
        object.setBytes("path", path)
        object["version"] = report.commit.map { .integer($0.version) } ?? .null
        object["added_files"] = .integer(Int64(report.commit?.addedFiles ?? 0))
        object["added_bytes"] = .integer(report.commit?.addedBytes ?? 0)
        object["passed_files"] = .array(report.passedFiles.map { .text($0) })
        object["rejections"] = .array(report.rejections.map { .string($0.text) })
        if let problem = report.commit?.upkeepProblem {
            object["upkeep_problem"] = .string(problem)
        }
        return object.value
    }
}

/// What a table is, for people and programs.
struct TableInfoText {
    private let info: TableInfo

    init(_ info: TableInfo) { self.info = info }

    var lines: [String] {
        var rows: [(String, String)] = [
            ("table", info.name ?? info.id), ("version", "\(info.version)"),
        ]
        if let time = info.time { rows.append(("time", "\(CivilTime(local: time))")) }
        rows.append(("rows", info.rowCount.map { Wording.grouped($0) } ?? "unknown"))
        rows.append(
            (
                "data files",
                "\(Wording.grouped(info.fileCount)), "
                    + Wording.bytes(UInt64(clamping: info.byteCount))
            ))
        if !info.partitionBy.isEmpty {
            rows.append(
                (
                    "partitions",
                    "\(Wording.grouped(info.partitionCount)), by "
                        + info.partitionBy.joined(separator: ", ")
                ))
        }
        if !info.sortBy.isEmpty { rows.append(("sorted by", info.sortBy.joined(separator: ", "))) }
        rows.append(
            (
                "protocol",
                "reader \(info.readerVersion), writer \(info.writerVersion)"
                    + (info.features.isEmpty ? "" : ", " + info.features.joined(separator: ", "))
            ))
        for (index, field) in info.schema.fields.enumerated() {
            let words = "\(field.name) \(SchemaGrammar.typeName(field.type))"
            let column = words + (field.isNullable ? "" : " not null")
            rows.append((index == 0 ? "columns" : "", column))
        }
        return rows.map { TerminalText.padded($0.0, to: 12) + $0.1 }
    }

    var json: JSONValue {
        var object: JSONObject = [
            "type": "table", "id": .string(info.id), "name": info.name.map { .string($0) } ?? .null,
            "version": .integer(info.version), "schema": .string(SchemaGrammar.text(info.schema)),
        ]
        object["time"] = info.time.map { .string(CivilTime(local: $0).rfc3339) } ?? .null
        object["rows"] = info.rowCount.map { .integer($0) } ?? .null
        object["files"] = .integer(Int64(info.fileCount))
        object["bytes"] = .integer(info.byteCount)
        object["partition_by"] = .array(info.partitionBy.map { .string($0) })
        object["partitions"] = .integer(Int64(info.partitionCount))
        object["sort_by"] = .array(info.sortBy.map { .string($0) })
        object["reader_version"] = .integer(Int64(info.readerVersion))
        object["writer_version"] = .integer(Int64(info.writerVersion))
        object["features"] = .array(info.features.map { .string($0) })
        var settings = JSONObject()
        for (name, value) in info.settings.sorted(by: { $0.key < $1.key }) {
            settings[name] = .string(value)
        }
        object["settings"] = settings.value
        return object.value
    }

    static func json(_ entry: HistoryEntry) -> JSONValue {
        let object: JSONObject = [
            "version": .integer(entry.version),
            "time": .string(CivilTime(local: entry.time).rfc3339),
            "operation": entry.operation.map { .string($0) } ?? .null,
            "writer": entry.writer.map { .string($0) } ?? .null,
            "added_files": .integer(Int64(entry.addedFiles)),
            "removed_files": .integer(Int64(entry.removedFiles)),
            "added_bytes": .integer(entry.addedBytes),
            "removed_bytes": .integer(entry.removedBytes),
        ]
        return object.value
    }
}
