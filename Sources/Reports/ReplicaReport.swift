internal import Bytes
package import Capturing
internal import JSON
package import Replicas
internal import Repository
internal import Snapshots
internal import Targets

/// What a replication came to.
package struct ReplicaReport {
    private let capture: CaptureResult
    private let summary: ReplicationSummary
    private let target: [UInt8]
    private let isDryRun: Bool
    private let milliseconds: UInt64

    /// A report on a replication to `target`, as it was named, that took so long.
    package init(
        _ capture: CaptureResult, _ summary: ReplicationSummary, _ target: [UInt8],
        isDryRun: Bool, took duration: Duration
    ) {
        self.capture = capture
        self.summary = summary
        self.target = target
        self.isDryRun = isDryRun
        milliseconds = Wording.milliseconds(duration)
    }

    /// What the replica lacks or lost, on a dry run what would be replaced, and the numbers.
    package var report: Report {
        let faults = capture.problems.filter(\.isFault)
        var report = Report()
        report.documents = faults.map(\.document) + [json]
        report.warnings = FoldedProblems.messages(faults) + damagedTables + setAside + failures
        if isDryRun { report.results = summary.changes.map { "  \(Self.text($0))" } }
        report.summary = lines
        return report
    }

    private var damagedTables: [Message] {
        summary.damagedTables.map { path in
            Message(
                "the table \(Wording.path(path)) lacks files at the source; the replica keeps what "
                    + "it has of it")
        }
    }

    private var setAside: [Message] {
        summary.outcome.setAside.map { path in
            Message(
                "\(PathBytes.printable(path)) was made by others; it is in "
                    + ".varve-replica/set-aside now")
        }
    }

    /// What the target could not hold, or give up.
    private var failures: [Message] {
        let target = PathBytes.printable(target)
        let listed = summary.outcome.failures
        let unlisted = summary.outcome.failureCount - UInt64(listed.count)
        return listed.map { Message("\(target): \($0.line)") }
            + (unlisted > 0 ? [Message("\(target): and \(Wording.grouped(unlisted)) more")] : [])
    }

    /// A change at the target in a line.
    static func text(_ change: LocalChange) -> String {
        let word =
            switch change.kind {
            case .changed: "changed"
            case .removed: "removed"
            case .added: "added"
            }
        return "\(word)  \(PathBytes.printable(change.path))"
    }

    private var lines: [String] {
        let snapshot = "snapshot \(summary.snapshot.short)"
        let target = PathBytes.printable(target)
        if summary.wasEqual { return ["\(target) is equal to \(snapshot) already"] }
        let outcome = summary.outcome
        guard !isDryRun else {
            return [
                "dry run: \(target) would be made equal to \(snapshot); nothing was changed there",
                "  paths  \(Wording.grouped(summary.offered)) differ, "
                    + "\(Wording.count(summary.wanted, "file")) with content",
            ]
        }
        return [
            "\(target) is equal to \(snapshot)"
                + (outcome.failureCount == 0 ? "" : " but for what is listed above"),
            "  files  \(Wording.grouped(outcome.files)) written, "
                + "\(Wording.grouped(outcome.removed)) removed",
            "  bytes  \(Wording.bytes(summary.streamBytes)) sent for "
                + "\(Wording.bytes(summary.sentBytes)) of new content, "
                + "\(Wording.bytes(summary.copiedBytes)) were there",
            "  time   \(Wording.duration(milliseconds: milliseconds))",
        ]
    }

    private var json: JSONValue {
        let outcome = summary.outcome
        var object: JSONObject = ["type": "summary"]
        object.setBytes("target", target)
        object["dry_run"] = .bool(isDryRun)
        object["snapshot_id"] = .id(summary.snapshot)
        object["complete"] = .bool(capture.record.isComplete && summary.isComplete)
        object["was_equal"] = .bool(summary.wasEqual)
        object["paths_offered"] = .number(summary.offered)
        object["files_wanted"] = .number(summary.wanted)
        object["files_written"] = .number(outcome.files)
        object["paths_removed"] = .number(outcome.removed)
        object["set_aside"] = .paths(outcome.setAside)
        object["bytes_new"] = .number(summary.sentBytes)
        object["bytes_copied"] = .number(summary.copiedBytes)
        object["bytes_shipped"] = .number(summary.streamBytes)
        object["failures"] = .array(outcome.failures.map(\.json))
        object["damaged_tables"] = .paths(summary.damagedTables)
        object["replaced_changes"] = .paths(summary.changes.map(\.path))
        object["duration_ms"] = .number(milliseconds)
        return object.value
    }
}
