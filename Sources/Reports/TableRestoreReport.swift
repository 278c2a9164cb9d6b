internal import Bytes
internal import JSON
package import Operations
internal import Restoring
internal import Snapshots

/// Tells what the restore of a table came to.
package struct TableRestoreReport {
    private let result: TableRestoreResult
    private let table: CapturedTable
    private let place: [UInt8]
    private let isDryRun: Bool
    private let milliseconds: UInt64

    /// A report on the restore of a table, or on a dry run of one.
    package init(_ restored: RestoredTable, isDryRun: Bool) {
        result = restored.result
        table = restored.table
        place = restored.place
        self.isDryRun = isDryRun
        milliseconds = Wording.milliseconds(restored.duration)
    }

    /// On a dry run what would be fetched, and the numbers.
    package var report: Report {
        var report = Report(json, summary: lines)
        if isDryRun {
            report.results = result.fetched.map { path, size in
                "fetch \(Wording.foreign(path.string)), \(Wording.bytes(size))"
            }
        }
        if let problem = result.upkeepProblem {
            let reason = Wording.foreign(problem)
            report.warnings = [Message("the restore holds; upkeep of the log failed: \(reason)")]
        }
        return report
    }

    private var name: String { Wording.path(table.path) }

    private var lines: [String] {
        let place = PathBytes.printable(place)
        return [
            isDryRun
                ? "dry run of a restore of \(name) to \(place); nothing was written"
                : "restored \(name) to \(place)",
            "  version  \(version)",
            "  files    \(Wording.grouped(result.fetched.count)) "
                + "\(isDryRun ? "to fetch" : "fetched"), "
                + "\(Wording.bytes(result.bytesFetched)); "
                + "\(Wording.grouped(result.filesKept)) kept, \(Wording.bytes(result.bytesKept))",
            "  change   \(Wording.count(result.added, "file")) added\(rows(result.rowsAdded)), "
                + "\(Wording.count(result.removed, "file")) removed\(rows(result.rowsRemoved))",
            "  time     "
                + Wording.pace(isDryRun ? 0 : result.bytesFetched, milliseconds: milliseconds),
        ]
    }

    private func rows(_ count: Int64?) -> String {
        guard let count, count != 0 else { return "" }
        return " (\(Wording.count(count, "row")))"
    }

    private var version: String {
        let wanted = "as at \(result.wanted)"
        if let committed = result.committed {
            return "\(committed), \(wanted)"
        }
        if isDryRun, result.added + result.removed > 0 {
            return "\(wanted), by a commit after \(result.before ?? result.wanted)"
        }
        return "\(result.before ?? result.wanted), \(wanted); no commit is needed"
    }

    private var json: JSONValue {
        var object: JSONObject = ["type": "summary", "dry_run": .bool(isDryRun)]
        object.setBytes("table", table.path)
        object.setBytes("target", place)
        object["version_wanted"] = .number(result.wanted)
        object["version_before"] = .number(result.before)
        object["version_committed"] = .number(result.committed)
        object["log_versions_restored"] = .array(result.logVersions.map { .number($0) })
        object["files_fetched"] = .number(result.fetched.count)
        object["bytes_fetched"] = .number(result.bytesFetched)
        object["files_kept"] = .number(result.filesKept)
        object["bytes_kept"] = .number(result.bytesKept)
        object["files_added"] = .number(result.added)
        object["files_removed"] = .number(result.removed)
        object["rows_added"] = .number(result.rowsAdded)
        object["rows_removed"] = .number(result.rowsRemoved)
        if isDryRun {
            object["file_list"] = .array(
                result.fetched.map { path, size in
                    let file: JSONObject = ["path": .string(path.string), "size": .number(size)]
                    return file.value
                }
            )
        }
        return object.value
    }
}
