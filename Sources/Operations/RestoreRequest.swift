package import Platform
package import Repository
package import Restoring
package import Snapshots

/// Brings a snapshot, or a part of it, back into a directory.
package struct RestoreRequest {
    /// Which snapshot, by its name.
    package var snapshot: SnapshotSelector
    /// "latest" and times look only at snapshots of this host.
    package var host: [UInt8]?
    /// Where the snapshot is.
    package var repository: RepositoryAccess
    /// A directory, made if need be.
    package var target: [UInt8]
    /// How; its path is that of the request.
    package var options: RestoreOptions

    /// A restore of what `snapshot` names, of any host.
    package init(
        _ snapshot: SnapshotPath, from repository: RepositoryAccess, to target: [UInt8],
        _ options: RestoreOptions
    ) {
        self.snapshot = snapshot.snapshot
        self.repository = repository
        self.target = target
        self.options = options
        self.options.path = snapshot.path
    }

    /// Throws a `RestoreError`, or what finding the snapshot throws.
    package func run(_ progress: WorkProgress, _ note: NoteTaker) throws -> Restored {
        let opened = try repository.open()
        let found = try snapshot.find(in: opened, host: host, note)
        try TargetCheck.restore(target, repository, deletes: options.deletes)
        let start = ContinuousClock.now
        let result = try Restore.run(found.record, from: opened, to: target, options, progress)
        return Restored(result, found.id, target, took: ContinuousClock.now - start)
    }
}

/// What was restored, from which snapshot, to where.
package struct Restored {
    /// What was done, and what failed.
    package let result: RestoreResult
    /// The snapshot that was found.
    package let id: SnapshotID
    /// Where it went.
    package let target: [UInt8]
    /// Without the time it took to find the snapshot.
    package let duration: Duration

    init(_ result: RestoreResult, _ id: SnapshotID, _ target: [UInt8], took duration: Duration) {
        self.result = result
        self.id = id
        self.target = target
        self.duration = duration
    }
}
