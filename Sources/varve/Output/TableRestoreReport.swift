internal import Restoring
internal import Snapshots
internal import Bytes

/// Tells what the restore of a table came to.
struct TableRestoreReport {
    private let result: TableRestoreResult
    private let table: CapturedTable
    private let place: [UInt8]
    private let isDryRun: Bool
    private let milliseconds: UInt64

    init(
        _ result: TableRestoreResult,
        _ table: CapturedTable,
        _ place: [UInt8],
        isDryRun: Bool,
        took duration: Duration
    ) {
        self.result = result
        self.table = table
        self.place = place
        self.isDryRun = isDryRun
        milliseconds = Wording.milliseconds(duration)
    }

    func print(_ console: Console) throws {
        if console.isJSON { return try console.print(json) }
        if isDryRun {
            for (path, size) in result.fetched {
                let line = "fetch \(PathBytes.printable(path.utf8)), \(Wording.bytes(size))"
                try console.print(line: line)
            }
        }
        if let problem = result.upkeepProblem {
            console.warn("varve: the restore holds; upkeep of the log failed: \(problem)")
        }
        if !console.isQuiet {
            for line in lines { try console.print(line: line) }
        }
    }

    private var name: String {
        table.path.isEmpty ? "." : PathBytes.printable(table.path)
    }

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
        var object: JSONObject = ["dry_run": .bool(isDryRun)]
        object.setBytes("table", table.path)
        object.setBytes("target", place)
        object["version_wanted"] = .integer(result.wanted)
        object["version_before"] = result.before.map { .integer($0) } ?? .null
        object["version_committed"] = result.committed.map { .integer($0) } ?? .null
        object["log_versions_restored"] = .array(result.logVersions.map { .integer($0) })
        object["files_fetched"] = .count(UInt64(result.fetched.count))
        object["bytes_fetched"] = .count(result.bytesFetched)
        object["files_kept"] = .count(result.filesKept)
        object["bytes_kept"] = .count(result.bytesKept)
        object["files_added"] = .count(result.added)
        object["files_removed"] = .count(result.removed)
        object["rows_added"] = result.rowsAdded.map { .integer($0) } ?? .null
        object["rows_removed"] = result.rowsRemoved.map { .integer($0) } ?? .null
        if isDryRun {
            object["fetch"] = .array(
                result.fetched.map { path, size in
                    let file: JSONObject = ["path": .string(path), "size": .count(size)]
                    return file.value
                }
            )
        }
        return object.value
    }
}
