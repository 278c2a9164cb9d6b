internal import Bytes
package import Capturing
package import Platform
package import Replicas
internal import Snapshots
internal import Trees

/// What a watch did so far, for people and monitors.
package struct WatchRecord: Sendable {
    package private(set) var started: Timestamp
    package private(set) var lastSuccess: Timestamp?
    package private(set) var snapshots: UInt64 = 0
    package private(set) var replications: UInt64 = 0
    package private(set) var sentBytes: UInt64 = 0
    package private(set) var failures: UInt64 = 0
    package private(set) var failuresInARow: UInt64 = 0
    package private(set) var lastFailure = ""
    /// Paths that the last snapshot lacks, because they could not be read.
    package private(set) var problems: UInt64 = 0
    package var isPolling = false
    /// The latest, in seconds.
    private var lags: [Double] = []
    private var lagSum = 0.0
    private var lagCount: UInt64 = 0

    private static let lagLimit = 1000

    private let host: Host

    package init(_ host: Host = .system) {
        self.host = host
        started = host.now()
    }

    /// Notes a round that went well; `lag` from the change to the durable replica.
    package mutating func note(
        _ captured: CaptureResult, _ summary: ReplicationSummary?, lag: Duration?
    ) {
        lastSuccess = host.now()
        failuresInARow = 0
        problems =
            UInt64(captured.record.problems.count { $0.isFault }) + captured.record.unlistedProblems
        if !captured.isUnchanged { snapshots += 1 }
        if let summary, !summary.wasEqual { replications += 1 }
        sentBytes += summary?.streamBytes ?? 0
        guard let lag else { return }
        let seconds = Self.seconds(lag)
        if lags.count == Self.lagLimit { lags.removeFirst() }
        lags.append(seconds)
        lagSum += seconds
        lagCount += 1
    }

    package mutating func note(failure message: String) {
        failures += 1
        failuresInARow += 1
        lastFailure = message
    }

    private static func seconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return Double(seconds) + Double(attoseconds) / 1e18
    }

    /// The lag that this share of the latest changes did not exceed; nil when there were none.
    package func lag(_ share: Double) -> Double? {
        guard !lags.isEmpty else { return nil }
        let sorted = lags.sorted()
        let index = (Double(sorted.count) * share).rounded(.up) - 1
        return sorted[min(max(0, Int(index)), sorted.count - 1)]
    }

    // MARK: For monitors

    /// The text format of Prometheus, version 0.0.4.
    package var metrics: String {
        var text = ""
        func add(_ name: String, _ type: String, _ help: String, _ lines: [(String, Double)]) {
            text += "# HELP varve_watch_\(name) \(help)\n# TYPE varve_watch_\(name) \(type)\n"
            for (suffix, value) in lines {
                text += "varve_watch_\(name)\(suffix) \(Self.number(value))\n"
            }
        }
        add(
            "last_success_timestamp_seconds", "gauge", "When the last round went well.",
            [("", Double(lastSuccess?.seconds ?? 0))])
        add("snapshots_total", "counter", "Snapshots taken.", [("", Double(snapshots))])
        add("replications_total", "counter", "Replicas updated.", [("", Double(replications))])
        add("sent_bytes_total", "counter", "Bytes sent to the replica.", [("", Double(sentBytes))])
        add("failures_total", "counter", "Rounds that failed.", [("", Double(failures))])
        add(
            "consecutive_failures", "gauge", "Rounds that failed since one went well.",
            [("", Double(failuresInARow))])
        add(
            "problems", "gauge", "Paths that the last snapshot lacks.", [("", Double(problems))])
        add("polling", "gauge", "1 where changes are looked for.", [("", isPolling ? 1 : 0)])
        var lag: [(String, Double)] = []
        for share in [0.5, 0.99] {
            if let value = self.lag(share) { lag.append(("{quantile=\"\(share)\"}", value)) }
        }
        add(
            "lag_seconds", "summary", "From a change to the durable replica, or snapshot.",
            lag + [("_sum", lagSum), ("_count", Double(lagCount))])
        return text
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    /// One JSON document.
    package var health: String {
        let status = failuresInARow == 0 ? (lastSuccess == nil ? "starting" : "ok") : "failing"
        let last = lastSuccess.map { "\($0.seconds)" } ?? "null"
        let message = failuresInARow == 0 ? "" : lastFailure
        let escaped = message.unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case _ where scalar.value < 0x20: text += " "
            default: text.unicodeScalars.append(scalar)
            }
        }
        return "{\"status\":\"\(status)\",\"last_success\":\(last),"
            + "\"consecutive_failures\":\(failuresInARow),\"problems\":\(problems),"
            + "\"polling\":\(isPolling),"
            + "\"message\":\"\(escaped)\"}\n"
    }

    /// Replaces a file by what a monitor reads; it never sees half of it, after a power cut either.
    package static func publish(_ text: String, to path: [UInt8]) throws(PlatformError) {
        try SmallFile.replace(
            at: path, with: Array(text.utf8), through: Array(PathBytes.name(temporary(path))),
            mode: 0o644)
    }

    /// What the next content of a file is called until it is whole.
    static func temporary(_ path: [UInt8]) -> [UInt8] {
        path + Array(".tmp-\(HostSystem.processID)".utf8)
    }
}
