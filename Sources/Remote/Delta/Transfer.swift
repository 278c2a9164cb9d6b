internal import Bytes
internal import Hashing
package import Platform
package import Repository
package import Snapshots
package import Wire

// Between two repositories, each here or behind a connection:
//
//     push    here ──delta stream──▶ there, which checks it (`DeltaService.receive`)
//     pull    there ──delta stream──▶ here, which checks it
//
// What the target has is told by its snapshots: their names come with the server's first words, so
// that an ordinary push costs one round trip before data flows. A large delta is first compared
// with the target's index, blob by blob, in one more round trip: what an earlier run sent before it
// was cut is not sent again.

/// A repository that takes part in a transfer.
package struct TransferPlace: Sendable {
    package var repository: Repository
    /// Set when it lies behind a connection.
    package var connection: Connection?

    package init(_ repository: Repository, connection: Connection? = nil) {
        self.repository = repository
        self.connection = connection
    }

    /// Throws where the server lets this session change nothing: before any work is done for it.
    package func requireWritable() throws(ConnectionError) {
        guard let connection, !connection.hello.mayWrite else { return }
        let failure = RemoteFailure(.forbidden, "the host serves it with --read-only")
        throw ConnectionError(.remote(failure), connection.location, "\(failure)")
    }

    /// Names of all snapshots there.
    func snapshotIDs() throws -> Set<SnapshotID> {
        if let connection, connection.hello.snapshots.isComplete {
            return Set(connection.hello.snapshots.names.map(SnapshotID.init))
        }
        return Set(try repository.snapshotIDs())
    }
}

/// What a transfer came to.
package struct TransferSummary: Equatable, Sendable {
    /// Snapshots that the target did not have.
    package var transferred: [SnapshotID] = []
    /// Snapshots that the target had already.
    package var alreadyThere = 0
    package var blobs: UInt64 = 0
    /// Plain bytes of the blobs.
    package var plainBytes: UInt64 = 0
    /// Bytes of the stream.
    package var streamBytes: UInt64 = 0

    package init() {}
}

