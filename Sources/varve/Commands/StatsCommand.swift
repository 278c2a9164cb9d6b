internal import Snapshots
internal import ArgumentParser
internal import Bytes
internal import Platform
internal import Repository

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
        let repository = try repository.open()
        let numbers: [Statistic]
        if let place {
            let found = try selection.find(place.snapshot, in: repository, console)
            numbers = try SnapshotNumbers.count(found.record, place.path, repository)
        } else {
            numbers = try RepositoryNumbers.count(repository)
        }
        if console.isJSON { return try console.print(Statistic.json(numbers)) }
        for line in Statistic.lines(numbers) { try console.print(line: line) }
    }
}
