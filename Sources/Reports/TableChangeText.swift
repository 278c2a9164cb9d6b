internal import Bytes
internal import JSON
internal import TableLog
package import TableStore

extension ImportReport {
    /// Rows or files were left out.
    package var isPartial: Bool { rejectedRows > 0 || rejectedFiles > 0 }
}

/// What changes of tables came to.
package enum TableChangeText {
    /// An import or append into the table at `path`.
    package static func rows(_ imported: ImportReport, _ path: [UInt8]) -> Report {
        let verb = imported.isCreated ? "made table" : "appended to"
        var line = "\(verb) \(PathBytes.printable(path)): \(Wording.count(imported.rows, "row"))"
        if let commit = imported.commit {
            line += " in \(Wording.count(commit.addedFiles, "data file")), "
            line += "\(Wording.bytes(UInt64(clamping: commit.addedBytes))), "
            line += "version \(commit.version)"
        }
        var report = Report(json(imported, path), summary: [line])
        report.warnings = warnings(imported)
        return report
    }

    private static func warnings(_ imported: ImportReport) -> [Message] {
        var messages = imported.passedFiles.map { file in
            Message("passed over, imported before: \(PathBytes.printable(file))")
        }
        messages += imported.rejections.map { Message("left out: \(Wording.foreign($0.text))") }
        let untold =
            imported.rejectedRows + Int64(imported.rejectedFiles)
            - Int64(imported.rejections.count)
        if untold > 0 { messages.append(Message("and \(Wording.count(untold, "more row"))")) }
        if let problem = imported.commit?.upkeepProblem {
            messages.append(unkept("the rows are committed", problem))
        }
        return messages
    }

    private static func unkept(_ what: String, _ problem: String) -> Message {
        Message("\(what), but no checkpoint was written: \(Wording.foreign(problem))")
    }

    private static func json(_ imported: ImportReport, _ path: [UInt8]) -> JSONValue {
        var object: JSONObject = [
            "type": "summary", "created": .bool(imported.isCreated),
            "rows_added": .number(imported.rows), "rows_rejected": .number(imported.rejectedRows),
            "files_rejected": .number(imported.rejectedFiles),
        ]
        object.setBytes("path", path)
        object["version"] = .number(imported.commit?.version)
        object["files_added"] = .number(imported.commit?.addedFiles ?? 0)
        object["bytes_added"] = .number(imported.commit?.addedBytes ?? 0)
        object["known_list"] = .paths(imported.passedFiles)
        object["rejections"] = .array(imported.rejections.map { .string($0.text) })
        object["upkeep_problem"] = .text(imported.commit?.upkeepProblem)
        return object.value
    }

    /// A deletion of rows.
    package static func deletion(_ deleted: DeleteReport) -> Report {
        let object: JSONObject = [
            "type": "summary", "rows_removed": .number(deleted.deletedRows),
            "files_rewritten": .number(deleted.rewrittenFiles),
            "row_groups_spliced": .number(deleted.splicedGroups),
        ]
        let line = "deleted \(Wording.count(deleted.deletedRows, "row"))" + words(deleted.commit)
        return report(object, [line], deleted.commit)
    }

    /// A compaction.
    package static func compaction(_ compacted: CompactionReport) -> Report {
        let object: JSONObject = [
            "type": "summary", "row_groups_spliced": .number(compacted.splicedGroups),
            "rows_rewritten": .number(compacted.rewrittenRows),
        ]
        guard let commit = compacted.commit else {
            return report(object, ["nothing to compact"], nil)
        }
        let lines = [
            "made \(Wording.count(commit.addedFiles, "data file")) of "
                + "\(commit.removedFiles), version \(commit.version)",
            "  copied \(Wording.count(compacted.splicedGroups, "row group")), wrote "
                + "\(Wording.count(compacted.rewrittenRows, "row")) anew",
        ]
        return report(object, lines, commit)
    }

    /// A return to an earlier version; nil when the table was like that already.
    package static func restore(_ commit: CommitOutcome?) -> Report {
        let line = commit == nil ? "the table is like that already" : "restored" + words(commit)
        return report(["type": "summary"], [line], commit)
    }

    private static func report(
        _ object: JSONObject, _ lines: [String], _ commit: CommitOutcome?
    ) -> Report {
        var object = object
        object.append(json(commit))
        var report = Report(object.value, summary: lines)
        if let problem = commit?.upkeepProblem {
            report.warnings = [unkept("the change is committed", problem)]
        }
        return report
    }

    private static func words(_ commit: CommitOutcome?) -> String {
        guard let commit else { return "" }
        return ": \(Wording.count(commit.removedFiles, "data file")) removed, "
            + "\(commit.addedFiles) added, version \(commit.version)"
    }

    private static func json(_ commit: CommitOutcome?) -> JSONObject {
        guard let commit else { return ["version": .null] }
        return [
            "version": .number(commit.version), "files_added": .number(commit.addedFiles),
            "files_removed": .number(commit.removedFiles),
            "bytes_added": .number(commit.addedBytes),
            "bytes_removed": .number(commit.removedBytes),
            "upkeep_problem": .text(commit.upkeepProblem),
        ]
    }

    /// An export to the file at `path`.
    package static func export(_ rows: Int64, to path: [UInt8]) -> Report {
        var object: JSONObject = ["type": "summary", "rows": .number(rows)]
        object.setBytes("path", path)
        let line = "wrote \(Wording.count(rows, "row")) to \(PathBytes.printable(path))"
        return Report(object.value, summary: [line])
    }
}
