internal import Remote
internal import Snapshots
internal import ArgumentParser
internal import Bytes
internal import Platform
internal import Repository

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
        let repository = try repository.open()
        let before = try selection.find(place.snapshot, in: repository, console)
        let after = try selection.find(selector, in: repository, console)
        if blocks {
            let explanation = try DeltaExplanation(from: before.item, to: after.item, repository)
            return try BlockReport(explanation).print(console)
        }
        if tables {
            let found = try TableDifference.all(
                before.record,
                after.record,
                NodeSource(repository)
            )
            if !found.unread.isEmpty { console.status = .partial }
            return try TableDifferenceReport(found, before.id, after.id).print(console)
        }
        var report = try DiffReport(console, before.id, after.id)
        try SnapshotDifference.forEachChange(
            before.record,
            after.record,
            below: place.path,
            repository
        ) { change in
            try Interruption.check()
            try report.add(change)
        }
        try report.finish(printingTotals: stat)
    }
}
