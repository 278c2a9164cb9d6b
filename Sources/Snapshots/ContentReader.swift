internal import Bytes
package import Hashing
package import Repository

extension NodeSource {
    /// More pieces than any file has: 128 TiB in chunks of average size.
    ///
    /// A tree whose nodes share children could claim far more, and readers keep the pieces of a
    /// file in memory.
    private static let pieceLimit: UInt64 = 1 << 26
    /// Pieces are larger than this on average, in bytes, but for the first few of a file.
    private static let leastPiece: UInt64 = 64
    private static let smallFilePieces: UInt64 = 16 << 10

    /// Throws when the tree claims more pieces than any file has.
    func checkPieceCount(_ root: TreeRoot) throws(RepositoryError) {
        // Nodes may be shared, so a small tree can claim any number of tiny pieces.
        let limit = min(Self.pieceLimit, Self.smallFilePieces + root.byteCount / Self.leastPiece)
        guard root.itemCount <= limit else {
            throw RepositoryError(
                .damaged("\(root.itemCount) pieces, more than a file has"),
                "node \(root.id.fingerprint.hex)")
        }
    }

    /// Calls `body` with each piece of the content, in order.
    package func forEachPiece(
        _ content: Content, _ body: (ContentPiece) throws(RepositoryError) -> Void
    ) throws(RepositoryError) {
        try forEachNode(content, { _ in true }, piece: body)
    }

    /// Calls `enter` with each node of the content, which is read when that returns true, and
    /// `piece` with each piece in the nodes that were read.
    func forEachNode(
        _ content: Content, _ enter: (TreeRoot) -> Bool,
        piece body: (ContentPiece) throws(RepositoryError) -> Void
    ) throws(RepositoryError) {
        switch content {
        case .pieces(let pieces):
            for piece in pieces { try body(piece) }
        case .tree(let root):
            try checkPieceCount(root)
            var pending = [root]
            while let next = pending.popLast() {
                guard enter(next) else { continue }
                switch try node(next, .content) {
                case .inner(let items): pending += items.reversed().map(\.root)
                case .pieces(let pieces): for piece in pieces { try body(piece) }
                case .entries:
                    throw RepositoryError(
                        .damaged("a manifest node in a content tree"),
                        "node \(next.id.fingerprint.hex)")
                }
            }
        }
    }

    /// All pieces of the content.
    package func pieces(_ content: Content) throws(RepositoryError) -> [ContentPiece] {
        if case .pieces(let pieces) = content { return pieces }
        var pieces: [ContentPiece] = []
        try forEachPiece(content) { piece throws(RepositoryError) in pieces.append(piece) }
        return pieces
    }

    /// Reads a chunk, which must have the size that its piece says.
    package func chunk(_ id: ChunkID, size: UInt64) throws(RepositoryError) -> [UInt8] {
        let bytes = try blobs.read(.chunk(id))
        try Self.check(bytes, id, size)
        return bytes
    }

    /// Reads chunks, each of the size that its piece says; two together cost less than one after
    /// the other.
    package func chunks(
        _ wanted: [(id: ChunkID, size: UInt64)]
    ) throws(RepositoryError) -> [[UInt8]] {
        let contents = try blobs.read(wanted.map(\.id))
        for (bytes, (id, size)) in zip(contents, wanted) { try Self.check(bytes, id, size) }
        return contents
    }

    private static func check(
        _ bytes: [UInt8], _ id: ChunkID, _ size: UInt64
    ) throws(RepositoryError) {
        guard UInt64(bytes.count) == size else {
            throw RepositoryError(
                .damaged("is \(bytes.count) bytes, its file says \(size)"),
                "chunk \(id.fingerprint.hex)")
        }
    }
}

/// Writes content lists: few pieces stay with their entry, many become a tree.
package enum ContentWriter {
    package static func content<Failure: Error>(
        _ pieces: [ContentPiece], store: @escaping (NodeID, [UInt8]) throws(Failure) -> Void
    ) throws(Failure) -> Content {
        guard pieces.count > Content.inlineLimit else { return .pieces(pieces) }
        var tree = TreeWriter<Failure>(.content, store: store)
        for piece in pieces {
            try tree.append(key: [], hash: hash(piece), byteCount: piece.size) { writer, _ in
                ManifestCoding.encode(piece, into: &writer)
            }
        }
        return .tree(try tree.finish())
    }

    private static func hash(_ piece: ContentPiece) -> UInt64 {
        switch piece {
        case .chunk(let id, _): id.fingerprint.xxh3.low
        case .hole: 1  // Never a boundary.
        }
    }
}
