internal import Bytes
package import Platform
internal import Repository
package import Restoring
package import Snapshots
internal import SystemPackage

/// Brings one table back: into a new directory, or in its place.
package struct TableRestoreRequest {
    /// Its path in the snapshot or, where only one table has it, its name.
    package var table: [UInt8]
    /// The whole snapshot: a path in it is refused.
    package var snapshot: SnapshotPath
    /// "latest" and times look only at snapshots of this host.
    package var host: [UInt8]?
    /// Where the snapshot is.
    package var repository: RepositoryAccess
    /// Nil for where the source of the snapshot has it.
    package var target: [UInt8]?
    /// By bringing back what is missing and one commit, while others read and write.
    package var isInPlace: Bool
    /// Which version and partitions, and how.
    package var options: TableRestoreOptions
    /// How its files are restored where neither a version nor its place is asked for.
    package var fileOptions: RestoreOptions

    /// A restore of a table of a snapshot of any host.
    package init(
        _ table: [UInt8], of snapshot: SnapshotPath, from repository: RepositoryAccess,
        to target: [UInt8]?, isInPlace: Bool, _ options: TableRestoreOptions,
        files: RestoreOptions
    ) {
        self.table = table
        self.snapshot = snapshot
        self.repository = repository
        self.target = target
        self.isInPlace = isInPlace
        self.options = options
        fileOptions = files
    }

    /// What was restored, which depends on what was asked for.
    package enum Outcome {
        /// The files of the table, as they are in the snapshot.
        case files(Restored)
        case table(RestoredTable)
    }

    /// Throws a `TableRestoreError`, a `RestoreError`, or what finding the snapshot throws.
    package func run(_ progress: WorkProgress, _ note: NoteTaker) throws -> Outcome {
        let opened = try repository.open()
        let found = try snapshot.snapshot.find(in: opened, host: host, note)
        guard snapshot.path.isEmpty else { throw RequestError.tableOfPart }
        let table = try TableRestore.find(self.table, found.record, NodeSource(opened))
        let place = try place(of: table, found.record)
        try TargetCheck.restore(place, repository, deletes: false)
        if !isInPlace { try Self.requireNew(place) }
        let start = ContinuousClock.now
        guard isInPlace || options.at != nil else {
            if table.state != .pinned { try note(.notPinned(table)) }
            var options = fileOptions
            options.path = table.path
            let result = try Restore.run(
                found.record, from: opened, to: place, options, progress)
            return .files(Restored(result, found.id, place, took: ContinuousClock.now - start))
        }
        let restore = isInPlace ? TableRestore.inPlace : TableRestore.version
        let result = try restore(table, found.record, opened, place, options, progress)
        return .table(RestoredTable(result, table, place, took: ContinuousClock.now - start))
    }

    private func place(of table: CapturedTable, _ record: SnapshotRecord) throws -> [UInt8] {
        if let target { return target }
        guard record.host == HostSystem.hostName() else {
            throw RequestError.otherHost(record.host)
        }
        return Self.inSource(table.path, record)
    }

    /// Where the source of a snapshot has a path.
    private static func inSource(_ path: [UInt8], _ record: SnapshotRecord) -> [UInt8] {
        guard record.sources.count > 1 else {
            return PathBytes.join(record.sources.first ?? [], path)
        }
        // With several sources paths begin with their base names.
        let first = path.prefix { $0 != PathBytes.separator }
        let source = record.sources.first { PathBytes.name($0).elementsEqual(first) } ?? []
        let below = Array(path.dropFirst(first.count + 1))
        return below.isEmpty ? source : PathBytes.join(source, below)
    }

    /// Refuses a directory that has something in it.
    private static func requireNew(_ path: [UInt8]) throws {
        do throws(PlatformError) {
            let names = try Descriptor.open(path, [.readOnly, .directory]).names(path)
            guard names.isEmpty else {
                throw PlatformError("restore into", path, .directoryNotEmpty)
            }
        } catch {
            guard !error.isNotFound else { return }
            guard error.errno == .directoryNotEmpty else { throw error }
            throw RequestError.notEmpty(path)
        }
    }
}

/// What the restore of a table did, and where.
package struct RestoredTable {
    /// What was fetched, and committed.
    package let result: TableRestoreResult
    /// What the record of the snapshot says of it.
    package let table: CapturedTable
    /// The directory of the table.
    package let place: [UInt8]
    /// Without the time it took to find the table.
    package let duration: Duration

    init(
        _ result: TableRestoreResult, _ table: CapturedTable, _ place: [UInt8],
        took duration: Duration
    ) {
        self.result = result
        self.table = table
        self.place = place
        self.duration = duration
    }
}
