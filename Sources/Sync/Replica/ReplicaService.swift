internal import Bytes
internal import Platform
package import Repository
internal import Snapshots
internal import SystemPackage

/// Serves a session: a replication or a sync of stores where its client asked for one, streams of
/// deltas otherwise.
package final class SessionService: StreamService {
    private let replica = Monitor<ReplicaSession?>(nil)
    private let sync = Monitor<TwoWaySession?>(nil)
    private let deltas = DeltaService()

    package init() {}

    /// Finds what a client names: the storage of a repository, the target of a replication, or a
    /// store.
    package func open(
        _ hello: ClientHello, _ place: ServedPlace, _ policy: ServePolicy
    ) throws -> any Storage {
        if policy.isReplicaOnly, hello.purpose != .replica {
            throw RemoteFailure(.forbidden, "the server was started with --replica")
        }
        if policy.isSyncOnly, hello.purpose != .sync {
            throw RemoteFailure(.forbidden, "the server was started with --sync")
        }
        switch hello.purpose {
        case .replica:
            let root = try place.replica(hello.path, policy)
            let session = ReplicaSession(root, isTrusted: !policy.isReplicaOnly)
            replica.update { $0 = session }
            return NoStorage()
        case .sync:
            let session = TwoWaySession(try place.replica(hello.path, policy))
            sync.update { $0 = session }
            return NoStorage()
        case .use, .create: return try place.storage(hello.purpose, hello.path, policy)
        }
    }

    package func receive(
        _ request: [UInt8], _ content: IncomingStream, _ served: ServedStorage
    ) throws -> [UInt8] {
        let source = WireSource(content)
        if sync.read({ $0 != nil }) {
            return try step(sync) { try $0.receive(try TwoWayRequest(decoding: request), source) }
        }
        guard replica.read({ $0 != nil }) else {
            return try deltas.receive(request, content, served)
        }
        return try step(replica) {
            try $0.receive(try ReplicaRequest(decoding: request), source)
        }
    }

    package func send(
        _ request: [UInt8], _ content: OutgoingStream, _ served: ServedStorage
    ) throws {
        let sink = BufferedSink(WireSink(content))
        if sync.read({ $0 != nil }) {
            try step(sync) { try $0.send(try TwoWayRequest(decoding: request), sink) }
        } else if replica.read({ $0 != nil }) {
            try step(replica) { try $0.send(try ReplicaRequest(decoding: request), sink) }
        } else {
            return try deltas.send(request, content, served)
        }
        try sink.flush()
    }

    /// Does one step; those of one session come one after the other, whatever the client does.
    private func step<Session, Value>(
        _ monitor: Monitor<Session?>, _ body: (Session) throws -> Value
    ) throws -> Value {
        let result: Result<Value, any Error> = monitor.read { session in
            guard let session else { return .failure(RemoteFailure(.other, "no session")) }
            return Result { try body(session) }.mapError { error in
                guard let error = error as? MalformedBytes else { return error }
                return RemoteFailure(.violation, "\(error)")
            }
        }
        return try result.get()
    }
}

/// The server's side of one replication after another, without input or output of its own: takes
/// requests and what streams hold.
final class ReplicaSession {
    private let root: PinnedDirectory
    /// Whoever may do no more than write this directory may not make devices or set-id files in it:
    /// those would be doors to more.
    private let isTrusted: Bool
    private var target: ReplicaTarget?
    private var offers: ReplicaOffers?
    private var staging: ReplicaStaging?

    init(_ root: consuming PinnedDirectory, isTrusted: Bool = true) {
        self.root = root
        self.isTrusted = isTrusted
    }

    /// Takes an upload.
    func receive(_ request: ReplicaRequest, _ source: any ByteSource) throws -> [UInt8] {
        let target = try begun()
        switch request.step {
        case .offer:
            try target.requireUnchanged()
            var offers = ReplicaOffers(target.tree, target.state, target.options)
            offers.isTrusted = isTrusted
            try offers.receive(source)
            self.offers = offers
            staging = nil
        case .content:
            guard let offers, staging == nil, !target.options.contains(.dryRun) else {
                throw Self.untimely
            }
            var staging = ReplicaStaging(target.tree, target.state, offers)
            try staging.receive(source)
            self.staging = staging
        case .supply:
            guard var staging else { throw Self.untimely }
            self.staging = nil
            try staging.receiveSupply(source)
            self.staging = staging
        default: throw Self.untimely
        }
        return []
    }

    /// Writes a download.
    func send(_ request: ReplicaRequest, _ sink: any ByteSink) throws {
        switch request.step {
        case .begin: try begin(request.options).write(to: sink)
        case .wants:
            guard let offers else { throw Self.untimely }
            try sink.write(offers.wants)
        case .lacking:
            guard let staging else { throw Self.untimely }
            var writer = ReplicaRecordWriter(sink)
            for piece in staging.lacking { try writer.write(1) { piece.encode(into: &$0) } }
            try writer.end()
        case .publish: try publish().write(to: sink)
        case .release: release()
        default: throw Self.untimely
        }
    }

    private static let untimely = RemoteFailure(.violation, "a step that is not due")

    private func begun() throws -> ReplicaTarget {
        guard let target else { throw Self.untimely }
        return target
    }

    private func begin(_ options: ReplicaOptions) throws -> ReplicaStatus {
        release()
        let copy = PinnedDirectory(try root.descriptor.duplicate(), root.path)
        let target = try ReplicaTarget(copy, isTrusted ? options : options.subtracting(.setID))
        self.target = target
        return target.status
    }

    /// Lets go of the target, and of the lock with it.
    private func release() {
        offers = nil
        staging = nil
        target = nil
    }

    private func publish() throws -> ReplicaOutcome {
        let target = try begun()
        guard let staging, !target.options.contains(.dryRun) else { throw Self.untimely }
        // What it holds is right again only after a new comparison.
        defer { release() }
        return try target.publish(new: try staging.finishedOffers().journal)
    }
}

/// Stands where a session has no storage.
private final class NoStorage: Storage {
    var location: String { "a replica" }

    private static let refusal = PlatformError(
        "use as a repository", [], .notPermitted, detail: "the session is that of a replica")

    func stage(_ kind: ObjectKind) throws(PlatformError) -> any StagedObject { throw Self.refusal }
    func syncNames(_ names: [ObjectName]) throws(PlatformError) { throw Self.refusal }
    func list(_ kind: ObjectKind) throws(PlatformError) -> [SHA256Digest] { throw Self.refusal }
    func open(_ name: ObjectName) throws(PlatformError) -> any StoredObject {
        throw PlatformError("open", [], .noSuchFileOrDirectory)
    }
    func remove(_ name: ObjectName) throws(PlatformError) { throw Self.refusal }
    func put(_ name: ObjectName, _ bytes: [UInt8]) throws(PlatformError) { throw Self.refusal }
    func prepare(_ names: [ObjectName]) {}
}
