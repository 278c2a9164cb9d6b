internal import Bytes
internal import Platform
internal import Repository
internal import Snapshots
internal import TableLog

/// What the parent snapshot has of a table.
struct ParentTable {
    struct File {
        var size: UInt64
        var mtime: Timestamp
        var ctime: Timestamp
        var inode: UInt64

        func isSame(_ status: FileStatus) -> Bool {
            size == status.size && mtime == status.mtime && ctime == status.ctime
                && inode == status.inode
        }
    }

    /// Whole files, by their path below the table.
    private(set) var files: [ExactText: File] = [:]

    /// Reads the part of the manifest that holds the table.
    init(_ path: [UInt8], _ root: TreeRoot, _ nodes: NodeSource) throws(RepositoryError) {
        var cursor = ManifestCursor(root, nodes)
        try cursor.seek(to: path)
        while let entry = try cursor.next(), PathBytes.isInside(entry.path, path) {
            guard case .file(let size, _) = entry.payload, !entry.isIncomplete else { continue }
            let below = path.isEmpty ? entry.path[...] : entry.path.dropFirst(path.count + 1)
            // A log names only what is text.
            guard let name = ExactText(utf8: below) else { continue }
            files[name] = File(
                size: size, mtime: entry.mtime, ctime: entry.ctime, inode: entry.inode)
        }
    }

    /// Whether a log goes on where the parent left it: then the same name is the same segment.
    func isContinued(_ table: CapturedTable, by listing: [LogFile]) -> Bool {
        guard table.state == .pinned, let version = table.version else { return false }
        let name = LogListing.name(version, ".json")
        guard let before = files["\(TableDirectory.log)/\(name)"],
            let status = listing.first(where: { $0.name == name })?.status
        else { return false }
        return before.isSame(status)
    }
}
