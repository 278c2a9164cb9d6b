internal import ArgumentParser
internal import Bytes
internal import Reports
internal import TableStore

struct TableVacuumCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "vacuum",
        abstract: "Remove data files that no recent version of a table needs.",
        discussion: """
            Files that left the table less than the retention ago stay, and so do new ones that no \
            commit names yet: a writer may be at work. What writers that were killed left behind \
            goes once it is as old. Older versions can then no longer be read. A shorter retention \
            than the table is set to (7 days) needs --force, and that no other program reads or \
            writes.

            Examples:
              varve table vacuum orders --dry-run
              varve table vacuum orders --retention 30d
            """
    )

    @OptionGroup var directory: TableDirectoryArgument

    @Option(
        help: ArgumentHelp(
            "How long files stay: 12h, 7d, 4w. Without it what the table is set to, 7 days mostly.",
            valueName: "time"))
    var retention: RetentionArgument?

    @Flag(name: [.customShort("n"), .long], help: "Remove nothing, and tell what would go.")
    var dryRun = false

    @Flag(help: "Allow a retention that is shorter than the table's.")
    var force = false

    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        var options = VacuumOptions()
        options.retention = retention?.duration
        options.dryRun = dryRun
        options.force = force
        let report = try StoredTable(directory.path).vacuum(options)
        let text = TableUpkeepText.vacuum(
            report, isDryRun: dryRun, isDetailed: console.isVerbose)
        try console.print(text)
    }
}

/// A time such as 12h or 7d.
struct RetentionArgument: ExpressibleByArgument {
    let duration: Duration

    init?(argument: String) {
        guard let duration = RetentionText.parse(argument) else { return nil }
        self.duration = duration
    }
}

struct TableVerifyCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read all of a table and compare it with what its log says.",
        discussion: """
            Every page of every data file is read; checksums of pages, sizes, row counts, nulls \
            and bounds are compared. Nothing is changed. The exit status is 1 when something is \
            wrong.

            Examples:
              varve table verify orders
              varve table verify orders --at-version 12 --json
            """
    )

    @OptionGroup var directory: TableDirectoryArgument
    @OptionGroup var version: TableVersionOptions
    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        let report = try ProgressDisplay.showing(console) { progress throws in
            try StoredTable(directory.path, at: version.choice).verify(progress)
        }
        if !report.damages.isEmpty { console.status = .failed }
        try console.print(TableUpkeepText.verification(report))
    }
}
