internal import ArgumentParser
internal import Operations
internal import Platform
internal import Snapshots

struct LsCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List what is in a snapshot.",
        discussion: """
            Paths are those in the snapshot, as `cat` and `restore` take them. Bytes that could \
            disturb a terminal are shown as \\xNN; --null prints names as they are.

            Examples:
              varve ls latest
              varve ls -l latest:tables/orders
              varve ls -R --null @2026-11-20 | xargs -0 -n 1 echo
            """
    )

    @Argument(
        help: ArgumentHelp(
            "A snapshot, and a directory or file in it.",
            valueName: "snapshot[:path]"
        )
    )
    var place: SnapshotPathArgument

    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var selection: SelectionOptions

    @Flag(name: .shortAndLong, help: "Show type, mode, owner, size and time too.")
    var long = false

    @Flag(
        name: [.customShort("R"), .long],
        help: "List what is in subdirectories too."
    )
    var recursive = false

    @Flag(name: [.customShort("0"), .long], help: "Print raw names, a NUL byte after each.")
    var null = false

    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        let place = try place.parsed()
        let repository = try repository.access().open()
        let found = try selection.find(place.snapshot, in: repository, console)
        let form = EntryPrinter.form(console, isLong: long, isNull: null)
        var printer = try EntryPrinter(console, form)
        let listing = SnapshotListing(found.record, repository)
        try listing.forEachEntry(at: place.path, recursive ? .below : .children) { entry in
            try Interruption.check()
            try printer.print(entry)
        }
        try printer.finish()
    }
}
