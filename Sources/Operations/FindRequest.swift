internal import Platform
package import Repository
package import Snapshots
internal import Trees

/// Finds files in snapshots by name.
package struct FindRequest {
    /// In the syntax of gitignore(5).
    package var pattern: [UInt8]
    /// Where the snapshots are.
    package var repository: RepositoryAccess
    /// Looks only in these.
    package var names: [SnapshotSelector] = []
    /// Looks only in those that it leaves.
    package var filter = SnapshotFilter()

    /// A search in all snapshots, until names or a filter narrow it.
    package init(_ pattern: [UInt8], in repository: RepositoryAccess) {
        self.pattern = pattern
        self.repository = repository
    }

    /// Calls `body` with each entry that matches, oldest snapshot first; returns whether all
    /// snapshots could be read.
    package func run(
        _ note: NoteTaker, _ body: (ManifestEntry, SnapshotID) throws -> Void
    ) throws -> Bool {
        let opened = try repository.open()
        let list = try SnapshotList(opened, filter, named: names, note)
        let patterns = try patterns()
        for item in list.items {
            try SnapshotListing(item.record, opened).forEachEntry(at: [], .below) { entry in
                try Interruption.check()
                if patterns.isExcluded(entry.path, isDirectory: entry.isDirectory) {
                    try body(entry, item.id)
                }
            }
        }
        return list.isComplete
    }

    private func patterns() throws(RequestError) -> ExcludePatterns {
        guard let first = pattern.first else { throw .emptyPattern }
        // Lines of these beginnings have a meaning in lists of patterns, which none has here.
        let isSpecial = first == UInt8(ascii: "!") || first == UInt8(ascii: "#")
        return ExcludePatterns(lines: [isSpecial ? [UInt8(ascii: "\\")] + pattern : pattern])
    }
}
