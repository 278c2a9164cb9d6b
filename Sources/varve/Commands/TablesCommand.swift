internal import ArgumentParser
internal import Operations
internal import Reports
internal import Snapshots

struct TablesCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "tables",
        abstract: "List the tables of a snapshot.",
        discussion: """
            Each table with the version that the snapshot has of it, its rows, data files and \
            bytes, from the log in the snapshot: no data is read. A table is "pinned" when all \
            that its version needs was taken as it was at one moment, the same for all tables; \
            "unverified" when it was copied as plain files, "damaged" when files that it needs \
            were gone.

            Examples:
              varve tables --repo /backup/repo
              varve tables latest~1 --json
            """
    )

    @Argument(
        help: ArgumentHelp("A snapshot; the latest otherwise.", valueName: "snapshot")
    )
    var place: SnapshotPathArgument?

    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        var request = TableListRequest(
            try place?.snapshot() ?? .latest, of: try repository.access())
        request.host = selection.host?.bytes
        let (id, tables) = try request.run { try console.print($0) }
        if tables.contains(where: \.isBroken) { console.status = .partial }
        try console.print(TablesReport(id, tables).report)
    }
}
