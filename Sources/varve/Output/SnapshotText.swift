internal import Snapshots
internal import Bytes
internal import Hashing
internal import Platform
internal import Repository

/// A snapshot's record in full.
struct SnapshotText {
    private let id: SnapshotID
    private let record: SnapshotRecord

    init(_ id: SnapshotID, _ record: SnapshotRecord) {
        self.id = id
        self.record = record
    }

    var lines: [String] {
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
        var lines = record.problems.map(\.line)
        if record.unlistedProblems > 0 {
            lines.append("and \(Wording.count(record.unlistedProblems, "other problem"))")
        }
        return lines.isEmpty ? [] : ["problems"] + lines.map { "  " + $0 }
    }

    var json: JSONValue {
        var object = record.json(id)
        object["captured"] = .time(record.captureStart)
        object["statistics"] = record.statistics.json.value
        object["problems"] = .array(record.problems.map(\.json.value))
        object["problems_unlisted"] = .count(record.unlistedProblems)
        object["made_by"] = .text(record.programVersion)
        object["manifest"] = .string(record.root.id.fingerprint.hex)
        return object.value
    }
}
