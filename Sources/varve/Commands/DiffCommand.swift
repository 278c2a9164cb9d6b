internal import ArgumentParser
internal import JSON
internal import Operations
internal import Platform
internal import Remote
internal import Reports
internal import Repository
internal import Snapshots

struct DiffCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show what differs between two snapshots.",
        discussion: """
            A line for each path, in path order, the kind of difference first:
              +  added
              -  removed
              M  other content
              U  same content; other mode, owner, time or attributes
              T  other type, such as a directory where a file was

            Only what differs is read, so the cost depends on the difference and not on the size. \
            The exit status is 0 whether or not the snapshots differ.

            Examples:
              varve diff latest~1 latest
              varve diff 3f2a9c:tables/orders latest --stat
              varve diff latest~1 latest --blocks
              varve diff latest~1 latest --tables
            """
    )

    @Argument(
        help: ArgumentHelp(
            "The snapshot before; only what lies below the path is compared.",
            valueName: "snapshot[:path]"
        )
    )
    var before: SnapshotPathArgument

    @Argument(help: ArgumentHelp("The snapshot after.", valueName: "snapshot"))
    var after: SnapshotPathArgument

    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var selection: SelectionOptions

    @Flag(help: "Count the differences and their bytes, in a summary at the end.")
    var stat = false

    @Flag(
        help: """
            Tell instead, for each file with other content, how many bytes are in chunks that are \
            there already, in chunks stored as patches and in new ones, and what shipping the \
            difference would cost.
            """
    )
    var blocks = false

    @Flag(
        help: """
            Tell instead, for each table that differs, how many rows, files, partitions and bytes \
            were added and removed, from the logs in the snapshots alone.
            """
    )
    var tables = false

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if [blocks, stat, tables].count(where: { $0 }) > 1 {
            throw ValidationError("'--stat', '--blocks' and '--tables' exclude each other.")
        }
    }

    func run(_ console: Console) throws {
        let place = try before.parsed()
        let selector = try after.snapshot()
        if blocks || tables, !place.path.isEmpty {
            throw UsageError(
                "'\(blocks ? "--blocks" : "--tables")' is about whole snapshots",
                "Name the snapshot without what follows the colon."
            )
        }
        let repository = try repository.access().open()
        let before = try selection.find(place.snapshot, in: repository, console)
        let after = try selection.find(selector, in: repository, console)
        if blocks {
            let explanation = try DeltaExplanation(from: before.item, to: after.item, repository)
            return try console.print(BlockReport(explanation).report)
        }
        if tables {
            let found = try TableDifference.all(
                before.record, after.record, NodeSource(repository))
            if !found.unread.isEmpty { console.status = .partial }
            return try console.print(TableDifferenceReport(found, before.id, after.id).report)
        }
        var printer = try DifferencePrinter(console, before.id, after.id)
        try SnapshotDifference.forEachChange(
            before.record, after.record, below: place.path, repository
        ) { change in
            try Interruption.check()
            try printer.add(change)
        }
        try printer.finish(printingTotals: stat)
    }
}

/// Prints differences as they are found, and their totals.
private struct DifferencePrinter {
    private let console: Console
    private var list: JSONList?
    private var totals = DifferenceTotals()

    init(_ console: Console, _ before: SnapshotID, _ after: SnapshotID) throws {
        self.console = console
        let head = DifferenceText.head(before, after)
        list = console.isJSON ? try JSONList(console, head: head) : nil
    }

    mutating func add(_ change: ManifestChange) throws {
        totals.add(change)
        guard list != nil else { return try console.print(line: DifferenceText.line(change)) }
        try list?.append(DifferenceText.json(change))
    }

    func finish(printingTotals: Bool) throws {
        if let list {
            let tail = printingTotals ? #","totals":"# + totals.json.text + "}" : "}"
            try list.finish(tail: tail)
        } else if printingTotals {
            for line in totals.lines { try console.print(line: line) }
        }
    }
}
