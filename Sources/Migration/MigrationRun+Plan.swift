package import Capturing
package import Repository

internal import Bytes
internal import Platform
internal import SystemPackage

extension MigrationRun {
    /// Walks the source, measures both sides, and puts together what is to be done.
    ///
    /// Reads the logs of tables and none of their data; writes nothing but a probe, which it
    /// removes.
    package func plan(backsUp: Bool, cleans: Bool) throws(MigrationError) -> MigrationPlan {
        let start = host.instant()
        try checkUncleaned()
        let inventory = try walk()
        try checkNames(inventory)
        let changes = ChangeSet(inventory, journal?.state ?? JournalState())
        let looked = host.elapsed(since: start) / .seconds(1)
        let tables = inventory.tables.map { PlannedTable($0, in: sourcePath) }
        let space = try space(changes)
        let steps = DeviceProbe.Steps(backsUp: backsUp && backupID == nil, cleans: cleans)
        // What does not fit is refused anyway.
        var rates = space.shortage == nil ? try measure(inventory, space, steps) : DeviceRates()
        rates.walkPath = looked / Double(max(1, inventory.items.count))
        RowProbe(sourcePath, inventory, tables, host).measure(&rates)
        var work = Inventory(root: inventory.root)
        work.items = changes.data + changes.logs + changes.directories + changes.others
        work.rowDirectories = changes.rowDirectories
        var model = CostModel(
            rates, work.totals, paths: UInt64(inventory.items.count), processors: host.processors)
        model.bytesPerSecond = request.bytesPerSecond
        model.backsUp = steps.backsUp
        strategy = request.strategy ?? model.best
        var whole = CostModel(
            rates, inventory.totals, paths: UInt64(inventory.items.count),
            processors: host.processors)
        whole.rows = tables.reduce(0) { $0 &+ UInt64(clamping: $1.rows ?? 0) }
        self.model = whole
        times = []
        if backsUp, backupID == nil {
            times.append(StepTime(step: .backup, estimate: whole.backup))
        }
        times.append(StepTime(step: .execute, estimate: model.execute(strategy)))
        times.append(StepTime(step: .verify, estimate: whole.verify))
        if cleans { times.append(StepTime(step: .cleanUp, estimate: whole.cleanUp)) }
        let took = host.elapsed(since: start)
        return MigrationPlan(
            source: sourcePath, target: targetPath, journal: journalPath, isResumed: isResumed,
            inventory: inventory, totals: inventory.totals, tables: tables, strategy: strategy,
            filesLeft: changes.fileCount, bytesLeft: changes.byteCount, rates: rates,
            estimates: times, space: space, pauseSeconds: whole.walk, took: took)
    }

    /// Once the source was cleaned, or that began, copying would take what was removed for lost.
    private func checkUncleaned() throws(MigrationError) {
        guard let journal else { return }
        guard !isCleaned else {
            throw .refused(.finished(journal: journalPath))
        }
        guard try !journal.hasCleaningMark() else {
            throw .refused(.cleaningBegan)
        }
    }

    /// The name of the staging directory must be free.
    private func checkNames(_ inventory: Inventory) throws(MigrationError) {
        let name = MigrationTarget.stagingName
        guard inventory.items.contains(where: { $0.path == name }) else { return }
        throw .refused(.reservedName(name))
    }

    private func measure(
        _ inventory: Inventory, _ space: SpaceNeed, _ steps: DeviceProbe.Steps
    ) throws(MigrationError) -> DeviceRates {
        let parent = PathBytes.parent(targetPath)
        let above = parent.isEmpty ? [PathBytes.separator] : parent
        // Beside the target, unless a file system begins with it.
        let isMount = try writing { () throws(PlatformError) -> Bool in
            let device = try FileStatus.following(above).device
            do throws(PlatformError) {
                return try FileStatus.following(targetPath).device != device
            } catch {
                guard error.isNotFound else { throw error }
                return false
            }
        }
        return try DeviceProbe.measure(
            source, inventory, above: isMount ? targetPath : above,
            room: space.freeBytes ?? .max, steps, host)
    }

    private func space(_ changes: ChangeSet) throws(MigrationError) -> SpaceNeed {
        let files = changes.data + changes.logs + changes.rowDirectories.flatMap(\.files)
        let paths = files.count + changes.directories.count + changes.others.count
        var need = SpaceNeed(files, paths: paths, directories: changes.directories.count)
        try writing { () throws(PlatformError) in
            let place: Descriptor
            do throws(PlatformError) {
                place = try Descriptor.open(targetPath, [.readOnly, .directory])
            } catch {
                guard error.isNotFound else { throw error }
                let parent = PathBytes.parent(targetPath)
                place = try Descriptor.open(
                    parent.isEmpty ? [PathBytes.separator] : parent, [.readOnly, .directory])
            }
            need.freeBytes = place.freeSpace()
            need.freeFiles = place.freeFiles()
        }
        return need
    }
}

// MARK: - Starting
extension MigrationRun {
    /// Makes target and journal, or goes on with those that are there.
    ///
    /// Throws when the plan does not fit the target, and when there is a clean-up to be finished.
    package func start(_ plan: MigrationPlan) throws(MigrationError) {
        if let shortage = plan.space.shortage {
            throw .refused(.noRoom(shortage))
        }
        if journal == nil { journal = try MigrationJournal(journalPath) }
        let journal = try requireJournal()
        if journal.state.identity == nil { try begin(journal) }
        _ = try requireTarget()
        if isResumed {
            try Reconciliation(
                source, requireTarget(), journal, plan.inventory, host
            ).run()
        }
        try journal.append(.strategy(strategy))
    }

    private func begin(_ journal: MigrationJournal) throws(MigrationError) {
        let target = try writing { () throws(PlatformError) -> FileStatus in
            do throws(PlatformError) {
                try FileOperations.makeDirectory(targetPath, mode: 0o700)
                let parent = PathBytes.parent(targetPath)
                try Descriptor.open(
                    parent.isEmpty ? [PathBytes.separator] : parent, [.readOnly, .directory]
                ).sync(parent)
            } catch {
                guard error.errno == .fileExists else { throw error }
            }
            return try FileStatus.following(targetPath)
        }
        let root = try reading { () throws(PlatformError) in
            try source.root.descriptor.status(sourcePath)
        }
        try journal.append(
            .begin(
                MigrationIdentity(
                    id: Hex.encode(host.randomBytes(16)), source: sourcePath,
                    target: targetPath, sourceDevice: root.device, sourceInode: root.inode,
                    targetDevice: target.device, targetInode: target.inode,
                    scope: request.scope, makesTables: request.makesTables, begun: host.now())))
    }

    /// Snapshots the source into a repository, once a migration.
    ///
    /// Returns the result of the capture; nil when an earlier run made the snapshot.
    package func backUp(
        into repository: Repository, programVersion: [UInt8]
    ) throws(MigrationError) -> CaptureResult? {
        let journal = try requireJournal()
        guard journal.state.backup == nil else { return nil }
        return try timed(.backup) { () throws(MigrationError) in
            var options = CaptureOptions(filter: request.filter, host: host.name)
            options.tags = [Array("migration".utf8)]
            options.bytesPerSecond = request.bytesPerSecond
            options.programVersion = programVersion
            let result: CaptureResult
            do throws(CaptureError) {
                result = try Capture.run(
                    [sourcePath], into: repository, options, progress.current)
            } catch {
                throw .backup(error)
            }
            if let id = result.id { try journal.append(.backup(snapshot: id.hex)) }
            return result
        }
    }
}
