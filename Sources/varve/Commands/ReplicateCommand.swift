internal import ArgumentParser
internal import Capturing
internal import Operations
internal import Platform
internal import Reports
internal import Snapshots

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
        let request = try replica.request(store, target, repository, exclusion, isDryRun: dryRun)
        guard !watch else { return try watching.run(request, console) }
        let done = try ProgressDisplay.showing(console) { progress throws in
            try request.run(progress)
        }
        console.status = done.isComplete ? .done : .partial
        let report = ReplicaReport(
            done.capture, done.replica, target.bytes, isDryRun: dryRun, took: done.duration)
        try console.print(report.report)
    }
}
