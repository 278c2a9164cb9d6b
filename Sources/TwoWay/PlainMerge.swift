internal import Bytes
internal import Platform

/// Why a path is left as it is in both stores.
package struct SyncConflict: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// A file changed in both since the last sync, each in its own way.
        case bothChanged
        /// A file is there in both, differs, and no sync tells which was first.
        case bothHave
        /// Removed in one, changed in the other.
        case removedAndChanged
        /// A table in one, something else in the other.
        case otherKind
        /// A table was removed in one of them.
        case tableRemoved
        /// Two tables that have nothing to do with each other.
        case unrelatedTables
        /// The same table, with histories that have no version in common.
        case noCommonVersion
        /// The log no longer reaches back to the last sync.
        case logExpired
        /// Both stores have new versions, and this one does more than to add rows.
        case changes(version: Int64, operation: String, what: String)
        /// Both replaced the same file.
        case bothRearranged(version: Int64, operation: String, file: String)
        /// The same application wrote to both.
        case sameApplication(version: Int64, operation: String, application: String)
        /// Something in the table, or in how it is kept, does not allow it.
        case refused(String)
    }

    /// Which store a conflict is told of; nil for both.
    package enum Side: Equatable, Sendable { case here, there }

    package var path: [UInt8]
    package var isTable: Bool
    package var kind: Kind
    package var side: Side?

    init(_ path: [UInt8], isTable: Bool = false, _ kind: Kind, _ side: Side? = nil) {
        self.path = path
        self.isTable = isTable
        self.kind = kind
        self.side = side
    }
}

/// What is to be done to a plain path of one store.
enum PlainChange: Equatable, Sendable {
    /// Made what the other store has; the entry that is replaced, if any.
    case put(PlainEntry, replacing: PlainEntry?)
    case remove(PlainEntry)

    var path: [UInt8] {
        switch self {
        case .put(let entry, _): entry.path
        case .remove(let entry): entry.path
        }
    }
}

/// What becomes of the plain paths of two stores; a value, made without input or output.
struct PlainMerge: Equatable, Sendable {
    private(set) var toHere: [PlainChange] = []
    private(set) var toThere: [PlainChange] = []
    private(set) var conflicts: [SyncConflict] = []
    /// What holds without a change: equal in both, or left alone as it was remembered.
    private(set) var kept: [PlainFact] = []

    private var obstacles: Set<[UInt8]> = []

    /// Compares what both stores have with what they had; `blocked` paths, and what is below them,
    /// are left alone.
    ///
    /// All arrays are in the order of paths.
    init(
        here: [PlainEntry], there: [PlainEntry], facts: [PlainFact], blocked: Set<[UInt8]>
    ) {
        obstacles = blocked
        var (ours, theirs) = (SortedCursor(here), SortedCursor(there))
        var known = SortedCursor(facts)
        while let path = [ours.path, theirs.path, known.path].compactMap({ $0 })
            .min(by: PathBytes.isBefore)
        {
            let (one, other) = (ours.take(path), theirs.take(path))
            let fact = known.take(path)
            if isObstructed(path) {
                if let fact { kept.append(fact) }
            } else {
                merge(path, one, other, fact)
            }
        }
    }

    private func isObstructed(_ path: [UInt8]) -> Bool {
        guard !obstacles.isEmpty else { return false }
        var path = path
        while !obstacles.contains(path) {
            if path.isEmpty { return false }
            path = PathBytes.parent(path)
        }
        return true
    }

    private mutating func merge(
        _ path: [UInt8], _ ours: PlainEntry?, _ theirs: PlainEntry?, _ fact: PlainFact?
    ) {
        if let ours, theirs.map({ $0.fact == ours.fact }) == true {
            kept.append(ours.fact)
            return
        }
        guard let fact else {
            switch (ours, theirs) {
            case (let entry?, nil): toThere.append(.put(entry, replacing: nil))
            case (nil, let entry?): toHere.append(.put(entry, replacing: nil))
            case (nil, nil): break
            default: refuse(path, .bothHave, nil)
            }
            return
        }
        switch (fact.holds(for: ours), fact.holds(for: theirs)) {
        case (false, true): carry(ours, over: theirs, to: \.toThere)
        case (true, false): carry(theirs, over: ours, to: \.toHere)
        default:
            guard ours != nil || theirs != nil else { return }
            let isRemoval = ours == nil || theirs == nil
            refuse(path, isRemoval ? .removedAndChanged : .bothChanged, fact)
        }
    }

    private mutating func carry(
        _ entry: PlainEntry?, over old: PlainEntry?, to list: WritableKeyPath<Self, [PlainChange]>
    ) {
        if let entry {
            self[keyPath: list].append(.put(entry, replacing: old))
        } else if let old {
            self[keyPath: list].append(.remove(old))
        }
    }

    private mutating func refuse(
        _ path: [UInt8], _ kind: SyncConflict.Kind, _ fact: PlainFact?
    ) {
        conflicts.append(SyncConflict(path, kind))
        if let fact { kept.append(fact) }
        // What lies below cannot be right while this is undecided.
        obstacles.insert(path)
    }
}
