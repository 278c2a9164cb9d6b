internal import Platform
package import Repository
package import Snapshots
package import TableLog

/// What a snapshot has of a table.
package struct TableFinding {
    /// What the record of the snapshot says of it.
    package let table: CapturedTable
    /// From the log in the snapshot; nil when that cannot be read.
    package let summary: TableSummary?
    /// Why it cannot.
    package let failure: TableLogError?

    /// Its log should be readable, and is not.
    package var isBroken: Bool { failure != nil && table.state == .pinned }
}

/// Lists the tables of a snapshot; reads no data.
package struct TableListRequest {
    /// Which snapshot, by its name.
    package var snapshot: SnapshotSelector
    /// "latest" and times look only at snapshots of this host.
    package var host: [UInt8]?
    /// Where the snapshot is.
    package var repository: RepositoryAccess

    /// The tables of a snapshot of any host.
    package init(_ snapshot: SnapshotSelector, of repository: RepositoryAccess) {
        self.snapshot = snapshot
        self.repository = repository
    }

    /// In path order; a log that cannot be read fails its own table only.
    package func run(
        _ note: NoteTaker
    ) throws -> (id: SnapshotID, tables: [TableFinding]) {
        let opened = try repository.open()
        let found = try snapshot.find(in: opened, host: host, note)
        let nodes = NodeSource(opened)
        let tables = try SnapshotTables.list(found.record, nodes).map { table in
            try Interruption.check()
            do {
                let read = try SnapshotTables.read(table, found.record, nodes)
                return TableFinding(table: table, summary: TableSummary(read), failure: nil)
            } catch let error as TableLogError {
                return TableFinding(table: table, summary: nil, failure: error)
            }
        }
        return (found.id, tables)
    }
}
