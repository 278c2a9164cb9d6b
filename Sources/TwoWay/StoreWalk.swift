internal import Snapshots
internal import Targets
internal import Trees
internal import Bytes
internal import Hashing
internal import Platform
internal import SystemPackage
internal import TableLog

/// Finds out what a store holds: plain paths with their content, and tables with their newest
/// version.
///
/// A file whose stamp is that of the last sync is not read again.
struct StoreWalk {
    private let tree: ReplicaTree
    private let known: [[UInt8]: TwoWayState.Plain]
    private let start = Timestamp.now()
    private(set) var inventory = StoreInventory()
    /// Stamps of plain paths as they were looked at.
    private(set) var stamps: [[UInt8]: FileStamp] = [:]
    /// Files that a change within the same tick of the clock would leave with the same stamp.
    private(set) var young: Set<[UInt8]> = []

    private static let depthLimit = 256
    private static let blockSize = 1 << 20

    init(_ tree: ReplicaTree, known: [[UInt8]: TwoWayState.Plain]) {
        self.tree = tree
        self.known = known
    }

    mutating func run() throws {
        try walk([], depth: 0)
        inventory.entries.sort { PathBytes.isBefore($0.path, $1.path) }
        inventory.tables.sort { PathBytes.isBefore($0.path, $1.path) }
    }

    private mutating func walk(_ path: [UInt8], depth: Int) throws {
        try Interruption.check()
        guard depth < Self.depthLimit, inventory.entries.count < TwoWayLimits.paths else {
            return note(path, "there is too much in it")
        }
        let entries: [DirectoryEntry]
        do throws(PlatformError) {
            entries = try tree.target.root.open(path, [.readOnly, .directory]).list(path)
        } catch {
            guard depth > 0 else { throw error }
            return note(path, "\(error)")
        }
        let isTable = entries.contains { $0.name == ReplicaOrder.log && $0.isDirectory }
        if isTable, try lookAtTable(path) { return }
        for entry in entries where !(path.isEmpty && entry.name == ReplicaPlaces.directory) {
            if entry.name == ReplicaOrder.log {
                // An empty log is that of a table that is being made.
                if !entry.isDirectory { note(PathBytes.join(path, entry.name), "it is no log") }
                continue
            }
            try look(entry, at: PathBytes.join(path, entry.name), depth)
        }
    }

    private mutating func note(_ path: [UInt8], _ reason: String) {
        inventory.problems.append(StoreProblem(path: path, reason: reason))
    }

    /// False where the log has no version: then it is a directory as any other.
    private mutating func lookAtTable(_ path: [UInt8]) throws -> Bool {
        do throws(TableLogError) {
            let directory = try StoreTable.open(path, tree)
            guard let files = try directory.listLog() else { return false }
            guard let newest = LogListing(files).newestWhole else {
                if LogListing(files).latest == nil { return false }
                note(path, "the log of the table has a gap")
                return true
            }
            if let name = LogListing(files).emptyCommits.first {
                note(path, "the newest commit of the table, \(name), is empty")
                return true
            }
            let name = LogListing.name(newest.version, ".json")
            guard !newest.isGapped, let bytes = try directory.readLog(name) else {
                note(path, "the log of the table has a gap")
                return true
            }
            let point = LogPoint(
                version: newest.version, digest: SHA256Digest(of: bytes.span))
            inventory.tables.append(TableHead(path: path, latest: point))
        } catch {
            note(path, "\(error)")
        }
        return true
    }

    private mutating func look(_ entry: DirectoryEntry, at path: [UInt8], _ depth: Int) throws {
        guard ManifestPath.isValid(path) else { return note(path, "its path is too long") }
        let status: FileStatus
        do throws(PlatformError) {
            status = try entry.status.get()
        } catch {
            return note(path, "\(error)")
        }
        do throws(PlatformError) {
            switch status.type {
            case .directory:
                append(path, .directory, status, .zero)
            case .regular: try lookAtFile(path, status)
            case .symlink:
                let parent = try tree.target.openParent(path)
                let target = try FileOperations.readLink(entry.name, at: parent.raw)
                append(
                    path, .symlink, status, SHA256Digest(of: target.span), target: target)
            default: note(path, "it is neither file nor directory nor symlink")
            }
        } catch {
            // What is gone by now is not there.
            if !error.isNotFound { note(path, "\(error)") }
        }
        if status.type == .directory { try walk(path, depth: depth + 1) }
    }

    private mutating func append(
        _ path: [UInt8], _ kind: PlainEntry.Kind, _ status: FileStatus, _ digest: SHA256Digest,
        target: [UInt8] = []
    ) {
        inventory.entries.append(
            PlainEntry(
                path: path, kind: kind, mode: status.mode & 0o777, mtime: status.mtime,
                size: kind == .file ? status.size : 0, digest: digest, target: target))
        stamps[path] = FileStamp(status)
    }

    private mutating func lookAtFile(
        _ path: [UInt8], _ status: FileStatus
    ) throws(PlatformError) {
        let stamp = FileStamp(status)
        if let known = known[path], known.fact.kind == .file, known.stamp == stamp {
            return append(path, .file, status, known.fact.digest)
        }
        let file = try tree.target.root.open(path, [.readOnly, .nonBlocking])
        let digest = try Self.digest(file, path)
        let after = try file.status(path)
        guard FileStamp(after) == stamp, after.type == .regular else {
            return note(path, "it changed while it was read")
        }
        append(path, .file, after, digest)
        if stamp.isRacy(at: start, .any) || stamp.mtime >= start.earlier(by: .any) {
            young.insert(path)
        }
    }

    /// SHA-256 of an open file.
    static func digest(
        _ file: borrowing Descriptor, _ path: [UInt8]
    ) throws(PlatformError) -> SHA256Digest {
        var hasher = SHA256Hasher()
        var offset: UInt64 = 0
        while true {
            let bytes = try file.read(Self.blockSize, at: offset, path)
            if bytes.isEmpty { return hasher.finish() }
            hasher.update(bytes.span)
            offset += UInt64(bytes.count)
        }
    }
}

extension DirectoryEntry {
    fileprivate var isDirectory: Bool {
        switch status {
        case .success(let status): status.type == .directory
        case .failure: false
        }
    }
}
