internal import Snapshots
internal import Bytes
internal import Repository

/// Tells how tables differ between two snapshots.
struct TableDifferenceReport {
    private let differences: [TableDifference]
    private let unread: [(path: [UInt8], reason: String)]
    private let before: SnapshotID
    private let after: SnapshotID

    init(
        _ found: (differences: [TableDifference], unread: [(path: [UInt8], reason: String)]),
        _ before: SnapshotID,
        _ after: SnapshotID
    ) {
        (differences, unread) = found
        self.before = before
        self.after = after
    }

    func print(_ console: Console) throws {
        if console.isJSON { return try console.print(json) }
        for (path, reason) in unread {
            console.warn("varve: \(Self.name(path)): cannot be compared: \(reason)")
        }
        for difference in differences {
            for line in Self.lines(difference) { try console.print(line: line) }
        }
    }

    private static func name(_ path: [UInt8]) -> String {
        path.isEmpty ? "." : PathBytes.printable(path)
    }

    private static func lines(_ difference: TableDifference) -> [String] {
        let letter =
            difference.before == nil ? "+" : difference.after == nil ? "-" : "M"
        let versions = [difference.before, difference.after].compactMap { $0?.version }
            .map { "\($0)" }.joined(separator: " to ")
        let note = difference.isRecreated ? ", another table in its place" : ""
        return [
            "\(letter) \(name(difference.path)), version \(versions)\(note)",
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
            "before": .hex(before.digest), "after": .hex(after.digest),
            "tables": .array(differences.map(Self.json)),
            "unread": .array(
                unread.map { path, reason in
                    var object = JSONObject()
                    object.setBytes("path", path)
                    object["reason"] = .string(reason)
                    return object.value
                }
            ),
        ]
        return object.value
    }

    private static func json(_ difference: TableDifference) -> JSONValue {
        var object = JSONObject()
        object.setBytes("path", difference.path)
        object["before"] = difference.before.map(\.json.value) ?? .null
        object["after"] = difference.after.map(\.json.value) ?? .null
        object["recreated"] = .bool(difference.isRecreated)
        object["added"] = json(difference.added)
        object["removed"] = json(difference.removed)
        return object.value
    }

    private static func json(_ part: TableDifference.Part) -> JSONValue {
        let object: JSONObject = [
            "rows": part.rows.map { .integer($0) } ?? .null, "files": .count(part.files),
            "partitions": .count(part.partitions), "bytes": .integer(part.bytes),
        ]
        return object.value
    }
}
