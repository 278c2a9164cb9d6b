internal import Bytes
internal import Parquet
internal import Platform
internal import TableLog

extension StoredTable {
    /// Makes the table what it was at another version, as a new version: nothing is lost, and the
    /// versions in between stay readable.
    ///
    /// Throws `.damaged` when a data file of that version is gone, `.conflict` when another writer
    /// was faster. A vacuum at the same time may take a file before the commit names it: that too
    /// is told as `.damaged`, and the version before the restored one is whole. Nil when the table
    /// is like that already.
    package func restore(to choice: VersionChoice) throws(TableStoreError) -> CommitOutcome? {
        try checkWritable()
        let wanted = try StoredTable(path, log, at: choice)
        try wanted.checkWritable()
        var added: [AddFile] = []
        for (key, file) in wanted.snapshot.files where snapshot.files[key] == nil {
            _ = try wanted.deletedRows(of: file, try wanted.open(file))
            var file = file
            file.dataChange = true
            added.append(file)
        }
        let now = Timestamp.now().milliseconds
        let removed = snapshot.files.filter { wanted.snapshot.files[$0.key] == nil }
            .map { $0.value.removed(at: now) }
        var other: [LogAction] = []
        if wanted.snapshot.metadata != snapshot.metadata {
            other.append(.metadata(wanted.snapshot.metadata))
        }
        guard !(added.isEmpty && removed.isEmpty && other.isEmpty) else { return nil }
        let outcome = try commit(
            "RESTORE", added: added.sorted { $0.path < $1.path }, removed: removed, other: other,
            reads: .everything)
        let restored = try refreshed()
        for file in added { _ = try restored.deletedRows(of: file, try restored.open(file)) }
        return outcome
    }
}
