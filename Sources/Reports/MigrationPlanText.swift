internal import Bytes
internal import JSON
package import Migration
internal import Platform
internal import TableStore

/// The plan of a migration.
package struct MigrationPlanText {
    private let plan: MigrationPlan
    private let isChosen: Bool

    /// `isChosen`: the strategy is the fastest by the cost model, and nobody asked for it.
    package init(_ plan: MigrationPlan, isChosen: Bool) {
        self.plan = plan
        self.isChosen = isChosen
    }

    /// All of the plan.
    package var report: Report { Report(json, summary: head + rest) }

    private var head: [String] {
        let totals = plan.totals
        var text = [
            "plan: \(PathBytes.printable(plan.source)) to \(PathBytes.printable(plan.target))",
            "  files     "
                + [
                    Wording.count(totals.files, "file"),
                    Wording.count(totals.directories, "directory"),
                    "\(Wording.grouped(totals.others)) other", Wording.bytes(totals.bytes),
                ].joined(separator: ", "),
        ]
        if plan.isResumed {
            text.append(
                "  left      \(Wording.count(plan.filesLeft, "file")), "
                    + "\(Wording.bytes(plan.bytesLeft)); an earlier run did the rest")
        }
        text += plan.tables.map { "  table     " + Self.describe($0) }
        text += plan.inventory.rowDirectories.map { directory in
            "  to table  \(Wording.path(directory.path)): "
                + "\(Wording.count(directory.files.count, "file")) of \(directory.format.rawValue)"
        }
        return text
    }

    private static func describe(_ table: PlannedTable) -> String {
        let path = Wording.path(table.path)
        guard let version = table.version else {
            let reason = Wording.foreign(table.reason ?? "unknown")
            return "\(path): copied, its rows not compared: \(reason)"
        }
        let rows = table.rows.map { Wording.count($0, "row") } ?? "rows not told"
        return "\(path): version \(version), \(Wording.count(table.files ?? 0, "file")), \(rows), "
            + Wording.bytes(UInt64(clamping: table.bytes))
    }

    private var rest: [String] {
        let free = plan.space.freeBytes.map { ", \(Wording.bytes($0)) free" } ?? ""
        let steps = plan.estimates.map { time in
            "\(time.step.rawValue) \(MigrationTimes.text(time.estimate))"
        }
        let threads = plan.strategy.threads(on: .system)
        return [
            "  strategy  \(plan.strategy.rawValue), \(Wording.count(threads, "thread"))"
                + (isChosen ? ", the fastest by the cost model" : ", as asked for"),
            "  rates     " + Self.describe(plan.rates, plan.totals),
            "  space     \(Wording.bytes(plan.space.bytes)) and "
                + "\(Wording.count(plan.space.files, "name")) needed\(free)"
                + (shortage.map { "; too little: \($0)" } ?? ""),
            "  time      \(steps.joined(separator: ", ")): \(MigrationTimes.text(plan.seconds))",
            "  pause     writers must be still for about "
                + "\(MigrationTimes.text(plan.pauseSeconds)) at the end",
            "  journal   \(PathBytes.printable(plan.journal))",
        ]
    }

    /// What was measured: rates of bytes, and what a small file costs.
    private static func describe(_ rates: DeviceRates, _ totals: Inventory.Totals) -> String {
        var parts: [String] = []
        if totals.bytes > totals.smallBytes {
            parts = [
                "copy \(Wording.rate(rates.copySequential)) by one thread, "
                    + "\(Wording.rate(rates.copyParallel)) by several",
                "compare \(Wording.rate(rates.compare))", "back up \(Wording.rate(rates.backup))",
            ]
        }
        if totals.smallFiles > 0 {
            let costs = [rates.fileSequential, rates.fileParallel, rates.compareFile]
                .map { "\(UInt64(min($0 * 1e6, 1e9))) µs" }
            parts.append(
                "a small file \(costs[0]) by one thread, \(costs[1]) by several, and "
                    + "\(costs[2]) to compare")
        }
        return parts.joined(separator: "; ")
    }

    private var shortage: String? { plan.space.shortage.map(MigrationRefusalText.describe) }

    private var json: JSONValue {
        var object: JSONObject = ["type": "plan"]
        object.setBytes("source", plan.source)
        object.setBytes("target", plan.target)
        object.setBytes("journal", plan.journal)
        object["resumed"] = .bool(plan.isResumed)
        object["files"] = .number(plan.totals.files)
        object["directories"] = .number(plan.totals.directories)
        object["others"] = .number(plan.totals.others)
        object["bytes"] = .number(plan.totals.bytes)
        object["files_left"] = .number(plan.filesLeft)
        object["bytes_left"] = .number(plan.bytesLeft)
        object["tables"] = .array(plan.tables.map(Self.json))
        object["strategy"] = .string(plan.strategy.rawValue)
        object["bytes_needed"] = .number(plan.space.bytes)
        object["names_needed"] = .number(plan.space.files)
        object["bytes_free"] = .number(plan.space.freeBytes)
        object["shortage"] = .text(shortage)
        object["steps"] = .array(plan.estimates.map(MigrationTimes.json))
        object["estimate_ms"] = .number(MigrationTimes.milliseconds(plan.seconds))
        object["pause_ms"] = .number(MigrationTimes.milliseconds(plan.pauseSeconds))
        object["duration_ms"] = .number(Wording.milliseconds(plan.took))
        return object.value
    }

    private static func json(_ table: PlannedTable) -> JSONValue {
        var object = JSONObject(path: table.path)
        object["version"] = .number(table.version)
        object["files"] = .number(table.files)
        object["rows"] = .number(table.rows)
        object["bytes"] = .number(table.bytes)
        return object.value
    }
}

/// Estimates beside what the steps of a migration took.
package struct MigrationTimes {
    private let times: [StepTime]
    private let isVerified: Bool

    /// `isVerified`: a receipt proves what is in the target.
    package init(_ times: [StepTime], isVerified: Bool) {
        self.times = times
        self.isVerified = isVerified
    }

    /// A row for each step.
    package var report: Report {
        let object: JSONObject = [
            "type": "summary", "verified": .bool(isVerified),
            "steps": .array(times.map(Self.json)),
        ]
        return Report(
            object.value, summary: ["  step       estimate   actual"] + times.map(Self.row))
    }

    private static func row(_ time: StepTime) -> String {
        let name = TerminalText.padded(time.step.rawValue, to: 9)
        let estimate = TerminalText.padded(text(time.estimate), to: 9)
        return "  \(name)  \(estimate)  \(time.actual.map(text) ?? "-")"
    }

    static func json(_ time: StepTime) -> JSONValue {
        let object: JSONObject = [
            "step": .string(time.step.rawValue),
            "estimate_ms": .number(milliseconds(time.estimate)),
            "duration_ms": .number(time.actual.map(milliseconds)),
        ]
        return object.value
    }

    static func text(_ seconds: Double) -> String {
        Wording.duration(milliseconds: milliseconds(seconds))
    }

    static func milliseconds(_ seconds: Double) -> UInt64 {
        UInt64(max(0, min(seconds * 1000, 1e15)).rounded())
    }
}
