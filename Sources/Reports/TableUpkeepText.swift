internal import Bytes
internal import JSON
package import TableStore

/// What the upkeep of tables came to.
package enum TableUpkeepText {
    /// A vacuum; the files are listed where nothing but them is asked for.
    package static func vacuum(
        _ swept: VacuumReport, isDryRun: Bool, isDetailed: Bool
    ) -> Report {
        let object: JSONObject = [
            "type": "summary", "dry_run": .bool(isDryRun),
            "files_removed": .number(swept.files.count), "file_list": .paths(swept.files),
            "bytes_removed": .number(swept.bytes), "files_waiting": .number(swept.waitingFiles),
            "bytes_waiting": .number(swept.waitingBytes),
        ]
        var report = Report(object.value, summary: lines(swept, isDryRun: isDryRun))
        if isDryRun || isDetailed { report.results = swept.files.map { PathBytes.printable($0) } }
        return report
    }

    private static func lines(_ swept: VacuumReport, isDryRun: Bool) -> [String] {
        let removed =
            (isDryRun ? "would remove " : "removed ")
            + "\(Wording.count(swept.files.count, "file")), "
            + Wording.bytes(UInt64(clamping: swept.bytes))
        guard swept.waitingFiles > 0 else { return [removed] }
        let waiting =
            "  \(Wording.count(swept.waitingFiles, "file")), "
            + Wording.bytes(UInt64(clamping: swept.waitingBytes))
            + ", will be old enough within " + RetentionText.describe(swept.retention)
        return [removed, waiting]
    }

    /// A reading of the whole table.
    package static func verification(_ verified: VerifyReport) -> Report {
        let damages = verified.damages.map { damage -> JSONValue in
            let object: JSONObject = [
                "path": .string(damage.file), "reason": .string(damage.detail),
            ]
            return object.value
        }
        let object: JSONObject = [
            "type": "summary", "files": .number(verified.files), "rows": .number(verified.rows),
            "bytes": .number(verified.bytes), "damages": .number(damages.count),
            "damage_list": .array(damages),
        ]
        var report = Report(object.value, summary: [verdict(verified)])
        report.warnings = verified.damages.map { damage in
            let place = damage.file.isEmpty ? "" : "\(damage.file): "
            return Message("damaged: \(Wording.foreign(place + damage.detail))")
        }
        return report
    }

    private static func verdict(_ verified: VerifyReport) -> String {
        let count = verified.damages.count
        return "read \(Wording.count(verified.rows, "row")) in "
            + "\(Wording.count(verified.files, "data file")), "
            + "\(Wording.bytes(UInt64(clamping: verified.bytes))): "
            + (count == 0 ? "no damage" : Wording.count(count, "damaged object"))
    }
}
