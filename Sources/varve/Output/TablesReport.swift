internal import Snapshots
internal import Bytes
internal import Repository
internal import TableLog

/// Tells of the tables of a snapshot.
struct TablesReport {
    private struct Row {
        var table: CapturedTable
        var summary: TableSummary?
        var failure: String?
    }

    private let id: SnapshotID
    private var rows: [Row] = []

    init(_ id: SnapshotID) { self.id = id }

    /// Whether a table that should be readable is not.
    var hasFailed: Bool { rows.contains { $0.failure != nil && $0.table.state == .pinned } }

    mutating func add(_ table: CapturedTable, _ read: Result<TableSnapshot, any Error>) throws {
        switch read {
        case .success(let snapshot):
            rows.append(Row(table: table, summary: TableSummary(snapshot)))
        case .failure(let error as TableLogError):
            rows.append(Row(table: table, failure: "\(error)"))
        case .failure(let error): throw error
        }
    }

    func print(_ console: Console) throws {
        if console.isJSON { return try console.print(json) }
        for row in rows {
            if let failure = row.failure {
                console.warn("varve: \(Self.name(row.table)): its log cannot be read: \(failure)")
            } else if row.table.state != .pinned {
                let reason = PathBytes.printable(row.table.reason)
                console.warn("varve: \(Self.name(row.table)): \(row.table.state.name): \(reason)")
            }
        }
        var table = Table([
            ("table", .leading), ("version", .trailing), ("rows", .trailing),
            ("files", .trailing), ("bytes", .trailing), ("state", .leading),
        ])
        for row in rows { table.append(Self.cells(row)) }
        if !rows.isEmpty {
            for line in table.lines { try console.print(line: line) }
        } else if !console.isQuiet {
            console.warn("varve: there are no tables in \(id.short)")
        }
    }

    private static func name(_ table: CapturedTable) -> String {
        table.path.isEmpty ? "." : PathBytes.printable(table.path)
    }

    private static func cells(_ row: Row) -> [String] {
        [
            name(row.table), row.summary.map { "\($0.version)" } ?? "-",
            row.summary?.rows.map { Wording.grouped($0) } ?? "-",
            row.summary.map { Wording.grouped($0.files) } ?? "-",
            row.summary.map { Wording.bytes(UInt64(clamping: $0.bytes)) } ?? "-",
            row.table.state.name,
        ]
    }

    private var json: JSONValue {
        let object: JSONObject = [
            "snapshot_id": .hex(id.digest), "tables": .array(rows.map(Self.json)),
        ]
        return object.value
    }

    private static func json(_ row: Row) -> JSONValue {
        var object = row.table.json
        object.append(row.summary.map(\.json) ?? ["version": .null])
        if let failure = row.failure { object["failure"] = .string(failure) }
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
        var object = JSONObject()
        object.setBytes("path", path)
        object["state"] = .string(state.name)
        if !reason.isEmpty { object["reason"] = .text(reason) }
        return object
    }
}

extension TableSummary {
    var json: JSONObject {
        [
            "version": .integer(version), "rows": rows.map { .integer($0) } ?? .null,
            "files": .count(files), "bytes": .integer(bytes), "partitions": .count(partitions),
        ]
    }
}
