internal import Bytes
internal import JSON
package import Operations
package import Repository
internal import Snapshots
internal import TableLog

/// The tables of a snapshot.
package struct TablesReport {
    private let id: SnapshotID
    private let tables: [TableFinding]

    /// A report on what was found in a snapshot.
    package init(_ id: SnapshotID, _ tables: [TableFinding]) {
        self.id = id
        self.tables = tables
    }

    /// A row for each table, and a warning for each that is no whole version.
    package var report: Report {
        var report = Report(json)
        report.warnings = tables.compactMap(Self.warning)
        if tables.isEmpty {
            report.absence = Message("there are no tables in \(id.short)")
        } else {
            report.results = lines
        }
        return report
    }

    private static func warning(_ found: TableFinding) -> Message? {
        let name = Wording.path(found.table.path)
        if let failure = found.failure {
            return Message("\(name): its log cannot be read: \(Wording.foreign("\(failure)"))")
        }
        guard found.table.state != .pinned else { return nil }
        let reason = PathBytes.printable(found.table.reason)
        return Message("\(name): \(found.table.state.name): \(reason)")
    }

    private var lines: [String] {
        var table = Table([
            ("table", .leading), ("version", .trailing), ("rows", .trailing),
            ("files", .trailing), ("bytes", .trailing), ("state", .leading),
        ])
        for found in tables { table.append(Self.cells(found)) }
        return table.lines
    }

    private static func cells(_ found: TableFinding) -> [String] {
        let summary = found.summary
        return [
            Wording.path(found.table.path), summary.map { "\($0.version)" } ?? "-",
            summary?.rows.map { Wording.grouped($0) } ?? "-",
            summary.map { Wording.grouped($0.files) } ?? "-",
            summary.map { Wording.bytes(UInt64(clamping: $0.bytes)) } ?? "-",
            found.table.state.name,
        ]
    }

    private var json: JSONValue {
        let object: JSONObject = [
            "snapshot_id": .id(id), "tables": .array(tables.map(Self.json)),
        ]
        return object.value
    }

    private static func json(_ found: TableFinding) -> JSONValue {
        var object = found.table.json
        object.append(found.summary.map(\.json) ?? ["version": .null])
        if let failure = found.failure { object["failure"] = .string("\(failure)") }
        return object.value
    }
}

extension CapturedTable.State {
    var name: String {
        switch self {
        case .pinned: "pinned"
        case .unverified: "unverified"
        case .damaged: "damaged"
        }
    }
}

extension CapturedTable {
    var json: JSONObject {
        var object = JSONObject(path: path)
        object["state"] = .string(state.name)
        if !reason.isEmpty { object.setBytes("reason", reason) }
        return object
    }
}

extension TableSummary {
    var json: JSONObject {
        [
            "version": .number(version), "rows": .number(rows), "files": .number(files),
            "bytes": .number(bytes), "partitions": .number(partitions),
        ]
    }
}
