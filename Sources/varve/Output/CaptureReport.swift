internal import Capturing
internal import Snapshots
internal import Bytes
internal import Repository

/// Tells what a capture came to.
struct CaptureReport {
    private let result: CaptureResult
    private var record: SnapshotRecord { result.record }
    private var statistics: SnapshotStatistics { result.record.statistics }

    init(_ result: CaptureResult) { self.result = result }

    func print(_ console: Console) throws {
        if console.isJSON {
            for note in result.notes { try console.print(Self.note(note)) }
            for problem in result.problems { try console.print(Self.json(problem)) }
            return try console.print(summary)
        }
        for note in result.notes { console.warn("varve: \(note)") }
        for problem in result.problems {
            let line = "varve: " + problem.line
            if problem.isFault { console.warn(line) } else { console.remark(line) }
        }
        if !console.isQuiet {
            for line in lines { try console.print(line: line) }
        }
    }

    private var lines: [String] {
        let isDryRun = result.id == nil
        let sources = Wording.list(record.sources)
        var lines = [
            result.id.map { "snapshot \($0.short) of \(sources)" }
                ?? "dry run of a snapshot of \(sources); nothing was written"
        ]
        lines.append(
            "  files  \(Wording.grouped(statistics.newFiles)) new, "
                + "\(Wording.grouped(statistics.changedFiles)) changed, "
                + "\(Wording.grouped(statistics.unchangedFiles)) unchanged, "
                + "\(Wording.grouped(statistics.unreadableFiles)) unreadable" + otherProblems
        )
        lines.append(
            "  bytes  \(Wording.bytes(statistics.bytesRead)) read, "
                + "\(Wording.bytes(statistics.newBytes)) new, "
                + "\(Wording.bytes(statistics.storedBytes)) \(isDryRun ? "to store" : "stored")"
        )
        if !result.tables.isEmpty { lines.append("  tables " + tables) }
        lines.append(
            "  time   "
                + Wording.pace(
                    statistics.bytesRead,
                    milliseconds: statistics.durationMilliseconds
                )
        )
        return lines
    }

    private var tables: String {
        let states: [CapturedTable.State] = [.pinned, .unverified, .damaged]
        let counts = states.map { state in (state, result.tables.count { $0.state == state }) }
        let words = counts.filter { $0.1 > 0 || $0.0 == .pinned }
            .map { "\(Wording.grouped($0.1)) \($0.0.name)" }
        let left = result.filesLeftOut
        return words.joined(separator: ", ")
            + (left == 0 ? "" : "; \(Wording.count(left, "file")) of no version left out")
    }

    /// What the count of unreadable files leaves out.
    private var otherProblems: String {
        let kinds: [(CaptureProblem.Kind, String)] = [
            (.changedWhileRead, "changed while read"), (.vanished, "vanished"),
            (.skipped, "skipped"),
        ]
        return kinds.map { kind, words in
            let count = result.problems.count { $0.kind == kind }
            return count == 0 ? "" : ", \(Wording.grouped(count)) \(words)"
        }.joined()
    }
}

extension CaptureReport {
    private static func note(_ text: String) -> JSONValue {
        let object: JSONObject = ["type": "note", "message": .string(text)]
        return object.value
    }

    private static func json(_ problem: CaptureProblem) -> JSONValue {
        var object: JSONObject = ["type": "problem"]
        object.append(problem.json)
        return object.value
    }

    private var summary: JSONValue {
        var object: JSONObject = ["type": "summary", "dry_run": .bool(result.id == nil)]
        object["snapshot_id"] = result.id.map { .hex($0.digest) } ?? .null
        object["parent_id"] = record.parent.map { .hex($0.digest) } ?? .null
        object["complete"] = .bool(record.isComplete)
        object["sources"] = .paths(record.sources)
        object.append(statistics.json)
        object["problems"] = .count(UInt64(result.problems.count))
        object["tables"] = .array(result.tables.map(\.summaryJSON))
        object["files_left_out"] = .count(result.filesLeftOut)
        return object.value
    }
}

extension CapturedTable {
    /// What a capture tells of a table.
    fileprivate var summaryJSON: JSONValue {
        var object = json
        object["version"] = version.map { .integer($0) } ?? .null
        return object.value
    }
}
