internal import Bytes
internal import Platform
internal import Targets
internal import Trees
internal import Wire

// Invariants of what changes a store:
//
// 1. What is new lies whole and synced in the staging directory before any name is touched.
// 2. A file is replaced or removed only while it is the one that was looked at when the sync began:
//    it is first moved to the staging directory, looked at there, and moved back if it is another.
// 3. Files of tables are never replaced. They and their directories are synced before the first
//    commit that may name them, and each commit is published under a number that nobody had.
// 4. The log of a new table gets its name as a whole, after everything that it speaks of.
// 5. Nothing needs to be finished after an interruption: the next sync finds in both stores what
//    was done, and does the rest.

/// Does to a store what the other one asks for, change by change.
final class StorePublication {
    private let plain: PlainPublication
    private let tables: TablePublication

    init(_ tree: TargetTree, _ staging: StoreStaging, _ stamps: StoreStamps) {
        plain = PlainPublication(tree, staging, stamps)
        tables = TablePublication(tree, staging, plain)
    }

    var outcome: StoreOutcome {
        var outcome = StoreOutcome()
        outcome.failures = plain.failures
        outcome.unset = plain.unset
        outcome.tables = tables.outcomes
        return outcome
    }

    /// Plain paths that have what the other store has now.
    var placed: [[UInt8]: FileStamp] { plain.placed }

    func receive(_ source: any ByteSource) throws {
        var records = RecordReader(source)
        while let change = try records.next(StoreChange.self) {
            try Interruption.check()
            switch change {
            case .table, .data, .log, .commit: try tables.apply(change)
            case .directory, .put, .symlink, .remove: try plain.apply(change)
            }
        }
        try tables.finishTable()
        try plain.syncTouched()
    }
}

extension StoreStaging {
    /// The file that was offered under a number.
    func offer(_ number: UInt32) throws(RemoteFailure) -> OfferedFile {
        guard Int(number) < offers.count else {
            throw RemoteFailure(.violation, "a file that was not offered")
        }
        return offers[Int(number)]
    }
}
