internal import Snapshots
internal import ArgumentParser
internal import Bytes
internal import Platform
internal import Repository

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
        let selector = try place?.snapshot() ?? .latest
        let repository = try repository.open()
        let found = try selection.find(selector, in: repository, console)
        let nodes = NodeSource(repository)
        var report = TablesReport(found.id)
        for table in try SnapshotTables.list(found.record, nodes) {
            try Interruption.check()
            let read = Result { try SnapshotTables.read(table, found.record, nodes) }
            try report.add(table, read)
        }
        try report.print(console)
        if report.hasFailed { console.status = .partial }
    }
}
