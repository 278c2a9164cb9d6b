internal import Bytes
internal import Hashing
internal import Platform
package import Repository
package import Snapshots

/// What a repository holds, by its index.
package struct RepositoryNumbers: Equatable, Sendable {
    /// Those that can be read.
    package private(set) var snapshots: UInt64 = 0
    /// The sizes of all snapshots, as a restore writes them.
    package private(set) var bytesInSnapshots: UInt64 = 0
    /// Files of the storage.
    package private(set) var packs: UInt64 = 0
    /// Packs that a run left behind that did not reach its end; the next one uses them.
    package private(set) var packsUnindexed: UInt64 = 0
    /// Files of the index.
    package private(set) var indexSegments: UInt64 = 0
    /// Pieces of content, each counted once.
    package private(set) var chunks: UInt64 = 0
    /// Parts of manifests, each counted once.
    package private(set) var nodes: UInt64 = 0
    /// Sizes of chunks and nodes before compression.
    package private(set) var bytesPlain: UInt64 = 0
    /// The same as they lie in the packs.
    package private(set) var bytesStored: UInt64 = 0

    /// Counts; reads the whole index.
    package init(_ repository: Repository) throws {
        let series = try SnapshotSeries(repository)
        snapshots = UInt64(series.items.count)
        bytesInSnapshots = series.items.reduce(0) { $0.addingClamped($1.record.root.byteCount) }
        let statistics = try repository.statistics()
        try Interruption.check()
        packs = UInt64(statistics.packs)
        packsUnindexed = UInt64(statistics.packsUnindexed)
        indexSegments = UInt64(statistics.indexSegments)
        (chunks, nodes) = (statistics.chunks, statistics.nodes)
        (bytesPlain, bytesStored) = (statistics.bytesPlain, statistics.bytesStored)
    }
}

/// What a snapshot holds, by its manifest.
package struct SnapshotNumbers: Equatable, Sendable {
    /// Names of regular files.
    package private(set) var files: UInt64 = 0
    /// The root is one of them.
    package private(set) var directories: UInt64 = 0
    /// Whatever they lead to.
    package private(set) var symlinks: UInt64 = 0
    /// Fifos and devices.
    package private(set) var others: UInt64 = 0
    /// Names of files that have several.
    package private(set) var hardLinks: UInt64 = 0
    /// Sizes of all files.
    package private(set) var bytes: UInt64 = 0

    /// Counts what lies at and below `path`.
    package init(_ record: SnapshotRecord, at path: [UInt8], _ repository: Repository) throws {
        try SnapshotListing(record, repository).forEachEntry(at: path, .whole) { entry in
            try Interruption.check()
            add(entry)
        }
    }

    private mutating func add(_ entry: ManifestEntry) {
        switch entry.payload {
        case .file: files += 1
        case .directory: directories += 1
        case .symlink: symlinks += 1
        case .fifo, .characterDevice, .blockDevice: others += 1
        }
        bytes = bytes.addingClamped(entry.size)
        if entry.linkDevice != nil { hardLinks += 1 }
    }
}

extension UInt64 {
    /// The sum, or the largest number: sizes in a manifest may be anything.
    package func addingClamped(_ other: UInt64) -> UInt64 {
        let (sum, isTooLarge) = addingReportingOverflow(other)
        return isTooLarge ? .max : sum
    }
}
