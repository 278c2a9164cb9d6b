internal import Bytes
package import Platform
package import Remote
package import Repository
package import Snapshots
internal import Wire

/// Why a target was not made equal to a snapshot.
package enum ReplicaError: Error {
    /// Others changed it; at most the first thousand are listed.
    case changedThere(count: UInt64, [LocalChange], String)
    /// It holds files that no replication left there.
    case foreign(String)
    /// It is the replica of another store.
    case otherStore(String)
    /// The store is empty, and the target is not.
    case emptyStore(String)
}

/// What a replication came to.
package struct ReplicationSummary: Sendable {
    package var snapshot: SnapshotID
    /// The target, as errors name it too.
    package var location: String
    /// The target was equal to the snapshot before.
    package var wasEqual = false
    /// Everything was offered, because it was not known what the target is equal to.
    package var isWhole = false
    /// Paths that were offered.
    package var offered = 0
    /// Of them, files whose content had to be sent or put together.
    package var wanted = 0
    package var outcome = ReplicaOutcome()
    /// Bytes of content that were sent, before compression.
    package var sentBytes: UInt64 = 0
    /// Bytes of content that the target had.
    package var copiedBytes: UInt64 = 0
    /// Bytes that went through the wire to the target.
    package var streamBytes: UInt64 = 0
    /// Tables that lack files at the source: they were left as they are at the target.
    package var damagedTables: [[UInt8]] = []
    /// Changes of others that were replaced.
    package var changes: [LocalChange] = []

    /// Whether the target holds, and has lost, all that it should.
    package var isComplete: Bool { outcome.failureCount == 0 }

    init(_ snapshot: SnapshotID, _ location: String) {
        self.snapshot = snapshot
        self.location = location
    }
}

/// Makes a live directory, here or on another host, equal to a snapshot.
package final class Replication {
    private let connection: Connection
    private let options: ReplicaOptions
    private let rate: UInt64?

    package init(
        _ connection: Connection, _ options: ReplicaOptions = [], bytesPerSecond rate: UInt64? = nil
    ) {
        self.connection = connection
        self.options = options.union(.listsFailures)
        self.rate = rate
    }

    /// What the target holds; it stays locked for this connection until the replication is over.
    package func begin() throws -> ReplicaStatus {
        try download(.begin) { try ReplicaStatus(reading: WireSource($0)) }
    }

    /// Makes the target equal to `snapshot`, one of `all` in the repository.
    package func run(
        _ snapshot: Snapshot, of all: [Snapshot], in repository: Repository,
        _ progress: WorkProgress
    ) throws -> ReplicationSummary {
        let status = try begin()
        do {
            return try run(snapshot, all, repository, status, progress)
        } catch {
            release()
            throw error
        }
    }

    /// Lets go of the target, so that another replication can begin at once.
    private func release() { try? download(.release) { while try $0.next() != nil {} } }

    private func run(
        _ snapshot: Snapshot, _ all: [Snapshot], _ repository: Repository,
        _ status: ReplicaStatus, _ progress: WorkProgress
    ) throws -> ReplicationSummary {
        var summary = ReplicationSummary(snapshot.id, connection.location)
        try check(status, ReplicaOrigin(repository: repository.config.id, snapshot))
        // A store that is not mounted looks so.
        let isEmptied = snapshot.record.root.itemCount <= 1 && status.pathCount > 1
        guard !isEmptied || options.contains(.overwrite) else {
            throw ReplicaError.emptyStore(connection.location)
        }
        summary.changes = status.changes
        let isSameRepository = status.origin.repository == repository.config.id.digest
        let last =
            isSameRepository
            ? all.first { $0.id.digest == status.origin.snapshot } : nil
        // What that one does not tell of, a comparison with it would not find.
        let known = last.flatMap { CaptureGaps($0.record).isEmpty ? $0 : nil }
        summary.isWhole = known == nil
        summary.damagedTables = CaptureGaps(snapshot.record).damagedTables
        summary.wasEqual = last?.id == snapshot.id
        if summary.wasEqual {
            release()
            return summary
        }
        let sender = ReplicaSender(repository, snapshot, known: known, progress)
        let wants = try offer(sender, &summary)
        guard !options.contains(.dryRun) else {
            release()
            return summary
        }
        try send(sender, wants, &summary)
        summary.outcome = try download(.publish) { try ReplicaOutcome(reading: WireSource($0)) }
        return summary
    }

    private func check(_ status: ReplicaStatus, _ origin: ReplicaOrigin) throws(ReplicaError) {
        guard !options.contains(.overwrite) else { return }
        let location = connection.location
        if status.kind == .foreign { throw .foreign(location) }
        if status.changeCount > 0 {
            throw .changedThere(count: status.changeCount, status.changes, location)
        }
        if status.kind == .replica, status.origin.series != origin.series {
            throw .otherStore(location)
        }
    }

    private func offer(
        _ sender: ReplicaSender, _ summary: inout ReplicationSummary
    ) throws -> [UInt8] {
        try upload(.offer, &summary) { try sender.offer(to: $0) }
        let wants = try download(.wants) { stream in
            var wants: [UInt8] = []
            while let bytes = try stream.next() {
                wants += bytes
                guard wants.count <= ReplicaLimits.puts else {
                    throw RemoteFailure(.violation, "an answer that does not end")
                }
            }
            return wants
        }
        summary.offered = sender.offered
        summary.wanted = wants.count { $0 != 0 }
        return wants
    }

    private func send(
        _ sender: ReplicaSender, _ wants: [UInt8], _ summary: inout ReplicationSummary
    ) throws {
        try upload(.content, &summary) { try sender.content(wants, to: $0) }
        let lacking = try download(.lacking) {
            try RecordReader.all(
                LackingPiece.self, in: WireSource($0), limit: ReplicaLimits.lacking)
        }
        if !lacking.isEmpty {
            try upload(.supply, &summary) { try sender.supply(lacking, to: $0) }
        }
        summary.sentBytes = sender.sentBytes
        summary.copiedBytes = sender.copiedBytes
    }

    // MARK: Streams

    private func upload(
        _ step: ReplicaStep, _ summary: inout ReplicationSummary,
        _ body: (any ByteSink) throws -> Void
    ) throws {
        var sent: UInt64 = 0
        _ = try connection.upload(ReplicaRequest(step, options).encoded()) { stream in
            let wire = WireSink(stream)
            let limited: any ByteSink =
                rate.map { LimitedSink(wire, bytesPerSecond: $0) } ?? wire
            let sink = BufferedSink(limited)
            try body(sink)
            try sink.flush()
            sent = stream.byteCount
        }
        summary.streamBytes += sent
    }

    private func download<Value>(
        _ step: ReplicaStep, _ body: (IncomingStream) throws -> Value
    ) throws -> Value {
        try connection.blamingPeer {
            try connection.download(ReplicaRequest(step, options).encoded(), body)
        }
    }
}
