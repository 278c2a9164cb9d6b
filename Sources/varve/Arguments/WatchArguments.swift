internal import Remote
internal import Capturing
internal import Operations
internal import ArgumentParser
internal import Bytes
internal import Platform
internal import Repository

/// How a store is followed.
struct WatchArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Look for changes every so many seconds instead of being told.",
            valueName: "seconds"
        )
    )
    var poll: Int?

    @Option(
        help: ArgumentHelp("End after so many rounds that went well.", valueName: "count")
    )
    var rounds: Int?

    @Option(
        help: ArgumentHelp("Keep a JSON file that tells how it goes.", valueName: "file"),
        completion: .file()
    )
    var health: ByteArgument?

    @Option(
        help: ArgumentHelp(
            "Keep a file of metrics in the text format of Prometheus.",
            valueName: "file"
        ),
        completion: .file()
    )
    var metrics: ByteArgument?

    func validate() throws {
        if let poll, poll < 1 {
            throw ValidationError("The value of '--poll' must be at least 1.")
        }
        if let rounds, rounds < 1 {
            throw ValidationError("The value of '--rounds' must be at least 1.")
        }
    }

    /// Follows a store until the program is interrupted.
    func run(
        _ store: ByteArgument,
        _ target: ByteArgument?,
        _ repository: RepositoryOptions,
        _ replica: ReplicaArguments,
        _ exclusion: ExclusionOptions,
        _ console: Console
    ) throws {
        let location = try repository.location()
        try repository.place().requireWritable()
        let selection = try SourceSelection([store.bytes], location)
        let source = selection.sources.first ?? []
        let ssh = try repository.remote.command()
        let destination = try target.map { target in
            try ReplicaTargetCheck.destination(
                target,
                sources: [source],
                repository: location,
                ssh
            )
        }
        let report = WatchReport(console, target: target?.printable)
        var options = try replica.captureOptions(exclusion, selection)
        options.skipsUnchanged = true
        let watch = StoreWatch(
            settings(source),
            options,
            replica: destination.map { destination in
                (destination, replica.options(isDryRun: false), replica.limitRate?.count.bytes)
            },
            repository: { try repository.place().repository },
            tell: { try report.tell($0) }
        )
        do {
            try watch.run(rounds: rounds ?? .max)
        } catch is Interrupted {
            // The usual end.
        }
        try report.sum(watch.record)
    }

    private func settings(_ source: [UInt8]) -> WatchSettings {
        var settings = WatchSettings(source)
        if let poll {
            settings.alwaysPolls = true
            settings.interval = .seconds(poll)
        }
        settings.health = health?.bytes
        settings.metrics = metrics?.bytes
        return settings
    }
}
