internal import ArgumentParser
internal import Operations
internal import Reports
internal import Snapshots

struct ShowCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show all that a snapshot records of itself.",
        discussion: """
            Examples:
              varve show latest
              varve show 3f2a9c --json
            """
    )

    @Argument(help: ArgumentHelp("A snapshot.", valueName: "snapshot"))
    var snapshot: SnapshotPathArgument

    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        let selector = try snapshot.snapshot()
        let found = try selection.find(selector, in: try repository.access().open(), console)
        try console.print(SnapshotText(found.id, found.record).report)
    }
}
