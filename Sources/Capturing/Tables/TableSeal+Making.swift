internal import Bytes
internal import Hashing
internal import Platform
internal import Snapshots
internal import TableLog
internal import Trees

extension TableSeal {
    /// What the seal covers, in order.
    private struct Content {
        var writer = ByteWriter()

        mutating func add(_ name: [UInt8], _ status: FileStatus) {
            writer.string(name)
            writer.varint(status.size)
            writer.varint(status.inode)
            writer.varint(UInt64(status.mode))
            for time in [status.mtime, status.ctime] {
                writer.signed(time.seconds)
                writer.varint(UInt64(time.nanoseconds))
            }
        }
    }

    /// The digest over a log and watched paths.
    ///
    /// Nil when something of it changed after `limit`: a later change could look the same.
    static func digest(
        _ listing: [LogFile], _ watched: [(path: [UInt8], status: FileStatus)],
        _ filter: WalkFilter, before limit: Timestamp
    ) -> SHA256Digest? {
        var content = Content()
        for file in listing {
            guard let status = file.status, status.ctime < limit else { return nil }
            content.add(Array(file.name.utf8), status)
        }
        for (path, status) in watched {
            guard status.ctime < limit else { return nil }
            content.add(path, status)
        }
        // With other patterns other things may be left out.
        for line in filter.patterns.lines { content.writer.string(line) }
        content.writer.u8(filter.excludesCaches ? 1 : 0)
        content.writer.u8(filter.staysOnFileSystem ? 1 : 0)
        return SHA256Digest(of: content.writer.bytes.span)
    }

    /// Whether the table is as it was when the seal was made.
    func holds(
        _ directory: TableDirectory, _ listing: [LogFile], _ filter: WalkFilter,
        before limit: Timestamp
    ) -> Bool {
        var statuses: [(path: [UInt8], status: FileStatus)] = []
        statuses.reserveCapacity(watched.count)
        for path in watched {
            guard let status = try? Self.status(path, directory) else { return false }
            statuses.append((path, status))
        }
        return Self.digest(listing, statuses, filter, before: limit) == digest
    }

    private static func status(
        _ path: [UInt8], _ directory: TableDirectory
    ) throws(PlatformError) -> FileStatus {
        let parent = PathBytes.parent(path)
        if parent.isEmpty {
            return path.isEmpty
                ? try directory.root.descriptor.status(path)
                : try FileStatus.of(path, at: directory.root.descriptor.raw)
        }
        let above = try directory.root.open(parent, [.pathOnly, .directory])
        return try FileStatus.of(Array(PathBytes.name(path)), at: above.raw)
    }
}
