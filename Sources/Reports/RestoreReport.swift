internal import Bytes
internal import JSON
package import Operations
internal import Repository
internal import Restoring
internal import Snapshots

/// What a restore came to.
package struct RestoreReport {
    private let result: RestoreResult
    private let id: SnapshotID
    private let target: [UInt8]
    private let isDryRun: Bool
    private let milliseconds: UInt64

    /// A report on a restore, or on a dry run of one.
    package init(_ restored: Restored, isDryRun: Bool) {
        result = restored.result
        id = restored.id
        target = restored.target
        self.isDryRun = isDryRun
        milliseconds = Wording.milliseconds(restored.duration)
    }

    /// What failed, on a dry run what would be done, and the numbers.
    package var report: Report {
        var report = Report()
        let notes = result.notes.map { Message(Wording.foreign($0.text)) }
        report.warnings = notes
        report.warnings += FoldedProblems.messages(
            result.failures.map { failure in
                let reason = Wording.foreign(failure.reason)
                let text = "not restored: \(Wording.path(failure.path)): \(reason)"
                return FoldedProblems.Item(failure.path, kind: reason, text: text)
            })
        report.warnings += shortfalls + missing
        report.documents = notes.map(\.document) + problems + actions + [summary]
        report.results = result.actions.map { "\($0.action.text) \(Wording.path($0.path))" }
        report.summary = lines
        return report
    }

    private var shortfalls: [Message] {
        FoldedProblems.messages(
            result.shortfalls.map { shortfall in
                let reason = Wording.foreign(shortfall.reason)
                let text = "not as it was: \(Wording.path(shortfall.path)): \(reason)"
                return FoldedProblems.Item(shortfall.path, kind: reason, text: text)
            })
    }

    private var missing: [Message] {
        let listed = FoldedProblems.messages(
            result.missing.map { problem in
                let reason = PathBytes.printable(problem.reason)
                let text = "not in the snapshot: \(Wording.path(problem.path)): \(reason)"
                return FoldedProblems.Item(problem.path, kind: reason, text: text)
            })
        guard result.unlistedMissing > 0 else { return listed }
        let more = Wording.grouped(result.unlistedMissing)
        return listed + [Message("not in the snapshot: \(more) more that it does not list")]
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

    private var problems: [JSONValue] {
        result.failures.map { Self.problem("not_restored", $0.path, $0.reason) }
            + result.shortfalls.map { Self.problem("not_as_it_was", $0.path, $0.reason) }
            + result.missing.map { problem in
                Self.problem(
                    "not_in_snapshot", problem.path, PathBytes.printable(problem.reason))
            }
    }

    private static func problem(_ kind: String, _ path: [UInt8], _ reason: String) -> JSONValue {
        var object: JSONObject = ["type": "problem", "kind": .string(kind)]
        object.setBytes("path", path)
        object["reason"] = .string(reason)
        return object.value
    }

    private var actions: [JSONValue] {
        result.actions.map { action, path in
            var object: JSONObject = ["type": "action", "action": .string(action.text)]
            object.setBytes("path", path)
            return object.value
        }
    }

    private var summary: JSONValue {
        var object: JSONObject = [
            "type": "summary", "dry_run": .bool(isDryRun), "snapshot_id": .id(id),
        ]
        object.setBytes("target", target)
        object["complete"] = .bool(result.isComplete)
        object["files_written"] = .number(result.filesWritten)
        object["files_unchanged"] = .number(result.filesUnchanged)
        object["files_skipped"] = .number(result.filesSkipped)
        object["others_written"] = .number(result.othersWritten)
        object["paths_removed"] = .number(result.deleted)
        object["paths_failed"] = .number(result.failures.count)
        object["paths_not_as_they_were"] = .number(result.shortfalls.count)
        object["paths_not_in_snapshot"] = .number(
            UInt64(result.missing.count) &+ result.unlistedMissing)
        object["bytes_written"] = .number(result.bytesWritten)
        object["bytes_kept"] = .number(result.bytesKept)
        object["duration_ms"] = .number(milliseconds)
        return object.value
    }
}
