internal import Snapshots
internal import ArgumentParser
internal import Bytes
internal import Platform
internal import Repository

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
        let found = try selection.find(selector, in: try repository.open(), console)
        let text = SnapshotText(found.id, found.record)
        if console.isJSON { return try console.print(text.json) }
        for line in text.lines { try console.print(line: line) }
    }
}
