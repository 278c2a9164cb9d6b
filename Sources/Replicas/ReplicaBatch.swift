internal import Bytes
internal import Hashing
internal import Platform
internal import Repository
internal import Snapshots
internal import Targets

// Where the chunks of changed files are at the target already, found in the manifest of the
// snapshot that it is equal to:
//
// 1. in the files of the same names, and in those that are gone;
// 2. in the other files of the same tables: a compaction writes anew what is in other segments;
// 3. outside of tables, in all files, where they are few.
//
// 2 and 3 are read through only for what is worth it, and only as far as chunks are still looked
// for. Files are taken in batches, so that memory does not depend on how much changed.

/// Files that are sent together, and where their chunks are.
struct ReplicaBatch {
    enum Place {
        case live([UInt8], offset: UInt64)
        case offered(UInt32, offset: UInt64)
    }

    private let repository: Repository
    private let nodes: NodeSource
    private let known: Snapshot?
    private(set) var files: [ReplicaSender.File] = []
    private var goneFiles: [ManifestEntry] = []
    private var tables: Set<[UInt8]> = []
    private var pieceCount: UInt64 = 0
    private var places: [ChunkID: Place] = [:]
    /// Chunks that are still looked for.
    private var wanted: Set<ChunkID> = []
    private var wantedBytes: UInt64 = 0
    private var hasOthers = false

    private static let fileLimit = 16 << 10
    private static let pieceLimit: UInt64 = 128 << 10
    /// Less than this is sent, and not looked for in other files.
    private static let searchSize: UInt64 = 256 << 10
    /// Manifests with more files are not read through as a whole.
    private static let readingLimit: UInt64 = 50_000
    /// Files with more pieces are not looked through for others.
    private static let searchedPieces: UInt64 = 1 << 20

    init(_ repository: Repository, _ nodes: NodeSource, _ known: Snapshot?) {
        self.repository = repository
        self.nodes = nodes
        self.known = known
    }

    var isFull: Bool { files.count >= Self.fileLimit || pieceCount >= Self.pieceLimit }

    mutating func removeAll() {
        self = ReplicaBatch(repository, nodes, known)
    }

    mutating func add(_ file: ReplicaSender.File, changed before: ManifestEntry?) {
        files.append(file)
        pieceCount += Self.pieceCount(file.entry.payload)
        if let table = TargetOrder.table(file.entry.path) { tables.insert(table) }
    }

    /// A file that is gone may have become another.
    mutating func add(gone entry: ManifestEntry) {
        if goneFiles.count < Self.fileLimit { goneFiles.append(entry) }
    }

    private static func pieceCount(_ payload: ManifestEntry.Payload) -> UInt64 {
        switch payload {
        case .file(_, .pieces(let pieces)): UInt64(pieces.count)
        case .file(_, .tree(let root)): root.itemCount
        default: 0
        }
    }

    /// Where the target has a chunk, or will have it when it comes to the piece.
    func place(of id: ChunkID) -> Place? { places[id] }

    /// Whether the chunk lies in a file of the target now.
    func isLive(_ id: ChunkID) -> Bool {
        if case .live? = places[id] { true } else { false }
    }

    /// Notes that a chunk was sent.
    mutating func note(_ id: ChunkID, file: UInt32, offset: UInt64) {
        if places[id] == nil { places[id] = .offered(file, offset: offset) }
    }

    // MARK: Finding

    mutating func resolve() throws(RepositoryError) {
        guard known != nil else { return }
        for file in files {
            guard case .file(_, let content) = file.entry.payload else { continue }
            try look(for: content, of: file)
        }
        for entry in goneFiles {
            guard case .file(_, let content) = entry.payload, !wanted.isEmpty else { continue }
            try search(content, of: entry.path)
        }
        try searchOthers()
    }

    /// Adds to what is looked for the chunks of a file that its former content does not have.
    private mutating func look(
        for content: Content, of file: ReplicaSender.File
    ) throws(RepositoryError) {
        if let before = file.before {
            var offset: UInt64 = 0
            for piece in try nodes.pieces(before) {
                if case .chunk(let id, _) = piece, places[id] == nil {
                    places[id] = .live(file.entry.path, offset: offset)
                }
                offset += piece.size
            }
        }
        let isInTable = tables.contains { PathBytes.isInside(file.entry.path, $0) }
        for piece in try nodes.pieces(content) {
            guard case .chunk(let id, let size) = piece, places[id] == nil,
                wanted.insert(id).inserted
            else { continue }
            wantedBytes += size
            if !isInTable { hasOthers = true }
            for base in try repository.bases(of: id) where places[base] == nil {
                wanted.insert(base)
            }
        }
    }

    private mutating func search(
        _ content: Content, of path: [UInt8]
    ) throws(RepositoryError) {
        var offset: UInt64 = 0
        for piece in try nodes.pieces(content) {
            if case .chunk(let id, let size) = piece, wanted.remove(id) != nil {
                places[id] = .live(path, offset: offset)
                wantedBytes -= min(wantedBytes, size)
            }
            offset += piece.size
        }
    }

    private mutating func searchOthers() throws(RepositoryError) {
        guard let root = known?.record.root else { return }
        let isSmall = root.itemCount <= Self.readingLimit
        var areas = tables.sorted(by: PathBytes.isBefore)
        if hasOthers, isSmall { areas = [[]] }
        for area in areas {
            guard wantedBytes >= Self.searchSize else { return }
            try search(area, root)
        }
    }

    /// Looks through the files below a directory.
    private mutating func search(
        _ directory: [UInt8], _ root: TreeRoot
    ) throws(RepositoryError) {
        var cursor = ManifestCursor(root, nodes)
        try cursor.seek(to: directory)
        while !wanted.isEmpty, let entry = try cursor.next(),
            PathBytes.isInside(entry.path, directory)
        {
            guard case .file(_, let content) = entry.payload,
                Self.pieceCount(entry.payload) <= Self.searchedPieces
            else { continue }
            try search(content, of: entry.path)
        }
    }
}
