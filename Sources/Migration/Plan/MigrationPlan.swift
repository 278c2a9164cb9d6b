internal import Bytes
internal import Platform
internal import SystemPackage
internal import TableStore

/// What a migration is going to do, and what it is expected to cost.
package struct MigrationPlan: Sendable {
    package var source: [UInt8]
    package var target: [UInt8]
    package var journal: [UInt8]
    /// Whether an earlier run began it.
    package var isResumed: Bool
    package var inventory: Inventory
    package var totals: Inventory.Totals
    package var tables: [PlannedTable]
    package var strategy: CopyStrategy
    /// What a run that goes on has still to copy.
    package var filesLeft: Int
    package var bytesLeft: UInt64
    package var rates: DeviceRates
    package var estimates: [StepTime]
    package var space: SpaceNeed

    /// Seconds that all steps take together.
    package var seconds: Double { estimates.reduce(0) { $0 + $1.estimate } }
    /// Seconds that writers have to be still at the end: one walk through the source.
    package var pauseSeconds: Double
    /// What planning took.
    package var took: Duration
}

/// A table of the source, as its log tells.
package struct PlannedTable: Equatable, Sendable {
    package var path: [UInt8]
    package var version: Int64?
    package var files: Int?
    package var rows: Int64?
    package var bytes: Int64 = 0
    /// Why nothing is known of it.
    package var reason: String?

    /// Reads the log, and no data file.
    init(_ path: [UInt8], in source: [UInt8]) {
        self.path = path
        do throws(TableStoreError) {
            let info = TableInfo(try StoredTable(PathBytes.join(source, path)))
            version = info.version
            files = info.fileCount
            rows = info.rowCount
            bytes = info.byteCount
        } catch {
            reason = "\(error)"
        }
    }
}

/// Room that a migration needs on the target, and what there is.
package struct SpaceNeed: Equatable, Sendable {
    package var bytes: UInt64
    package var files: UInt64
    /// Nil where the file system does not tell.
    package var freeBytes: UInt64?
    package var freeFiles: UInt64?

    /// Room for names and metadata, beside content that is rounded up to blocks of 4 KiB.
    private static let bytesPerPath: UInt64 = 512
    private static let bytesPerDirectory: UInt64 = 4096
    private static let block: UInt64 = 4096

    /// For what is still to be copied.
    init(_ files: [Inventory.Item], paths: Int, directories: Int) {
        var bytes: UInt64 = 0
        var known: Set<LinkKey> = []
        for item in files {
            if let key = LinkKey(item.status), !known.insert(key).inserted { continue }
            let rounded = (item.status.size &+ (Self.block - 1)) / Self.block &* Self.block
            bytes &+= min(rounded, max(item.status.blocks &* 512, Self.block))
        }
        bytes &+= UInt64(paths) &* Self.bytesPerPath
        bytes &+= UInt64(directories) &* Self.bytesPerDirectory
        self.bytes = bytes
        self.files = UInt64(paths)
    }

    /// Why the target is too small; nil when it is not.
    package var shortage: SpaceShortage? {
        if let freeBytes, freeBytes < bytes { return .bytes(free: freeBytes, needed: bytes) }
        if let freeFiles, freeFiles < files { return .files(free: freeFiles, needed: files) }
        return nil
    }
}
