internal import ArgumentParser
internal import Operations
internal import Reports
internal import Snapshots

struct StatsCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Count what a repository or a snapshot holds.",
        discussion: """
            Without a snapshot: snapshots, packs, blobs and bytes of the repository. With one: its \
            entries by type and the bytes that a restore writes.

            Examples:
              varve stats
              varve stats latest --json
            """
    )

    @Argument(
        help: ArgumentHelp(
            "A snapshot, and a directory in it.",
            valueName: "snapshot[:path]"
        )
    )
    var place: SnapshotPathArgument?

    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        let place = try place?.parsed()
        let repository = try repository.access().open()
        guard let place else {
            return try console.print(StatisticsText(try RepositoryNumbers(repository)).report)
        }
        let found = try selection.find(place.snapshot, in: repository, console)
        let numbers = try SnapshotNumbers(found.record, at: place.path, repository)
        try console.print(StatisticsText(numbers).report)
    }
}
