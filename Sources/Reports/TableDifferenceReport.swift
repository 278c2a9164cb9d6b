internal import Bytes
internal import JSON
package import Repository
package import Snapshots

/// Tells how tables differ between two snapshots.
package struct TableDifferenceReport {
    private let differences: [TableDifference]
    private let unread: [(path: [UInt8], reason: String)]
    private let before: SnapshotID
    private let after: SnapshotID

    /// A report on what was found between two snapshots.
    package init(
        _ found: (differences: [TableDifference], unread: [(path: [UInt8], reason: String)]),
        _ before: SnapshotID,
        _ after: SnapshotID
    ) {
        (differences, unread) = found
        self.before = before
        self.after = after
    }

    /// Three lines for each table that differs.
    package var report: Report {
        var report = Report(json, results: differences.flatMap(Self.lines))
        report.warnings = unread.map { path, reason in
            Message("\(Wording.path(path)): cannot be compared: \(Wording.foreign(reason))")
        }
        return report
    }

    private static func lines(_ difference: TableDifference) -> [String] {
        let letter =
            difference.before == nil ? "+" : difference.after == nil ? "-" : "M"
        let versions = [difference.before, difference.after].compactMap { $0?.version }
            .map { "\($0)" }.joined(separator: " to ")
        let note = difference.isRecreated ? ", another table in its place" : ""
        return [
            "\(letter) \(Wording.path(difference.path)), version \(versions)\(note)",
            "    added    " + parts(difference.added),
            "    removed  " + parts(difference.removed),
        ]
    }

    private static func parts(_ part: TableDifference.Part) -> String {
        let rows = part.rows.map { Wording.count($0, "row") } ?? "an unknown number of rows"
        return "\(rows), \(Wording.count(part.files, "file")), "
            + "\(Wording.count(part.partitions, "partition")), "
            + Wording.bytes(UInt64(clamping: part.bytes))
    }

    private var json: JSONValue {
        let object: JSONObject = [
            "before_id": .id(before), "after_id": .id(after),
            "tables": .array(differences.map(Self.json)),
            "unread": .array(
                unread.map { path, reason in
                    var object = JSONObject(path: path)
                    object["reason"] = .string(reason)
                    return object.value
                }
            ),
        ]
        return object.value
    }

    private static func json(_ difference: TableDifference) -> JSONValue {
        var object = JSONObject(path: difference.path)
        object["before"] = difference.before.map(\.json.value) ?? .null
        object["after"] = difference.after.map(\.json.value) ?? .null
        object["recreated"] = .bool(difference.isRecreated)
        object["added"] = json(difference.added)
        object["removed"] = json(difference.removed)
        return object.value
    }

    private static func json(_ part: TableDifference.Part) -> JSONValue {
        let object: JSONObject = [
            "rows": .number(part.rows), "files": .number(part.files),
            "partitions": .number(part.partitions), "bytes": .number(part.bytes),
        ]
        return object.value
    }
}
