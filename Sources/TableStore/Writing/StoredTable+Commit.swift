internal import Bytes
internal import Parquet
internal import TableLog

/// What came of a change.
package struct CommitOutcome: Equatable, Sendable {
    package var version: Int64
    package var addedFiles = 0
    package var removedFiles = 0
    package var addedBytes: Int64 = 0
    package var removedBytes: Int64 = 0
    /// Why a checkpoint could not be written after the commit, which holds all the same.
    package var upkeepProblem: String?
}

extension StoredTable {
    /// Commits data files that are on the disk, and looks after the log.
    func commit(
        _ operation: ExactText, added: [AddFile], removed: [RemoveFile] = [],
        other: [LogAction] = [], reads: ReadSet
    ) throws(TableStoreError) -> CommitOutcome {
        let actions = other + removed.map { .remove($0) } + added.map { .add($0) }
        let change = TableChange(operation, actions, reads: reads)
        let version = try logged { () throws(TableLogError) in
            try log.commit(change, to: snapshot)
        }
        var outcome = CommitOutcome(version: version)
        outcome.addedFiles = added.count
        outcome.removedFiles = removed.count
        outcome.addedBytes = added.reduce(0) { $0.addingClamped($1.size) }
        outcome.removedBytes = removed.reduce(0) { $0.addingClamped($1.size ?? 0) }
        do throws(TableLogError) {
            if try !log.maintain(version) {
                try log.writeChecksum(try log.snapshot(version: version))
            }
        } catch {
            outcome.upkeepProblem = "\(error)"
        }
        return outcome
    }

    /// Throws unless rows can be written to the table.
    func checkWritable() throws(TableStoreError) {
        try logged { () throws(TableLogError) in try snapshot.checkWritable() }
        _ = try TableLayout(self).fileSchema()
    }
}
