internal import ArgumentParser
internal import Bytes
internal import Operations
internal import Remote
internal import Reports
internal import Repository
internal import TwoWay

struct SyncCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Make two stores, or two repositories, hold the same.",
        discussion: """
            With STORE and TARGET, two live stores: what changed in one of them since the last \
            sync is brought to the other. A table that both sides appended to gets the rows of \
            both. Whatever else changed on both sides is left as it is, listed, and the exit \
            status is 3; nothing is ever overwritten by a guess.

            With --repo and --with, two repositories: each gets the snapshots it lacks of the \
            other; nothing is removed. Snapshots never conflict.

            Running it again changes nothing.

            Examples:
              varve sync /data/store ssh://standby/srv/store
              varve sync /data/store /mnt/disk/store --dry-run
              varve sync --repo /backup/repo --with ssh://standby/srv/repo
            """
    )

    @Argument(help: ArgumentHelp("A store: a directory here.", valueName: "store"))
    var store: ByteArgument?

    @Argument(
        help: ArgumentHelp(
            "The other store: /path, ssh://[user@]host[:port]/path or host:path; made if missing.",
            valueName: "target"
        )
    )
    var target: ByteArgument?

    @Option(
        help: ArgumentHelp("The other repository.", valueName: "repo"),
        completion: .directory
    )
    var with: ByteArgument?

    @Flag(
        name: [.customShort("n"), .long],
        help: "Tell what would be done to two stores, and change nothing."
    )
    var dryRun = false

    @OptionGroup(title: "Which snapshots, with --with") var filter: FilterOptions
    @Option(help: TransferChoiceOptions.sinceHelp)
    var since: TimeArgument?

    @OptionGroup var transfer: TransferOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        let isOfRepositories = repository.repo != nil || with != nil
        if store != nil, isOfRepositories {
            throw ValidationError(
                "STORE and TARGET are stores, '--repo' and '--with' are repositories: name one "
                    + "pair or the other."
            )
        }
        if store == nil, with == nil {
            throw ValidationError(
                "Name two stores, or two repositories with '--repo' and '--with'."
            )
        }
        if store != nil, target == nil {
            throw ValidationError("Name the store to sync with, too.")
        }
        if store != nil, !filter.filter.isEmpty || since != nil {
            throw ValidationError(
                "'--tag', '--host', '--source' and '--since' choose snapshots: they go with "
                    + "'--repo' and '--with'."
            )
        }
        if store == nil, dryRun {
            throw ValidationError("'--dry-run' goes with two stores.")
        }
    }

    func run(_ console: Console) throws {
        if let store, let target {
            try syncStores(store, target, console)
        } else if let with {
            try syncRepositories(with, console)
        }
    }

    // MARK: Stores

    private func syncStores(
        _ store: ByteArgument, _ target: ByteArgument, _ console: Console
    ) throws {
        var request = StoreSyncRequest(
            store.bytes, with: target.bytes, try repository.remote.command())
        request.isDryRun = dryRun
        request.bytesPerSecond = transfer.limitRate?.count.bytes
        let (summary, duration) = try ProgressDisplay.showing(console) { progress throws in
            try request.run(progress)
        }
        console.status = summary.isComplete ? .done : .partial
        let report = SyncReport(
            summary, store.bytes, target.bytes, isDryRun: dryRun, took: duration)
        try console.print(report.report(isDetailed: console.isVerbose))
    }

    // MARK: Repositories

    private func syncRepositories(_ with: ByteArgument, _ console: Console) throws {
        let here = try repository.access().place()
        let there = try repository.access(to: with).place()
        var choice = TransferChoice()
        choice.filter = filter.filter
        choice.since = since?.moment
        let before = try Set(there.repository.snapshotIDs())
        try transfer.run(choice, from: there, to: here, .from, with, console)
        try transfer.run(choice, from: here, to: there, .to, with, known: before, console)
    }
}
