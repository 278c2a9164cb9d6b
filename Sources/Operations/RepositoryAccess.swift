internal import Bytes
package import Chunking
internal import Platform
package import Remote
package import Repository
internal import SystemPackage

/// Where a repository is, and how its host is reached.
package struct RepositoryAccess: Sendable {
    /// A directory here, or a place on another host.
    package let location: RepositoryLocation
    /// Used where it lies on another host.
    package let ssh: SSHCommand

    /// Opens nothing yet.
    package init(_ location: RepositoryLocation, _ ssh: SSHCommand) {
        self.location = location
        self.ssh = ssh
    }

    /// The directory, if it lies on this host.
    package var directory: [UInt8]? {
        if case .directory(let path) = location { path } else { nil }
    }

    /// Opens the repository; with `isTrustless` nothing is used that is kept here of a repository
    /// elsewhere.
    package func open(isTrustless: Bool = false) throws -> Repository {
        try place(usesCache: !isTrustless).repository
    }

    /// Opens the repository to bring snapshots from it or to it.
    package func place() throws -> TransferPlace { try place(usesCache: true) }

    /// The same, and throws where nothing may be changed there: before any work is done for it.
    package func writablePlace() throws -> TransferPlace {
        let place = try place()
        try place.requireWritable()
        return place
    }

    private func place(usesCache: Bool) throws -> TransferPlace {
        switch location {
        case .directory(let path):
            do {
                return TransferPlace(try Repository(try DirectoryStorage(path)))
            } catch let error as PlatformError where error.isNotFound {
                throw RepositoryError(.notARepository, PathBytes.printable(path))
            }
        case .remote(let location):
            let opened = try RemoteRepository.open(location, ssh, usesCache: usesCache)
            return TransferPlace(opened.repository, connection: opened.connection)
        }
    }

    /// Makes a repository, in a directory that is missing or empty.
    package func create(_ chunking: ChunkingParameters) throws -> RepositoryConfig {
        switch location {
        case .directory(let path):
            return try Repository.create(try Self.makeStorage(path), chunking: chunking)
        case .remote(let location):
            return try RemoteRepository.create(location, ssh, chunking: chunking)
        }
    }

    private static func makeStorage(_ path: [UInt8]) throws -> DirectoryStorage {
        do throws(StorageError) {
            return try DirectoryStorage.create(path)
        } catch {
            let name = PathBytes.printable(path)
            switch error.kind {
            case .exists: throw RepositoryError(.alreadyExists, name)
            case .environment(let cause) where cause.isNotFound: throw RequestError.noParent(path)
            default: throw error
            }
        }
    }
}
