internal import Bytes
internal import Platform
internal import Repository
internal import Snapshots
internal import Trees

/// The parent snapshot's entries, visited alongside the walk.
///
/// A class, because there is one position in the parent, and a copy for each path would cost.
final class ParentComparison {
    private var cursor: ManifestCursor?
    /// Nil when nothing is trusted.
    let parent: SnapshotRecord?
    /// Change times from here on are not trusted: a file changed in the same tick of the clock as
    /// it was read shows nothing (git's racy rule).
    ///
    /// Two seconds serve the coarsest file systems.
    let trustedBefore: Timestamp
    /// Why the parent could not be read to the end.
    private(set) var failure: RepositoryError?

    init(_ parent: SnapshotRecord?, _ nodes: NodeSource) {
        self.parent = parent
        cursor = parent.map { ManifestCursor($0.root, nodes) }
        let start = parent?.captureStart ?? Timestamp(seconds: .min, nanoseconds: 0)
        trustedBefore = start.earlier(by: .any)
    }

    /// The parent's entry for `path`; paths must be asked for in order.
    ///
    /// A parent that turns out damaged counts as gone from there on: files are then read.
    func entry(for path: [UInt8]) -> ManifestEntry? {
        do throws(RepositoryError) {
            while let order = try cursor?.order(of: path) {
                switch order {
                case .equal: return try cursor?.next()
                case .before: _ = try cursor?.next()
                case .after, .end: return nil
                }
            }
        } catch {
            failure = error
            cursor = nil
        }
        return nil
    }

    /// A part of the parent's manifest: an entry with its place, or a whole subtree, unread.
    enum Piece {
        case entry(ManifestEntry, ManifestCursor.LeafPosition?)
        case subtree(TreeRoot, lastKey: [UInt8])
    }

    /// All that the parent has at and below `path`, of which only nodes at its ends are read; nil
    /// when it has nothing, or is damaged.
    ///
    /// Asked for in order, as single entries are.
    func takeRange(_ path: [UInt8]) -> [Piece]? {
        do throws(RepositoryError) {
            return try cursor?.takeRange(path)
        } catch {
            failure = error
            cursor = nil
            return nil
        }
    }

    /// Where in the parent's tree the entry found last stands.
    var lastPosition: ManifestCursor.LeafPosition? { cursor?.lastPosition }

    /// Whether nothing happened to the file since the parent read it.
    func isUnchanged(_ entry: ManifestEntry, _ status: FileStatus) -> Bool {
        entry.ctime == status.ctime && entry.inode == status.inode && entry.mtime == status.mtime
            && !entry.isIncomplete && entry.ctime < trustedBefore && isSameType(entry, status)
    }

    private func isSameType(_ entry: ManifestEntry, _ status: FileStatus) -> Bool {
        switch (entry.payload, status.type) {
        case (.file(let size, _), .regular): size == status.size
        case (.directory, .directory), (.symlink, .symlink), (.fifo, .fifo),
            (.characterDevice, .characterDevice), (.blockDevice, .blockDevice):
            true
        default: false
        }
    }
}

extension ManifestCursor {
    /// Takes what lies at and below `path`; nil when nothing does.
    fileprivate mutating func takeRange(
        _ path: [UInt8]
    ) throws(RepositoryError) -> [ParentComparison.Piece]? {
        var pieces: [ParentComparison.Piece] = []
        try seek(to: path)
        while let head = try head() {
            switch head {
            case .entry(let entry):
                guard PathBytes.isInside(entry.path, path) else {
                    return pieces.isEmpty ? nil : pieces
                }
                guard !pieces.isEmpty || entry.path == path, let taken = try next() else {
                    return nil
                }
                pieces.append(.entry(taken, lastPosition))
            case .subtree(let root, let lastKey):
                // A node that others follow ended where it does for its own keys alone.
                if let lastKey, PathBytes.isInside(lastKey, path), hasMoreAfterHead {
                    pieces.append(.subtree(root, lastKey: lastKey))
                    skip()
                } else {
                    try expand()
                }
            }
        }
        return pieces.isEmpty ? nil : pieces
    }
}
