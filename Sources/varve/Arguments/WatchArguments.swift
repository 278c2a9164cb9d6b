internal import ArgumentParser
internal import Operations
internal import Reports

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
    func run(_ request: ReplicationRequest, _ console: Console) throws {
        let text = WatchReport(target: request.target)
        let record = try request.watch(settings, rounds: rounds ?? .max) { event in
            if case .failed(let error, _) = event { console.report(Failure(error)) }
            try console.print(text.report(event))
            try console.flush()
        }
        try console.print(text.sum(record))
    }

    private var settings: WatchSettings {
        var settings = WatchSettings([])
        if let poll {
            settings.alwaysPolls = true
            settings.interval = .seconds(poll)
        }
        settings.health = health?.bytes
        settings.metrics = metrics?.bytes
        return settings
    }
}
