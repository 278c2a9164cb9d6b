internal import Bytes
internal import Platform
internal import SystemPackage
internal import Trees

/// Compares the target with the journal before a migration goes on.
///
/// What the journal calls copied and the target lacks is copied again: a power cut may have taken
/// it. What the target has and this migration did not write is named, and stops it: somebody works
/// there, and nothing of theirs is overwritten or removed. What it wrote and could not tell the
/// journal of has the size and the time of the source.
struct Reconciliation {
    private let source: MigrationSource
    private let target: MigrationTarget
    private let journal: MigrationJournal
    private let inventory: Inventory
    private let host: Host

    init(
        _ source: MigrationSource, _ target: MigrationTarget, _ journal: MigrationJournal,
        _ inventory: Inventory, _ host: Host
    ) {
        self.source = source
        self.target = target
        self.journal = journal
        self.inventory = inventory
        self.host = host
    }

    func run() throws(MigrationError) {
        let state = journal.state
        var present: [[UInt8]: FileStatus] = [:]
        var strange: [[UInt8]] = []
        let expected = Dictionary(
            inventory.items.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        let tables = Set(state.made.keys).union(inventory.rowDirectories.map(\.path))
        try visitTarget { path, status in
            present[path] = status
            guard state.copied[path] == nil else { return }
            let isOurs =
                expected[path].map { Self.isCopy(status, of: $0) } ?? Self.isInTable(path, tables)
            if !isOurs { strange.append(path) }
        }
        let changed = state.copied.filter { path, stamp in
            guard let there = present[path] else { return false }
            guard there.type == .regular else {
                // The source may have another type by now, but not with the same stamp.
                return expected[path].map { $0.isFile && $0.stamp == stamp } ?? false
            }
            return there.size != stamp.size || there.mtime != stamp.mtime
        }
        strange += changed.keys
        try refuse(strange.sorted(by: PathBytes.isBefore))
        try forgetMissing(state, present)
    }

    private func visitTarget(
        _ body: (_ path: [UInt8], _ status: FileStatus) -> Void
    ) throws(MigrationError) {
        let filter = WalkFilter(
            patterns: ExcludePatterns(lines: [
                [PathBytes.separator] + MigrationTarget.stagingName, Array("/lost+found".utf8),
            ]))
        let walk = try writing { () throws(PlatformError) in
            try SourceWalk(target.tree.root.path, prefix: [], filter: filter)
        }
        try walk.visit(listers: host.processors) { entry throws(MigrationError) in
            try checkInterruption()
            guard !entry.path.isEmpty else { return }
            if let failure = entry.listingFailure { throw .target(failure) }
            switch entry.status {
            case .success(let status): body(entry.path, status)
            case .failure(let error): throw .target(error)
            }
        }
    }

    /// Whether a path of the target can be what a pass made of a path of the source.
    private static func isCopy(_ status: FileStatus, of item: Inventory.Item) -> Bool {
        guard status.type == item.status.type else { return false }
        guard status.type == .regular else { return true }
        return status.size == item.status.size && status.mtime == item.status.mtime
    }

    /// Whether a path is a file that a table made of row files may have.
    private static func isInTable(_ path: [UInt8], _ tables: Set<[UInt8]>) -> Bool {
        let parent = PathBytes.parent(path)
        if PathBytes.name(path).elementsEqual(Inventory.logName) { return tables.contains(parent) }
        if PathBytes.name(parent).elementsEqual(Inventory.logName) {
            return tables.contains(PathBytes.parent(parent))
        }
        return tables.contains(parent) && PathBytes.name(path).starts(with: "seg-".utf8)
            && path.suffix(8).elementsEqual(".parquet".utf8)
    }

    private func refuse(_ paths: [[UInt8]]) throws(MigrationError) {
        guard !paths.isEmpty else { return }
        throw .refused(.foreignPaths(paths))
    }

    private func forgetMissing(
        _ state: JournalState, _ present: [[UInt8]: FileStatus]
    ) throws(MigrationError) {
        var missing = state.copied.keys.filter { present[$0] == nil }
        missing += state.made.keys.filter { path in
            let first = PathBytes.join(
                PathBytes.join(path, Inventory.logName),
                Array("00000000000000000000.json".utf8))
            return present[first] == nil
        }
        guard !missing.isEmpty else { return }
        try journal.append(.gone(missing))
    }
}
