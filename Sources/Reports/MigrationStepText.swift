internal import Bytes
package import Capturing
internal import JSON
package import Migration
internal import Platform
internal import Repository
internal import Snapshots

/// What the steps of a migration came to, each when it is done.
package enum MigrationStepText {
    /// The snapshot of the source.
    package static func backup(_ result: CaptureResult) -> Report {
        let object: JSONObject = [
            "type": "backup", "snapshot_id": .id(result.id),
            "complete": .bool(result.record.isComplete),
        ]
        let id = result.id?.short ?? ""
        var report = Report(object.value, summary: ["backup: snapshot \(id) of the source"])
        report.warnings = FoldedProblems.messages(
            result.problems.filter(\.isFault).map { problem in
                let reason = PathBytes.printable(problem.reason)
                return FoldedProblems.Item(
                    problem.path, kind: reason,
                    text: "not in the backup: \(PathBytes.printable(problem.path)): \(reason)")
            })
        return report
    }

    /// The copies.
    package static func copies(_ copied: CopyReport) -> Report {
        let object: JSONObject = [
            "type": "copied", "files": .number(copied.files), "bytes": .number(copied.bytes),
            "passes": .number(copied.passes),
        ]
        let line =
            "execute: \(Wording.count(copied.files, "file")), \(Wording.bytes(copied.bytes)) in "
            + "\(Wording.count(copied.passes, "pass")); a walk found nothing more"
        return Report(object.value, summary: [line])
    }

    /// What was left in the source by a clean-up, and what was not.
    package static func cleanUp(_ cleaned: CleanUpReport) -> Report {
        let object: JSONObject = [
            "type": "cleaned", "paths_removed": .number(cleaned.removed),
            "bytes_removed": .number(cleaned.bytes), "paths_left": .number(cleaned.left.count),
        ]
        let line =
            "clean up: \(Wording.count(cleaned.removed, "path")), \(Wording.bytes(cleaned.bytes)) "
            + "removed from the source, \(Wording.grouped(cleaned.left.count)) left"
        var report = problems(
            cleaned.left.map { ($0.path, $0.reason) }, kind: "left_in_source",
            "left in the source")
        report.documents.append(object.value)
        report.summary = [cleaned.wasDone ? "clean up: done before, nothing is left to do" : line]
        return report
    }

    fileprivate static func problems(
        _ problems: [(path: [UInt8], reason: String)], kind: String, _ words: String
    ) -> Report {
        var report = Report()
        report.documents = problems.map { path, reason in
            var object: JSONObject = ["type": "problem", "kind": .string(kind)]
            object.setBytes("path", path)
            object["reason"] = .string(reason)
            return object.value
        }
        report.warnings = FoldedProblems.messages(
            problems.map { path, reason in
                let reason = Wording.foreign(reason)
                return FoldedProblems.Item(
                    path, kind: reason, text: "\(words): \(Wording.path(path)): \(reason)")
            })
        return report
    }
}

/// What the comparison of source and target came to.
package struct MigrationProofText {
    private let verified: VerificationReport
    private let command: String?

    /// `command` cleans the source, to be run by who reads it; nil when that follows anyway.
    package init(_ verified: VerificationReport, command: String?) {
        self.verified = verified
        self.command = command
    }

    /// What is not proven, and what is.
    package var report: Report {
        var report = MigrationStepText.problems(
            verified.problems.map { ($0.path, $0.reason) }, kind: "not_migrated", "not migrated")
        report.documents.append(json)
        report.summary = lines
        return report
    }

    private var lines: [String] {
        var text = [
            "verify: \(Wording.count(verified.files, "file")), \(Wording.bytes(verified.bytes)) "
                + "equal by XXH3-128 and SHA-256"
        ]
        text += verified.tables.map { "  table     " + Self.describe($0) }
        if verified.known > 0 {
            text.append(
                "  known     \(Wording.count(verified.known, "path")) an earlier run compared, "
                    + "and neither side changed since")
        }
        if verified.repaired > 0 {
            text.append(
                "  repaired  \(Wording.count(verified.repaired, "path")) differed in the target "
                    + "and were copied again")
        }
        if let from = verified.stillFrom, let until = verified.stillUntil {
            text.append(
                "  pause     nothing changed from \(CivilTime(local: from)) to "
                    + "\(CivilTime(local: until))")
        }
        return text + receipt
    }

    private var receipt: [String] {
        guard let receipt = verified.receipt else {
            return ["  receipt   none: not everything is proven"]
        }
        let line = "  receipt   \(PathBytes.printable(receipt))"
        guard let command else { return [line] }
        return [
            line, "The source is as it was. This removes from it what the receipt proves:",
            "  \(command)",
        ]
    }

    private static func describe(_ table: TableProof) -> String {
        let path = Wording.path(table.path)
        guard let version = table.version, let rows = table.rows, let digest = table.digest else {
            let reason = Wording.foreign(table.reason ?? "unknown")
            return "\(path): equal byte for byte; rows not compared: \(reason)"
        }
        return "\(path): version \(version), \(Wording.count(rows, "row")), digest of rows "
            + "\(digest.prefix(12))" + (table.isMade ? ", made of row files" : "")
    }

    private var json: JSONValue {
        var object: JSONObject = [
            "type": "verified", "files": .number(verified.files),
            "bytes": .number(verified.bytes), "complete": .bool(verified.receipt != nil),
            "paths_repaired": .number(verified.repaired),
        ]
        object["tables"] = .array(verified.tables.map(Self.json))
        if let receipt = verified.receipt { object.setBytes("receipt", receipt) }
        object["receipt_id"] = .text(verified.receiptID)
        object["clean_command"] = .text(verified.receipt == nil ? nil : command)
        return object.value
    }

    private static func json(_ table: TableProof) -> JSONValue {
        var object = JSONObject(path: table.path)
        object["version"] = .number(table.version)
        object["rows"] = .number(table.rows)
        object["row_digest"] = .text(table.digest)
        object["made"] = .bool(table.isMade)
        return object.value
    }
}
