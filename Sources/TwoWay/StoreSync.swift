internal import Bytes
package import Platform
package import Remote
package import Targets

/// Why two stores are not synced at all.
package enum StoreSyncError: Error {
    /// One of them is empty, and was not when they were synced.
    case emptied(String)
}

/// What a sync of two stores came to.
package struct StoreSyncSummary: Equatable, Sendable {
    /// What one store got.
    package struct Gain: Equatable, Sendable {
        package var put: [[UInt8]] = []
        package var removed: [[UInt8]] = []
        package var tables: [Table] = []

        package var isEmpty: Bool { put.isEmpty && removed.isEmpty && tables.isEmpty }

        init() {}

        init(_ plain: [PlainChange], _ deliveries: [(TableDelivery?, LogPoint)]) {
            for change in plain {
                if case .put = change {
                    put.append(change.path)
                } else {
                    removed.append(change.path)
                }
            }
            for case (let delivery?, let point) in deliveries {
                tables.append(
                    Table(
                        path: delivery.path, commits: delivery.commits.count,
                        version: point.version))
            }
        }

        mutating func add(_ other: Self) {
            put += other.put
            removed += other.removed
            tables += other.tables
        }
    }

    package struct Table: Equatable, Sendable {
        package var path: [UInt8]
        /// Commits that it got; zero for a new table.
        package var commits: Int
        /// Its version afterwards.
        package var version: Int64
    }

    /// Something that was not done, and why.
    package struct Problem: Equatable, Sendable {
        package var path: [UInt8]
        package var reason: String
        package var side: SyncConflict.Side
    }

    /// Something besides content that a store could not keep of a path that it got.
    package struct Unset: Equatable, Sendable {
        /// What could not be set or removed.
        package var failure: TargetFailure
        package var side: SyncConflict.Side
    }

    package var here = Gain()
    package var there = Gain()
    /// Paths that both sides changed, each with what became of it.
    package var conflicts: [SyncConflict] = []
    /// Paths that were left alone.
    package var problems: [Problem] = []
    /// What the stores could not hold, in the order of their steps.
    package var unset: [Unset] = []
    /// Bytes of content that were sent, compressed.
    package var sentBytes: UInt64 = 0
    /// Plain paths and tables that are equal in both stores.
    package var equalPaths = 0
    package var equalTables = 0

    package var hasNothingToDo: Bool { here.isEmpty && there.isEmpty }
    package var isComplete: Bool { conflicts.isEmpty && problems.isEmpty && unset.isEmpty }
}

/// Makes two live stores hold the same, where no more than one of them changed.
package struct StoreSync {
    private let here: StoreLink
    private let there: StoreLink
    private let options: TwoWayOptions
    private let rate: RateLimit?
    private let host: Host
    /// Tables that another writer was faster in are looked at again so often.
    private static let attempts = 8

    package init(
        _ here: Connection, _ there: Connection, _ options: TwoWayOptions = [],
        bytesPerSecond rate: UInt64? = nil, host: Host = .system
    ) {
        self.host = host
        self.here = StoreLink(here, options)
        self.there = StoreLink(there, options)
        self.options = options
        self.rate = rate.map { RateLimit(bytesPerSecond: $0) }
    }

    package func run(_ progress: WorkProgress) throws -> StoreSyncSummary {
        defer {
            here.release()
            there.release()
        }
        var gains = (here: StoreSyncSummary.Gain(), there: StoreSyncSummary.Gain())
        var attempt = 1
        while true {
            let round = StoreSyncRound(here, there, options, rate, host)
            var (summary, isOvertaken) = try round.run(progress, isLast: attempt == Self.attempts)
            gains.here.add(summary.here)
            gains.there.add(summary.there)
            if !isOvertaken || attempt == Self.attempts {
                (summary.here, summary.there) = gains
                summary.sentBytes = progress.snapshot.bytesDone
                return summary
            }
            attempt += 1
        }
    }
}

