internal import Restoring
internal import Bytes
internal import Repository

/// Tells what a restore came to.
struct RestoreReport {
    private let result: RestoreResult
    private let id: SnapshotID
    private let target: [UInt8]
    private let isDryRun: Bool
    private let milliseconds: UInt64

    init(
        _ result: RestoreResult,
        _ id: SnapshotID,
        _ target: [UInt8],
        isDryRun: Bool,
        took duration: Duration
    ) {
        self.result = result
        self.id = id
        self.target = target
        self.isDryRun = isDryRun
        milliseconds = Wording.milliseconds(duration)
    }

    func print(_ console: Console) throws {
        if console.isJSON { return try printJSON(console) }
        for note in result.notes { console.warn("varve: \(note)") }
        for failure in result.failures {
            console.warn("varve: not restored: \(Self.printable(failure.path)): \(failure.reason)")
        }
        for (action, path) in result.actions {
            try console.print(line: "\(action) \(Self.printable(path))")
        }
        if !console.isQuiet {
            for line in lines { try console.print(line: line) }
        }
    }

    private static func printable(_ path: [UInt8]) -> String {
        path.isEmpty ? "." : PathBytes.printable(path)
    }

    private var lines: [String] {
        let place = PathBytes.printable(target)
        let files = [
            (result.filesWritten, "written"), (result.filesUnchanged, "unchanged"),
            (result.filesSkipped, "skipped"), (UInt64(result.failures.count), "failed"),
        ]
        return [
            isDryRun
                ? "dry run of a restore of \(id.short) to \(place); nothing was written"
                : "restored \(id.short) to \(place)",
            "  files  " + files.map { "\(Wording.grouped($0.0)) \($0.1)" }.joined(separator: ", "),
            "  other  \(Wording.grouped(result.othersWritten)) written, "
                + "\(Wording.grouped(result.deleted)) deleted",
            "  bytes  \(Wording.bytes(result.bytesWritten)) written, "
                + "\(Wording.bytes(result.bytesKept)) kept",
            "  time   "
                + Wording.pace(isDryRun ? 0 : result.bytesWritten, milliseconds: milliseconds),
        ]
    }

    private func printJSON(_ console: Console) throws {
        for note in result.notes {
            let object: JSONObject = ["type": "note", "message": .string(note)]
            try console.print(object.value)
        }
        for failure in result.failures {
            var object: JSONObject = ["type": "problem", "kind": "not_restored"]
            object.setBytes("path", failure.path)
            object["reason"] = .string(failure.reason)
            try console.print(object.value)
        }
        for (action, path) in result.actions {
            var object: JSONObject = ["type": "action", "action": .string(action)]
            object.setBytes("path", path)
            try console.print(object.value)
        }
        try console.print(summary)
    }

    private var summary: JSONValue {
        var object: JSONObject = [
            "type": "summary", "dry_run": .bool(isDryRun), "snapshot_id": .hex(id.digest),
        ]
        object.setBytes("target", target)
        object["complete"] = .bool(result.failures.isEmpty)
        object["files_written"] = .count(result.filesWritten)
        object["files_unchanged"] = .count(result.filesUnchanged)
        object["files_skipped"] = .count(result.filesSkipped)
        object["others_written"] = .count(result.othersWritten)
        object["deleted"] = .count(result.deleted)
        object["failed"] = .count(UInt64(result.failures.count))
        object["bytes_written"] = .count(result.bytesWritten)
        object["bytes_kept"] = .count(result.bytesKept)
        object["duration_ms"] = .count(milliseconds)
        return object.value
    }
}
