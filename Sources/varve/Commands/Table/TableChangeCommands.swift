internal import ArgumentParser
internal import Bytes
internal import TableStore

struct TableDeleteCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete rows of a table.",
        discussion: """
            The rows that match go in one commit; older versions keep them until vacuum. Rows that \
            others append in the meantime stay. When another program replaced one of the data \
            files first, the command fails and nothing is deleted. A row group without such rows \
            is copied byte for byte.

            Examples:
              varve table delete orders --where 'day < "2025-01-01"'
            """
    )

    @OptionGroup var directory: TableDirectoryArgument

    @Option(help: ArgumentHelp("Rows that match go; as in scan.", valueName: "filter"))
    var `where`: String

    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        let filter = try Filter(parsing: `where`)
        let report = try ProgressDisplay.showing(console) { progress throws in
            try StoredTable(directory.path).delete(where: filter, progress)
        }
        if console.isJSON {
            var object: JSONObject = [
                "type": "summary", "deleted_rows": .integer(report.deletedRows),
                "rewritten_files": .integer(Int64(report.rewrittenFiles)),
                "spliced_row_groups": .integer(Int64(report.splicedGroups)),
            ]
            object.append(TableCommitText.json(report.commit))
            return try console.print(object.value)
        }
        if console.isQuiet { return TableCommitText.warn(report.commit, console) }
        try console.print(
            line: "deleted \(Wording.count(report.deletedRows, "row"))"
                + TableCommitText.words(report.commit))
        TableCommitText.warn(report.commit, console)
    }
}

struct TableCompactCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract: "Make few large data files of many small ones.",
        discussion: """
            Files of a partition that are smaller than three quarters of the target size are put \
            together, in one commit. Row groups are copied byte for byte, so that a snapshot \
            afterwards stores little; only small ones are joined and written anew. Rows stay what \
            they are.

            Examples:
              varve table compact orders
              varve table compact orders --where 'day = "2026-11-20"' --target-size 256M
            """
    )

    @OptionGroup var directory: TableDirectoryArgument

    @Option(help: ArgumentHelp("Only partitions that match.", valueName: "filter"))
    var `where`: String?

    @Option(help: ArgumentHelp("About how large data files become.", valueName: "size"))
    var targetSize: SizeArgument?

    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        var options = CompactionOptions()
        options.filter = try `where`.map { text in try Filter(parsing: text) }
        if let targetSize { options.targetSize = Int64(clamping: targetSize.count.bytes) }
        let report = try ProgressDisplay.showing(console) { progress throws in
            options.progress = progress
            return try StoredTable(directory.path).compact(options)
        }
        if console.isJSON {
            var object: JSONObject = [
                "type": "summary", "spliced_row_groups": .integer(Int64(report.splicedGroups)),
                "rewritten_rows": .integer(report.rewrittenRows),
            ]
            object.append(TableCommitText.json(report.commit))
            return try console.print(object.value)
        }
        if console.isQuiet { return TableCommitText.warn(report.commit, console) }
        guard let commit = report.commit else {
            return try console.print(line: "nothing to compact")
        }
        try console.print(
            line: "made \(Wording.count(commit.addedFiles, "data file")) of "
                + "\(commit.removedFiles), version \(commit.version)")
        try console.print(
            line: "  copied \(Wording.count(report.splicedGroups, "row group")), wrote "
                + "\(Wording.count(report.rewrittenRows, "row")) anew")
        TableCommitText.warn(report.commit, console)
    }
}

struct TableRestoreCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make a table what it was at an earlier version.",
        discussion: """
            This is a new version: those in between stay, and can be gone back to. It fails when \
            vacuum took a data file of that version.

            Examples:
              varve table restore orders --version 12
              varve table restore orders --time 2026-11-20T03:00
            """
    )

    @OptionGroup var directory: TableDirectoryArgument

    @Option(help: ArgumentHelp("The version to go back to.", valueName: "version"))
    var version: Int64?

    @Option(help: ArgumentHelp("The time to go back to.", valueName: "time"))
    var time: TimeArgument?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if (version == nil) == (time == nil) {
            throw ValidationError("Give either '--version' or '--time'.")
        }
    }

    func run(_ console: Console) throws {
        let choice: VersionChoice =
            version.map { .number($0) } ?? time.map { .time($0.moment) } ?? .latest
        let commit = try StoredTable(directory.path).restore(to: choice)
        if console.isJSON {
            var object: JSONObject = ["type": "summary"]
            object.append(TableCommitText.json(commit))
            return try console.print(object.value)
        }
        if !console.isQuiet {
            try console.print(
                line: commit == nil
                    ? "the table is like that already"
                    : "restored" + TableCommitText.words(commit))
        }
        TableCommitText.warn(commit, console)
    }
}

/// What a commit changed, for people and programs.
enum TableCommitText {
    static func words(_ commit: CommitOutcome?) -> String {
        guard let commit else { return "" }
        return ": \(Wording.count(commit.removedFiles, "data file")) removed, "
            + "\(commit.addedFiles) added, version \(commit.version)"
    }

    static func warn(_ commit: CommitOutcome?, _ console: Console) {
        guard let problem = commit?.upkeepProblem else { return }
        console.warn("varve: the change is committed, but no checkpoint was written: \(problem)")
    }

    static func json(_ commit: CommitOutcome?) -> JSONObject {
        guard let commit else { return ["version": .null] }
        var object: JSONObject = [
            "version": .integer(commit.version),
            "added_files": .integer(Int64(commit.addedFiles)),
            "removed_files": .integer(Int64(commit.removedFiles)),
            "added_bytes": .integer(commit.addedBytes),
            "removed_bytes": .integer(commit.removedBytes),
        ]
        if let problem = commit.upkeepProblem { object["upkeep_problem"] = .string(problem) }
        return object
    }
}
