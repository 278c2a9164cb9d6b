internal import ArgumentParser
internal import Operations
internal import Reports

struct FindCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "find",
        abstract: "Find files in snapshots by name.",
        discussion: """
            A pattern is compared with the last name of a path, one with a slash in it with the \
            whole path, as in gitignore(5): * is any bytes but a slash, ** any number of \
            directories, a slash at the end finds only directories. What is found is printed as \
            snapshot:path, oldest snapshot first, ready for `cat` and `restore`.

            Examples:
              varve find '*.parquet' --snapshot latest
              varve find 'tables/*/_delta_log/' --host db1
              varve find fstab --long
            """
    )

    @Argument(help: ArgumentHelp("What to find.", valueName: "pattern"))
    var pattern: ByteArgument

    @OptionGroup var repository: RepositoryOptions

    @Option(
        help: ArgumentHelp("Look only in this snapshot; may be repeated.", valueName: "snapshot")
    )
    var snapshot: [SnapshotPathArgument] = []

    @OptionGroup(title: "Which snapshots") var filter: FilterOptions

    @Flag(name: .shortAndLong, help: "Show type, mode, owner, size and time too.")
    var long = false

    @Flag(name: [.customShort("0"), .long], help: "Print raw names, a NUL byte after each.")
    var null = false

    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        var request = FindRequest(pattern.bytes, in: try repository.access())
        request.names = try snapshot.map { try $0.snapshot() }
        request.filter = filter.filter
        let form = EntryPrinter.form(console, isLong: long, isNull: null)
        var printer = try EntryPrinter(console, form)
        let isComplete = try request.run({ try console.print($0) }) { entry, id in
            try printer.print(entry, of: id)
        }
        if !isComplete { console.status = .partial }
        try printer.finish()
    }
}
