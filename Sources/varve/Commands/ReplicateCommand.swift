internal import Remote
internal import Capturing
internal import Snapshots
internal import Operations
internal import ArgumentParser
internal import Bytes
internal import Platform
internal import Repository

struct ReplicateCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "replicate",
        abstract: "Keep a live directory equal to a store.",
        discussion: """
            Takes a snapshot of the store into the repository and makes the target equal to it: a \
            directory here, or on another host where varve is installed. The target holds the \
            files themselves, and readers may use it at any moment: a table there is always at one \
            version, whole. What the target has already is copied there and not sent.

            What others changed at the target since is listed, and refused unless --overwrite says \
            that it may be replaced. Interrupted at any moment, it goes on when it is run again.

            Examples:
              varve replicate /data/store ssh://standby/srv/store --repo /backup/repo
              varve replicate /data/store /mnt/disk/store --repo /backup/repo --dry-run
            """
    )

    @Argument(help: ArgumentHelp("The directory to follow.", valueName: "store"))
    var store: ByteArgument

    @Argument(
        help: ArgumentHelp(
            "The directory to keep equal to it: /path, ssh://[user@]host[:port]/path or host:path.",
            valueName: "target"
        )
    )
    var target: ByteArgument

    @OptionGroup var repository: RepositoryOptions

    @Flag(help: "Do it once and end, as a timer wants it; so it is without --watch too.")
    var once = false

    @Flag(help: "Go on whenever the store changes, as varve watch does.")
    var watch = false

    @OptionGroup(title: "With --watch") var watching: WatchArguments

    @Flag(
        name: [.customShort("n"), .long],
        help: "Take the snapshot, tell what would be done, and change nothing at the target."
    )
    var dryRun = false

    @OptionGroup var replica: ReplicaArguments
    @OptionGroup(title: "What to leave out") var exclusion: ExclusionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if watch, once || dryRun {
            throw ValidationError("'--watch' goes with neither '--once' nor '--dry-run'.")
        }
    }

    func run(_ console: Console) throws {
        guard !watch else {
            return try watching.run(store, target, repository, replica, exclusion, console)
        }
        let place = try repository.place()
        try place.requireWritable()
        let selection = try SourceSelection([store.bytes], try repository.location())
        let destination = try ReplicaTargetCheck.destination(
            target,
            sources: selection.sources,
            repository: try repository.location(),
            try repository.remote.command()
        )
        let replication = StoreReplication(
            of: selection.sources.first ?? [],
            through: place.repository,
            to: destination,
            replica.options(isDryRun: dryRun),
            bytesPerSecond: replica.limitRate?.count.bytes
        )
        let options = try replica.captureOptions(exclusion, selection)
        let start = ContinuousClock.now
        let (capture, summary) = try ProgressDisplay.showing(console) { progress throws in
            try replication.run(options, progress)
        }
        console.status = capture.record.isComplete ? .done : .partial
        let time = Wording.milliseconds(ContinuousClock.now - start)
        let report = ReplicaReport(capture, summary, target.printable, isDryRun: dryRun)
        try report.print(console, milliseconds: time)
    }
}
