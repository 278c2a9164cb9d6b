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
    /// Calls `body` for each difference in path order.
    ///
    /// Inode, change time and link counts are no difference, nor is the time of a directory whose
    /// entries changed.
    package static func forEachChange(
        _ before: TreeRoot, _ after: TreeRoot, _ nodes: NodeSource,
        _ body: (ManifestChange) throws(RepositoryError) -> Void
    ) throws(RepositoryError) {
        var one = ManifestCursor(before, nodes)
        var other = ManifestCursor(after, nodes)
        while true {
            switch (try one.head(), try other.head()) {
            case (nil, nil): return
            case (.subtree(let first, _)?, .subtree(let second, _)?):
                if first.id == second.id {
                    one.skip()
                    other.skip()
                } else if first.level >= second.level {
                    try one.expand()
                    if first.level == second.level { try other.expand() }
                } else {
                    try other.expand()
                }
            case (.subtree?, _): try one.expand()
            case (_, .subtree?): try other.expand()
            case (.entry(let first)?, .entry(let second)?):
                try compare(first, second, &one, &other, body)
            case (.entry(let first)?, nil):
                try body(ManifestChange(kind: .removed, before: first, after: nil))
                one.skip()
            case (nil, .entry(let second)?):
                try body(ManifestChange(kind: .added, before: nil, after: second))
                other.skip()
            }
        }
    }

    private static func compare(
        _ first: ManifestEntry, _ second: ManifestEntry, _ one: inout ManifestCursor,
        _ other: inout ManifestCursor, _ body: (ManifestChange) throws(RepositoryError) -> Void
    ) throws(RepositoryError) {
        if PathBytes.isBefore(first.path, second.path) {
            try body(ManifestChange(kind: .removed, before: first, after: nil))
            one.skip()
        } else if PathBytes.isBefore(second.path, first.path) {
            try body(ManifestChange(kind: .added, before: nil, after: second))
            other.skip()
        } else {
            if let kind = difference(first, second) {
                try body(ManifestChange(kind: kind, before: first, after: second))
            }
            one.skip()
            other.skip()
        }
    }

    private static func difference(
        _ first: ManifestEntry, _ second: ManifestEntry
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
        let isSameTime = first.mtime == second.mtime || first.isDirectory
        let isSame =
            isSameTime && first.mode == second.mode && first.uid == second.uid
            && first.gid == second.gid && first.attributes == second.attributes
        return isSame ? nil : .metadata
    }
}
