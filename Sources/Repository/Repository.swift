internal import Bytes
package import Chunking
package import Hashing
package import Platform

/// An open repository: its configuration, its storage and where its blobs lie.
package final class Repository: Sendable {
    /// Where its objects lie.
    package let storage: any Storage
    /// What was chosen when it was made.
    package let config: RepositoryConfig
    let index: BlobIndex

    /// Packs kept open; more than a restore reads from at a time.
    private static let openPackLimit = 64
    private let openPacks = Monitor<[PackID: PackReader]>([:])

    /// Largest snapshot record; sources, tags and notes are capped well below it.
    package static let snapshotSizeLimit = 4 << 20

    /// Nodes that were read or written before, for a storage that is far away.
    let nodeCache: NodeCache?

    /// What runs on this repository take from the machine.
    package let host: Host

    /// Opens the repository in `storage`.
    package init(
        _ storage: any Storage, nodeCache: NodeCache? = nil, _ host: Host = .system
    ) throws(RepositoryError) {
        self.storage = storage
        self.host = host
        self.nodeCache = nodeCache
        do throws(RepositoryError) {
            let bytes = try storage.readAll(.config, limit: RepositoryConfig.sizeLimit)
            config = try RepositoryConfig(decoding: bytes)
        } catch  where error.isMissing {
            throw RepositoryError(.notARepository, storage.location)
        }
        index = try BlobIndex(storage)
    }

    /// Makes an empty storage a repository; its configuration comes last.
    package static func create(
        _ storage: any Storage, chunking: ChunkingParameters, _ host: Host = .system
    ) throws(RepositoryError) -> RepositoryConfig {
        var reader = ByteReader(host.randomBytes(SHA256Digest.size))
        let id = try about(.config) { () throws(MalformedBytes) in try reader.sha256() }
        let config = RepositoryConfig(id: RepositoryID(id), chunking: chunking)
        let bytes = config.encoded()
        guard try RepositoryConfig(decoding: bytes) == config else {
            throw RepositoryError(.damaged("does not decode to what was encoded"), .config)
        }
        try about(.config) { () throws(StorageError) in try storage.put(.config, bytes) }
        return config
    }

    /// All places of a blob; looks through packs that no index lists before giving up.
    func places(of id: BlobID) throws(RepositoryError) -> [BlobPlace] {
        let places = try index.find(id)
        if !places.isEmpty { return places }
        try index.listPacks()
        return try index.find(id)
    }

    /// A pack, kept open for the next blob.
    func packReader(_ pack: PackID) throws(RepositoryError) -> PackReader {
        if let reader = openPacks.withState({ $0[pack] }) { return reader }
        let reader = try PackReader(pack, storage)
        openPacks.update { packs in
            if packs.count >= Self.openPackLimit { packs.removeAll() }
            packs[pack] = reader
        }
        return reader
    }

    /// The ids of all snapshots, sorted; a complete list, or an error.
    package func snapshotIDs() throws(RepositoryError) -> [SnapshotID] {
        try BlobIndex.listed(storage, .snapshot).sorted().map(SnapshotID.init)
    }

    /// The canonical bytes of a snapshot, checked against its id.
    package func snapshotBytes(_ id: SnapshotID) throws(RepositoryError) -> [UInt8] {
        let bytes = try storage.readAll(.snapshot(id), limit: Self.snapshotSizeLimit)
        guard SHA256Digest(of: bytes.span) == id.digest else {
            throw RepositoryError(.damaged("its SHA-256 is not its name"), .snapshot(id))
        }
        return bytes
    }

    /// Publishes a snapshot: the commit point (invariant 2).
    ///
    /// What it needs must be durable.
    package func publishSnapshot(_ bytes: [UInt8]) throws(RepositoryError) -> SnapshotID {
        precondition(bytes.count <= Self.snapshotSizeLimit)
        let id = SnapshotID(SHA256Digest(of: bytes.span))
        try about(.snapshot(id)) { () throws(StorageError) in
            try storage.put(.snapshot(id), bytes)
        }
        return id
    }
}
