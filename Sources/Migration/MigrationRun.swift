package import Platform
internal import Trees

internal import Bytes
internal import SystemPackage

/// One run of a migration: its steps are functions, to be called in the order plan, start, backup,
/// execute, verify, clean up.
///
/// What the steps rest on:
/// 1. The target is empty when a migration starts, and what comes to lie in it that this migration
///    did not write is never touched: a run that finds such things names them and stops.
/// 2. Nothing is taken for copied that was not durable, and nothing for verified that was not read
///    back on both sides, with a source that did not change from the first walk to the last.
/// 3. The source is never written to. It is removed only by the clean-up, path by path as the
///    receipt names them, beneath its open directory, while both sides are as they were proven.
package final class MigrationRun {
    package let request: MigrationRequest
    /// Absolute, without symlinks.
    package let sourcePath: [UInt8]
    package let targetPath: [UInt8]
    package let journalPath: [UInt8]
    /// Whether an earlier run began this migration.
    package let isResumed: Bool

    let source: MigrationSource
    let progress: MigrationProgress
    var journal: MigrationJournal?
    var openTarget: MigrationTarget?
    var model: CostModel?
    var strategy = CopyStrategy.parallel
    package internal(set) var times: [StepTime] = []
    /// The newest walk.
    var inventory: Inventory?
    var problems: [MigrationProblem] = []
    var proven: [[UInt8]: ProvenPath] = [:]
    var provenTables: [[UInt8]: TableProof] = [:]

    /// Opens source and journal, and refuses what cannot be.
    package init(_ request: MigrationRequest) throws(MigrationError) {
        self.request = request
        let places = try PlaceCheck(request)
        sourcePath = places.source
        targetPath = places.target
        journalPath = places.journal
        source = try MigrationSource(places.source)
        progress = MigrationProgress()
        isResumed = try MigrationJournal.exists(places.journal)
        if isResumed {
            do throws(MigrationError) {
                journal = try MigrationJournal(places.journal)
            } catch {
                guard case .damaged = error, MigrationJournal.isMarked(places.journal) else {
                    throw error
                }
                throw .cleaning(error)
            }
            try checkIdentity()
        } else {
            try places.checkEmpty()
        }
    }

    var host: Host { request.host }

    /// How far the current step is.
    package var workProgress: WorkProgress {
        get { progress.current }
        set { progress.current = newValue }
    }

    /// The snapshot that the source was backed up as, if it was.
    package var backupID: String? { journal?.state.backup }
    package var isVerified: Bool { journal?.state.receipt != nil }
    package var isCleaned: Bool { journal?.state.isCleaned == true }
    package var isCleaning: Bool { journal?.state.isCleaning == true }

    private func checkIdentity() throws(MigrationError) {
        guard let journal, let identity = journal.state.identity else { return }
        guard identity.source == sourcePath, identity.target == targetPath else {
            throw .refused(
                .otherMigration(
                    journal: journalPath, source: identity.source, target: identity.target))
        }
        guard identity.scope == request.scope, identity.makesTables == request.makesTables else {
            throw .refused(
                .otherScope(
                    identity.scope + (identity.makesTables ? ["--into-tables"] : [])))
        }
        let root = try reading { () throws(PlatformError) in
            try source.root.descriptor.status(sourcePath)
        }
        guard identity.sourceDevice == root.device, identity.sourceInode == root.inode else {
            throw .refused(.otherDirectory(sourcePath, .source))
        }
    }

    func requireJournal() throws(MigrationError) -> MigrationJournal {
        guard let journal else { preconditionFailure("the migration was not started") }
        return journal
    }

    func requireTarget() throws(MigrationError) -> MigrationTarget {
        if let openTarget { return openTarget }
        let target = try MigrationTarget(targetPath)
        let status = try writing { () throws(PlatformError) in
            try target.tree.root.descriptor.status(targetPath)
        }
        let identity = try requireJournal().state.identity
        guard identity?.targetDevice == status.device, identity?.targetInode == status.inode else {
            throw .refused(.otherDirectory(targetPath, .target))
        }
        openTarget = target
        return target
    }

    /// Runs a step and notes how long it took.
    func timed<Value>(
        _ step: StepTime.Step, _ body: () throws(MigrationError) -> Value
    ) throws(MigrationError) -> Value {
        let start = host.instant()
        let value = try body()
        let took = host.elapsed(since: start)
        let (seconds, attoseconds) = took.components
        let actual = Double(seconds) + Double(attoseconds) / 1e18
        if let index = times.firstIndex(where: { $0.step == step }) {
            times[index].actual = (times[index].actual ?? 0) + actual
        }
        return value
    }

    func walk() throws(MigrationError) -> Inventory {
        let found = try Inventory.walk(
            sourcePath, request.filter, makesTables: request.makesTables, host)
        inventory = found
        return found
    }
}

/// The progress of the step that runs: each has its own.
final class MigrationProgress {
    var current = WorkProgress()
}
