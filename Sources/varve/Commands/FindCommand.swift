internal import Snapshots
internal import Trees
internal import ArgumentParser
internal import Bytes
internal import Platform
internal import Repository

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
        let repository = try repository.open()
        let items = try snapshots(repository, console)
        let form: EntryPrinter.Form = console.isJSON ? .json : null ? .null : long ? .long : .paths
        var printer = try EntryPrinter(console, form)
        let matcher = try FindPattern(pattern.bytes)
        for item in items {
            let id = console.isJSON ? item.id.hex : item.id.short
            let listing = SnapshotListing(item.record, repository)
            try listing.forEachEntry(at: [], .below) { entry in
                try Interruption.check()
                if matcher.matches(entry) { try printer.print(entry, of: id) }
            }
        }
        try printer.finish()
    }

    private func snapshots(
        _ repository: Repository,
        _ console: Console
    ) throws
        -> [SnapshotSeries.Item]
    {
        let series = try SnapshotSeries(repository)
        if !series.damaged.isEmpty, snapshot.isEmpty { console.status = .partial }
        for error in series.damaged { console.report(damaged: error) }
        let items = try filter.apply(to: series.items)
        guard !snapshot.isEmpty else { return items }
        let wanted = Set(
            try snapshot.map { try $0.snapshot().choose(from: items).id }
        )
        return items.filter { wanted.contains($0.id) }
    }
}

/// What `find` looks for.
struct FindPattern {
    private let patterns: ExcludePatterns

    init(_ pattern: [UInt8]) throws(UsageError) {
        guard !pattern.isEmpty else {
            throw UsageError("the pattern is empty", "Give a name, such as '*.parquet'.")
        }
        // Lines of these beginnings have a meaning in lists of patterns, which none has here.
        let isSpecial = pattern[0] == UInt8(ascii: "!") || pattern[0] == UInt8(ascii: "#")
        patterns = ExcludePatterns(lines: [isSpecial ? [UInt8(ascii: "\\")] + pattern : pattern])
    }

    func matches(_ entry: ManifestEntry) -> Bool {
        patterns.isExcluded(entry.path, isDirectory: entry.isDirectory)
    }
}
