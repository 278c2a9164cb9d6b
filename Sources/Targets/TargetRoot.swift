internal import Bytes
package import Platform
internal import SystemPackage

/// The directory of a replica or of a synced store, which may not be there yet.
///
/// It is made when it is opened to be changed, and by no dry run.
package final class TargetRoot: Sendable {
    private let find: @Sendable (_ makes: Bool) throws -> PinnedDirectory?

    /// `find` opens the directory and makes it first where it is asked to; nil where there is none
    /// and none is to be made.
    package init(_ find: @escaping @Sendable (_ makes: Bool) throws -> PinnedDirectory?) {
        self.find = find
    }

    /// A directory that is open already.
    package convenience init(_ root: consuming PinnedDirectory) {
        let held = Held(root)
        self.init { _ in
            PinnedDirectory(try held.root.descriptor.duplicate(), held.root.path)
        }
    }

    private final class Held: Sendable {
        let root: PinnedDirectory
        init(_ root: consuming PinnedDirectory) { self.root = root }
    }

    /// Opens the directory; for a dry run of what is not there, an empty one without a name.
    package func open(isDryRun: Bool, _ host: Host) throws -> PinnedDirectory {
        if let root = try find(!isDryRun) { return root }
        return try Self.standIn(host)
    }

    /// An empty directory in which nothing can be made: it is removed while it is open.
    private static func standIn(_ host: Host) throws(PlatformError) -> PinnedDirectory {
        var failure = PlatformError("make directory", [], .noSuchFileOrDirectory)
        for parent in ["/tmp", "/var/tmp", "/dev/shm"] {
            let path = PathBytes.join(Array(parent.utf8), host.uniqueName("varve-"))
            do throws(PlatformError) {
                try FileOperations.makeDirectory(path, mode: 0o700)
                let root = try PinnedDirectory(path)
                try FileOperations.remove(path, isDirectory: true)
                return root
            } catch {
                failure = error
            }
        }
        throw failure
    }
}
