internal import Bytes
internal import Capturing
internal import JSON
package import Operations
internal import Platform
internal import Replicas
internal import Repository
internal import Snapshots
internal import Targets

/// What a watch does, a line each.
package struct WatchReport {
    private let target: [UInt8]?

    /// `target`: the replica that is kept equal, as it was named.
    package init(target: [UInt8]?) { self.target = target }

    /// What is said of an event; a failure is told by what went wrong, and only the rest here.
    package func report(_ event: WatchEvent) -> Report {
        switch event {
        case .polls(let why): return Self.note("changes are looked for: \(Wording.foreign(why))")
        case .overflow:
            return Self.note("more changed at once than the system told of; all is looked at")
        case .unpublished(let error): return Self.note(Wording.foreign("\(error)"))
        case .failed(_, let retry):
            return Self.note("tried again in \(retry.components.seconds) s")
        case .round(let capture, let replica, let lag): return report(capture, replica, lag)
        }
    }

    private static func note(_ text: String) -> Report {
        var report = Report()
        report.warnings = [Message(text)]
        report.documents = report.warnings.map(\.document)
        return report
    }

    private func report(
        _ capture: CaptureResult, _ replica: ReplicationSummary?, _ lag: Duration?
    ) -> Report {
        let faults = capture.problems.filter(\.isFault)
        let outcome = replica?.outcome
        let object: JSONObject = [
            "type": "round", "snapshot_id": .id(capture.id), "new": .bool(!capture.isUnchanged),
            "complete": .bool(capture.record.isComplete),
            "lag_ms": .number(lag.map(Wording.milliseconds)),
            "files_written": .number(outcome?.files ?? 0),
            "paths_removed": .number(outcome?.removed ?? 0),
            "bytes_shipped": .number(replica?.streamBytes ?? 0),
        ]
        var report = Report()
        report.documents = faults.map(\.document) + [object.value]
        report.warnings = FoldedProblems.messages(faults)
        report.summary = [line(capture, replica, lag)]
        return report
    }

    private func line(
        _ capture: CaptureResult, _ replica: ReplicationSummary?, _ lag: Duration?
    ) -> String {
        let id = capture.id?.short ?? ""
        var line = capture.isUnchanged ? "nothing new since snapshot \(id)" : "snapshot \(id)"
        if let summary = replica, let target {
            let target = PathBytes.printable(target)
            line += summary.wasEqual ? ", \(target) equal" : ", \(target) made equal with "
            if !summary.wasEqual { line += Wording.bytes(summary.streamBytes) }
        }
        if let lag { line += ", \(Wording.milliseconds(lag)) ms after the change" }
        return line
    }

    /// What it came to, at the end.
    package func sum(_ record: WatchRecord) -> Report {
        let (median, last) = (record.lag(0.5), record.lag(0.99))
        let object: JSONObject = [
            "type": "summary", "snapshots": .number(record.snapshots),
            "failures": .number(record.failures), "bytes_shipped": .number(record.sentBytes),
            "lag_median_ms": .number(median.map { UInt64($0 * 1000) }),
            "lag_p99_ms": .number(last.map { UInt64($0 * 1000) }),
        ]
        var lines = [
            "\(Wording.count(record.snapshots, "snapshot")), "
                + Wording.count(record.failures, "failure")
        ]
        if let median, let last {
            lines.append(
                "  lag  \(UInt64(median * 1000)) ms median, "
                    + "\(UInt64(last * 1000)) ms at the 99th percentile")
        }
        return Report(object.value, summary: lines)
    }
}
