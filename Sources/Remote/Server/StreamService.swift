internal import Platform
package import Repository
package import Wire

/// What is done with streams: the plug for whoever builds on the wire.
///
/// Each stream runs on a thread of its own while the server answers other requests. What is thrown
/// reaches the client as a `RemoteFailure`: one that is thrown as such goes as it is.
package protocol StreamService: Sendable {
    /// Takes an upload; returns the reply, at most 1 MiB. Called only where the client may write.
    ///
    /// To answer before the stream ends, return or throw: the client's writes then fail.
    func receive(
        _ request: [UInt8], _ content: IncomingStream, _ served: ServedStorage
    ) throws -> [UInt8]

    /// Writes a download.
    func send(_ request: [UInt8], _ content: OutgoingStream, _ served: ServedStorage) throws
}

/// Refuses all streams.
package struct NoStreams: StreamService {
    package init() {}

    package func receive(
        _ request: [UInt8], _ content: IncomingStream, _ served: ServedStorage
    ) throws -> [UInt8] {
        throw RemoteFailure(.unsupported, "this varve takes no streams")
    }

    package func send(
        _ request: [UInt8], _ content: OutgoingStream, _ served: ServedStorage
    ) throws {
        throw RemoteFailure(.unsupported, "this varve sends no streams")
    }
}

/// The storage that a session serves, and what it may do.
package final class ServedStorage: Sendable {
    package let storage: any Storage
    package let policy: ServePolicy
    private let opened = Monitor<Repository?>(nil)

    package init(_ storage: any Storage, _ policy: ServePolicy) {
        self.storage = storage
        self.policy = policy
    }

    /// The repository in the storage, opened at first use and kept: its index then knows what
    /// streams of this session have added, and not what others add meanwhile.
    package func repository() throws(RepositoryError) -> Repository {
        let result: Result<Repository, RepositoryError> = opened.withState { opened in
            if let opened { return .success(opened) }
            do throws(RepositoryError) {
                // What streams bring is published here, and by the same rights.
                let repository = try Repository(
                    policy.mayRemove ? storage : AppendOnlyStorage(storage))
                opened = repository
                return .success(repository)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
