internal import Bytes
internal import Hashing
package import Platform
internal import SystemPackage

// nodes/3f/<64 digits of SHA-256>: the plain bytes of a node. A file is written under a temporary
// name and renamed, but not synced: what a crash or anything else damages does not match its id, is
// taken for absent and replaced. Nothing here is needed, so no fault of the cache is told.

/// Manifest nodes of a repository that is far away, kept in a local directory.
package final class NodeCache: Sendable {
    private let root: PinnedDirectory
    private let host: Host
    /// Directories that were looked through, and emptied where they were too full.
    private let swept = Monitor<Set<UInt8>>([])

    /// A directory with more files is emptied: some 1.5 GB of nodes in all.
    private static let fileLimit = 600
    private static let sizeLimit: UInt64 = 1 << 20

    /// Uses a directory, which is made where it is missing; nil when it cannot be used.
    package init?(_ path: [UInt8], _ host: Host = .system) {
        self.host = host
        do throws(PlatformError) {
            try Self.makeDirectory(path)
            root = try PinnedDirectory(path)
        } catch {
            return nil
        }
    }

    private static func makeDirectory(
        _ path: [UInt8], at directory: CInt = Descriptor.workingDirectory
    ) throws(PlatformError) {
        do throws(PlatformError) {
            try FileOperations.makeDirectory(path, at: directory, mode: 0o700)
        } catch  where error.errno == .fileExists {}
    }

    private static func path(_ id: BlobID) -> (shard: [UInt8], name: [UInt8], number: UInt8) {
        let hex = id.fingerprint.sha256.hex
        let shard = Array(hex.utf8.prefix(2))
        return (
            shard, shard + [PathBytes.separator] + Array(hex.utf8),
            UInt8(truncatingIfNeeded: id.fingerprint.sha256.word0 >> 56)
        )
    }

    /// The bytes of a node, checked against all of its id; nil for what is not here.
    func find(_ id: BlobID) -> [UInt8]? {
        guard id.kind == .node else { return nil }
        let path = Self.path(id).name
        do throws(PlatformError) {
            let file = try root.open(path, [.readOnly, .nonBlocking])
            let size = try file.status(path).size
            guard size <= Self.sizeLimit else { return nil }
            let bytes = try file.read(Int(size), at: 0, path)
            return BlobID(of: bytes.span, .node) == id ? bytes : nil
        } catch {
            return nil
        }
    }

    /// Keeps the bytes of a node; does nothing for chunks.
    func add(_ id: BlobID, _ bytes: Span<UInt8>) {
        guard id.kind == .node else { return }
        let path = Self.path(id)
        try? Self.makeDirectory(path.shard, at: root.descriptor.raw)
        if swept.withState({ $0.insert(path.number).inserted }) { sweep(path.shard) }
        let temporary = PathBytes.join(path.shard, host.uniqueName(".tmp-"))
        do throws(PlatformError) {
            let file = try root.open(temporary, [.writeOnly, .create, .exclusive], mode: 0o600)
            try file.write(bytes, at: 0, temporary)
            try FileOperations.rename(temporary, to: path.name, at: root.descriptor.raw)
        } catch {
            try? FileOperations.remove(temporary, at: root.descriptor.raw)
        }
    }

    private func sweep(_ shard: [UInt8]) {
        guard let directory = try? root.open(shard, [.readOnly, .directory]),
            let names = try? directory.names(shard), names.count > Self.fileLimit
        else { return }
        for name in names { try? FileOperations.remove(name, at: directory.raw) }
    }
}
