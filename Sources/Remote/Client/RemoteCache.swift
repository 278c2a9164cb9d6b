internal import Bytes
internal import Hashing
package import Platform
package import Repository
internal import SystemPackage

// $XDG_CACHE_HOME/varve/<repository id>/ (~/.cache/varve/… otherwise):
//
//     index/<64 digits>     index segments of the repository, whole
//     nodes/3f/<64 digits>  manifest nodes (NodeCache)
//
// Everything is checked against its name when it is used, and removed when it is damaged. What the
// repository does not list any more is removed. The whole may be deleted at any time.

/// What is kept here of a repository that is far away.
package final class RemoteCache: Sendable {
    private let root: PinnedDirectory
    private let host: Host
    package let nodes: NodeCache?

    private static let index = Array("index".utf8)

    /// Opens the cache of a repository; nil where it cannot be used, which costs only time.
    package init?(
        _ repository: RepositoryID, below directory: [UInt8]? = defaultDirectory(),
        _ host: Host = .system
    ) {
        self.host = host
        guard let directory else { return nil }
        let path = PathBytes.join(directory, Array(repository.hex.utf8))
        do throws(PlatformError) {
            try Self.makeDirectories(PathBytes.join(path, Self.index))
            root = try PinnedDirectory(path)
        } catch {
            return nil
        }
        nodes = NodeCache(PathBytes.join(path, Array("nodes".utf8)), host)
    }

    /// Where caches of varve lie; nil when neither variable is set.
    package static func defaultDirectory() -> [UInt8]? {
        if let cache = HostSystem.variable("XDG_CACHE_HOME"), cache.first == PathBytes.separator {
            return PathBytes.join(cache, Array("varve".utf8))
        }
        guard let home = HostSystem.variable("HOME"), !home.isEmpty else { return nil }
        return PathBytes.join(home, Array(".cache/varve".utf8))
    }

    private static func makeDirectories(_ path: [UInt8]) throws(PlatformError) {
        do throws(PlatformError) {
            try FileOperations.makeDirectory(path, mode: 0o700)
        } catch {
            if error.errno == .fileExists { return }
            let parent = PathBytes.parent(path)
            guard error.isNotFound, !parent.isEmpty else { throw error }
            try makeDirectories(parent)
            try FileOperations.makeDirectory(path, mode: 0o700)
        }
    }

    private static func path(_ id: IndexID) -> [UInt8] {
        PathBytes.join(index, Array(id.digest.hex.utf8))
    }

    /// Whether there is a file for the segment; it may be damaged.
    func has(_ id: IndexID) -> Bool {
        (try? root.open(Self.path(id), [.readOnly, .nonBlocking])) != nil
    }

    /// A segment whose SHA-256 is its name.
    func find(_ id: IndexID) -> (any StoredObject)? {
        let path = Self.path(id)
        do throws(PlatformError) {
            let file = try root.open(path, [.readOnly, .nonBlocking])
            guard try file.status(path).type == .regular else { return nil }
            let mapped = MappedObject(try MappedFile(file, path))
            if mapped.digest == id.digest { return mapped }
        } catch {
            return nil
        }
        try? FileOperations.remove(path, at: root.descriptor.raw)
        return nil
    }

    /// Keeps a segment; it is not synced, because it is checked when it is used.
    func add(_ id: IndexID, _ bytes: [UInt8]) {
        let temporary = PathBytes.join(Self.index, host.uniqueName(".tmp-"))
        do throws(PlatformError) {
            let file = try root.open(temporary, [.writeOnly, .create, .exclusive], mode: 0o600)
            try file.write(bytes.span, at: 0, temporary)
            try FileOperations.rename(temporary, to: Self.path(id), at: root.descriptor.raw)
        } catch {
            try? FileOperations.remove(temporary, at: root.descriptor.raw)
        }
    }

    /// Removes segments that the repository does not have any more, and what a crash left.
    func keepOnly(_ names: [SHA256Digest]) {
        let wanted = Set(names.map(\.hex))
        guard let directory = try? root.open(Self.index, [.readOnly, .directory]),
            let files = try? directory.names(Self.index)
        else { return }
        for file in files where !wanted.contains(String(decoding: file, as: UTF8.self)) {
            try? FileOperations.remove(file, at: directory.raw)
        }
    }
}

/// A mapped file of the cache.
private final class MappedObject: StoredObject {
    private let file: MappedFile

    init(_ file: MappedFile) { self.file = file }

    var size: UInt64 { UInt64(file.count) }

    var digest: SHA256Digest { file.withBytes(0..<file.count) { SHA256Digest(of: $0) } }

    func read(_ count: Int, at offset: UInt64) throws(StorageError) -> [UInt8] {
        let start = min(Int(clamping: offset), file.count)
        return file.bytes(start..<start + min(count, file.count - start))
    }

    func withBytes<Value>(
        _ range: Range<Int>, _ body: (Span<UInt8>) -> Value
    )
        throws(StorageError) -> Value
    {
        file.withBytes(range, body)
    }
}
