internal import Bytes
package import Platform
internal import SystemPackage

/// Small files of our own that readers find whole or not at all: states, records, caches.
///
/// The new content is written under another name in the same directory and renamed over the old.
/// What a crash leaves under that name is overwritten by the next.
package enum SmallFile {
    /// When the new content is safe.
    package enum Durability: Sendable {
        /// Content and name are on the disk when the call returns.
        case durable
        /// Nothing is waited for: a power cut may leave the old content, the new, or a damaged
        /// file. For caches that are checked when they are read, and for records of the moment.
        case none
    }

    /// Replaces the content of the file at `path` below `root`, whose directory must be there.
    ///
    /// `temporary` is a name in the same directory that nobody else writes at the same time; by
    /// default that of the file with ".new" behind it. `mode` is cut by the mask of the process.
    package static func replace(
        at path: [UInt8], with bytes: [UInt8], in root: borrowing PinnedDirectory,
        through temporary: [UInt8]? = nil, mode: UInt32 = 0o600,
        _ durability: Durability = .durable
    ) throws(PlatformError) {
        let name = Array(PathBytes.name(path))
        let directory = try root.open(PathBytes.parent(path), [.readOnly, .directory])
        let temporary = temporary ?? name + Array(".new".utf8)
        do throws(PlatformError) {
            try write(bytes, temporary, directory, mode, durability)
            try FileOperations.rename(temporary, to: name, at: directory.raw)
        } catch {
            try? FileOperations.remove(temporary, at: directory.raw)
            throw error
        }
        if durability == .durable { try directory.sync(path) }
    }

    /// The same for a path that a user named, through symlinks too.
    package static func replace(
        at path: [UInt8], with bytes: [UInt8], through temporary: [UInt8]? = nil,
        mode: UInt32 = 0o600, _ durability: Durability = .durable
    ) throws(PlatformError) {
        let parent = PathBytes.parent(path)
        let isAtTop = path.first == PathBytes.separator && parent.isEmpty
        let root = try PinnedDirectory(isAtTop ? [0x2f] : parent.isEmpty ? [0x2e] : parent)
        try replace(
            at: Array(PathBytes.name(path)), with: bytes, in: root, through: temporary, mode: mode,
            durability)
    }

    private static func write(
        _ bytes: [UInt8], _ temporary: [UInt8], _ directory: borrowing Descriptor, _ mode: UInt32,
        _ durability: Durability
    ) throws(PlatformError) {
        let flags: OpenFlags = [.writeOnly, .create, .truncate]
        let file = try Descriptor.openBeneath(temporary, flags, at: directory.raw, mode: mode)
        try file.write(bytes.span, at: 0, temporary)
        if durability == .durable { try file.sync(temporary) }
        try file.close(temporary)
    }

    /// Reads the file at `path` below `root`; nil when there is none.
    ///
    /// Throws `invalidArgument` for what is no regular file, or larger than `limit` bytes.
    package static func read(
        _ path: [UInt8], limit: UInt64, in root: borrowing PinnedDirectory
    ) throws(PlatformError) -> [UInt8]? {
        do throws(PlatformError) {
            let file = try root.open(path, [.readOnly, .nonBlocking])
            let status = try file.status(path)
            guard status.type == .regular, status.size <= limit else {
                throw PlatformError("read", path, .invalidArgument)
            }
            return try file.read(Int(status.size), at: 0, path)
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }
}
