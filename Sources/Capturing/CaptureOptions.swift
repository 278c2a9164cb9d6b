package import Compression
package import Platform
package import Repository
package import Snapshots
package import Trees

/// What a capture is asked for.
package struct CaptureOptions: Sendable {
    package var filter: WalkFilter
    package var host: [UInt8]
    package var tags: [[UInt8]] = []
    /// When the snapshot counts as taken; nil for now.
    package var time: Timestamp?
    package var level: CompressionLevel = .standard
    /// Takes no parent, and reads every file.
    package var ignoresParent = false
    /// Reads and compares everything, and writes nothing.
    package var isDryRun = false
    /// Makes no snapshot where the parent holds the same, to the last mode and time.
    package var skipsUnchanged = false
    package var bytesPerSecond: UInt64?
    package var programVersion: [UInt8] = []

    package init(filter: WalkFilter, host: [UInt8]) {
        self.filter = filter
        self.host = host
    }
}

/// What a capture came to.
package struct CaptureResult: Sendable {
    package var record: SnapshotRecord
    /// Nil after a dry run.
    package var id: SnapshotID?
    /// Record and id are those of the parent: there was nothing to make a snapshot of.
    package var isUnchanged = false
    /// All of them, also those that the record has no room for.
    package var problems: [CaptureProblem]
    package var write: WriteStatistics
    /// Things worth a warning that are no fault of the source.
    package var notes: [CaptureNote]
    /// All of them, in path order.
    package var tables: [CapturedTable] = []
    /// Data files in tables that belong to no version, and were left out.
    package var filesLeftOut: UInt64 = 0
}

/// Something worth a warning that keeps nothing of the source out of the snapshot.
package enum CaptureNote: Sendable {
    /// The repository lacks packs or index: files are read again instead of trusted.
    case incompleteRepository
    /// A snapshot that cannot be read, and so is no parent.
    case damagedSnapshot(RepositoryError)
    /// The parent turned out damaged: from there on files were read anew.
    case damagedParent(RepositoryError)
    /// A table that is copied as plain files, for the reason, which is text for people.
    case plainTable([UInt8], reason: [UInt8])
}
