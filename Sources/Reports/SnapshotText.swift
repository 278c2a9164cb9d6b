internal import Bytes
internal import Hashing
internal import JSON
internal import Platform
package import Repository
package import Snapshots

/// A snapshot's record in full.
package struct SnapshotText {
    private let id: SnapshotID
    private let record: SnapshotRecord

    /// All that the record of a snapshot says.
    package init(_ id: SnapshotID, _ record: SnapshotRecord) {
        self.id = id
        self.record = record
    }

    /// A line for each field, and for each problem.
    package var report: Report { Report(json, results: lines) }

    private var lines: [String] {
        let fields = identity + numbers
        let width = fields.map(\.name.count).max() ?? 0
        return fields.map { TerminalText.padded($0.name, to: width) + "  " + $0.text } + problems
    }

    private var identity: [(name: String, text: String)] {
        var fields: [(name: String, text: String)] = [
            ("snapshot", id.hex), ("time", "\(CivilTime(local: record.time))"),
        ]
        if record.time != record.captureStart {
            fields.append(("captured", "\(CivilTime(local: record.captureStart))"))
        }
        fields.append(("host", PathBytes.printable(record.host)))
        for (index, source) in record.sources.enumerated() {
            fields.append((index == 0 ? "sources" : "", PathBytes.printable(source)))
        }
        fields.append(("tags", record.tags.isEmpty ? "none" : Wording.list(record.tags)))
        fields.append(("parent", record.parent?.hex ?? "none"))
        fields.append(("sequence", Wording.grouped(record.sequence)))
        fields.append(("made by", PathBytes.printable(record.programVersion)))
        fields.append(("complete", record.isComplete ? "yes" : "no, see the problems below"))
        return fields
    }

    private var numbers: [(name: String, text: String)] {
        let statistics = record.statistics
        let files = [
            (statistics.newFiles, "new"), (statistics.changedFiles, "changed"),
            (statistics.unchangedFiles, "unchanged"), (statistics.unreadableFiles, "unreadable"),
        ]
        return [
            ("entries", Wording.grouped(record.root.itemCount)),
            ("directories", Wording.grouped(statistics.directories)),
            ("files", files.map { "\(Wording.grouped($0.0)) \($0.1)" }.joined(separator: ", ")),
            ("size", Wording.bytes(record.root.byteCount)),
            ("read", Wording.bytes(statistics.bytesRead)),
            ("new", Wording.bytes(statistics.newBytes)),
            ("stored", Wording.bytes(statistics.storedBytes)),
            ("duration", Wording.duration(milliseconds: statistics.durationMilliseconds)),
            ("manifest", "\(record.root.id.fingerprint.hex) level \(record.root.level)"),
        ]
    }

    private var problems: [String] {
        var lines = FoldedProblems.messages(record.problems).map(\.text)
        if record.unlistedProblems > 0 {
            lines.append("and \(Wording.count(record.unlistedProblems, "other problem"))")
        }
        return lines.isEmpty ? [] : ["problems"] + lines.map { "  " + $0 }
    }

    private var json: JSONValue {
        var object = record.json(id)
        object["time_captured"] = .time(record.captureStart)
        object["statistics"] = record.statistics.json.value
        object["problem_list"] = .array(record.problems.map(\.json.value))
        object["problems_unlisted"] = .number(record.unlistedProblems)
        object.setBytes("program_version", record.programVersion)
        object["manifest"] = .string(record.root.id.fingerprint.hex)
        return object.value
    }
}
