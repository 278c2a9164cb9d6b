internal import Bytes
internal import JSON
package import TwoWay

/// What a sync of two stores came to.
package struct SyncReport {
    private let result: StoreSyncSummary
    private let store: [UInt8]
    private let target: [UInt8]
    private let isDryRun: Bool
    private let milliseconds: UInt64

    /// A report on a sync of two stores, as they were named, that took so long.
    package init(
        _ result: StoreSyncSummary, _ store: [UInt8], _ target: [UInt8], isDryRun: Bool,
        took duration: Duration
    ) {
        self.result = result
        self.store = store
        self.target = target
        self.isDryRun = isDryRun
        milliseconds = Wording.milliseconds(duration)
    }

    /// Conflicts and problems, and what each store got; its paths only in `isDetailed`.
    package func report(isDetailed: Bool) -> Report {
        var report = Report(json, summary: lines(isDetailed: isDetailed || isDryRun))
        report.warnings = result.conflicts.map { text($0).warning }
        report.warnings += FoldedProblems.messages(
            result.problems.map { problem in
                let reason = Wording.foreign(problem.reason)
                let place = name(problem.side)
                return FoldedProblems.Item(
                    problem.path, kind: place + reason,
                    text: "\(place): \(Self.name(problem.path)) is left alone: \(reason)")
            })
        report.warnings += result.unset.map { Message("\(name($0.side)): \($0.failure.line)") }
        return report
    }

    private func text(_ conflict: SyncConflict) -> ConflictText {
        ConflictText(conflict, name(.here), name(.there))
    }

    private func name(_ side: SyncConflict.Side) -> String {
        PathBytes.printable(side == .here ? store : target)
    }

    /// The store itself has an empty path.
    static func name(_ path: [UInt8]) -> String {
        path.isEmpty ? "the store itself" : PathBytes.printable(path)
    }

    private func lines(isDetailed: Bool) -> [String] {
        var lines: [String] = []
        let both = "\(name(.here)) and \(name(.there))"
        let left = result.conflicts.count + result.problems.count
        let rest =
            left == 0
            ? ""
            : "; \(Wording.count(left, "path")) left as \(left == 1 ? "it was" : "they were")"
        if result.hasNothingToDo {
            return ["\(both) \(left == 0 ? "are equal" : "have nothing to exchange")\(rest)"]
        }
        lines.append(
            isDryRun ? "dry run: nothing was changed\(rest)" : "\(both) are synced\(rest)")
        lines += self.lines(name(.here), result.here, isDetailed)
        lines += self.lines(name(.there), result.there, isDetailed)
        if !isDryRun {
            lines.append("  sent   \(Wording.bytes(result.sentBytes))")
            lines.append("  time   \(Wording.duration(milliseconds: milliseconds))")
        }
        return lines
    }

    private func lines(
        _ name: String, _ gain: StoreSyncSummary.Gain, _ listsPaths: Bool
    ) -> [String] {
        guard !gain.isEmpty else { return [] }
        var parts: [String] = []
        if !gain.put.isEmpty { parts.append(Wording.count(gain.put.count, "path")) }
        if !gain.tables.isEmpty { parts.append(Wording.count(gain.tables.count, "table")) }
        if !gain.removed.isEmpty { parts.append(Wording.count(gain.removed.count, "removal")) }
        let verb = isDryRun ? "would get" : "got"
        var lines = ["  \(name) \(verb) \(parts.joined(separator: ", "))"]
        for table in gain.tables {
            let what =
                table.commits == 0
                ? "the table as it is, at version \(table.version)"
                : "\(Wording.count(table.commits, "commit")), version \(table.version) now"
            lines.append("    \(Self.name(table.path)): \(what)")
        }
        guard listsPaths else { return lines }
        lines += gain.put.map { "    + \(PathBytes.printable($0))" }
        lines += gain.removed.map { "    - \(PathBytes.printable($0))" }
        return lines
    }
}

// MARK: - JSON
extension SyncReport {
    private var json: JSONValue {
        var object: JSONObject = ["type": "summary"]
        object.setBytes("store", store)
        object.setBytes("target", target)
        object["dry_run"] = .bool(isDryRun)
        object["complete"] = .bool(result.isComplete)
        object["here"] = Self.json(result.here)
        object["there"] = Self.json(result.there)
        object["conflicts"] = .array(result.conflicts.map(json))
        object["problem_list"] = .array(
            result.problems.map { problem in
                var object = JSONObject(path: problem.path)
                object["side"] = Self.json(problem.side)
                object["reason"] = .string(problem.reason)
                return object.value
            })
        object["failures"] = .array(
            result.unset.map { unset in
                var object = unset.failure.object
                object["side"] = Self.json(unset.side)
                return object.value
            })
        object["paths_equal"] = .number(result.equalPaths)
        object["tables_equal"] = .number(result.equalTables)
        object["bytes_shipped"] = .number(result.sentBytes)
        object["duration_ms"] = .number(milliseconds)
        return object.value
    }

    private static func json(_ side: SyncConflict.Side) -> JSONValue {
        side == .here ? "here" : "there"
    }

    private static func json(_ gain: StoreSyncSummary.Gain) -> JSONValue {
        let tables = gain.tables.map { table in
            var object = JSONObject(path: table.path)
            object["commits"] = .number(table.commits)
            object["version"] = .number(table.version)
            return object.value
        }
        let object: JSONObject = [
            "put_list": .paths(gain.put), "removed_list": .paths(gain.removed),
            "tables": .array(tables),
        ]
        return object.value
    }

    private func json(_ conflict: SyncConflict) -> JSONValue {
        let text = text(conflict)
        var object = JSONObject(path: conflict.path)
        object["is_table"] = .bool(conflict.isTable)
        object["kind"] = .string(text.word)
        object["side"] = conflict.side.map(Self.json) ?? .null
        object["version"] = .number(text.version)
        object["operation"] = .text(text.operation)
        object["message"] = .string(text.message)
        object["meaning"] = .string(text.meaning)
        object["advice"] = .string(text.advice)
        return object.value
    }
}
