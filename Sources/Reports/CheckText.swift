internal import Bytes
internal import JSON
internal import Repository
package import Upkeep

/// What a check found.
package struct CheckText {
    private let check: CheckReport
    private let milliseconds: UInt64

    /// A report on a check that took so long.
    package init(_ check: CheckReport, took duration: Duration) {
        self.check = check
        milliseconds = Wording.milliseconds(duration)
    }

    /// Each damage with what it affects, and a verdict.
    package var report: Report {
        var report = Report()
        let notes = check.warnings.map { Message(Wording.foreign($0)) }
        report.warnings = notes + check.damages.map(Self.message)
        report.documents = notes.map(\.document) + check.damages.map(Self.json) + [summary]
        report.summary = lines
        return report
    }

    private static func message(_ damage: CheckReport.Damage) -> Message {
        var details = damage.affected.map { snapshot, path in
            "affects \(snapshot.short):\(PathBytes.printable(path))"
        }
        if damage.unlistedAffected > 0 {
            details.append("and \(Wording.count(damage.unlistedAffected, "other path"))")
        }
        return Message("damage: \(damage.message)", details)
    }

    private var lines: [String] {
        var lines = [
            "checked \(Wording.count(check.snapshots, "snapshot")), "
                + "\(Wording.count(check.packs, "pack")), \(Wording.count(check.blobs, "blob"))"
        ]
        if check.packsRead > 0 {
            lines.append(
                "  read   \(Wording.count(check.packsRead, "pack")), "
                    + Wording.bytes(check.bytesRead)
            )
        }
        lines.append("  time   " + Wording.pace(check.bytesRead, milliseconds: milliseconds))
        lines.append(verdict)
        return lines
    }

    private var verdict: String {
        guard !check.damages.isEmpty else { return "no damage found" }
        let affected = Set(check.damages.flatMap { $0.affected.map(\.snapshot) }).count
        let damages = "found \(Wording.count(check.damages.count, "damaged object"))"
        return affected == 0
            ? damages + "; no snapshot lacks anything because of "
                + (check.damages.count == 1 ? "it" : "them")
            : damages + " in what \(Wording.count(affected, "snapshot")) "
                + (affected == 1 ? "needs" : "need") + "; other files can be restored"
    }

    private var summary: JSONValue {
        let summary: JSONObject = [
            "type": "summary", "sound": .bool(check.damages.isEmpty),
            "snapshots": .number(check.snapshots), "packs": .number(check.packs),
            "blobs": .number(check.blobs), "packs_read": .number(check.packsRead),
            "bytes_read": .number(check.bytesRead), "damages": .number(check.damages.count),
            "duration_ms": .number(milliseconds),
        ]
        return summary.value
    }

    private static func json(_ damage: CheckReport.Damage) -> JSONValue {
        let affected = damage.affected.map { snapshot, path in
            var object: JSONObject = ["snapshot_id": .id(snapshot)]
            object.setBytes("path", path)
            return object.value
        }
        let object: JSONObject = [
            "type": "damage", "message": .string(damage.message), "affected": .array(affected),
            "affected_unlisted": .number(damage.unlistedAffected),
        ]
        return object.value
    }
}
