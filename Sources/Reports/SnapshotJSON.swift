internal import Bytes
internal import JSON
internal import Platform
internal import Repository
package import Snapshots

extension CaptureProblem.Kind {
    /// What the problem is called, in words.
    var name: String {
        switch self {
        case .unreadable: "unreadable"
        case .vanished: "vanished"
        case .changedWhileRead: "changed while read"
        case .skipped: "skipped"
        }
    }
}

extension CaptureProblem {
    /// "unreadable: path: why".
    var line: String {
        switch kind {
        case .unreadable, .skipped:
            "\(kind.name): \(Wording.path(path)): \(PathBytes.printable(reason))"
        case .vanished, .changedWhileRead: "\(kind.name): \(Wording.path(path))"
        }
    }

    /// The problem as it stands in the list of a snapshot.
    var json: JSONObject {
        var object: JSONObject = ["kind": .string(kind.name.replacingBlanks)]
        object.setBytes("path", path)
        object.setBytes("reason", reason)
        object["fault"] = .bool(isFault)
        return object
    }

    /// The problem as an object of its own.
    var document: JSONValue {
        var object: JSONObject = ["type": "problem"]
        object.append(json)
        return object.value
    }
}

extension String {
    fileprivate var replacingBlanks: String { String(map { $0 == " " ? "_" : $0 }) }
}

extension SnapshotStatistics {
    var json: JSONObject {
        [
            "files_new": .number(newFiles), "files_changed": .number(changedFiles),
            "files_unchanged": .number(unchangedFiles),
            "files_unreadable": .number(unreadableFiles), "directories": .number(directories),
            "bytes_read": .number(bytesRead), "bytes_new": .number(newBytes),
            "bytes_stored": .number(storedBytes), "duration_ms": .number(durationMilliseconds),
        ]
    }
}

extension SnapshotRecord {
    /// What `list` says of a snapshot.
    func json(_ id: SnapshotID) -> JSONObject {
        var object: JSONObject = [
            "snapshot_id": .id(id), "time": .time(time), "time_unix": .number(time.seconds),
        ]
        object.setBytes("host", host)
        object["sources"] = .paths(sources)
        object.setBytes("tags", list: tags)
        object["parent_id"] = .id(parent)
        object["sequence"] = .number(sequence)
        object["complete"] = .bool(isComplete)
        object["entries"] = .number(root.itemCount)
        object["files"] = .number(statistics.files)
        object["bytes"] = .number(root.byteCount)
        return object
    }
}

/// The snapshots of a repository.
package struct SnapshotListText {
    private let items: [Snapshot]
    private let isFiltered: Bool

    /// `isFiltered`: not all of them.
    package init(_ items: [Snapshot], isFiltered: Bool) {
        self.items = items
        self.isFiltered = isFiltered
    }

    /// A row each, oldest first.
    package var report: Report {
        var report = Report(.array(items.map { $0.record.json($0.id).value }))
        if items.isEmpty {
            report.absence = Message("there are no \(isFiltered ? "such " : "")snapshots")
        } else {
            report.results = table.lines
        }
        return report
    }

    private var table: Table {
        var table = Table([
            ("id", .leading), ("time", .leading), ("host", .leading), ("size", .trailing),
            ("files", .trailing), ("sources", .leading), ("tags", .leading),
        ])
        for snapshot in items {
            let (id, record) = (snapshot.id, snapshot.record)
            table.append([
                id.short, "\(CivilTime(local: record.time))", PathBytes.printable(record.host),
                Wording.bytes(record.root.byteCount), Wording.grouped(record.statistics.files),
                Wording.list(record.sources), Wording.list(record.tags),
            ])
        }
        return table
    }
}
