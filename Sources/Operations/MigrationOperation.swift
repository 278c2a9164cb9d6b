internal import Bytes
package import Capturing
package import Migration
package import Platform
internal import Remote

/// A step of a migration that is done.
package enum MigrationEvent {
    case planned(MigrationPlan)
    case backedUp(CaptureResult)
    case copied(CopyReport)
    case verified(VerificationReport)
    case cleaned(CleanUpReport)
    /// The last: what the steps were to take and took.
    case over([StepTime], isVerified: Bool)
}

/// Moves a store to another directory, step by step.
package struct MigrationOperation {
    /// From where to where, and how.
    package var request: MigrationRequest
    /// Makes the plan and stops.
    package var isPlan = false
    /// For the backup; nil where none is wanted, or it was made already.
    package var repository: RepositoryAccess?
    /// A snapshot of the source comes first; the plan says what it costs.
    package var backsUp = true
    /// Removes from the source what is proven.
    package var cleansSource = false
    /// What the record of the backup says that it was made by.
    package var programVersion: [UInt8] = []

    /// A migration with a backup, which leaves the source as it is.
    package init(_ request: MigrationRequest) { self.request = request }

    /// Whether a repository is needed: not for a plan, for a backup that an earlier run made, or
    /// where the source is only to be cleaned.
    package func needsRepository() throws -> Bool {
        try checkPlaces()
        let run = try MigrationRun(request)
        return !isPlan && run.backupID == nil && !(cleansSource && run.isVerified)
    }

    /// Runs the steps that are left, telling each as it is done.
    ///
    /// `step` is called round each of them, to show its progress.
    package func run(
        showing step: ((WorkProgress) throws -> Void) throws -> Void,
        _ tell: (MigrationEvent) throws -> Void
    ) throws {
        try checkPlaces()
        let run = try MigrationRun(request)
        func perform<Value>(
            _ body: @escaping () throws(MigrationError) -> Value
        ) throws -> Value {
            var value: Value?
            try step { progress in
                run.workProgress = progress
                value = try body()
            }
            guard let value else { preconditionFailure("a step that is shown is run") }
            return value
        }
        func clean() throws { try tell(.cleaned(try perform(run.cleanUp))) }
        if cleansSource, run.isVerified, !isPlan { return try clean() }
        if !isPlan, run.backupID == nil { try repository.map { try checkRepository($0, run) } }
        let place = try backupPlace(run)
        let plan = try perform { () throws(MigrationError) in
            try run.plan(backsUp: backsUp, cleans: cleansSource)
        }
        try tell(.planned(plan))
        if isPlan { return }
        try run.start(plan)
        if let place {
            let result = try perform { () throws(MigrationError) in
                try run.backUp(into: place.repository, programVersion: programVersion)
            }
            if let result { try tell(.backedUp(result)) }
        }
        try tell(.copied(try perform(run.execute)))
        try tell(.verified(try perform(run.verify)))
        if cleansSource, run.isVerified { try clean() }
        try tell(.over(run.times, isVerified: run.isVerified))
    }

    /// The repository for the backup; nil when none is wanted, or it was made already.
    private func backupPlace(_ run: MigrationRun) throws -> TransferPlace? {
        guard let repository, !isPlan, run.backupID == nil else { return nil }
        return try repository.writablePlace()
    }

    /// Refuses places on other hosts.
    private func checkPlaces() throws {
        for place in [request.source, request.target] {
            guard let location = try? RepositoryLocation(parsing: place),
                case .remote = location
            else { continue }
            throw RequestError.remoteMigration(place)
        }
    }

    /// Refuses a repository in the source, whose backup would hold it, and one in the target, which
    /// would be no backup.
    private func checkRepository(_ access: RepositoryAccess, _ run: MigrationRun) throws {
        guard let directory = access.directory,
            let repository = try? HostSystem.resolve(directory)
        else { return }
        if PathBytes.isInside(repository, run.sourcePath) {
            throw RequestError.repositoryInMigration(.source)
        }
        if PathBytes.isInside(repository, run.targetPath) {
            throw RequestError.repositoryInMigration(.target)
        }
    }
}
