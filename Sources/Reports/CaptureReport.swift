internal import Bytes
package import Capturing
internal import JSON
internal import Repository
internal import Snapshots

/// What a capture came to.
package struct CaptureReport {
    private let result: CaptureResult
    private var record: SnapshotRecord { result.record }
    private var statistics: SnapshotStatistics { result.record.statistics }

    /// A report on the result of a capture, or of a dry run.
    package init(_ result: CaptureResult) { self.result = result }

    /// Notes, problems (those that are no faults as remarks), and the numbers.
    package var report: Report {
        var report = Report()
        report.warnings = result.notes.map { Message(Wording.foreign($0.text)) }
        report.documents = report.warnings.map(\.document)
        report.documents += result.problems.map(\.document) + [summary]
        report.warnings += FoldedProblems.messages(result.problems.filter(\.isFault))
        report.remarks = result.problems.filter { !$0.isFault }.map { Message($0.line) }
        report.summary = lines
        return report
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

    private var summary: JSONValue {
        var object: JSONObject = ["type": "summary", "dry_run": .bool(result.id == nil)]
        object["snapshot_id"] = .id(result.id)
        object["parent_id"] = .id(record.parent)
        object["complete"] = .bool(record.isComplete)
        object["sources"] = .paths(record.sources)
        object.append(statistics.json)
        object["problems"] = .number(result.problems.count)
        object["tables"] = .array(result.tables.map(Self.json))
        object["files_left_out"] = .number(result.filesLeftOut)
        return object.value
    }

    private static func json(_ table: CapturedTable) -> JSONValue {
        var object = table.json
        object["version"] = .number(table.version)
        return object.value
    }
}

extension FoldedProblems {
    /// The problems of a capture, many equal ones as one.
    static func messages(_ problems: [CaptureProblem]) -> [Message] {
        messages(
            problems.map { problem in
                Item(
                    problem.path, kind: problem.kind.name + PathBytes.printable(problem.reason),
                    text: problem.line)
            })
    }
}