/// One look at both stores, and what follows from it.
struct StoreSyncRound {
    private let here: StoreLink
    private let there: StoreLink
    private let options: TwoWayOptions
    private let rate: RateLimit?
    private let host: Host

    init(
        _ here: StoreLink, _ there: StoreLink, _ options: TwoWayOptions, _ rate: RateLimit?,
        _ host: Host
    ) {
        self.host = host
        self.here = here
        self.there = there
        self.options = options
        self.rate = rate
    }

    /// Both stores as they are, and what they remember of each other.
    private struct Look {
        var ours: StoreInventory
        var theirs: StoreInventory
        var pair: PairEnd
        /// What both remember of plain paths.
        var plain: [PlainFact]
        var tables: (here: [[UInt8]: TableFact], there: [[UInt8]: TableFact])
    }

    private struct Plan {
        var plain: PlainMerge
        var tables: TablePlanning
    }

    func run(
        _ progress: WorkProgress, isLast: Bool
    ) throws -> (summary: StoreSyncSummary, isOvertaken: Bool) {
        let look = try look()
        let plan = try plan(look)
        var summary = StoreSyncSummary()
        summary.problems = Self.problems(look)
        summary.conflicts = plan.plain.conflicts + plan.tables.conflicts
        let open = Set(summary.conflicts.map(\.path))
        summary.equalPaths = plan.plain.kept.count { !open.contains($0.path) }
        summary.equalTables = plan.tables.kept.count { !open.contains($0.path) }
        guard !options.contains(.dryRun) else {
            let work = plan.tables.work
            summary.here = .init(plan.plain.toHere, work.map { ($0.toHere, $0.fact.here) })
            summary.there = .init(plan.plain.toThere, work.map { ($0.toThere, $0.fact.there) })
            return (summary, false)
        }
        return try carryOut(plan, look.pair, look.plain, summary, progress, isLast: isLast)
    }

    // MARK: Looking

    private func look() throws -> Look {
        let ours = try here.begin()
        let theirs = try there.begin()
        let pair = ours.pairs.first { theirs.pairs.contains($0.other) }
        var facts = (here: TwoWayFacts(), there: TwoWayFacts())
        if let pair { facts = (try here.facts(pair), try there.facts(pair.other)) }
        let agreed = TwoWayFacts.agreed(facts.here, facts.there)
        if !agreed.isEmpty || !facts.here.tables.isEmpty {
            if ours.isEmpty { throw StoreSyncError.emptied(here.connection.location) }
            if theirs.isEmpty { throw StoreSyncError.emptied(there.connection.location) }
        }
        let tables = facts.here.tables.map { ($0.path, $0) }
        let mirrored = facts.there.tables.map { ($0.path, $0.mirrored) }
        return Look(
            ours: ours, theirs: theirs, pair: pair ?? .random(host), plain: agreed,
            tables: (
                Dictionary(tables) { first, _ in first }, Dictionary(mirrored) { first, _ in first }
            ))
    }

    private static func problems(_ look: Look) -> [StoreSyncSummary.Problem] {
        look.ours.problems.map { .init(path: $0.path, reason: $0.reason, side: .here) }
            + look.theirs.problems.map { .init(path: $0.path, reason: $0.reason, side: .there) }
    }

    // MARK: Planning

