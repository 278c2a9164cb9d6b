internal import ArgumentParser
internal import Bytes
internal import Reports
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
    var `where`: TextArgument

    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        let filter = try Filter(parsing: `where`.text.string)
        let report = try ProgressDisplay.showing(console) { progress throws in
            try StoredTable(directory.path).delete(where: filter, progress)
        }
        try console.print(TableChangeText.deletion(report))
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
    var `where`: TextArgument?

    @Option(help: ArgumentHelp("About how large data files become.", valueName: "size"))
    var targetSize: SizeArgument?

    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        var options = CompactionOptions()
        options.filter = try `where`.map { text in try Filter(parsing: text.text.string) }
        if let targetSize { options.targetSize = Int64(clamping: targetSize.count.bytes) }
        let report = try ProgressDisplay.showing(console) { progress throws in
            options.progress = progress
            return try StoredTable(directory.path).compact(options)
        }
        try console.print(TableChangeText.compaction(report))
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
        try console.print(TableChangeText.restore(commit))
    }
}
