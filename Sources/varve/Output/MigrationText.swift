internal import Snapshots
internal import Capturing
internal import Bytes
internal import Migration
internal import Platform
internal import Repository
internal import TableStore

/// Tells what the steps of a migration came to.
struct MigrationText {
    private let console: Console

    init(_ console: Console) { self.console = console }

    private func lines(_ lines: [String]) throws {
        guard !console.isQuiet else { return }
        for line in lines { try console.print(line: line) }
    }

    static func seconds(_ seconds: Double) -> String {
        Wording.duration(milliseconds: milliseconds(seconds))
    }

    private static func milliseconds(_ seconds: Double) -> UInt64 {
        UInt64(max(0, min(seconds * 1000, 1e15)).rounded())
    }

    private func problems(_ problems: [MigrationProblem]) throws {
        for problem in problems {
            guard console.isJSON else {
                let path = problem.path.isEmpty ? "." : PathBytes.printable(problem.path)
                console.warn("varve: not migrated: \(path): \(problem.reason)")
                continue
            }
            var object: JSONObject = ["type": "problem", "kind": "not_migrated"]
            object.setBytes("path", problem.path)
            object["reason"] = .string(problem.reason)
            try console.print(object.value)
        }
    }
}

// MARK: - Plan
extension MigrationText {
    func print(_ plan: MigrationPlan, chosen: Bool) throws {
        if console.isJSON { return try console.print(json(plan)) }
        let totals = plan.totals
        var text = [
            "plan: \(PathBytes.printable(plan.source)) to \(PathBytes.printable(plan.target))",
            "  files     "
                + [
                    Wording.count(totals.files, "file"),
                    "\(Wording.grouped(totals.directories)) director"
                        + (totals.directories == 1 ? "y" : "ies"),
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
            let path = directory.path.isEmpty ? "." : PathBytes.printable(directory.path)
            return "  to table  \(path): \(Wording.count(directory.files.count, "file")) of "
                + directory.format.rawValue
        }
        text += rest(plan, chosen: chosen)
        try lines(text)
    }

    private static func describe(_ table: PlannedTable) -> String {
        let path = table.path.isEmpty ? "." : PathBytes.printable(table.path)
        guard let version = table.version else {
            return "\(path): copied, its rows not compared: \(table.reason ?? "unknown")"
        }
        let rows = table.rows.map { Wording.count($0, "row") } ?? "rows not told"
        return "\(path): version \(version), \(Wording.count(table.files ?? 0, "file")), \(rows), "
            + Wording.bytes(UInt64(clamping: table.bytes))
    }

    private func rest(_ plan: MigrationPlan, chosen: Bool) -> [String] {
        let free = plan.space.freeBytes.map { ", \(Wording.bytes($0)) free" } ?? ""
        let steps = plan.estimates.map { "\($0.step.rawValue) \(Self.seconds($0.estimate))" }
        let threads = plan.strategy.threads(on: .system)
        return [
            "  strategy  \(plan.strategy.rawValue), \(Wording.count(threads, "thread"))"
                + (chosen ? ", the fastest by the cost model" : ", as asked for"),
            "  rates     " + Self.describe(plan.rates, plan.totals),
            "  space     \(Wording.bytes(plan.space.bytes)) and "
                + "\(Wording.count(plan.space.files, "name")) needed\(free)"
                + (plan.space.shortage.map { "; too little: \(MigrationRefusalText.describe($0))" }
                    ?? ""),
            "  time      \(steps.joined(separator: ", ")): \(Self.seconds(plan.seconds))",
            "  pause     writers must be still for about "
                + "\(Self.seconds(plan.pauseSeconds)) at the end",
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

    private func json(_ plan: MigrationPlan) -> JSONValue {
        var object: JSONObject = ["type": "plan"]
        object.setBytes("source", plan.source)
        object.setBytes("target", plan.target)
        object.setBytes("journal", plan.journal)
        object["resumed"] = .bool(plan.isResumed)
        object["files"] = .count(plan.totals.files)
        object["directories"] = .count(plan.totals.directories)
        object["others"] = .count(plan.totals.others)
        object["bytes"] = .count(plan.totals.bytes)
        object["files_left"] = .integer(Int64(plan.filesLeft))
        object["bytes_left"] = .count(plan.bytesLeft)
        object["tables"] = .array(plan.tables.map(Self.json))
        object["strategy"] = .string(plan.strategy.rawValue)
        object["bytes_needed"] = .count(plan.space.bytes)
        object["names_needed"] = .count(plan.space.files)
        object["bytes_free"] = plan.space.freeBytes.map { .count($0) } ?? .null
        object["shortage"] =
            plan.space.shortage.map { .string(MigrationRefusalText.describe($0)) } ?? .null
        object["estimates"] = .array(plan.estimates.map(Self.json))
        object["estimate_ms"] = .count(Self.milliseconds(plan.seconds))
        object["pause_ms"] = .count(Self.milliseconds(plan.pauseSeconds))
        object["duration_ms"] = .count(Wording.milliseconds(plan.took))
        return object.value
    }

    private static func json(_ table: PlannedTable) -> JSONValue {
        var object = JSONObject()
        object.setBytes("path", table.path)
        object["version"] = table.version.map { .integer($0) } ?? .null
        object["files"] = table.files.map { .integer(Int64($0)) } ?? .null
        object["rows"] = table.rows.map { .integer($0) } ?? .null
        object["bytes"] = .integer(table.bytes)
        return object.value
    }

    private static func json(_ time: StepTime) -> JSONValue {
        let object: JSONObject = [
            "step": .string(time.step.rawValue),
            "estimate_ms": .count(milliseconds(time.estimate)),
            "actual_ms": time.actual.map { .count(milliseconds($0)) } ?? .null,
        ]
        return object.value
    }
}

// MARK: - Steps
extension MigrationText {
    func print(_ result: CaptureResult) throws {
        let id = result.id?.hex ?? ""
        if console.isJSON {
            let object: JSONObject = [
                "type": "backup", "snapshot_id": .string(id),
                "complete": .bool(result.record.isComplete),
            ]
            return try console.print(object.value)
        }
        for problem in result.problems where problem.isFault {
            console.warn(
                "varve: not in the backup: \(PathBytes.printable(problem.path)): "
                    + PathBytes.printable(problem.reason))
        }
        try lines(["backup: snapshot \(id.prefix(12)) of the source"])
    }

    func print(_ report: CopyReport) throws {
        if console.isJSON {
            let object: JSONObject = [
                "type": "copied", "files": .count(report.files), "bytes": .count(report.bytes),
                "passes": .integer(Int64(report.passes)),
            ]
            return try console.print(object.value)
        }
        try lines([
            "execute: \(Wording.count(report.files, "file")), \(Wording.bytes(report.bytes)) in "
                + "\(report.passes) pass\(report.passes == 1 ? "" : "es"); "
                + "a walk found nothing more"
        ])
    }

    func print(_ report: VerificationReport, command: String?) throws {
        try problems(report.problems)
        if console.isJSON { return try console.print(json(report, command)) }
        var text = [
            "verify: \(Wording.count(report.files, "file")), \(Wording.bytes(report.bytes)) "
                + "equal by XXH3-128 and SHA-256"
        ]
        text += report.tables.map { "  table     " + Self.describe($0) }
        if report.known > 0 {
            text.append(
                "  known     \(Wording.count(report.known, "path")) an earlier run compared, and "
                    + "neither side changed since")
        }
        if report.repaired > 0 {
            text.append(
                "  repaired  \(Wording.count(report.repaired, "path")) differed in the target and "
                    + "were copied again")
        }
        if let from = report.stillFrom, let until = report.stillUntil {
            text.append(
                "  pause     nothing changed from \(Self.time(from)) to \(Self.time(until))")
        }
        if let receipt = report.receipt {
            text.append("  receipt   \(PathBytes.printable(receipt))")
            if let command {
                text += [
                    "The source is as it was. This removes from it what the receipt proves:",
                    "  \(command)",
                ]
            }
        } else {
            text.append("  receipt   none: not everything is proven")
        }
        try lines(text)
    }

    private static func describe(_ table: TableProof) -> String {
        let path = table.path.isEmpty ? "." : PathBytes.printable(table.path)
        guard let version = table.version, let rows = table.rows, let digest = table.digest else {
            return "\(path): equal byte for byte; rows not compared: \(table.reason ?? "unknown")"
        }
        return "\(path): version \(version), \(Wording.count(rows, "row")), digest of rows "
            + "\(digest.prefix(12))" + (table.isMade ? ", made of row files" : "")
    }

    private static func time(_ moment: Timestamp) -> String {
        "\(CivilTime(local: moment))"
    }

    private func json(_ report: VerificationReport, _ command: String?) -> JSONValue {
        var object: JSONObject = [
            "type": "verified", "files": .count(report.files), "bytes": .count(report.bytes),
            "complete": .bool(report.receipt != nil),
            "repaired": .integer(Int64(report.repaired)),
        ]
        object["tables"] = .array(
            report.tables.map { table in
                var object = JSONObject()
                object.setBytes("path", table.path)
                object["version"] = table.version.map { .integer($0) } ?? .null
                object["rows"] = table.rows.map { .integer($0) } ?? .null
                object["row_digest"] = table.digest.map { .string($0) } ?? .null
                object["made"] = .bool(table.isMade)
                return object.value
            })
        if let receipt = report.receipt { object.setBytes("receipt", receipt) }
        object["receipt_id"] = report.receiptID.map { .string($0) } ?? .null
        let toRun = report.receipt == nil ? nil : command
        object["clean_command"] = toRun.map { .string($0) } ?? .null
        return object.value
    }

    func print(_ report: CleanUpReport) throws {
        for path in report.left {
            guard console.isJSON else {
                console.warn(
                    "varve: left in the source: \(PathBytes.printable(path.path)): \(path.reason)")
                continue
            }
            var object: JSONObject = ["type": "problem", "kind": "left_in_source"]
            object.setBytes("path", path.path)
            object["reason"] = .string(path.reason)
            try console.print(object.value)
        }
        if console.isJSON {
            let object: JSONObject = [
                "type": "cleaned", "removed": .count(report.removed),
                "bytes": .count(report.bytes), "left": .count(UInt64(report.left.count)),
            ]
            return try console.print(object.value)
        }
        if report.wasDone { return try lines(["clean up: done before, nothing is left to do"]) }
        try lines([
            "clean up: \(Wording.count(report.removed, "path")), \(Wording.bytes(report.bytes)) "
                + "removed from the source, \(Wording.grouped(report.left.count)) left"
        ])
    }

    /// Estimates beside what the steps took.
    func print(_ times: [StepTime], isVerified: Bool) throws {
        if console.isJSON {
            let object: JSONObject = [
                "type": "summary", "verified": .bool(isVerified),
                "steps": .array(times.map(Self.json)),
            ]
            return try console.print(object.value)
        }
        var table = ["  step       estimate   actual"]
        for time in times {
            let name = time.step.rawValue.padded(to: 9)
            let estimate = Self.seconds(time.estimate).padded(to: 9)
            table.append("  \(name)  \(estimate)  \(time.actual.map(Self.seconds) ?? "-")")
        }
        try lines(table)
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
