internal import Snapshots
internal import Bytes
internal import Platform
internal import Repository

extension JSONValue {
    /// Local time with its offset (RFC 3339), to the second.
    static func time(_ moment: Timestamp) -> Self { .string(CivilTime(local: moment).rfc3339) }

    /// An array of objects with "path".
    static func paths(_ paths: [[UInt8]]) -> Self {
        .array(
            paths.map { path in
                var object = JSONObject()
                object.setBytes("path", path)
                return object.value
            }
        )
    }
}

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
        let place = path.isEmpty ? "." : PathBytes.printable(path)
        switch kind {
        case .unreadable, .skipped:
            return "\(kind.name): \(place): \(PathBytes.printable(reason))"
        case .vanished, .changedWhileRead: return "\(kind.name): \(place)"
        }
    }
}

extension CaptureProblem {
    var json: JSONObject {
        var object: JSONObject = [
            "kind": .string(String(kind.name.map { $0 == " " ? "_" : $0 }))
        ]
        object.setBytes("path", path)
        object["reason"] = .text(reason)
        object["fault"] = .bool(isFault)
        return object
    }
}

extension SnapshotStatistics {
    var json: JSONObject {
        [
            "files_new": .count(newFiles), "files_changed": .count(changedFiles),
            "files_unchanged": .count(unchangedFiles),
            "files_unreadable": .count(unreadableFiles), "directories": .count(directories),
            "bytes_read": .count(bytesRead), "bytes_new": .count(newBytes),
            "bytes_stored": .count(storedBytes), "duration_ms": .count(durationMilliseconds),
        ]
    }
}

extension SnapshotRecord {
    /// What `list` tells of a snapshot.
    func json(_ id: SnapshotID) -> JSONObject {
        var object: JSONObject = [
            "id": .hex(id.digest), "time": .time(time), "time_unix": .integer(time.seconds),
        ]
        object["host"] = .text(host)
        object["sources"] = .paths(sources)
        object["tags"] = .array(tags.map { .text($0) })
        object["parent_id"] = parent.map { .hex($0.digest) } ?? .null
        object["sequence"] = .count(sequence)
        object["complete"] = .bool(isComplete)
        object["entries"] = .count(root.itemCount)
        object["files"] = .count(statistics.files)
        object["bytes"] = .count(root.byteCount)
        return object
    }
}
