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

/// The differences between two manifests, in path order.
///
/// It walks the nodes that differ: equal ranges are equal nodes, and are never read. Inode, change
/// time and link counts are no difference.
package struct ManifestDiff {
    /// One of the two manifests.
    package enum Side: Sendable { case before, after }

    /// What the walk comes to.
    package enum Step: Sendable {
        /// A node was read.
        case node(Side, TreeRoot)
        case change(ManifestChange)
    }

    private var one: ManifestCursor
    private var other: ManifestCursor
    private let comparesDirectoryTimes: Bool
    /// Nodes that were read and are still to be returned, the next one last.
    private var pending: [Step] = []

    /// Compares two manifests; nil is an empty one.
    ///
    /// The time of a directory whose entries changed is a difference only if
    /// `comparesDirectoryTimes`.
    package init(
        _ before: TreeRoot?, _ after: TreeRoot?, _ nodes: NodeSource,
        comparesDirectoryTimes: Bool = false
    ) {
        one = ManifestCursor(before, nodes)
        other = ManifestCursor(after, nodes)
        self.comparesDirectoryTimes = comparesDirectoryTimes
    }

    /// The next difference; nil after the last.
    ///
    /// Throws damage where a node cannot be read, or the paths of either are out of order.
    package mutating func next() throws(RepositoryError) -> ManifestChange? {
        while let step = try nextStep() {
            if case .change(let change) = step { return change }
        }
        return nil
    }

    /// The next difference or node that was read; throws as `next` does.
    package mutating func nextStep() throws(RepositoryError) -> Step? {
        while true {
            if let step = pending.popLast() { return step }
            switch (try one.head(), try other.head()) {
            case (nil, nil): return nil
            case (.subtree(let first, _)?, .subtree(let second, _)?):
                try enter(first, second)
            case (.subtree(let root, _)?, _): try enterBefore(root)
            case (_, .subtree(let root, _)?): try enterAfter(root)
            case (.entry(let first)?, .entry(let second)?):
                if let change = try compare(first, second) { return .change(change) }
            case (.entry(let first)?, nil): return .change(try removed(first))
            case (nil, .entry(let second)?): return .change(try added(second))
            }
        }
    }

    /// Skips what both have, or reads the higher of two subtrees, or both.
    private mutating func enter(
        _ first: TreeRoot, _ second: TreeRoot
    ) throws(RepositoryError) {
        // What both have is in its place in both, unless something larger came before it.
        if first.id == second.id, !other.isAhead(of: one), !one.isAhead(of: other) {
            one.skip()
            other.skip()
            return
        }
        if first.level >= second.level { try enterBefore(first) }
        if first.level <= second.level { try enterAfter(second) }
    }

    private mutating func enterBefore(_ root: TreeRoot) throws(RepositoryError) {
        try one.expand()
        pending.append(.node(.before, root))
    }

    private mutating func enterAfter(_ root: TreeRoot) throws(RepositoryError) {
        try other.expand()
        pending.append(.node(.after, root))
    }

    private mutating func removed(
        _ entry: ManifestEntry
    ) throws(RepositoryError) -> ManifestChange {
        _ = try one.next()
        return ManifestChange(kind: .removed, before: entry, after: nil)
    }

    private mutating func added(_ entry: ManifestEntry) throws(RepositoryError) -> ManifestChange {
        _ = try other.next()
        return ManifestChange(kind: .added, before: nil, after: entry)
    }

    /// Moves past the entry that comes first, or past both of one path; nil when they are the same.
    private mutating func compare(
        _ first: ManifestEntry, _ second: ManifestEntry
    ) throws(RepositoryError) -> ManifestChange? {
        if PathBytes.isBefore(first.path, second.path) { return try removed(first) }
        if PathBytes.isBefore(second.path, first.path) { return try added(second) }
        _ = try one.next()
        _ = try other.next()
        return Self.difference(first, second, comparesDirectoryTimes).map { kind in
            ManifestChange(kind: kind, before: first, after: second)
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
