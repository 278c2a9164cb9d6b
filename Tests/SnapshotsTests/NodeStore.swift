import Capturing
@testable import Snapshots
import Bytes
import Chunking
import Hashing
import Platform
import Repository
import TestSupport

/// A repository in memory to which tests add nodes, good ones and bad ones.
final class NodeStore {
    let storage: SimulatedStorage
    let repository: Repository
    private let writer: RepositoryWriter
    private let encoder = BlobEncoder(Vault.options().level)
    private(set) var nodes: [NodeID: [UInt8]] = [:]

    init() throws {
        storage = SimulatedStorage()
        _ = try Repository.create(storage, chunking: .standard)
        repository = try Repository(storage)
        writer = try RepositoryWriter(repository)
    }

    /// Stores a node as it is.
    @discardableResult
    func put(_ bytes: [UInt8]) throws(RepositoryError) -> NodeID {
        let id = NodeID(of: bytes.span)
        if nodes.updateValue(bytes, forKey: id) == nil {
            try writer.put(.node(id), bytes.span, encoder)
        }
        return id
    }

    @discardableResult
    func putChunk(_ bytes: [UInt8]) throws(RepositoryError) -> ChunkID {
        let id = ChunkID(of: bytes.span)
        try writer.put(.chunk(id), bytes.span, encoder)
        return id
    }

    /// Makes what was put readable; nothing can be put after that.
    func seal() throws { _ = try writer.commit() }

    /// Writes the manifest of `entries`, which must be in order.
    func manifest(_ entries: [ManifestEntry]) throws(RepositoryError) -> TreeRoot {
        var tree = TreeWriter<RepositoryError>(.manifest) { id, bytes throws(RepositoryError) in
            _ = try self.put(bytes)
        }
        for entry in entries {
            try tree.append(
                key: entry.path, hash: TreeBoundary.hash(key: entry.path), byteCount: entry.size
            ) { writer, previous in
                ManifestCoding.encode(entry, after: previous, into: &writer)
            }
        }
        return try tree.finish()
    }

    func entries(_ root: TreeRoot) throws -> [ManifestEntry] {
        var cursor = ManifestCursor(root, NodeSource(repository, checkingSHA256: true))
        var entries: [ManifestEntry] = []
        while let entry = try cursor.next() { entries.append(entry) }
        return entries
    }

    /// A record of a snapshot of `root`, as a restore wants it.
    static func record(_ root: TreeRoot) -> SnapshotRecord {
        let time = Timestamp(seconds: 1_700_000_000, nanoseconds: 0)
        return SnapshotRecord(
            root: root, time: time, captureStart: time, host: Array("host".utf8),
            sources: [Array("/source".utf8)], tags: [], parent: nil, sequence: 0,
            statistics: SnapshotStatistics(), problems: [], unlistedProblems: 0,
            programVersion: [])
    }
}

extension ManifestEntry {
    /// An entry as tests make them: time and inode follow from the path.
    init(_ path: [UInt8], _ payload: Payload, version: UInt64 = 0) {
        let number = XXH3Digest(of: path.span).low >> 20
        let time = Timestamp(seconds: Int64(version), nanoseconds: UInt32(number % 1_000_000_000))
        self.init(
            path: path, payload: payload, mode: payload == .directory ? 0o755 : 0o644, uid: 0,
            gid: 0, mtime: time, ctime: time, inode: number, linkDevice: nil, attributes: [],
            isIncomplete: false)
    }

    /// A file of one chunk that nobody stored; its id follows from path and version.
    static func file(_ path: String, version: UInt64 = 0) -> Self {
        var writer = ByteWriter()
        writer.string(Array(path.utf8))
        writer.u64(version)
        let id = ChunkID(of: writer.bytes.span)
        let size = 1 + version % 1000
        return Self(
            Array(path.utf8), .file(size: size, .pieces([.chunk(id, size: size)])),
            version: version)
    }

    static func directory(_ path: String) -> Self { Self(Array(path.utf8), .directory) }

    static func symlink(_ path: String, to target: String) -> Self {
        Self(Array(path.utf8), .symlink(target: Array(target.utf8)))
    }
}
