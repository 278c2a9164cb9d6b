internal import Bytes
internal import Platform
package import Remote
package import Wire

/// Serves a directory of this host to this process.
package enum LocalService {
    package static func connect(
        _ path: [UInt8], _ purpose: ClientHello.Purpose
    ) throws -> Connection {
        let (here, there) = try PipePair.joined()
        let place = try ServedPlace(root: nil)
        let service = SessionService()
        let policy = ServePolicy()
        let server = WireServer(there, policy, service) { hello in
            try service.open(hello, place, policy)
        }
        WorkerThreads(count: 1) { _ in try? server.run() }.detach()
        return try Connection(here, location: PathBytes.printable(path), purpose, path: path)
    }
}
