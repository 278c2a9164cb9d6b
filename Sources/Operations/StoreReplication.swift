internal import Bytes
package import Capturing
package import Platform
package import Remote
package import Replicas
package import Repository
internal import Serving
internal import Snapshots
internal import Wire

extension Replication {
    /// Connects to a directory of this host, through pipes: one way to do it, near and far.
    package static func local(_ path: [UInt8]) throws -> Connection {
        try LocalService.connect(path, .replica)
    }
}

/// Where a replica is.
package enum ReplicaDestination: Sendable {
    case directory([UInt8])
    case remote(RemoteLocation, SSHCommand)

    /// Connects to whoever writes there.
    package func connect() throws -> Connection {
        switch self {
        case .directory(let path): try Replication.local(path)
        case .remote(let location, let ssh): try ssh.connect(to: location, .replica)
        }
    }
}

/// Takes a snapshot of a store and makes a replica equal to it.
package struct StoreReplication: Sendable {
    private let repository: Repository
    private let source: [UInt8]
    private let destination: ReplicaDestination
    private let options: ReplicaOptions
    private let rate: UInt64?

    /// `source` is an absolute path without symlinks.
    package init(
        of source: [UInt8], through repository: Repository, to destination: ReplicaDestination,
        _ options: ReplicaOptions, bytesPerSecond rate: UInt64?
    ) {
        self.source = source
        self.repository = repository
        self.destination = destination
        self.options = options
        self.rate = rate
    }

    package func run(
        _ capture: CaptureOptions, _ progress: WorkProgress
    ) throws -> (capture: CaptureResult, replica: ReplicationSummary) {
        let captured = try Capture.run([source], into: repository, capture, WorkProgress())
        let connection = try destination.connect()
        return (captured, try replicate(captured, connection, progress))
    }

    /// Brings what was captured to a target that is connected already.
    package func replicate(
        _ captured: CaptureResult, _ connection: Connection, _ progress: WorkProgress
    ) throws -> ReplicationSummary {
        guard let id = captured.id else { preconditionFailure("a dry run has no snapshot") }
        let series = try SnapshotSeries(repository)
        let replication = Replication(connection, options, bytesPerSecond: rate)
        return try replication.run(
            Snapshot(id, captured.record), of: series.items, in: repository, progress)
    }
}
