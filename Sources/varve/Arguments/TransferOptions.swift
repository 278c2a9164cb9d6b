internal import Remote
internal import Snapshots
internal import ArgumentParser
internal import Bytes
internal import Platform
internal import Repository

/// Which snapshots are brought to another repository.
struct TransferChoice: ParsableArguments {
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

    /// Whether nothing narrows the choice.
    var isAll: Bool { snapshots.isEmpty && filter.isEmpty && since == nil }

    /// The snapshots that are meant, oldest first.
    func choose(
        _ items: [SnapshotSeries.Item],
        in repository: Repository
    ) throws -> [SnapshotSeries.Item] {
        let filtered = try filter.apply(to: items).filter { item in
            since.map { item.record.time >= $0.moment } ?? true
        }
        guard !snapshots.isEmpty else { return filtered }
        var named: Set<SnapshotID> = []
        for snapshot in snapshots {
            let selector = try snapshot.snapshot()
            named.insert(try selector.find(in: repository, host: filter.host?.bytes).id)
        }
        return filtered.filter { named.contains($0.id) }
    }
}

/// Which way snapshots go, and the repository at the other end.
struct Way {
    var isReceiving: Bool
    var other: String

    var text: String { (isReceiving ? "from " : "to ") + other }
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

    /// Brings what is chosen from one repository to another, and tells.
    ///
    /// `besides`: snapshots that the target is known to have.
    func run(
        _ choice: TransferChoice,
        from source: TransferPlace,
        to target: TransferPlace,
        _ way: Way,
        besides: Set<SnapshotID> = [],
        _ console: Console
    ) throws {
        let series = try SnapshotSeries(source.repository)
        if !series.damaged.isEmpty { console.status = .partial }
        for error in series.damaged { console.report(damaged: error) }
        let chosen = try choice.choose(series.items, in: source.repository)
        if chosen.isEmpty, !choice.isAll, !console.isQuiet {
            console.warn("varve: there are no such snapshots to bring")
        }
        let wanted = chosen.filter { !besides.contains($0.id) }
        let start = ContinuousClock.now
        let summary = try ProgressDisplay.showing(console) { progress throws in
            let transfer = Transfer(
                from: source,
                to: target,
                bytesPerSecond: limitRate?.count.bytes,
                progress
            )
            return try transfer.run(wanted, of: series.items)
        }
        let time = Wording.milliseconds(ContinuousClock.now - start)
        try print(summary, chosen.count - wanted.count, way, time, console)
    }

    private func print(
        _ summary: TransferSummary,
        _ known: Int,
        _ way: Way,
        _ milliseconds: UInt64,
        _ console: Console
    ) throws {
        let there = summary.alreadyThere + known
        if console.isJSON {
            let object: JSONObject = [
                "type": "summary", "direction": .string(way.isReceiving ? "from" : "to"),
                "other": .string(way.other),
                "snapshots": .array(summary.transferred.map { .hex($0.digest) }),
                "already_there": .count(UInt64(there)), "blobs": .count(summary.blobs),
                "plain_bytes": .count(summary.plainBytes),
                "stream_bytes": .count(summary.streamBytes), "duration_ms": .count(milliseconds),
            ]
            return try console.print(object.value)
        }
        guard !console.isQuiet else { return }
        let count = Wording.count(summary.transferred.count, "snapshot")
        try console.print(line: "\(count) \(way.text), \(Wording.grouped(there)) there already")
        guard !summary.transferred.isEmpty else { return }
        try console.print(
            line: "  bytes  \(Wording.bytes(summary.streamBytes)) "
                + (way.isReceiving ? "received for " : "sent for ")
                + "\(Wording.bytes(summary.plainBytes)) of new content"
        )
        try console.print(
            line: "  time   \(Wording.pace(summary.streamBytes, milliseconds: milliseconds))"
        )
    }
}
