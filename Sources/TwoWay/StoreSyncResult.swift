internal import Bytes

/// What came of a plan, from what both stores say that they did.
struct StoreSyncResult {
    private let plain: PlainMerge
    private let work: [TableWork]
    private let here: StoreOutcome
    private let there: StoreOutcome
    private let failedHere: Set<[UInt8]>
    private let failedThere: Set<[UInt8]>
    private let tablesHere: [[UInt8]: TableOutcome]
    private let tablesThere: [[UInt8]: TableOutcome]
    private let refused: Set<[UInt8]>

    init(
        _ plain: PlainMerge, _ work: [TableWork], here: StoreOutcome, there: StoreOutcome,
        _ refused: [SyncConflict]
    ) {
        self.plain = plain
        self.work = work
        self.here = here
        self.there = there
        self.refused = Set(refused.map(\.path))
        failedHere = Set(here.failures.map(\.path))
        failedThere = Set(there.failures.map(\.path))
        tablesHere = Dictionary(here.tables.map { ($0.path, $0) }) { first, _ in first }
        tablesThere = Dictionary(there.tables.map { ($0.path, $0) }) { first, _ in first }
    }

    /// Whether another writer was faster in a table.
    var isOvertaken: Bool {
        (here.tables + there.tables).contains { $0.state == .overtaken }
    }

    private func isDone(_ delivery: TableDelivery?, _ outcomes: [[UInt8]: TableOutcome]) -> Bool {
        guard let delivery else { return true }
        return outcomes[delivery.path]?.state == .done
    }

    /// What holds now of the plain paths that were to be changed; `before` is what was remembered.
    func plainFacts(_ before: [PlainFact]) -> [PlainFact] {
        var facts: [PlainFact] = []
        for (changes, failed) in [(plain.toHere, failedHere), (plain.toThere, failedThere)] {
            for change in changes {
                if failed.contains(change.path) {
                    if let fact = before.find(change.path) { facts.append(fact) }
                } else if case .put(let entry, _) = change {
                    facts.append(entry.fact)
                }
            }
        }
        return facts
    }

    /// What holds now of the tables that both stores came to an end with.
    var tableFacts: [TableFact] {
        work.compactMap { work in
            isDone(work.toHere, tablesHere) && isDone(work.toThere, tablesThere) ? work.fact : nil
        }
    }

    func tell(_ summary: inout StoreSyncSummary, isLast: Bool) {
        summary.here = gain(
            plain.toHere, failedHere, work.map { ($0.toHere, $0.fact.here) }, tablesHere)
        summary.there = gain(
            plain.toThere, failedThere, work.map { ($0.toThere, $0.fact.there) }, tablesThere)
        for (outcome, side) in [(here, SyncConflict.Side.here), (there, .there)] {
            for failure in outcome.failures {
                summary.problems.append(
                    .init(path: failure.path, reason: failure.text, side: side))
            }
            summary.unset += outcome.unset.map { .init(failure: $0, side: side) }
            for table in outcome.tables {
                switch table.state {
                case .done: continue
                case .failed:
                    summary.problems.append(
                        .init(path: table.path, reason: table.text, side: side))
                case .overtaken where isLast:
                    summary.problems.append(
                        .init(path: table.path, reason: "other writers were faster", side: side))
                case .overtaken: continue
                }
            }
        }
    }

    private func gain(
        _ changes: [PlainChange], _ failed: Set<[UInt8]>,
        _ deliveries: [(TableDelivery?, LogPoint)], _ outcomes: [[UInt8]: TableOutcome]
    ) -> StoreSyncSummary.Gain {
        StoreSyncSummary.Gain(
            changes.filter { !failed.contains($0.path) },
            deliveries.filter { $0.0 != nil && isDone($0.0, outcomes) })
    }
}
