internal import TwoWay
internal import Bytes

/// Tells what a sync of two stores came to.
struct SyncReport {
    private let summary: StoreSyncSummary
    private let store: String
    private let target: String
    private let isDryRun: Bool

    init(_ summary: StoreSyncSummary, _ store: String, _ target: String, isDryRun: Bool) {
        self.summary = summary
        self.store = store
        self.target = target
        self.isDryRun = isDryRun
    }

    func print(_ console: Console, milliseconds: UInt64) throws {
        if console.isJSON { return try console.print(json(milliseconds)) }
        for conflict in summary.conflicts {
            let text = ConflictText(conflict, store, target)
            console.warn("varve: \(text.message)")
            console.warn("  \(text.meaning)")
            console.warn("  \(text.advice)")
        }
        for problem in summary.problems {
            let path = Self.name(problem.path)
            console.warn("varve: \(place(problem.side)): \(path) is left alone: \(problem.reason)")
        }
        guard !console.isQuiet else { return }
        for line in lines(console, milliseconds) { try console.print(line: line) }
    }

    private func place(_ side: SyncConflict.Side) -> String { side == .here ? store : target }

    /// The store itself has an empty path.
    static func name(_ path: [UInt8]) -> String {
        path.isEmpty ? "the store itself" : PathBytes.printable(path)
    }

    private func lines(_ console: Console, _ milliseconds: UInt64) -> [String] {
        var lines: [String] = []
        let left = summary.conflicts.count + summary.problems.count
        let rest = left == 0 ? "" : "; \(Wording.count(left, "path")) left as they were"
        if summary.hasNothingToDo {
            let state = left == 0 ? "are equal" : "have nothing to exchange"
            return ["\(store) and \(target) \(state)\(rest)"]
        }
        if isDryRun {
            lines.append("dry run: nothing was changed\(rest)")
        } else {
            lines.append("\(store) and \(target) are synced\(rest)")
        }
        lines += self.lines(store, summary.here, console.isVerbose || isDryRun)
        lines += self.lines(target, summary.there, console.isVerbose || isDryRun)
        if !isDryRun {
            lines.append("  sent   \(Wording.bytes(summary.sentBytes))")
            lines.append("  time   \(Wording.duration(milliseconds: milliseconds))")
        }
        return lines
    }

    private func lines(
        _ name: String, _ gain: StoreSyncSummary.Gain, _ listsPaths: Bool
    ) -> [String] {
        guard !gain.isEmpty else { return [] }
        let verb = isDryRun ? "would get" : "got"
        var parts: [String] = []
        if !gain.put.isEmpty { parts.append(Wording.count(gain.put.count, "path")) }
        if !gain.tables.isEmpty { parts.append(Wording.count(gain.tables.count, "table")) }
        if !gain.removed.isEmpty {
            parts.append("\(Wording.count(gain.removed.count, "removal"))")
        }
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

    // MARK: JSON

    private func json(_ milliseconds: UInt64) -> JSONValue {
        let object: JSONObject = [
            "type": "summary", "store": .string(store), "target": .string(target),
            "dry_run": .bool(isDryRun), "complete": .bool(summary.isComplete),
            "here": Self.json(summary.here), "there": Self.json(summary.there),
            "conflicts": .array(summary.conflicts.map(json)),
            "problems": .array(
                summary.problems.map { problem in
                    let object: JSONObject = [
                        "path": .text(problem.path), "side": .string(Self.side(problem.side)),
                        "reason": .string(problem.reason),
                    ]
                    return object.value
                }),
            "equal_paths": .count(UInt64(summary.equalPaths)),
            "equal_tables": .count(UInt64(summary.equalTables)),
            "sent_bytes": .count(summary.sentBytes), "duration_ms": .count(milliseconds),
        ]
        return object.value
    }

    private static func side(_ side: SyncConflict.Side) -> String {
        side == .here ? "here" : "there"
    }

    private static func json(_ gain: StoreSyncSummary.Gain) -> JSONValue {
        let object: JSONObject = [
            "put": .paths(gain.put), "removed": .paths(gain.removed),
            "tables": .array(
                gain.tables.map { table in
                    let object: JSONObject = [
                        "path": .text(table.path), "commits": .count(UInt64(table.commits)),
                        "version": .integer(table.version),
                    ]
                    return object.value
                }),
        ]
        return object.value
    }

    private func json(_ conflict: SyncConflict) -> JSONValue {
        let text = ConflictText(conflict, store, target)
        let object: JSONObject = [
            "path": .text(conflict.path), "table": .bool(conflict.isTable),
            "kind": .string(text.word),
            "side": conflict.side.map { .string(Self.side($0)) } ?? .null,
            "version": text.version.map { .integer($0) } ?? .null,
            "operation": text.operation.map { .string($0) } ?? .null,
            "message": .string(text.message), "meaning": .string(text.meaning),
            "advice": .string(text.advice),
        ]
        return object.value
    }
}
