internal import ArgumentParser
internal import Operations
internal import Platform
internal import Snapshots

struct CatCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat",
        abstract: "Print a file of a snapshot.",
        discussion: """
            Every chunk is checked before it is printed. When one is damaged, printing ends before \
            it and the exit status is 1.

            Examples:
              varve cat latest:etc/fstab
              varve cat latest~1:store.sqlite > store.sqlite
            """
    )

    @Argument(
        help: ArgumentHelp("A snapshot and a file in it.", valueName: "snapshot:path")
    )
    var place: SnapshotPathArgument

    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        let place = try place.parsed()
        let repository = try repository.access().open()
        let found = try selection.find(place.snapshot, in: repository, console)
        try SnapshotListing(found.record, repository).read(place.path) { bytes in
            try Interruption.check()
            try console.print(bytes)
        }
    }
}
