internal import Bytes
internal import Hashing
package import Platform
package import Repository
internal import SystemPackage
package import Wire

// One thread reads and does what is quick: reads, writes, opens. Two threads do what waits for the
// disk or computes: syncs, verifies, publishes, lists. Streams have a thread each. A client waits
// for the answer of one step before it asks for the next, so the order of steps is kept; what it
// sends without waiting, writes, is done in order, before the sync that follows.
//
// Nothing grows with what the client sends: frames are capped, open and staged objects and streams
// are counted, streams hold a window, the queue of the slow threads is bounded, and what is
// answered must be taken before more is read.

/// Serves a storage to one client.
package final class WireServer: Sendable {
    let pipes: PipePair
    let policy: ServePolicy
    let service: any StreamService
    let writer: FrameWriter
    let session: Monitor<ServerSession>
    let tables = Monitor(ServedTables())
    let slow = BoundedQueue<SlowStep>(capacity: 64)
    let served = Monitor<ServedStorage?>(nil)
    private let host: Host
    private let openStorage: @Sendable (ClientHello) throws -> any Storage
    let verify: Verification

    private static let slowThreads = 2
    private static let blockSize = 256 << 10
    /// How long a signal may be overlooked.
    private static let signalLatency: Duration = .milliseconds(500)

    /// A step for the slow threads.
    struct SlowStep: Sendable {
        let number: UInt32
        let run: @Sendable () throws -> [ServerMessage]
    }

    /// `openStorage` finds what the client names; `verify` looks at what it wants to publish.
    package init(
        _ pipes: PipePair, _ policy: ServePolicy, _ service: any StreamService,
        _ host: Host = .system, verify: @escaping Verification = WireServer.verify,
        openStorage: @escaping @Sendable (ClientHello) throws -> any Storage
    ) {
        self.pipes = pipes
        self.policy = policy
        self.service = service
        self.host = host
        self.verify = verify
        self.openStorage = openStorage
        writer = FrameWriter(pipes, stall: policy.deadlines.stall)
        session = Monitor(ServerSession(policy.limits))
    }

    /// Serves until the client closes, or breaks the rules, which throws.
    package func run() throws {
        let slowThreads = WorkerThreads(count: Self.slowThreads) { _ in self.runSlowSteps() }
        var failure: (any Error)?
        do {
            try writer.send { _ in WireLimits.preface }
            try converse()
        } catch {
            failure = error
            let farewell = RemoteFailure(error)
            try? writer.sendLast { ServerMessage.farewell(farewell).encode(&$0, 0) }
        }
        endStreams()
        slow.close()
        slowThreads.join()
        tables.withState { tables in tables.discardAll() }
        pipes.closeOutput()
        if case FrameFault.pipe(let cause)? = failure { throw cause }
        if let failure { throw failure }
    }

    private func converse() throws {
        var decoder = FrameDecoder()
        var deadline = host.instant() + policy.deadlines.handshake
        while !Interruption.isRequested {
            let wait = min(max(deadline - host.instant(), .zero), Self.signalLatency)
            let isGreeted = served.withState { $0 != nil }
            switch try pipes.read(Self.blockSize, within: wait) {
            case .bytes(let bytes):
                decoder.feed(bytes)
                while let frame = try decoder.next() { try receive(frame, &decoder) }
                // Before the hello is whole, no byte buys more time.
                if served.withState({ $0 != nil }) {
                    deadline = host.instant() + policy.deadlines.idle
                }
            case .end:
                guard decoder.isAtBoundary else {
                    throw WireError(.malformed, "the client stopped in the middle of a frame")
                }
                return
            case .stopped: return
            case .timeout:
                if isGreeted, hasStreams { deadline = host.instant() + policy.deadlines.idle }
                guard host.instant() >= deadline else { continue }
                throw RemoteFailure(.other, isGreeted ? "nothing came" : "no hello came in time")
            }
        }
    }

    private func receive(_ frame: Frame, _ decoder: inout FrameDecoder) throws {
        let result: Result<ServerAction, WireError> = session.withState { session in
            do throws(WireError) {
                return .success(try session.receive(frame))
            } catch {
                return .failure(error)
            }
        }
        switch try result.get() {
        case .greet(let hello):
            decoder.salt = hello.salt
            writer.setSalt(hello.salt)
            try greet(hello)
        case .perform(let number, let message): try perform(message, number)
        }
    }

    func send(_ message: ServerMessage, _ number: UInt32) throws(FrameFault) {
        try writer.send { message.encode(&$0, number) }
    }

    // MARK: Greeting

    private func greet(_ hello: ClientHello) throws {
        let storage = try openStorage(hello)
        let config = try Self.config(storage)
        let isRepository = config != nil
        let welcome = ServerHello(
            config: config, mayWrite: policy.mayWrite, mayRemove: policy.mayRemove,
            limits: policy.limits, index: isRepository ? try storage.list(.index) : [],
            snapshots: isRepository ? try storage.list(.snapshot).sorted() : [])
        served.update { $0 = ServedStorage(storage, policy) }
        try send(.welcome(welcome), 0)
    }

    /// The configuration; nil where there is no repository.
    private static func config(_ storage: any Storage) throws(RepositoryError) -> [UInt8]? {
        do throws(RepositoryError) {
            return try storage.readAll(.config, limit: RepositoryConfig.sizeLimit)
        } catch {
            guard error.isMissing else { throw error }
            return nil
        }
    }

    // MARK: Slow steps

    private func runSlowSteps() {
        while let step = slow.pop() {
            do {
                for message in try step.run() { try send(message, step.number) }
            } catch {
                // When the pipe is broken, the thread that reads finds out too.
                try? send(.failure(RemoteFailure(error)), step.number)
            }
        }
    }

    /// Looks at an object that is about to be published in a storage.
    package typealias Verification =
        @Sendable (ObjectName, any StoredObject, any Storage) throws -> Void

    /// The standard way to look at an object before it is published.
    package static let verify: Verification = { name, object, storage in
        do throws(RepositoryError) {
            try ServedVerification.verify(name, object, in: storage)
        } catch {
            switch error.kind {
            case .environment, .storage: throw error
            default: throw RemoteFailure(.invalid, "\(error)", object: Array(name.path.utf8))
            }
        }
    }
}
