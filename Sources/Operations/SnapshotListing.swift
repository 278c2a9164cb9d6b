internal import Bytes
package import Repository
package import Snapshots

/// A snapshot has nothing at a path, or something else than what is needed.
package struct PathError: Error {
    /// What there is instead.
    package enum Kind: Sendable {
        case missing
        case directory
        case symlink(target: [UInt8])
        case notAFile
    }

    /// What there is instead of what is needed.
    package var kind: Kind
    /// In the snapshot; empty for its root.
    package var path: [UInt8]

    /// An error about a path of a snapshot.
    package init(kind: Kind, path: [UInt8]) {
        self.kind = kind
        self.path = path
    }
}

/// Finds entries of a snapshot by their paths.
package struct SnapshotListing {
    /// How much of a directory is visited.
    package enum Reach: Sendable {
        /// What lies in it.
        case children
        /// That, and what lies in its subdirectories.
        case below
        /// All of that, and the directory itself.
        case whole
    }

    private let root: TreeRoot
    private let nodes: NodeSource

    /// The entries of a snapshot of this repository.
    package init(_ record: SnapshotRecord, _ repository: Repository) {
        root = record.root
        nodes = NodeSource(repository)
    }

    /// The entry at `path`; nil where there is none.
    package func entry(_ path: [UInt8]) throws(RepositoryError) -> ManifestEntry? {
        var cursor = ManifestCursor(root, nodes)
        try cursor.seek(to: path)
        guard let entry = try cursor.peek(), entry.path == path else { return nil }
        return entry
    }

    /// Visits the directory at `path` as far as `reach` says, or the one entry there if it is none.
    package func forEachEntry(
        at path: [UInt8],
        _ reach: Reach,
        _ body: (ManifestEntry) throws -> Void
    ) throws {
        var cursor = ManifestCursor(root, nodes)
        try cursor.seek(to: path)
        if let entry = try cursor.peek(), entry.path == path {
            _ = try cursor.next()
            if reach == .whole || !entry.isDirectory { try body(entry) }
            if !entry.isDirectory { return }
        } else if !path.isEmpty {
            throw PathError(kind: .missing, path: path)
        }
        while let entry = try cursor.next(), PathBytes.isInside(entry.path, path) {
            try body(entry)
            // No name has a NUL, so nothing below the directory lies behind this key.
            if entry.isDirectory, reach == .children { try cursor.seek(to: entry.path + [0]) }
        }
    }

    /// Calls `body` with the content of the file at `path`, piece by piece; each is checked.
    package func read(_ path: [UInt8], _ body: ([UInt8]) throws -> Void) throws {
        guard let entry = try entry(path) else {
            throw PathError(kind: path.isEmpty ? .directory : .missing, path: path)
        }
        switch entry.payload {
        case .file(_, let content):
            for piece in try nodes.pieces(content) { try read(piece, body) }
        case .directory: throw PathError(kind: .directory, path: path)
        case .symlink(let target): throw PathError(kind: .symlink(target: target), path: path)
        default: throw PathError(kind: .notAFile, path: path)
        }
    }

    private func read(_ piece: ContentPiece, _ body: ([UInt8]) throws -> Void) throws {
        switch piece {
        case .chunk(let id, let size): try body(try nodes.chunk(id, size: size))
        case .hole(var rest):
            let zeros = [UInt8](repeating: 0, count: 64 << 10)
            while rest > 0 {
                let count = min(rest, UInt64(zeros.count))
                try body(Array(zeros.prefix(Int(count))))
                rest -= count
            }
        }
    }
}
