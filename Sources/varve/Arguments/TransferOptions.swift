internal import ArgumentParser
internal import Bytes
internal import Operations
internal import Remote
internal import Reports
internal import Repository

/// Which snapshots are brought to another repository.
struct TransferChoiceOptions: ParsableArguments {
    static let sinceHelp = ArgumentHelp(
        "Only those not older than this, such as 2026-11-01.",
        valueName: "time"
    )

    @Argument(
        help: ArgumentHelp("Snapshots by name; all if none is named.", valueName: "snapshot")
    )
    var snapshots: [SnapshotPathArgument] = []

    @OptionGroup var filter: FilterOptions

    @Option(help: sinceHelp)
    var since: TimeArgument?

    func choice() throws -> TransferChoice {
        var choice = TransferChoice()
        choice.names = try snapshots.map { try $0.snapshot() }
        choice.filter = filter.filter
        choice.since = since?.moment
        return choice
    }
}

/// How snapshots are brought to another repository.
struct TransferOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Send at most this much a second, such as 5M.", valueName: "size")
    )
    var limitRate: SizeArgument?

    func validate() throws {
        if let limitRate, limitRate.count.bytes == 0 {
            throw ValidationError("The value of '--limit-rate' must not be zero.")
        }
    }

    /// Brings what is chosen from one repository to another, and tells; `location` is how the other
    /// one was named.
    ///
    /// `known`: snapshots that the target has.
    func run(
        _ choice: TransferChoice, from source: TransferPlace, to target: TransferPlace,
        _ direction: TransferDirection, _ location: ByteArgument,
        known: Set<SnapshotID> = [], _ console: Console
    ) throws {
        var request = TransferRequest(
            from: source, to: target, choice, bytesPerSecond: limitRate?.count.bytes)
        request.known = known
        let result = try ProgressDisplay.showing(console) { progress throws in
            try request.run(progress) { try console.print($0) }
        }
        if !result.isComplete { console.status = .partial }
        try console.print(ShippingText.transferred(result, direction, location.bytes))
    }
}
