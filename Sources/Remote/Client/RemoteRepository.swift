package import Chunking
package import Repository
internal import Wire

/// A repository on another host, and the connection that it is used through.
package struct RemoteRepository: Sendable {
    package let connection: Connection
    package let repository: Repository

    /// Connects and opens what is there: one round trip once ssh has connected, where index and
    /// nodes are in the local cache.
    ///
    /// Throws `ConnectionError` or `RepositoryError`.
    package static func open(
        _ location: RemoteLocation, _ ssh: SSHCommand, usesCache: Bool = true
    ) throws -> RemoteRepository {
        let connection = try connect(location, ssh, .use)
        guard let bytes = connection.hello.config else {
            throw RepositoryError(.notARepository, connection.location)
        }
        let config = try RepositoryConfig(decoding: bytes)
        let cache = usesCache ? RemoteCache(config.id) : nil
        let storage = RemoteStorage(connection, cache: cache)
        let repository = try Repository(storage, nodeCache: cache?.nodes)
        return RemoteRepository(connection: connection, repository: repository)
    }

    /// Makes a repository on another host.
    package static func create(
        _ location: RemoteLocation, _ ssh: SSHCommand, chunking: ChunkingParameters
    ) throws -> RepositoryConfig {
        let connection = try connect(location, ssh, .create)
        return try Repository.create(RemoteStorage(connection), chunking: chunking)
    }

    /// Connects; that there is no repository, or one already, is told as for a directory.
    private static func connect(
        _ location: RemoteLocation, _ ssh: SSHCommand, _ purpose: ClientHello.Purpose
    ) throws -> Connection {
        do throws(ConnectionError) {
            return try ssh.connect(to: location, purpose)
        } catch {
            guard case .remote(let failure) = error.kind else { throw error }
            switch failure.kind {
            case .notARepository: throw RepositoryError(.notARepository, error.location)
            case .alreadyExists: throw RepositoryError(.alreadyExists, error.location)
            default: throw error
            }
        }
    }
}
