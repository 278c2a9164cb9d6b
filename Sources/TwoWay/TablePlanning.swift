internal import Bytes
internal import TableLog
internal import Wire

/// Finds out what is to be done to the tables of two stores.
struct TablePlanning {
    private let here: StoreLink
    private let there: StoreLink
    private(set) var work: [TableWork] = []
    private(set) var conflicts: [SyncConflict] = []
    /// What holds without a change.
    private(set) var kept: [TableFact] = []

    /// A table that both stores have.
    struct Both {
        var path: [UInt8]
        var ours: LogPoint
        var theirs: LogPoint
    }

    init(_ here: StoreLink, _ there: StoreLink) {
        self.here = here
        self.there = there
    }

    mutating func refuse(
        _ path: [UInt8], _ kind: SyncConflict.Kind, _ side: SyncConflict.Side?,
        keeping fact: TableFact?
    ) {
        conflicts.append(SyncConflict(path, isTable: true, kind, side))
        if let fact { kept.append(fact) }
    }

    /// Keeps what is known of a table that is left alone.
    mutating func keep(_ fact: TableFact) { kept.append(fact) }

    // MARK: New tables

    /// Tables that only one store has.
    mutating func bringNew(_ tables: [TableHead], isHere: Bool) throws {
        let questions = tables.map { StoreQuestion.whole($0.path) }
        let answers = try (isHere ? here : there).ask(questions)
        let side = isHere ? SyncConflict.Side.here : .there
        for (table, answer) in zip(tables, answers) {
            guard case .whole(let files, let point) = answer else {
                refuse(table.path, .refused(answer.refusal), side, keeping: nil)
                continue
            }
            work.append(TableWork(table.path, new: files, isHere: isHere, at: point))
        }
    }

    // MARK: Tables of both

    mutating func merge(
        _ tables: [Both], _ facts: (here: [[UInt8]: TableFact], there: [[UInt8]: TableFact])
    ) throws {
        var known: [(table: Both, fact: TableFact)] = []
        var unknown: [Both] = []
        for table in tables {
            let (ours, theirs) = (facts.here[table.path], facts.there[table.path])
            if let ours, ours == theirs {
                known.append((table, ours))
            } else {
                unknown.append(table)
            }
        }
        known += try identify(unknown, facts)
        var open: [(Both, TableFact)] = []
        for (table, fact) in known {
            if fact.here == table.ours, fact.there == table.theirs {
                kept.append(fact)
            } else {
                open.append((table, fact))
            }
        }
        // A fact may speak of commits that a store has no longer: then they are looked for anew.
        let lost = try compare(open)
        let found = try identify(lost.map(\.0), facts, isLast: lost)
        _ = try compare(found.map { ($0.table, $0.fact) }, isLast: true)
    }

    /// Finds where tables were equal.
    private mutating func identify(
        _ tables: [Both], _ facts: (here: [[UInt8]: TableFact], there: [[UInt8]: TableFact]),
        isLast lost: [(Both, TableFact)] = []
    ) throws -> [(table: Both, fact: TableFact)] {
        let questions = tables.map { StoreQuestion.identity($0.path) }
        let ours = try here.ask(questions)
        let theirs = try there.ask(questions)
        let former = Dictionary(lost.map { ($0.0.path, $0.1) }) { first, _ in first }
        var found: [(table: Both, fact: TableFact)] = []
        for (table, (ours, theirs)) in zip(tables, zip(ours, theirs)) {
            let path = table.path
            let remembered = [facts.here[path], facts.there[path]].compactMap { $0 }
            guard case .identity(let ours) = ours else {
                refuse(path, .refused(ours.refusal), .here, keeping: nil)
                continue
            }
            guard case .identity(let theirs) = theirs else {
                refuse(path, .refused(theirs.refusal), .there, keeping: nil)
                continue
            }
            if let fact = TableIdentity.common(ours, theirs, remembered: remembered, path: path) {
                found.append((table, fact))
            } else if ours.metadataID != theirs.metadataID {
                refuse(path, .unrelatedTables, nil, keeping: nil)
            } else {
                let kind = former[path] == nil ? SyncConflict.Kind.noCommonVersion : .logExpired
                refuse(path, kind, nil, keeping: nil)
            }
        }
        return found
    }

    /// Plans tables whose last equal versions are known; returns those where a store says that it
    /// does not have its version as it was.
    private mutating func compare(
        _ tables: [(Both, TableFact)], isLast: Bool = false
    ) throws -> [(Both, TableFact)] {
        let ours = try here.ask(tables.map { .history($0.0.path, since: $0.1.here) })
        let theirs = try there.ask(tables.map { .history($0.0.path, since: $0.1.there) })
        var lost: [(Both, TableFact)] = []
        for ((table, fact), (ours, theirs)) in zip(tables, zip(ours, theirs)) {
            switch (Self.history(ours, fact.here), Self.history(theirs, fact.there)) {
            case (.success(let ours), .success(let theirs)):
                try merge(table.path, fact, ours, theirs)
            case (.failure(let refusal), _) where isLast:
                refuse(table.path, .refused(refusal.text), .here, keeping: fact)
            case (_, .failure(let refusal)) where isLast:
                refuse(table.path, .refused(refusal.text), .there, keeping: fact)
            default: lost.append((table, fact))
            }
        }
        return lost
    }

    private mutating func merge(
        _ path: [UInt8], _ fact: TableFact, _ ours: TableHistory, _ theirs: TableHistory
    ) throws {
        guard ours.isContiguous, theirs.isContiguous else {
            throw RemoteFailure(.violation, "commits that do not follow each other", object: path)
        }
        switch TableMerge(here: ours, there: theirs) {
        case .refused(let kind, let side): refuse(path, kind, side, keeping: fact)
        case .bring(let toHere, let toThere):
            let work = TableWork(path, ours, theirs, toHere: toHere, toThere: toThere)
            if work.toHere == nil, work.toThere == nil {
                kept.append(work.fact)
            } else {
                self.work.append(work)
            }
        }
    }
}

extension TablePlanning {
    /// Why a store has no history of a table to give.
    private struct Refusal: Error {
        var text: String
    }

    /// One table that is not understood does not keep others from being synced.
    private static func history(
        _ answer: StoreAnswer, _ base: LogPoint
    ) -> Result<TableHistory, Refusal> {
        guard case .history(let commits, let refusal) = answer else {
            return .failure(Refusal(text: answer.refusal))
        }
        do throws(TableLogError) {
            return .success(try TableHistory(base: base, reading: commits, refusal: refusal))
        } catch {
            return .failure(Refusal(text: RemoteFailure.harmless(Array("\(error)".utf8))))
        }
    }
}

extension StoreAnswer {
    /// Why there is no answer of the kind that was asked for.
    fileprivate var refusal: String {
        if case .refused(let text) = self { text } else { "" }
    }
}

extension TableHistory {
    fileprivate var isContiguous: Bool {
        zip(commits, (base.version + 1)...).allSatisfy { $0.version == $1 }
    }
}