/// Brings snapshots from one repository to another.
package struct Transfer {
    private let source: TransferPlace
    private let target: TransferPlace
    private let progress: WorkProgress
    /// Bytes of the stream a second.
    private let rate: UInt64?

    /// Deltas of less plain bytes than this are sent without asking what the target has of them.
    private static let askingSize: UInt64 = 4 << 20

    package init(
        from source: TransferPlace, to target: TransferPlace, bytesPerSecond rate: UInt64? = nil,
        _ progress: WorkProgress
    ) {
        self.source = source
        self.target = target
        self.rate = rate
        self.progress = progress
    }

    /// Brings those of `wanted` that the target lacks; `all` are the snapshots of the source.
    ///
    /// May be run again after any failure: it goes on where it was.
    package func run(
        _ wanted: [Snapshot], of all: [Snapshot]
    ) throws -> TransferSummary {
        var summary = TransferSummary()
        try target.requireWritable()
        let there = try target.snapshotIDs()
        let missing = wanted.filter { !there.contains($0.id) }
        summary.alreadyThere = wanted.count - missing.count
        guard !missing.isEmpty else { return summary }
        let known = all.filter { there.contains($0.id) }
        let sent = try send(missing, known: known)
        summary.transferred = missing.map(\.id)
        summary.blobs = sent.blobs
        summary.plainBytes = sent.plainBytes
        summary.streamBytes = sent.streamBytes
        return summary
    }

    private func send(
        _ missing: [Snapshot], known: [Snapshot]
    ) throws -> SendSummary {
        if let connection = source.connection {
            return try blamingSender(connection.location) {
                try download(missing, known, connection)
            }
        }
        do {
            guard let connection = target.connection else { return try copy(missing, known) }
            return try upload(missing, known, connection)
        } catch {
            // What arrived wrong may have been wrong before it left.
            guard Self.isDamageOfStream(error) else { throw error }
            let sender = DeltaSender(source.repository, mayAsk: true, progress)
            try sender.checkAll(missing, known: known)
            throw error
        }
    }

    private static func isDamageOfStream(_ error: any Error) -> Bool {
        switch error {
        case let error as StreamError:
            if case .damaged = error.kind { true } else { false }
        case let error as ConnectionError:
            if case .remote(let failure) = error.kind { failure.kind == .invalid } else { false }
        default: false
        }
    }

    /// Frames have checksums: a blob that arrives wrong was read wrong on the other side.
    private func blamingSender<Value>(
        _ location: String, _ body: () throws -> Value
    ) throws -> Value {
        do {
            return try body()
        } catch let error as StreamError {
            guard case .damaged(let why) = error.kind else { throw error }
            let failure = RemoteFailure(.damaged, "its repository holds something damaged: \(why)")
            throw ConnectionError(.remote(failure), location, "\(failure)")
        }
    }

    private func sink(_ sink: any ByteSink) -> any ByteSink {
        rate.map { LimitedSink(sink, bytesPerSecond: $0) } ?? sink
    }

    private func upload(
        _ missing: [Snapshot], _ known: [Snapshot],
        _ connection: Connection
    ) throws -> SendSummary {
        var summary = SendSummary()
        let sender = DeltaSender(source.repository, mayAsk: true, progress)
        _ = try connection.upload(DeltaService.receiveRequest) { stream in
            let sink = sink(WireSink(stream))
            summary = try sender.send(
                missing, known: known, to: sink,
                query: { question in
                    guard known.isEmpty || question.isOpen || question.size > Self.askingSize
                    else { return nil }
                    return try connection.have(question.blobs)
                })
        }
        return summary
    }

    private func download(
        _ missing: [Snapshot], _ known: [Snapshot],
        _ connection: Connection
    ) throws -> SendSummary {
        var request = DeltaRequest(wanted: missing.map(\.id), known: known.map(\.id))
        // Nodes come first, so a run that was cut left the top of what it brought.
        for item in missing where try has(.node(item.record.root.id)) {
            request.asksForPlan = true
        }
        if request.asksForPlan {
            request.asksForPlan = false
            request.present = try plan(request, connection)
        }
        let receiver = DeltaReceiver(target.repository, progress)
        let received = try connection.download(request.encoded()) { stream in
            let source = WireSource(stream)
            return try receiver.receive(
                rate.map { LimitedSource(source, bytesPerSecond: $0) } ?? source as any ByteSource)
        }
        var summary = SendSummary()
        summary.blobs = received.blobs
        summary.plainBytes = received.plainBytes
        summary.streamBytes = received.streamBytes
        return summary
    }

    private func has(_ id: BlobID) throws(RepositoryError) -> Bool {
        try target.repository.contains(id)
    }

    /// Which of the blobs that the source would send are here already.
    private func plan(_ request: DeltaRequest, _ connection: Connection) throws -> [Bool] {
        var asking = request
        asking.asksForPlan = true
        return try connection.download(asking.encoded()) { stream in
            var cursor = StreamCursor(WireSource(stream))
            var present: [Bool] = []
            while try !cursor.isAtEnd() {
                let id = try DeltaRequest.decodeID(try cursor.take(DeltaRequest.idSize))
                present.append(try has(id))
            }
            return present
        }
    }

    private func copy(
        _ missing: [Snapshot], _ known: [Snapshot]
    ) throws -> SendSummary {
        let pipe = LocalPipe()
        let receiving = LocalReceiving(target.repository, pipe)
        let thread = WorkerThreads(count: 1) { _ in receiving.run() }
        let sender = DeltaSender(source.repository, mayAsk: true, progress)
        let repository = target.repository
        let result = Result {
            try sender.send(
                missing, known: known, to: sink(pipe),
                query: { question in
                    try question.blobs.map { id throws(RepositoryError) in
                        try repository.contains(id)
                    }
                })
        }
        pipe.finish()
        thread.join()
        if let failure = receiving.failure.withState({ $0 }) { throw failure }
        return try result.get()
    }
}

/// The receiving end of a transfer between two repositories that are both here.
private final class LocalReceiving: Sendable {
    let failure = Monitor<(any Error)?>(nil)
    private let repository: Repository
    private let pipe: LocalPipe

    init(_ repository: Repository, _ pipe: LocalPipe) {
        self.repository = repository
        self.pipe = pipe
    }

    func run() {
        do {
            _ = try DeltaReceiver(repository, WorkProgress()).receive(pipe)
        } catch {
            // Where the stream ends early, the sender has failed, and tells why.
            if let error = error as? StreamError, case .cutShort = error.kind { return }
            failure.update { $0 = error }
            pipe.drain()
        }
    }
}
