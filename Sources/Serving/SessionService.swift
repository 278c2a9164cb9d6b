internal import Bytes
internal import Platform
package import Remote
internal import Replicas
package import Repository
internal import SystemPackage
internal import Targets
internal import TwoWay
package import Wire

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
            let root = try Self.root(hello, place, policy)
            let session = ReplicaSession(root, isTrusted: !policy.isReplicaOnly)
            replica.update { $0 = session }
            return NoStorage()
        case .sync:
            let session = TwoWaySession(try Self.root(hello, place, policy))
            sync.update { $0 = session }
            return NoStorage()
        case .use, .create: return try place.storage(hello.purpose, hello.path, policy)
        }
    }

    /// The directory of a replica or store; what may not be named is refused before it is opened.
    private static func root(
        _ hello: ClientHello, _ place: ServedPlace, _ policy: ServePolicy
    ) throws -> TargetRoot {
        _ = try place.replica(hello.path, policy, makes: false)
        return TargetRoot { makes in try place.replica(hello.path, policy, makes: makes) }
    }

    package func receive(
        _ request: [UInt8], _ content: IncomingStream, _ served: ServedStorage
    ) throws -> [UInt8] {
        let source = WireSource(content)
        if sync.withState({ $0 != nil }) {
            return try step(sync) { try $0.receive(try TwoWayRequest(decoding: request), source) }
        }
        guard replica.withState({ $0 != nil }) else {
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
        if sync.withState({ $0 != nil }) {
            try step(sync) { try $0.send(try TwoWayRequest(decoding: request), sink) }
        } else if replica.withState({ $0 != nil }) {
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
        let result: Result<Value, any Error> = monitor.withState { session in
            guard let session else { return .failure(RemoteFailure(.other, "no session")) }
            return Result { try body(session) }.mapError { error in
                guard let error = error as? MalformedBytes else { return error }
                return RemoteFailure(.violation, "\(error)")
            }
        }
        return try result.get()
    }
}

/// Stands where a session has no storage.
private final class NoStorage: Storage {
    var location: String { "a replica" }

    private static let refusal = StorageError(
        .refused, "a replica", "a replica's session cannot be used as a repository")

    func stage(_ kind: ObjectKind) throws(StorageError) -> any StagedObject { throw Self.refusal }
    func syncNames(_ names: [ObjectName]) throws(StorageError) { throw Self.refusal }
    func list(_ kind: ObjectKind) throws(StorageError) -> [SHA256Digest] { throw Self.refusal }
    func open(_ name: ObjectName) throws(StorageError) -> any StoredObject {
        throw StorageError(.missing, name)
    }
    func remove(_ name: ObjectName) throws(StorageError) { throw Self.refusal }
    func put(_ name: ObjectName, _ bytes: [UInt8]) throws(StorageError) { throw Self.refusal }
    func prepare(_ names: [ObjectName]) {}
}
