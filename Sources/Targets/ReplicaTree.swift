package import Trees
internal import Wire
internal import Bytes
package import Platform
internal import SystemPackage

/// The tree of a target, reached below its descriptor.
package final class ReplicaTree {
    package let target: LiveTree

    package init(_ target: consuming LiveTree) { self.target = target }

    /// A directory that names are looked up in.
    package final class Directory {
        package let descriptor: Descriptor
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }

    /// Opens a directory; nil when there is none.
    package func directory(_ path: [UInt8]) throws(PlatformError) -> Directory? {
        do throws(PlatformError) {
            return Directory(try target.root.open(path, [.readOnly, .directory]))
        } catch {
            // A symlink in its way means that it is gone.
            guard error.isNotFound || error.errno == .tooManySymbolicLinkLevels else {
                throw error
            }
            return nil
        }
    }

    /// Syncs a file or directory; what else may be there comes with its name.
    package func sync(_ path: [UInt8]) throws(PlatformError) {
        if let directory = try directory(path) {
            try directory.descriptor.sync(path)
        } else if try target.status(path)?.type == .regular {
            try target.root.open(path, [.readOnly, .nonBlocking]).sync(path)
        }
    }

    /// Renames; unless `replacing`, fails with `fileExists` where `to` is there.
    package func rename(_ path: [UInt8], to target: [UInt8], replacing: Bool) throws(PlatformError)
    {
        let from = try self.target.openForChange(PathBytes.parent(path))
        let to = try self.target.openForChange(PathBytes.parent(target))
        try FileOperations.rename(
            Array(PathBytes.name(path)), to: Array(PathBytes.name(target)), at: from.raw,
            toDirectory: to.raw, flags: replacing ? 0 : 1)
    }

    /// Moves what others made to a place where nothing is lost.
    package func setAside(_ path: [UInt8], named name: [UInt8]) throws(PlatformError) {
        let suffix = Array("-\(Hex.encode(HostSystem.randomBytes(4)))".utf8)
        let flat = name.map { $0 == PathBytes.separator ? UInt8(ascii: "+") : $0 }
        let place = PathBytes.join(ReplicaPlaces.setAside, Array(flat.suffix(200)) + suffix)
        try rename(path, to: place, replacing: false)
    }

    /// Makes the directory of varve's own files at the top, and locks it; throws `held` when
    /// another process has it.
    package func takeLock() throws -> Descriptor {
        for path in [ReplicaPlaces.directory, ReplicaPlaces.staging, ReplicaPlaces.setAside]
        where try target.status(path) == nil {
            try target.makeDirectory(path)
            try target.openParent(path).sync(path)
        }
        let path = ReplicaPlaces.lock
        let file = try target.root.open(path, [.readWrite, .create], mode: 0o600)
        guard try file.lock(path) else {
            throw RemoteFailure(.held, "another varve is writing to this directory")
        }
        return file
    }
}
