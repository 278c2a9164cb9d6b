import Bytes
import Glibc
import Platform
import Remote
import Repository
import Wire

/// A server that the client reaches through pipes which break after so many bytes.
final class CutPair: Sendable {
    let connection: Connection
    private let outcome = Monitor<Result<Void, any Error>?>(nil)
    private let relayed: Relayed

    enum Direction { case toServer, toClient }

    /// Bytes that went through, and whether the pipes are still whole.
    private final class Relayed: Sendable {
        private let state = Monitor((toServer: 0, toClient: 0))
        let limits: (toServer: Int, toClient: Int)

        init(_ direction: Direction, _ limit: Int) {
            limits = direction == .toServer ? (limit, .max) : (.max, limit)
        }

        /// How many of the bytes may pass.
        func pass(_ count: Int, _ direction: Direction) -> Int {
            let limits = self.limits
            return state.withState { state in
                let passed = direction == .toServer ? state.toServer : state.toClient
                let limit = direction == .toServer ? limits.toServer : limits.toClient
                let granted = min(count, limit - passed)
                if direction == .toServer {
                    state.toServer += granted
                } else {
                    state.toClient += granted
                }
                return granted
            }
        }

        var counts: (toServer: Int, toClient: Int) { state.withState { $0 } }
    }

    /// Serves a storage with streams; the pipes break once `limit` bytes went in `direction`.
    init(
        _ storage: any Storage, _ policy: ServePolicy = ServePolicy(),
        after limit: Int = .max, _ direction: Direction = .toServer
    ) throws {
        // As the program does: a pipe that breaks is an error and not the end of the process.
        _ = signal(SIGPIPE, SIG_IGN)
        let (client, clientEnd) = try PipePair.joined()
        let (serverEnd, server) = try PipePair.joined()
        let relayed = Relayed(direction, limit)
        self.relayed = relayed
        for (from, to, direction) in [
            (clientEnd, serverEnd, Direction.toServer), (serverEnd, clientEnd, .toClient),
        ] {
            WorkerThreads(count: 1) { _ in
                Self.relay(from, to, direction, relayed)
            }.detach()
        }
        let served = WireServer(server, policy, DeltaService()) { _ in storage }
        let outcome = self.outcome
        WorkerThreads(count: 1) { _ in
            let result = Result { try served.run() }
            outcome.update { $0 = result }
        }.detach()
        connection = try Connection(client, location: "the test", .use, path: [])
    }

    /// Copies what comes until either end closes or the limit is reached.
    private static func relay(
        _ from: PipePair, _ to: PipePair, _ direction: Direction, _ relayed: Relayed
    ) {
        while case .bytes(let bytes)? = try? from.read(64 << 10, within: .seconds(30)) {
            let granted = relayed.pass(bytes.count, direction)
            guard (try? to.write(Array(bytes.prefix(granted)), within: .seconds(30))) != nil,
                granted == bytes.count
            else { break }
        }
        // Neither end hears from the other again.
        for pipes in [from, to] {
            pipes.stop()
            pipes.closeOutput()
        }
    }

    /// Bytes that went each way.
    var counts: (toServer: Int, toClient: Int) { relayed.counts }

    /// Ends the conversation and waits for the server to end.
    func close() {
        connection.close()
        _ = outcome.wait { $0 }
    }
}
