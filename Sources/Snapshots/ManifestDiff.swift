internal import Bytes
package import Repository

/// One path that differs between two snapshots.
package struct ManifestChange: Sendable {
    package enum Kind: String, Sendable {
        case added, removed
        /// Other content, or another symlink target.
        case changed
        /// Same content; other mode, owner, time or attributes.
        case metadata
        /// A file became a directory, or the like.
        case type
    }

    package var kind: Kind
    package var before: ManifestEntry?
    package var after: ManifestEntry?

    package var path: [UInt8] { after?.path ?? before?.path ?? [] }
}

/// Compares two manifests by walking the nodes that differ: equal ranges are equal nodes, and are
/// never read.
package enum ManifestDiff {
    package enum Side { case before, after }

    /// Calls `body` for each difference in path order.
    ///
    /// Inode, change time and link counts are no difference, nor is the time of a directory whose
    /// entries changed unless `comparesDirectoryTimes`. `visit` is told of each node that is read,
    /// and on which side. Throws where the paths of either are out of order, as far as they are
    /// read.
    package static func forEachChange(
        _ before: TreeRoot?, _ after: TreeRoot?, _ nodes: NodeSource,
        comparesDirectoryTimes: Bool = false,
        visit: (Side, TreeRoot) -> Void = { _, _ in },
        _ body: (ManifestChange) throws(RepositoryError) -> Void
    ) throws(RepositoryError) {
        var one = ManifestCursor(before, nodes)
        var other = ManifestCursor(after, nodes)
        while true {
            let (head, otherHead) = (try one.head(), try other.head())
            var expands: (one: TreeRoot?, other: TreeRoot?)
            switch (head, otherHead) {
            case (nil, nil): return
            case (.subtree(let first, _)?, .subtree(let second, _)?):
                // What both have is in its place in both, unless something larger came before it.
                if first.id == second.id, !other.isAhead(of: one), !one.isAhead(of: other) {
                    one.skip()
                    other.skip()
                } else {
                    if first.level >= second.level { expands.one = first }
                    if first.level <= second.level { expands.other = second }
                }
            case (.subtree(let root, _)?, _): expands.one = root
            case (_, .subtree(let root, _)?): expands.other = root
            case (.entry(let first)?, .entry(let second)?):
                try compare(first, second, comparesDirectoryTimes, &one, &other, body)
            case (.entry(let first)?, nil):
                try body(ManifestChange(kind: .removed, before: first, after: nil))
                _ = try one.next()
            case (nil, .entry(let second)?):
                try body(ManifestChange(kind: .added, before: nil, after: second))
                _ = try other.next()
            }
            if let root = expands.one {
                visit(.before, root)
                try one.expand()
            }
            if let root = expands.other {
                visit(.after, root)
                try other.expand()
            }
        }
    }

    private static func compare(
        _ first: ManifestEntry, _ second: ManifestEntry, _ comparesDirectoryTimes: Bool,
        _ one: inout ManifestCursor, _ other: inout ManifestCursor,
        _ body: (ManifestChange) throws(RepositoryError) -> Void
    ) throws(RepositoryError) {
        if PathBytes.isBefore(first.path, second.path) {
            try body(ManifestChange(kind: .removed, before: first, after: nil))
            _ = try one.next()
        } else if PathBytes.isBefore(second.path, first.path) {
            try body(ManifestChange(kind: .added, before: nil, after: second))
            _ = try other.next()
        } else {
            if let kind = difference(first, second, comparesDirectoryTimes) {
                try body(ManifestChange(kind: kind, before: first, after: second))
            }
            _ = try one.next()
            _ = try other.next()
        }
    }

    private static func difference(
        _ first: ManifestEntry, _ second: ManifestEntry, _ comparesDirectoryTimes: Bool
    )
        -> ManifestChange.Kind?
    {
        switch (first.payload, second.payload) {
        case (.file, .file), (.symlink, .symlink), (.characterDevice, .characterDevice),
            (.blockDevice, .blockDevice):
            if first.payload != second.payload { return .changed }
        case (.directory, .directory), (.fifo, .fifo): break
        default: return .type
        }
        let isSameTime =
            first.mtime == second.mtime || first.isDirectory && !comparesDirectoryTimes
        let isSame =
            isSameTime && first.mode == second.mode && first.uid == second.uid
            && first.gid == second.gid && first.attributes == second.attributes
        return isSame ? nil : .metadata
    }
}
