package import Platform
package import Remote
package import Repository
package import Snapshots

/// Which snapshots are brought to another repository.
package struct TransferChoice: Sendable {
    /// All that the filter leaves if none is named.
    package var names: [SnapshotSelector] = []
    /// Only those that it leaves.
    package var filter = SnapshotFilter()
    /// Only those that are not older.
    package var since: Timestamp?

    /// All snapshots.
    package init() {}

    /// Whether nothing narrows the choice.
    package var isAll: Bool { names.isEmpty && filter.isEmpty && since == nil }

    /// The snapshots that are meant, oldest first.
    func choose(
        _ items: [Snapshot], in repository: Repository
    ) throws -> [Snapshot] {
        let filtered = try filter.apply(to: items).filter { item in
            since.map { item.record.time >= $0 } ?? true
        }
        guard !names.isEmpty else { return filtered }
        let named = Set(try names.map { try $0.find(in: repository, host: filter.host).id })
        return filtered.filter { named.contains($0.id) }
    }
}

/// Whether snapshots come from the other repository, or go to it.
package enum TransferDirection: String, Sendable {
    case from, to
}

/// Brings snapshots from one repository to another.
package struct TransferRequest {
    /// Where the snapshots are.
    package var source: TransferPlace
    /// Where they go.
    package var target: TransferPlace
    /// Which of them.
    package var choice: TransferChoice
    /// At most so much is sent a second; nil for no limit.
    package var bytesPerSecond: UInt64?
    /// Snapshots that the target is known to have.
    package var known: Set<SnapshotID> = []

    package init(
        from source: TransferPlace, to target: TransferPlace, _ choice: TransferChoice,
        bytesPerSecond: UInt64?
    ) {
        self.source = source
        self.target = target
        self.choice = choice
        self.bytesPerSecond = bytesPerSecond
    }

    /// May be run again after any failure: it goes on where it was.
    package func run(_ progress: WorkProgress, _ note: NoteTaker) throws -> TransferResult {
        let series = try SnapshotSeries(source.repository)
        for error in series.damaged { try note(.unreadable(error)) }
        let chosen = try choice.choose(series.items, in: source.repository)
        if chosen.isEmpty, !choice.isAll { try note(.nothingChosen) }
        let wanted = chosen.filter { !known.contains($0.id) }
        let start = ContinuousClock.now
        let transfer = Transfer(
            from: source, to: target, bytesPerSecond: bytesPerSecond, progress)
        let summary = try transfer.run(wanted, of: series.items)
        return TransferResult(
            summary: summary, knownBefore: chosen.count - wanted.count,
            isComplete: series.damaged.isEmpty, duration: ContinuousClock.now - start)
    }
}

/// What was brought from one repository to another.
package struct TransferResult {
    /// What was sent.
    package let summary: TransferSummary
    /// Snapshots that the target was known to have.
    package let knownBefore: Int
    /// All snapshots of the source could be read.
    package let isComplete: Bool
    /// Without the time it took to list the snapshots.
    package let duration: Duration
}
