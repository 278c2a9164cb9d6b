package import Bytes
internal import Hashing
package import Platform
package import Repository
package import Snapshots
package import TableLog

// Brings a table back in its place, in an order that readers never notice:
//
//     1. Files that the wanted version needs and that the table's directory lacks are written under
//        names that are hidden from readers and vacuum, synced, and given their names; then the
//        directories are synced. A reader of the table as it is does not know them, or misses
//        them: both are as well off as before.
//     2. Versions that the log has lost and the snapshot has, if the histories agree, in order.
//     3. One commit, which makes the table equal to what is wanted. It is the next version: numbers
//        are never used twice, and the version before can be restored in the same way.
//
// Killed at any moment, the table is at the version before or after, and running it again does
// the rest. What is right already is never written.

/// What a restore of a table is asked for.
package struct TableRestoreOptions: Sendable {
    /// Restores only partitions with these values of columns.
    package var partition: [ExactText: ExactText?] = [:]
    /// A version in the history that the snapshot holds; nil for the snapshot's own.
    package var at: VersionChoice?
    package var isDryRun = false
    /// Compares the content of files that are there, and not their size alone.
    package var verifies = false
    package var bytesPerSecond: UInt64?

    /// How a version is chosen.
    package enum VersionChoice: Equatable, Sendable {
        case version(Int64)
        /// Milliseconds since 1970: the newest version that is not later.
        case time(Int64)
    }

    package init() {}
}

/// What a restore of a table did, or would.
package struct TableRestoreResult: Sendable {
    /// The version whose state was wanted.
    package var wanted: Int64
    /// The version of the table before; nil when there was none.
    package var before: Int64?
    /// The version that was made; nil when the table was equal already, or on a dry run.
    package var committed: Int64?
    /// Files that the table has again, below it, in path order.
    package var fetched: [(path: ExactText, size: UInt64)] = []
    /// Files that were there and right.
    package var filesKept: UInt64 = 0
    package var bytesKept: UInt64 = 0
    /// Versions of the log that were brought back.
    package var logVersions: [Int64] = []
    /// What the commit adds to the table and takes from it.
    package var added: UInt64 = 0
    package var removed: UInt64 = 0
    package var rowsAdded: Int64? = 0
    package var rowsRemoved: Int64? = 0
    /// Why a checkpoint or checksum could not be written after the commit, which holds.
    package var upkeepProblem: String?
    /// Bytes read from packs of the repository are about those of the files fetched.
    package var bytesFetched: UInt64 { fetched.reduce(0) { $0 &+ $1.size } }
}

/// Why a table was not restored.
package enum TableRestoreError: Error {
    /// The snapshot has no table of that name.
    case noSuchTable([UInt8], known: [[UInt8]])
    /// What is in the target is another table, or has another history.
    case otherTable(String)
    /// The snapshot cannot give what was asked for.
    case notInSnapshot(String)
    /// The snapshot's own copy of the table cannot be read.
    case snapshotLog(TableLogError)
    case table(TableLogError)
    /// The version was committed; files that it needs went missing, and could not be brought back.
    case hollow(Int64, String)
    case target(PlatformError)
    case repository(RepositoryError)
    case interrupted(Interrupted)
}

/// Restores tables in their places.
package enum TableRestore {
    /// The table of a snapshot by its path or, where only one has it, its name.
    package static func find(
        _ name: [UInt8], _ record: SnapshotRecord, _ nodes: NodeSource
    ) throws -> CapturedTable {
        let tables = try SnapshotTables.list(record, nodes)
        let wanted = name == Array(".".utf8) ? [] : name
        if let table = tables.first(where: { $0.path == wanted }) { return table }
        let named = tables.filter { PathBytes.name($0.path).elementsEqual(wanted) }
        guard named.count == 1, let table = named.first else {
            throw TableRestoreError.noSuchTable(name, known: tables.map(\.path))
        }
        return table
    }

    /// Makes `target`, a new or empty directory, the table as it was at a version in the history of
    /// the snapshot, with the history before it and no later version.
    package static func version(
        _ table: CapturedTable, of record: SnapshotRecord, from repository: Repository,
        to target: [UInt8], _ options: TableRestoreOptions, _ progress: WorkProgress
    ) throws(TableRestoreError) -> TableRestoreResult {
        do {
            return try VersionRestore(table, record, repository, options).run(target, progress)
        } catch let error as TableRestoreError {
            throw error
        } catch {
            throw wrapped(error)
        }
    }

    private static func wrapped(_ error: any Error) -> TableRestoreError {
        switch error {
        case let error as TableLogError: .table(error)
        case let error as PlatformError: .target(error)
        case let error as RestoreError: wrapped(error)
        case let error as RepositoryError: .repository(error)
        case let error as Interrupted: .interrupted(error)
        default: .repository(RepositoryError(.damaged("\(error)"), "restore"))
        }
    }

    private static func wrapped(_ error: RestoreError) -> TableRestoreError {
        switch error {
        case .target(let error): .target(error)
        case .repository(let error): .repository(error)
        case .interrupted(let error): .interrupted(error)
        case .noSuchPath(let path): .noSuchTable(path, known: [])
        }
    }

    /// Makes the table at `target`, a directory that is made if need be, equal to that of the
    /// snapshot.
    package static func inPlace(
        _ table: CapturedTable, of record: SnapshotRecord, from repository: Repository,
        to target: [UInt8], _ options: TableRestoreOptions, _ progress: WorkProgress
    ) throws(TableRestoreError) -> TableRestoreResult {
        do {
            return try TableRestoreRun(table, record, repository, target, options, progress).run()
        } catch let error as TableRestoreError {
            throw error
        } catch {
            throw wrapped(error)
        }
    }
}

/// The table as the snapshot has it, at the version that is wanted.
struct WantedTable {
    let log: SnapshotLog
    let reader: LogReader
    let table: TableSnapshot
    /// The newest version in the snapshot.
    let newest: Int64

    init(
        _ captured: CapturedTable, _ record: SnapshotRecord, _ nodes: NodeSource,
        _ choice: TableRestoreOptions.VersionChoice?
    ) throws {
        log = try SnapshotLog(captured.path, record.root, nodes)
        reader = LogReader(log)
        do throws(TableLogError) {
            let whole = try reader.listing().newestWhole?.version
            guard let newest = captured.version ?? whole else {
                throw TableLogError(.damaged, "", "neither version 0 nor a checkpoint is there")
            }
            self.newest = newest
            table = try reader.snapshot(
                version: try Self.version(choice, newest, reader))
            try table.checkReadable()
        } catch {
            if error.kind == .noSuchVersion { throw TableRestoreError.notInSnapshot("\(error)") }
            throw TableRestoreError.snapshotLog(error)
        }
    }

    private static func version(
        _ choice: TableRestoreOptions.VersionChoice?, _ newest: Int64, _ reader: LogReader
    ) throws(TableLogError) -> Int64 {
        switch choice {
        case nil: return newest
        case .time(let time): return min(try reader.version(at: time), newest)
        case .version(let version):
            guard version <= newest else {
                throw TableLogError(.noSuchVersion, "", "version \(version) of \(newest)")
            }
            return version
        }
    }
}
