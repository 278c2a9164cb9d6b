internal import ArgumentParser
internal import Bytes
internal import Capturing
internal import Migration
internal import Operations
internal import Platform
internal import Reports
internal import Snapshots

extension CopyStrategy: ExpressibleByArgument {}

struct MigrateCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Move a store to another directory, with a plan, a backup and proof.",
        discussion: """
            Steps, each shown: plan (what there is, how it is copied, what it costs), backup (a \
            snapshot of the source into a repository), execute (copy, and catch up with what \
            changed meanwhile), verify (every file by two digests, every table by its rows) and, \
            with --clean-source only, clean up. A run that was interrupted goes on where it was \
            when the command is given again; SIGUSR1 holds it up, SIGUSR2 lets it go on.

            The target must not exist or be empty. The source is never written to; it is removed \
            only with --clean-source, and only what a receipt proves to be in the target while \
            neither side changed since.

            Exit status 3 says that some paths could not be migrated, or that the source holds \
            what the receipt does not name; they are listed.

            Examples:
              varve migrate /data/store /mnt/new/store --plan
              varve migrate /data/store /mnt/new/store --repo /backup/repo
              varve migrate /data/store /mnt/new/store --clean-source
              varve migrate exports tables --into-tables --no-backup
            """
    )

    @Argument(help: ArgumentHelp("The directory to migrate.", valueName: "source"))
    var source: ByteArgument

    @Argument(
        help: ArgumentHelp("The directory to migrate to, missing or empty.", valueName: "target"))
    var target: ByteArgument

    @OptionGroup var repository: RepositoryOptions

    @Flag(
        name: [.customLong("plan"), .customLong("dry-run"), .customShort("n")],
        help: "Print the plan and stop.")
    var isPlan = false

    @Flag(help: "Make no snapshot of the source first.")
    var noBackup = false

    @Option(
        help: ArgumentHelp(
            "How to copy: sequential, parallel or chunked; what is fastest otherwise.",
            valueName: "strategy"))
    var strategy: CopyStrategy?

    @Flag(help: "Make tables of directories of CSV, NDJSON or Parquet files.")
    var intoTables = false

    @Flag(help: "Remove from the source what is proven to be in the target.")
    var cleanSource = false

    @Option(
        help: ArgumentHelp(
            "Where journal and receipt are kept; target.varve-migration otherwise.",
            valueName: "directory"),
        completion: .directory)
    var journal: ByteArgument?

    @Option(
        help: ArgumentHelp(
            "Passes at most that catch up with a source that changes.", valueName: "number"))
    var passes = 8

    @Option(
        help: ArgumentHelp(
            "Seconds to wait before a pass that catches up.", valueName: "seconds"))
    var pause = 1

    @Option(help: ArgumentHelp("Copy at most this much a second, such as 50M.", valueName: "size"))
    var limitRate: SizeArgument?

    @OptionGroup(title: "What to leave out") var exclusion: ExclusionOptions

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let limitRate, limitRate.count.bytes == 0 {
            throw ValidationError("The value of '--limit-rate' must not be zero.")
        }
        guard (1...1000).contains(passes) else {
            throw ValidationError("The value of '--passes' must be from 1 to 1000.")
        }
        guard (0...86_400).contains(pause) else {
            throw ValidationError("The value of '--pause' must be from 0 to 86400.")
        }
    }

    func run(_ console: Console) throws {
        Pause.install()
        var operation = MigrationOperation(try request())
        operation.isPlan = isPlan
        operation.cleansSource = cleanSource
        operation.programVersion = Array(Version.text.utf8)
        operation.repository = try backupRepository(operation)
        operation.backsUp = !noBackup
        try operation.run(
            showing: { body in
                try ProgressDisplay.showing(console) { progress throws in try body(progress) }
            },
            { event in try tell(event, console) })
    }

    private func tell(_ event: MigrationEvent, _ console: Console) throws {
        switch event {
        case .planned(let plan):
            try console.print(MigrationPlanText(plan, isChosen: strategy == nil).report)
        case .backedUp(let result):
            if !result.record.isComplete { console.status = .partial }
            try console.print(MigrationStepText.backup(result))
        case .copied(let report): try console.print(MigrationStepText.copies(report))
        case .verified(let report):
            if !report.problems.isEmpty { console.status = .partial }
            let command = cleanSource ? nil : cleanCommand
            try console.print(MigrationProofText(report, command: command).report)
        case .cleaned(let report):
            if !report.left.isEmpty { console.status = .partial }
            try console.print(MigrationStepText.cleanUp(report))
        case .over(let times, let isVerified):
            try console.print(MigrationTimes(times, isVerified: isVerified).report)
        }
        try console.flush()
    }

    private func request() throws -> MigrationRequest {
        var request = MigrationRequest(
            source: source.bytes, target: target.bytes, filter: try exclusion.filter(),
            scope: exclusion.words)
        request.journal = journal?.bytes
        request.strategy = strategy
        request.makesTables = intoTables
        request.bytesPerSecond = limitRate?.count.bytes
        request.passLimit = passes
        request.pause = .seconds(pause)
        return request
    }

    /// The repository for the backup; nil when none is wanted, or it was made already.
    private func backupRepository(_ operation: MigrationOperation) throws -> RepositoryAccess? {
        guard !noBackup, try operation.needsRepository() else { return nil }
        do throws(UsageError) {
            return try repository.access()
        } catch {
            throw UsageError(
                "a migration begins with a backup, and no repository is named for it",
                "Name one with --repo (`varve init` makes one), or refuse the backup with "
                    + "--no-backup.")
        }
    }

    /// What cleans the source once the target is proven.
    private var cleanCommand: String {
        var words = ["varve", "migrate"]
        words += [source.bytes, target.bytes].map(ShellWord.quoted)
        if let journal { words += ["--journal", ShellWord.quoted(journal.bytes)] }
        if intoTables { words.append("--into-tables") }
        words += exclusion.words.map { ShellWord.quoted(LosslessText.decode($0)) }
        return (words + ["--clean-source"]).joined(separator: " ")
    }
}
