import Bytes
import Platform
import Remote
import Repository
import TestSupport
import Wire

/// A server on a thread of its own, joined to a client by pipes.
final class ServedPair: Sendable {
    let connection: Connection
    private let outcome = Monitor<Result<Void, any Error>?>(nil)

    /// Accepts what a client publishes, and takes what is there already for damaged.
    private static let acceptingAllThatComes: WireServer.Verification = { _, object, _ in
        guard object is any StagedObject else {
            throw RemoteFailure(.damaged, "what is published was not looked at")
        }
    }

    /// Serves what `open` returns; content is looked at only if `verifies`.
    init(
        _ policy: ServePolicy = ServePolicy(), _ service: any StreamService = NoStreams(),
        _ purpose: ClientHello.Purpose = .use, path: String = "", verifies: Bool = true,
        open: @escaping @Sendable (ClientHello) throws -> any Storage
    ) throws {
        let (here, there) = try PipePair.joined()
        let server =
            verifies
            ? WireServer(there, policy, service, openStorage: open)
            : WireServer(
                there, policy, service, verify: Self.acceptingAllThatComes, openStorage: open)
        let outcome = self.outcome
        WorkerThreads(count: 1) { _ in
            let result = Result { try server.run() }
            outcome.update { $0 = result }
        }.detach()
        connection = try Connection(here, location: "the test", purpose, path: Array(path.utf8))
    }

    /// Serves one storage.
    convenience init(
        _ storage: any Storage, _ policy: ServePolicy = ServePolicy(),
        _ service: any StreamService = NoStreams(), verifies: Bool = true
    ) throws {
        try self.init(policy, service, verifies: verifies) { _ in storage }
    }

    /// Waits for the server to end and tells how it did.
    func serverOutcome() -> Result<Void, any Error> { outcome.wait { $0 } }
}
