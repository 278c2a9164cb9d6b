internal import Upkeep
internal import Bytes
internal import Repository

/// Tells what a check found.
struct CheckText {
    private let report: CheckReport
    private let milliseconds: UInt64

    init(_ report: CheckReport, took duration: Duration) {
        self.report = report
        milliseconds = Wording.milliseconds(duration)
    }

    func print(_ console: Console) throws {
        if console.isJSON { return try printJSON(console) }
        for warning in report.warnings { console.warn("varve: \(warning)") }
        for damage in report.damages {
            for line in Self.lines(damage) { console.warn(line) }
        }
        if !console.isQuiet {
            for line in lines { try console.print(line: line) }
        }
    }

    private static func lines(_ damage: CheckReport.Damage) -> [String] {
        var lines = ["varve: damage: \(damage.message)"]
        for (snapshot, path) in damage.affected {
            lines.append("  affects \(snapshot.short):\(PathBytes.printable(path))")
        }
        if damage.unlistedAffected > 0 {
            lines.append("  and \(Wording.count(damage.unlistedAffected, "other path"))")
        }
        return lines
    }

    private var lines: [String] {
        var lines = [
            "checked \(Wording.count(report.snapshots, "snapshot")), "
                + "\(Wording.count(report.packs, "pack")), \(Wording.count(report.blobs, "blob"))"
        ]
        if report.packsRead > 0 {
            lines.append(
                "  read   \(Wording.count(report.packsRead, "pack")), "
                    + Wording.bytes(report.bytesRead)
            )
        }
        lines.append("  time   " + Wording.pace(report.bytesRead, milliseconds: milliseconds))
        lines.append(verdict)
        return lines
    }

    private var verdict: String {
        guard !report.damages.isEmpty else { return "no damage found" }
        let affected = Set(report.damages.flatMap { $0.affected.map(\.snapshot) }).count
        let damages = "found \(Wording.count(report.damages.count, "damage"))"
        return affected == 0
            ? damages + "; no snapshot lacks anything because of it"
            : damages + " in what \(Wording.count(affected, "snapshot")) "
                + (affected == 1 ? "needs" : "need") + "; other files can be restored"
    }
}

extension CheckText {
    private func printJSON(_ console: Console) throws {
        for warning in report.warnings {
            let object: JSONObject = ["type": "note", "message": .string(warning)]
            try console.print(object.value)
        }
        for damage in report.damages { try console.print(Self.json(damage)) }
        let summary: JSONObject = [
            "type": "summary", "sound": .bool(report.damages.isEmpty),
            "snapshots": .count(UInt64(report.snapshots)), "packs": .count(UInt64(report.packs)),
            "blobs": .count(UInt64(report.blobs)),
            "packs_read": .count(UInt64(report.packsRead)),
            "bytes_read": .count(report.bytesRead),
            "damages": .count(UInt64(report.damages.count)),
            "duration_ms": .count(milliseconds),
        ]
        try console.print(summary.value)
    }

    private static func json(_ damage: CheckReport.Damage) -> JSONValue {
        let affected = damage.affected.map { snapshot, path in
            var object: JSONObject = ["snapshot_id": .hex(snapshot.digest)]
            object.setBytes("path", path)
            return object.value
        }
        let object: JSONObject = [
            "type": "damage", "message": .string(damage.message), "affected": .array(affected),
            "affected_unlisted": .count(UInt64(damage.unlistedAffected)),
        ]
        return object.value
    }
}