    private func plan(_ look: Look) throws -> Plan {
        let ours = Dictionary(look.ours.tables.map { ($0.path, $0) }) { first, _ in first }
        let theirs = Dictionary(look.theirs.tables.map { ($0.path, $0) }) { first, _ in first }
        var blocked = Set(look.ours.problems.map(\.path)).union(look.theirs.problems.map(\.path))
        var tables = TablePlanning(here, there)
        let skipped = Self.sort(look, ours, theirs, blocked, &tables)
        blocked.formUnion(ours.keys)
        blocked.formUnion(theirs.keys)
        let plain = PlainMerge(
            here: look.ours.entries, there: look.theirs.entries, facts: look.plain,
            blocked: blocked)
        let obstacles = plain.conflicts.map(\.path) + skipped
        func isFree(_ path: [UInt8]) -> Bool {
            !obstacles.contains { PathBytes.isInside(path, $0) }
        }
        try tables.bringNew(
            look.ours.tables.filter { theirs[$0.path] == nil && isFree($0.path) }, isHere: true)
        try tables.bringNew(
            look.theirs.tables.filter { ours[$0.path] == nil && isFree($0.path) }, isHere: false)
        let both = look.ours.tables.compactMap { table in
            theirs[table.path].map {
                TablePlanning.Both(path: table.path, ours: table.latest, theirs: $0.latest)
            }
        }
        try tables.merge(both.filter { isFree($0.path) }, look.tables)
        return Plan(plain: plain, tables: tables)
    }

    /// Finds tables that are left alone: removed in one store, something else there, or not to be
    /// read; returns their paths.
    private static func sort(
        _ look: Look, _ ours: [[UInt8]: TableHead], _ theirs: [[UInt8]: TableHead],
        _ blocked: Set<[UInt8]>, _ tables: inout TablePlanning
    ) -> [[UInt8]] {
        var skipped = Array(blocked)
        for (path, fact) in look.tables.here where blocked.contains(path) {
            tables.keep(fact)
        }
        let single =
            ours.keys.filter { theirs[$0] == nil }.map { ($0, SyncConflict.Side.there) }
            + theirs.keys.filter { ours[$0] == nil }.map { ($0, SyncConflict.Side.here) }
        let others = [
            SyncConflict.Side.here: look.ours.entries, .there: look.theirs.entries,
        ].mapValues { entries in
            Set(entries.filter { $0.kind != .directory }.map(\.path))
        }
        for (path, missing) in single.sorted(by: { PathBytes.isBefore($0.0, $1.0) })
        where !skipped.contains(where: { PathBytes.isInside(path, $0) }) {
            if others[missing]?.contains(path) == true {
                tables.refuse(path, .otherKind, nil, keeping: nil)
            } else if let fact = look.tables.here[path], fact == look.tables.there[path] {
                tables.refuse(path, .tableRemoved, missing, keeping: fact)
            } else {
                continue
            }
            skipped.append(path)
        }
        return skipped
    }

    // MARK: Carrying out

    private func carryOut(
        _ plan: Plan, _ pair: PairEnd, _ before: [PlainFact], _ start: StoreSyncSummary,
        _ progress: WorkProgress, isLast: Bool
    ) throws -> (summary: StoreSyncSummary, isOvertaken: Bool) {
        var summary = start
        let work = plan.tables.work
        var toThere = StoreDirection(
            from: here, to: there, plan.plain.toThere, work.compactMap(\.toThere))
        var toHere = StoreDirection(
            from: there, to: here, plan.plain.toHere, work.compactMap(\.toHere))
        try toThere.stage(.there, rate, progress)
        try toHere.stage(.here, rate, progress)
        let refused = toThere.refused + toHere.refused
        summary.conflicts += refused
        let there = try toThere.apply()
        let here = try toHere.apply()
        let result = StoreSyncResult(plan.plain, work, here: here, there: there, refused)
        result.tell(&summary, isLast: isLast)
        var facts = TwoWayFacts()
        facts.plain = (plan.plain.kept + result.plainFacts(before))
            .sorted { PathBytes.isBefore($0.path, $1.path) }
        facts.tables = (plan.tables.kept + result.tableFacts)
            .sorted { PathBytes.isBefore($0.path, $1.path) }
        var mirrored = facts
        mirrored.tables = facts.tables.map(\.mirrored)
        try self.here.remember(facts, pair)
        try self.there.remember(mirrored, pair.other)
        return (summary, result.isOvertaken)
    }
}
