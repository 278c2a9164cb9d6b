internal import Bytes
internal import JSON
internal import Platform
internal import TableLog
package import TableStore

/// What a table is.
package struct TableInfoText {
    private let info: TableInfo

    /// A report on a version of a table.
    package init(_ info: TableInfo) { self.info = info }

    /// A line for each property and column.
    package var report: Report { Report(json, results: lines) }

    /// The same of a table that was made just now.
    package func made(at path: [UInt8]) -> Report {
        let columns = Wording.count(info.schema.fields.count, "column")
        return Report(
            json, summary: ["made table \(PathBytes.printable(path)) with \(columns)"])
    }

    private var lines: [String] {
        let rows = (identity + contents + columns).map { name, text in
            TerminalText.padded(name, to: 12) + Wording.foreign(text)
        }
        return rows
    }

    private var identity: [(String, String)] {
        var rows = [("table", (info.name ?? info.id).string), ("version", "\(info.version)")]
        if let time = info.time { rows.append(("time", "\(CivilTime(local: time))")) }
        return rows
    }

    private var contents: [(String, String)] {
        let size = Wording.bytes(UInt64(clamping: info.byteCount))
        var rows = [
            ("rows", info.rowCount.map { Wording.grouped($0) } ?? "unknown"),
            ("data files", "\(Wording.grouped(info.fileCount)), \(size)"),
        ]
        if !info.partitionBy.isEmpty {
            let columns = info.partitionBy.joined(separator: ", ")
            rows.append(("partitions", "\(Wording.grouped(info.partitionCount)), by \(columns)"))
        }
        if !info.sortBy.isEmpty { rows.append(("sorted by", info.sortBy.joined(separator: ", "))) }
        let features = info.features.isEmpty ? "" : ", " + info.features.joined(separator: ", ")
        rows.append(
            ("protocol", "reader \(info.readerVersion), writer \(info.writerVersion)\(features)"))
        return rows
    }

    private var columns: [(String, String)] {
        info.schema.fields.enumerated().map { index, field in
            let words = "\(field.name) \(SchemaGrammar.typeName(field.type))"
            return (index == 0 ? "columns" : "", words + (field.isNullable ? "" : " not null"))
        }
    }

    private var json: JSONValue {
        var object: JSONObject = [
            "type": "table", "table_id": .string(info.id), "name": .text(info.name),
            "version": .number(info.version), "schema": .string(SchemaGrammar.text(info.schema)),
        ]
        object["time"] = info.time.map { .time($0) } ?? .null
        object["rows"] = .number(info.rowCount)
        object["files"] = .number(info.fileCount)
        object["bytes"] = .number(info.byteCount)
        object["partition_by"] = .array(info.partitionBy.map { .string($0) })
        object["partitions"] = .number(info.partitionCount)
        object["sort_by"] = .array(info.sortBy.map { .string($0) })
        object["reader_version"] = .number(info.readerVersion)
        object["writer_version"] = .number(info.writerVersion)
        object["features"] = .array(info.features.map { .string($0) })
        var settings = JSONObject()
        for (name, value) in info.settings.sorted(by: { $0.key < $1.key }) {
            settings[name.string] = .string(value)
        }
        object["settings"] = settings.value
        return object.value
    }
}

/// The versions of a table.
package struct TableHistoryText {
    private let entries: [HistoryEntry]

    /// A report on versions, in the order in which they are to be shown.
    package init(_ entries: [HistoryEntry]) { self.entries = entries }

    /// A row for each version.
    package var report: Report { Report(.array(entries.map(Self.json)), results: table.lines) }

    private var table: Table {
        var table = Table([
            ("version", .trailing), ("time", .leading), ("operation", .leading),
            ("added", .trailing), ("removed", .trailing), ("writer", .leading),
        ])
        for entry in entries {
            table.append([
                "\(entry.version)", "\(CivilTime(local: entry.time))",
                Wording.foreign(entry.operation?.string ?? "-"),
                "\(entry.addedFiles) (\(Wording.bytes(UInt64(clamping: entry.addedBytes))))",
                "\(entry.removedFiles) (\(Wording.bytes(UInt64(clamping: entry.removedBytes))))",
                Wording.foreign(entry.writer?.string ?? "-"),
            ])
        }
        return table
    }

    private static func json(_ entry: HistoryEntry) -> JSONValue {
        let object: JSONObject = [
            "version": .number(entry.version), "time": .time(entry.time),
            "operation": .text(entry.operation), "writer": .text(entry.writer),
            "files_added": .number(entry.addedFiles), "files_removed": .number(entry.removedFiles),
            "bytes_added": .number(entry.addedBytes), "bytes_removed": .number(entry.removedBytes),
        ]
        return object.value
    }
}
