internal import Bytes
internal import Platform
internal import SystemPackage
internal import TableStore
internal import Trees

/// The removal of a source that is proven to be elsewhere.
struct SourceCleaning {
    private let source: MigrationSource
    private let targetPath: [UInt8]
    private let receipt: Receipt
    /// Whether an earlier run may have removed some of it.
    private let hasBegun: Bool
    private let progress: WorkProgress

    init(
        _ source: MigrationSource, _ targetPath: [UInt8], _ receipt: Receipt, hasBegun: Bool,
        _ progress: WorkProgress
    ) {
        self.source = source
        self.targetPath = targetPath
        self.receipt = receipt
        self.hasBegun = hasBegun
        self.progress = progress
    }

    /// Whether a path of the source is as it was proven: directories change when what is in them
    /// goes, so of them it counts that they are the same.
    private func isAsProven(_ path: ProvenPath, _ status: FileStatus) -> Bool {
        if status.type == .directory { return status.inode == path.stamp.inode }
        let stamp = FileStamp(status)
        guard path.stamp != stamp else { return true }
        // Removing one name of a file changes the change time of the others.
        return hasBegun && stamp.inode == path.stamp.inode && stamp.size == path.stamp.size
            && stamp.mtime == path.stamp.mtime
    }

    /// Paths that forbid the clean-up.
    func obstacles() throws(MigrationError) -> [CleanUpObstacle] {
        let target = try writing { () throws(PlatformError) in try PinnedDirectory(targetPath) }
        var obstacles: [CleanUpObstacle] = []
        for path in receipt.paths {
            try checkInterruption()
            let status = try reading { () throws(PlatformError) in
                try source.status(path.path)
            }
            if let status {
                if !isAsProven(path, status) {
                    obstacles.append(
                        CleanUpObstacle(
                            path: path.path, reason: "it changed in the source"))
                }
            } else if !hasBegun {
                obstacles.append(
                    CleanUpObstacle(path: path.path, reason: "it is gone from the source"))
            }
            if !path.isRowFile, try !isInTarget(path, target) {
                obstacles.append(
                    CleanUpObstacle(path: path.path, reason: "it is not so in the target"))
            }
        }
        for table in receipt.tables where table.isMade {
            guard let reason = try difference(of: table, in: target) else { continue }
            obstacles.append(CleanUpObstacle(path: table.path, reason: reason))
        }
        return obstacles
    }

    /// Reads a table that was made of row files, which have no stamp in the target; nil when its
    /// rows are those that were proven.
    private func difference(
        of table: TableProof, in target: borrowing PinnedDirectory
    ) throws(MigrationError) -> String? {
        let root = Array("/proc/self/fd/\(target.descriptor.raw)".utf8)
        let place = table.path.isEmpty ? root : PathBytes.join(root, table.path)
        do throws(TableStoreError) {
            let found = try StoredTable(place).rowDigest()
            let isProven = found.hex == table.digest && found.rows == table.rows
            return isProven ? nil : "its table in the target has other rows"
        } catch {
            guard error.kind != .interrupted else {
                throw .interrupted(Interrupted(signal: error.signal))
            }
            return "its table cannot be read in the target: \(error)"
        }
    }

    private func isInTarget(
        _ path: ProvenPath, _ target: borrowing PinnedDirectory
    ) throws(MigrationError) -> Bool {
        guard let status = try Self.status(path.path, in: target) else { return false }
        if status.type == .directory { return path.targetStamp.size == 0 }
        let stamp = FileStamp(status)
        return stamp.size == path.targetStamp.size && stamp.mtime == path.targetStamp.mtime
            && stamp.inode == path.targetStamp.inode
    }

    private static func status(
        _ path: [UInt8], in directory: borrowing PinnedDirectory
    ) throws(MigrationError) -> FileStatus? {
        do throws(PlatformError) {
            let parent = try directory.open(PathBytes.parent(path), [.readOnly, .directory])
            return try FileStatus.of(Array(PathBytes.name(path)), at: parent.raw)
        } catch {
            guard error.isNotFound else { throw .target(error) }
            return nil
        }
    }

    /// Removes, inner paths first; `obstacles` and `newPaths` are told as left.
    func run(
        except obstacles: [CleanUpObstacle], newPaths: [[UInt8]]
    ) throws(MigrationError) -> CleanUpReport {
        var report = CleanUpReport()
        var links = LinkedChanges()
        let kept = Set(obstacles.map(\.path))
        for path in receipt.paths.reversed() {
            if kept.contains(path.path) { continue }
            if path.isRowFile, kept.contains(PathBytes.parent(path.path)) { continue }
            Pause.wait()
            try checkInterruption()
            do throws(PlatformError) {
                if let reason = try remove(path, &links, &report) {
                    report.left.append(CleanUpObstacle(path: path.path, reason: reason))
                }
            } catch {
                report.left.append(CleanUpObstacle(path: path.path, reason: "\(error)"))
            }
            progress.update { $0.filesDone += 1 }
        }
        try reading { () throws(PlatformError) in
            try source.root.descriptor.syncFileSystem(source.root.path)
        }
        report.left.reverse()
        report.left += obstacles
        report.left += newPaths.map {
            CleanUpObstacle(path: $0, reason: "it is new since the receipt")
        }
        return report
    }

    /// Files of which this run removed a name: their change time says no more.
    private struct LinkedChanges {
        var inodes: Set<UInt64> = []
    }

    /// Returns why it stays.
    private func remove(
        _ path: ProvenPath, _ links: inout LinkedChanges, _ report: inout CleanUpReport
    ) throws(PlatformError) -> String? {
        guard let status = try source.status(path.path) else {
            return hasBegun ? nil : "it vanished while the source was cleaned"
        }
        let name = Array(PathBytes.name(path.path))
        let parent = try source.root.open(PathBytes.parent(path.path), [.readOnly, .directory])
        let isLinkKnown =
            links.inodes.contains(status.inode) && status.inode == path.stamp.inode
            && status.size == path.stamp.size && status.mtime == path.stamp.mtime
        guard isAsProven(path, status) || isLinkKnown else {
            return "it changed while the source was cleaned"
        }
        do throws(PlatformError) {
            try FileOperations.remove(
                name, at: parent.raw, isDirectory: status.type == .directory)
        } catch {
            guard error.errno == .directoryNotEmpty else { throw error }
            return "it holds what the receipt does not name"
        }
        if status.links > 1 { links.inodes.insert(status.inode) }
        report.removed += 1
        if status.type == .regular { report.bytes += status.size }
        return nil
    }
}
