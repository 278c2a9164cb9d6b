internal import ArgumentParser
internal import Reports
internal import TableStore

struct TableInfoCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Show what a table is and holds.",
        discussion: """
            Examples:
              varve table info orders
              varve table info orders --at-version 3 --json
            """
    )

    @OptionGroup var directory: TableDirectoryArgument
    @OptionGroup var version: TableVersionOptions
    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        let table = try StoredTable(directory.path, at: version.choice)
        try console.print(TableInfoText(TableInfo(table)).report)
    }
}

struct TableHistoryCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "List the versions of a table, newest first.",
        discussion: """
            Examples:
              varve table history orders --limit 5
            """
    )

    @OptionGroup var directory: TableDirectoryArgument

    @Option(help: ArgumentHelp("At most so many versions.", valueName: "count"))
    var limit: Int?

    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        let entries = try StoredTable(directory.path).history(limit: max(0, limit ?? .max))
        try console.print(TableHistoryText(entries).report)
    }
}
