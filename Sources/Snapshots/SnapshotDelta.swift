internal import Bytes
internal import Deltas
package import Hashing
package import Repository

/// A blob that a snapshot needs and another lacks.
package struct DeltaBlob: Sendable {
    package var id: BlobID
    /// Chunks of the other snapshot that a new chunk may be encoded against, and where in them it
    /// is expected to begin.
    package var bases: [(id: ChunkID, size: UInt64)] = []
    package var place = 0
    /// The number of the file in `SnapshotDelta.files` that it belongs to first; none for nodes.
    package var file: Int?

    package var size: UInt64 = 0

    /// A blob that goes by itself.
    package init(id: BlobID, size: UInt64) {
        self.id = id
        self.size = size
    }

    init(
        id: BlobID, bases: [(id: ChunkID, size: UInt64)] = [], place: Int = 0, file: Int? = nil,
        size: UInt64 = 0
    ) {
        self.id = id
        self.bases = bases
        self.place = place
        self.file = file
        self.size = size
    }
}

/// What one file contributes to a delta.
package struct DeltaFile: Sendable {
    package var path: [UInt8]
    package var size: UInt64
    package var isNew: Bool
    /// Bytes in chunks that need not be shipped.
    package var copiedBytes: UInt64 = 0
    /// Bytes in holes.
    package var holeBytes: UInt64 = 0
}

/// What turns one snapshot into another: the blobs that are new.
package struct SnapshotDelta: Sendable {
    /// Nodes and chunks, each once; chunks in the order of the files that need them.
    package private(set) var blobs: [DeltaBlob] = []
    /// Files that differ.
    package private(set) var files: [DeltaFile] = []
    /// Chunks of the other snapshot that files which differ were made of.
    package private(set) var knownChunks: Set<ChunkID> = []

    /// Compares two snapshots by their manifests; without `before`, all that `after` needs is new.
    ///
    /// Reads the nodes that differ, and, if it `looksEverywhere` and chunks are left whose files
    /// did not tell, all of the nodes of `before`: they may be chunks of files that stayed as they
    /// are. `files` is filled only if `listsFiles`.
    package init(
        from before: TreeRoot?, to after: TreeRoot, _ nodes: NodeSource,
        looksEverywhere: Bool = true, listsFiles: Bool = false
    ) throws(RepositoryError) {
        var builder = Builder(nodes, listsFiles: listsFiles)
        if let before { try builder.noteOld(before, after) }
        try builder.addNew(before, after)
        if let before, looksEverywhere { try builder.removeKnown(in: before) }
        blobs = builder.nodes + builder.chunks
        files = builder.files
        knownChunks = builder.knownChunks
    }

    /// Leaves out blobs that are known to be there.
    package mutating func remove(where isKnown: (Int, DeltaBlob) -> Bool) {
        var kept: [DeltaBlob] = []
        for (index, blob) in blobs.enumerated() {
            guard isKnown(index, blob) else {
                kept.append(blob)
                continue
            }
            if let file = blob.file { files[file].copiedBytes &+= blob.size }
        }
        blobs = kept
    }
}

/// Gathers a delta step by step.
private struct Builder {
    private let source: NodeSource
    private let listsFiles: Bool
    private(set) var nodes: [DeltaBlob] = []
    private(set) var chunks: [DeltaBlob] = []
    private(set) var files: [DeltaFile] = []
    private(set) var knownChunks: Set<ChunkID> = []
    private var oldNodes: Set<NodeID> = []
    private var newNodes: Set<NodeID> = []
    private var newChunks: Set<ChunkID> = []
    /// Contents of files that are no longer at their place, by inode.
    private var moved: [UInt64: Content] = [:]

    init(_ source: NodeSource, listsFiles: Bool) {
        self.source = source
        self.listsFiles = listsFiles
    }

    /// Finds what files that differ were made of.
    mutating func noteOld(_ before: TreeRoot, _ after: TreeRoot) throws(RepositoryError) {
        var diff = ManifestDiff(before, after, source)
        while let step = try diff.nextStep() {
            switch step {
            case .node(.before, let root): oldNodes.insert(root.id)
            case .node(.after, _): continue
            case .change(let change): try noteOld(change)
            }
        }
    }

