internal import Remote
internal import Restoring
internal import Snapshots
internal import Bytes
internal import Platform
internal import Repository
internal import SystemPackage

/// The restore of one table: where it goes, and which of the ways there.
struct TableRestoration {
    private let table: CapturedTable
    private let found: SelectedSnapshot
    private let repository: Repository
    private let target: [UInt8]?

    init(
        _ name: [UInt8],
        _ found: SelectedSnapshot,
        _ path: [UInt8],
        _ repository: Repository,
        _ target: [UInt8]?
    ) throws {
        guard path.isEmpty else {
            throw UsageError(
                "'--table' is about a table of the whole snapshot",
                "Name the snapshot without what follows the colon."
            )
        }
        table = try TableRestore.find(name, found.record, NodeSource(repository))
        self.found = found
        self.repository = repository
        self.target = target
    }

    /// Where the table is, or is to be.
    private func place() throws -> [UInt8] {
        if let target { return target }
        let host = found.record.host
        guard host == HostSystem.hostName() else {
            throw UsageError(
                "the snapshot was taken on \(PathBytes.printable(host)), not here",
                "Name the directory of the table with --target."
            )
        }
        return TablePlace.inSource(table.path, found.record)
    }

    func checkTarget(_ location: RepositoryLocation) throws {
        guard case .directory(let path) = location else { return }
        try RestoreTargetCheck.run(try place(), repository: path, deletes: false)
    }

    func run(_ tables: TableOptions, _ command: RestoreCommand, _ console: Console) throws {
        let options = tables.parsed(
            isDryRun: command.dryRun,
            verifies: command.verify,
            limitRate: command.limitRate
        )
        let place = try place()
        if !tables.inPlace { try TablePlace.requireNew(place) }
        guard tables.inPlace || options.at != nil else {
            return try restoreFiles(command, place, console)
        }
        let start = ContinuousClock.now
        let result = try ProgressDisplay.showing(console) {
            progress throws(TableRestoreError) in
            tables.inPlace
                ? try TableRestore.inPlace(
                    table, of: found.record, from: repository, to: place, options, progress)
                : try TableRestore.version(
                    table, of: found.record, from: repository, to: place, options, progress)
        }
        try TableRestoreReport(
            result,
            table,
            place,
            isDryRun: command.dryRun,
            took: ContinuousClock.now - start
        ).print(console)
    }

    /// The table as the snapshot has it, file by file.
    private func restoreFiles(
        _ command: RestoreCommand,
        _ place: [UInt8],
        _ console: Console
    ) throws {
        let start = ContinuousClock.now
        let result = try ProgressDisplay.showing(console) { progress throws(RestoreError) in
            try Restore.run(
                found.record,
                from: repository,
                to: place,
                command.options(table.path),
                progress
            )
        }
        console.status = result.failures.isEmpty ? .done : .partial
        if table.state != .pinned {
            console.warn(
                "varve: the snapshot does not have this table as a whole version: "
                    + PathBytes.printable(table.reason)
            )
        }
        try RestoreReport(
            result,
            found.id,
            place,
            isDryRun: command.dryRun,
            took: ContinuousClock.now - start
        ).print(console)
    }
}

/// Directories of tables.
enum TablePlace {
    /// Where the source of a snapshot has a path.
    static func inSource(_ path: [UInt8], _ record: SnapshotRecord) -> [UInt8] {
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
    static func requireNew(_ path: [UInt8]) throws {
        do throws(PlatformError) {
            let names = try Descriptor.open(path, [.readOnly, .directory]).names(path)
            guard names.isEmpty else {
                throw PlatformError("restore into", path, .directoryNotEmpty)
            }
        } catch {
            guard !error.isNotFound else { return }
            guard error.errno == .directoryNotEmpty else { throw error }
            throw UsageError(
                "\(PathBytes.printable(path)) is there already, and not empty",
                "Name a new directory, or restore in place with --in-place."
            )
        }
    }
}
