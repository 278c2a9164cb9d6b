package import Capturing
package import Platform
internal import Remote
package import Replicas
internal import Repository
internal import Snapshots
internal import Targets

/// Takes a snapshot of a store and makes a replica equal to it, once or whenever the store changes.
package struct ReplicationRequest {
    /// A directory of this host, as it was named.
    package var store: [UInt8]
    /// The replica, as it was named; nil where a watch only takes snapshots.
    package var target: [UInt8]?
    /// Where the snapshots go that the replica is made of.
    package var repository: RepositoryAccess
    /// What may happen to the target.
    package var options: ReplicaOptions
    /// At most so much is sent a second; nil for no limit.
    package var bytesPerSecond: UInt64?
    /// How the snapshots are taken; a repository in the store is left out besides.
    package var capture: CaptureOptions

    /// A replication without a limit of its rate.
    package init(
        of store: [UInt8], to target: [UInt8]?, through repository: RepositoryAccess,
        _ options: ReplicaOptions, _ capture: CaptureOptions
    ) {
        self.store = store
        self.target = target
        self.repository = repository
        self.options = options
        self.capture = capture
    }

    /// What was captured, and what the replica took of it.
    package struct Result {
        /// The snapshot, which may lack what could not be read.
        package let capture: CaptureResult
        /// What was done at the target.
        package let replica: ReplicationSummary
        /// From the beginning of the capture to the durable replica.
        package let duration: Duration

        /// Whether the source was read whole, and the replica could take all of it.
        package var isComplete: Bool { capture.record.isComplete && replica.isComplete }
    }

    /// Replicates once.
    package func run(_ progress: WorkProgress) throws -> Result {
        let place = try repository.writablePlace()
        let selection = try SourceSelection([store], repository)
        guard let destination = try destination(selection.sources) else {
            preconditionFailure("a replication has a target")
        }
        let replication = StoreReplication(
            of: selection.sources.first ?? [], through: place.repository, to: destination, options,
            bytesPerSecond: bytesPerSecond)
        let start = ContinuousClock.now
        let (capture, replica) = try replication.run(selection.options(capture), progress)
        return Result(
            capture: capture, replica: replica, duration: ContinuousClock.now - start)
    }

    /// Follows the store until the process is interrupted or as many rounds went well, and returns
    /// what was done; nothing in `settings.source` counts.
    package func watch(
        _ settings: WatchSettings, rounds: Int, _ tell: @escaping (WatchEvent) throws -> Void
    ) throws -> WatchRecord {
        _ = try repository.writablePlace()
        let selection = try SourceSelection([store], repository)
        var settings = settings
        settings.source = selection.sources.first ?? []
        let destination = try destination(selection.sources)
        var capture = selection.options(capture)
        capture.skipsUnchanged = true
        let access = repository
        let watch = StoreWatch(
            settings, capture, replica: destination.map { ($0, options, bytesPerSecond) },
            repository: { try access.place().repository }, tell: tell)
        do {
            try watch.run(rounds: rounds)
        } catch is Interrupted {
            // The usual end.
        }
        return watch.record
    }

    /// Where the replica is to be: a target that holds the store or the repository, or lies in one
    /// of them, is refused.
    private func destination(_ sources: [[UInt8]]) throws -> ReplicaDestination? {
        guard let target else { return nil }
        let location = try TargetCheck.location(target)
        for source in sources {
            try TargetCheck.apart(location, named: target, from: source, .store)
        }
        if let directory = repository.directory {
            try TargetCheck.apart(
                location, named: target, from: try HostSystem.resolve(directory), .repository)
        }
        return switch location {
        case .directory(let path): .directory(path)
        case .remote(let remote): .remote(remote, repository.ssh)
        }
    }
}
