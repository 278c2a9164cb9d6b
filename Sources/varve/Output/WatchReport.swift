internal import Snapshots
internal import Targets
internal import Capturing
internal import Operations
internal import Replicas
internal import Bytes
internal import Platform
internal import Repository

/// Tells what a watch does, a line each.
final class WatchReport {
    private let console: Console
    private let target: String?

    init(_ console: Console, target: String?) {
        self.console = console
        self.target = target
    }

    func tell(_ event: WatchEvent) throws {
        switch event {
        case .polls(let why): console.warn("varve: changes are looked for: \(why)")
        case .overflow:
            console.warn("varve: more changed at once than the system told of; all is looked at")
        case .unpublished(let error): console.warn("varve: \(error)")
        case .failed(let error, let retry):
            console.report(Failure(error))
            console.warn("varve: tried again in \(Self.seconds(retry)) s")
        case .round(let capture, let summary, let lag): try tell(capture, summary, lag)
        }
        try console.flush()
    }

    private func tell(
        _ capture: CaptureResult,
        _ summary: ReplicationSummary?,
        _ lag: Duration?
    ) throws {
        for problem in capture.problems where problem.isFault {
            console.warn("varve: \(problem.line)")
        }
        let id = capture.id.map(\.short) ?? ""
        if console.isJSON {
            var object: JSONObject = ["type": "round", "snapshot_id": .string(id)]
            object["new"] = .bool(!capture.isUnchanged)
            object["complete"] = .bool(capture.record.isComplete)
            object["lag_ms"] = lag.map { .count(Wording.milliseconds($0)) } ?? .null
            object["files_written"] = .count(summary?.outcome.files ?? 0)
            object["removed"] = .count(summary?.outcome.removed ?? 0)
            object["stream_bytes"] = .count(summary?.streamBytes ?? 0)
            return try console.print(object.value)
        }
        guard !console.isQuiet else { return }
        var line = capture.isUnchanged ? "nothing new since snapshot \(id)" : "snapshot \(id)"
        if let summary, let target {
            line += summary.wasEqual ? ", \(target) equal" : ", \(target) made equal with "
            if !summary.wasEqual { line += Wording.bytes(summary.streamBytes) }
        }
        if let lag { line += ", \(Wording.milliseconds(lag)) ms after the change" }
        try console.print(line: line)
    }

    /// What it came to, at the end.
    func sum(_ record: WatchRecord) throws {
        let lags = [0.5, 0.99].map { record.lag($0) }
        if console.isJSON {
            var object: JSONObject = [
                "type": "summary", "snapshots": .count(record.snapshots),
                "failures": .count(record.failures), "sent_bytes": .count(record.sentBytes),
            ]
            for (name, lag) in zip(["lag_median_ms", "lag_p99_ms"], lags) {
                object[name] = lag.map { .count(UInt64($0 * 1000)) } ?? .null
            }
            return try console.print(object.value)
        }
        guard !console.isQuiet else { return }
        try console.print(
            line: "\(Wording.count(record.snapshots, "snapshot")), "
                + Wording.count(record.failures, "failure")
        )
        if let median = lags[0], let last = lags[1] {
            try console.print(
                line: "  lag  \(UInt64(median * 1000)) ms median, "
                    + "\(UInt64(last * 1000)) ms at the 99th percentile"
            )
        }
    }

    private static func seconds(_ duration: Duration) -> Int64 { duration.components.seconds }
}