    private mutating func noteOld(_ change: ManifestChange) throws(RepositoryError) {
        guard let before = change.before, let content = before.content,
            content != change.after?.content
        else { return }
        if change.after?.content == nil { moved[before.inode] = content }
        var (nodes, chunks) = (oldNodes, knownChunks)
        (oldNodes, knownChunks) = ([], [])
        defer { (oldNodes, knownChunks) = (nodes, chunks) }
        try source.forEachNode(content) { root in
            nodes.insert(root.id).inserted
        } piece: { piece in
            if case .chunk(let id, _) = piece { chunks.insert(id) }
        }
    }

    /// Finds the nodes that only `after` has, and the chunks that its files need and files that
    /// differ did not have.
    mutating func addNew(_ before: TreeRoot?, _ after: TreeRoot) throws(RepositoryError) {
        var roots: [TreeRoot] = []
        var diff = ManifestDiff(before, after, source)
        while let step = try diff.nextStep() {
            switch step {
            case .node(.before, _): continue
            case .node(.after, let root): roots.append(root)
            case .change(let change): try addNew(change)
            }
        }
        for root in roots { addNode(root.id) }
    }

    private mutating func addNew(_ change: ManifestChange) throws(RepositoryError) {
        guard let entry = change.after, let content = entry.content,
            change.before?.content != content
        else { return }
        let base = change.before?.content ?? moved[entry.inode]
        try add(entry, content, base, isNew: change.before == nil)
    }

    private mutating func addNode(_ id: NodeID) {
        guard !oldNodes.contains(id), newNodes.insert(id).inserted else { return }
        nodes.append(DeltaBlob(id: .node(id)))
    }

    private mutating func add(
        _ entry: ManifestEntry, _ content: Content, _ old: Content?, isNew: Bool
    ) throws(RepositoryError) {
        var file = DeltaFile(path: entry.path, size: entry.size, isNew: isNew)
        var base: BaseContent?
        if let old { base = BaseContent(try source.pieces(old), limit: .max) }
        var position: UInt64 = 0
        for piece in try newPieces(content) {
            switch piece {
            case .hole(let size): file.holeBytes &+= size
            case .chunk(let id, let size):
                if knownChunks.contains(id) {
                    base?.follow(id, at: position)
                    file.copiedBytes &+= size
                } else {
                    add(id, size, base?.patchBases(for: position..<position &+ size))
                }
            }
            position &+= piece.size
        }
        if listsFiles { files.append(file) }
    }

    /// All pieces of a content; its nodes are noted as new, unless they are known.
    private mutating func newPieces(_ content: Content) throws(RepositoryError) -> [ContentPiece] {
        var pieces: [ContentPiece] = []
        var roots: [TreeRoot] = []
        try source.forEachNode(content) { root in
            roots.append(root)
            return true
        } piece: { piece in
            pieces.append(piece)
        }
        for root in roots { addNode(root.id) }
        return pieces
    }

    private mutating func add(_ id: ChunkID, _ size: UInt64, _ bases: PatchBases?) {
        guard newChunks.insert(id).inserted else { return }
        chunks.append(
            DeltaBlob(
                id: .chunk(id), bases: bases?.chunks ?? [], place: bases?.place ?? 0,
                file: listsFiles ? files.count : nil, size: size))
    }

    /// Leaves out chunks, and nodes of contents, that files hold which stayed as they are.
    mutating func removeKnown(in before: TreeRoot) throws(RepositoryError) {
        guard !chunks.isEmpty else { return }
        var known: Set<ChunkID> = []
        var knownNodes: Set<NodeID> = []
        var cursor = ManifestCursor(before, source)
        while let entry = try cursor.next() {
            guard let content = entry.content else { continue }
            try source.forEachNode(content) { root in
                if newNodes.contains(root.id) { knownNodes.insert(root.id) }
                return true
            } piece: { piece in
                if case .chunk(let id, _) = piece, newChunks.contains(id) { known.insert(id) }
            }
        }
        nodes.removeAll { node in
            if case .node(let id) = node.id { knownNodes.contains(id) } else { false }
        }
        for chunk in chunks {
            guard case .chunk(let id) = chunk.id, known.contains(id), let file = chunk.file else {
                continue
            }
            files[file].copiedBytes &+= chunk.size
        }
        chunks.removeAll { chunk in
            if case .chunk(let id) = chunk.id { known.contains(id) } else { false }
        }
        knownChunks.formUnion(known)
    }
}

extension ManifestEntry {
    /// The content of a file; nil for everything else.
    fileprivate var content: Content? {
        if case .file(_, let content) = payload { content } else { nil }
    }
}
