internal import Bytes
package import Platform
package import Repository
internal import SystemPackage
package import Wire

/// Where clients find storages.
///
/// With a root, named by the server's own arguments and opened before a byte of the client is read,
/// the client's path is that directory, one below it, or empty: an absolute one must begin with the
/// root as it was named or as it resolves; a relative one begins at the root. No component may be
/// ".." or a symlink. Without a root the client names any path, and the system decides what the
/// user may do there; relative ones begin at the working directory, which for ssh is the home
/// directory.
package final class ServedPlace: Sendable {
    private let root: PinnedDirectory?
    /// The root as it was named, and as it resolves.
    private let names: [[UInt8]]
    /// A root that is not there yet.
    private let missingRoot: [UInt8]?

    /// Opens the root, if there is one.
    ///
    /// With `mayBeMissing` it may be made by whoever writes a replica or syncs a store there.
    package init(root path: [UInt8]?, mayBeMissing: Bool = false) throws(PlatformError) {
        guard let path else {
            root = nil
            (names, missingRoot) = ([], nil)
            return
        }
        if mayBeMissing, try !Self.exists(path) {
            root = nil
            (names, missingRoot) = ([Self.trimmed(path)], path)
            return
        }
        root = try PinnedDirectory(path)
        missingRoot = nil
        names = [Self.trimmed(path), Self.trimmed(try HostSystem.resolve(path))]
    }

    private static func exists(_ path: [UInt8]) throws(PlatformError) -> Bool {
        do throws(PlatformError) {
            _ = try FileStatus.following(path)
            return true
        } catch {
            guard error.errno == .noSuchFileOrDirectory else { throw error }
            return false
        }
    }

    private static func trimmed(_ path: [UInt8]) -> [UInt8] {
        var path = path
        while path.last == PathBytes.separator { path.removeLast() }
        return path
    }

    /// Opens or makes the storage that a client asks for.
    package func storage(
        _ purpose: ClientHello.Purpose, _ path: [UInt8], _ policy: ServePolicy
    ) throws -> any Storage {
        guard purpose == .use || policy.mayWrite else {
            throw RemoteFailure(.forbidden, "the server was started with --read-only")
        }
        do {
            return try open(purpose, path)
        } catch let error as StorageError where error.kind == .exists {
            throw RemoteFailure(.alreadyExists, "the directory is not empty", object: path)
        } catch let error as PlatformError where error.isNotFound && purpose == .use {
            throw RemoteFailure(.notARepository, "there is no such directory", object: path)
        }
    }

    /// Opens the directory that a client wants to keep equal to a snapshot or a store; nil where
    /// there is none and `makes` is false.
    ///
    /// What is made is for its owner alone until the replica says otherwise.
    package func replica(
        _ path: [UInt8], _ policy: ServePolicy, makes: Bool
    ) throws -> PinnedDirectory? {
        guard policy.mayRemove else {
            let option = policy.isReadOnly ? "--read-only" : "--append-only"
            throw RemoteFailure(.forbidden, "the server was started with \(option)")
        }
        if let missingRoot {
            guard try relative(path).isEmpty else { throw Self.outside(path) }
            return try replica(at: missingRoot, makes: makes)
        }
        guard root != nil else {
            guard !path.isEmpty else { throw RemoteFailure(.forbidden, "no path was named") }
            return try replica(at: path, makes: makes)
        }
        let relative = try relative(path)
        if makes { try makeDirectory(relative) }
        do throws(PlatformError) {
            let directory = try descriptor(relative)
            return PinnedDirectory(directory, path.isEmpty ? names.first ?? [] : path)
        } catch {
            guard !makes, error.errno == .noSuchFileOrDirectory else { throw error }
            return nil
        }
    }

    private func replica(
        at path: [UInt8], makes: Bool
    ) throws(PlatformError) -> PinnedDirectory? {
        if makes { try makeReplica(path) }
        do throws(PlatformError) {
            return try PinnedDirectory(path)
        } catch {
            guard !makes, error.errno == .noSuchFileOrDirectory else { throw error }
            return nil
        }
    }

    private func makeReplica(_ path: [UInt8]) throws(PlatformError) {
        do throws(PlatformError) {
            try FileOperations.makeDirectory(path, mode: 0o700)
            let parent = PathBytes.parent(Self.trimmed(path))
            let isBelowHere = parent.isEmpty && path.first != PathBytes.separator
            let above = isBelowHere ? Array(".".utf8) : parent + [PathBytes.separator]
            try Descriptor.open(above, [.readOnly, .directory]).sync(path)
        } catch  where error.errno == .fileExists {}
    }

    private func open(_ purpose: ClientHello.Purpose, _ path: [UInt8]) throws -> any Storage {
        guard root != nil else {
            guard !path.isEmpty else { throw RemoteFailure(.forbidden, "no path was named") }
            return switch purpose {
            case .use: try DirectoryStorage(path)
            case .create: try DirectoryStorage.create(path)
            case .replica, .sync: throw Self.outside(path)
            }
        }
        let relative = try relative(path)
        if purpose == .create { try makeDirectory(relative) }
        let directory = try descriptor(relative)
        let pinned = PinnedDirectory(directory, path.isEmpty ? names.first ?? [] : path)
        return switch purpose {
        case .use: DirectoryStorage(pinned)
        case .create: try DirectoryStorage.create(in: pinned)
        case .replica, .sync: throw Self.outside(path)
        }
    }

    private func descriptor(_ relative: [UInt8]) throws(PlatformError) -> Descriptor {
        guard let descriptor = try root?.open(relative, [.readOnly, .directory]) else {
            preconditionFailure("only what lies below a root is opened so")
        }
        return descriptor
    }

    private func makeDirectory(_ relative: [UInt8]) throws(PlatformError) {
        guard !relative.isEmpty else { return }
        let parent = try descriptor(PathBytes.parent(relative))
        do throws(PlatformError) {
            try FileOperations.makeDirectory(
                Array(PathBytes.name(relative)), at: parent.raw, mode: 0o700)
            try parent.sync(relative)
        } catch  where error.errno == .fileExists {}
    }

    /// The client's path below the root.
    private func relative(_ path: [UInt8]) throws(RemoteFailure) -> [UInt8] {
        let parts = path.split(separator: PathBytes.separator).filter { !$0.elementsEqual([0x2e]) }
        guard !parts.contains(where: { $0.elementsEqual([0x2e, 0x2e]) }) else {
            throw Self.outside(path)
        }
        let clean = Array(parts.joined(separator: [PathBytes.separator]))
        guard path.first == PathBytes.separator else { return clean }
        let absolute = [PathBytes.separator] + clean
        for name in names where PathBytes.isInside(absolute, name) {
            return Array(absolute.dropFirst(name.count).drop { $0 == PathBytes.separator })
        }
        throw Self.outside(path)
    }

    private static func outside(_ path: [UInt8]) -> RemoteFailure {
        RemoteFailure(.forbidden, "the path lies outside what is served", object: path)
    }
}
