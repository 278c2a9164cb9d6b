internal import ArgumentParser
internal import Operations

struct WatchCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Snapshot a store whenever it changes, and keep a replica equal to it.",
        discussion: """
            Runs until it is stopped. The system tells of changes; where it cannot, on a file \
            system of the network or where it watches no more directories, they are looked for. \
            What fails is told and tried again.

            Examples:
              varve watch /data/store --repo /backup/repo
              varve watch /data/store --repo /backup/repo --replicate standby:/srv/store
            """
    )

    @Argument(help: ArgumentHelp("The directory to follow.", valueName: "store"))
    var store: ByteArgument

    @OptionGroup var repository: RepositoryOptions

    @Option(
        name: .customLong("replicate"),
        help: ArgumentHelp(
            "A directory to keep equal to the store, as for varve replicate.",
            valueName: "target"
        )
    )
    var target: ByteArgument?

    @OptionGroup var watching: WatchArguments
    @OptionGroup var replica: ReplicaArguments
    @OptionGroup(title: "What to leave out") var exclusion: ExclusionOptions
    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        try watching.run(
            try replica.request(store, target, repository, exclusion), console)
    }
}
