internal import ArgumentParser
internal import Bytes
internal import Platform
internal import TableLog
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
        let text = TableInfoText(TableInfo(table))
        if console.isJSON { return try console.print(text.json) }
        for line in text.lines { try console.print(line: line) }
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
        if console.isJSON {
            return try console.print(.array(entries.map { TableInfoText.json($0) }))
        }
        var table = Table([
            ("version", .trailing), ("time", .leading), ("operation", .leading),
            ("added", .trailing), ("removed", .trailing), ("writer", .leading),
        ])
        for entry in entries {
            table.append([
                "\(entry.version)", "\(CivilTime(local: entry.time))", entry.operation ?? "-",
                "\(entry.addedFiles) (\(Wording.bytes(UInt64(clamping: entry.addedBytes))))",
                "\(entry.removedFiles) (\(Wording.bytes(UInt64(clamping: entry.removedBytes))))",
                entry.writer ?? "-",
            ])
        }
        for line in table.lines { try console.print(line: line) }
    }
}
