internal import ArgumentParser
internal import Operations
internal import Reports

struct ListCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the snapshots of a repository, newest last.",
        discussion: """
            Examples:
              varve list --repo /backup/repo
              varve list --host db1 --source /data/store --tag nightly
              varve list --json
            """
    )

    @OptionGroup var repository: RepositoryOptions
    @OptionGroup(title: "Which snapshots") var filter: FilterOptions
    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        let list = try SnapshotList(try repository.access().open(), filter.filter) {
            try console.print($0)
        }
        if !list.isComplete { console.status = .partial }
        let isFiltered = !filter.filter.isEmpty
        try console.print(SnapshotListText(list.items, isFiltered: isFiltered).report)
    }
}
