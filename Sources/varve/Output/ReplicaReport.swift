internal import Snapshots
internal import Capturing
internal import Replicas
internal import Targets
internal import Bytes
internal import Repository

/// Tells what a replication came to.
struct ReplicaReport {
    private let capture: CaptureResult
    private let summary: ReplicationSummary
    private let target: String
    private let isDryRun: Bool

    init(
        _ capture: CaptureResult,
        _ summary: ReplicationSummary,
        _ target: String,
        isDryRun: Bool
    ) {
        self.capture = capture
        self.summary = summary
        self.target = target
        self.isDryRun = isDryRun
    }

    func print(_ console: Console, milliseconds: UInt64) throws {
        for problem in capture.problems where problem.isFault {
            console.warn("varve: \(problem.line)")
        }
        for path in summary.damagedTables {
            console.warn(
                "varve: the table \(PathBytes.printable(path)) lacks files at the source; the "
                    + "replica keeps what it has of it"
            )
        }
        for path in summary.outcome.setAside {
            console.warn(
                "varve: \(PathBytes.printable(path)) was made by others; it is in "
                    + ".varve-replica/set-aside now"
            )
        }
        if console.isJSON { return try console.print(json(milliseconds)) }
        if isDryRun {
            for change in summary.changes { try console.print(line: "  \(Self.text(change))") }
        }
        guard !console.isQuiet else { return }
        for line in lines(milliseconds) { try console.print(line: line) }
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

    private func lines(_ milliseconds: UInt64) -> [String] {
        let snapshot = "snapshot \(summary.snapshot.short)"
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
            "\(target) is equal to \(snapshot)",
            "  files  \(Wording.grouped(outcome.files)) written, "
                + "\(Wording.grouped(outcome.removed)) removed",
            "  bytes  \(Wording.bytes(summary.streamBytes)) sent for "
                + "\(Wording.bytes(summary.sentBytes)) of new content, "
                + "\(Wording.bytes(summary.copiedBytes)) were there",
            "  time   \(Wording.duration(milliseconds: milliseconds))",
        ]
    }

    private func json(_ milliseconds: UInt64) -> JSONValue {
        let outcome = summary.outcome
        let object: JSONObject = [
            "type": "summary", "target": .string(target), "dry_run": .bool(isDryRun),
            "snapshot_id": .hex(summary.snapshot.digest),
            "complete": .bool(capture.record.isComplete), "was_equal": .bool(summary.wasEqual),
            "offered": .count(UInt64(summary.offered)), "wanted": .count(UInt64(summary.wanted)),
            "files_written": .count(outcome.files), "removed": .count(outcome.removed),
            "set_aside": .paths(outcome.setAside), "sent_bytes": .count(summary.sentBytes),
            "copied_bytes": .count(summary.copiedBytes),
            "stream_bytes": .count(summary.streamBytes),
            "damaged_tables": .paths(summary.damagedTables),
            "replaced_changes": .paths(summary.changes.map(\.path)),
            "duration_ms": .count(milliseconds),
        ]
        return object.value
    }
}
