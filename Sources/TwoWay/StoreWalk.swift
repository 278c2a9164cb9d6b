internal import Bytes
internal import Hashing
internal import Platform
internal import Snapshots
internal import SystemPackage
internal import TableLog
internal import Targets
internal import Trees

/// A plain path of a store as it was looked at.
struct SeenPath: PathKeyed {
    var entry: PlainEntry
    var stamp: FileStamp
    /// A change within the same tick of the clock would leave it with the same stamp.
    var isYoung = false

    var path: [UInt8] { entry.path }
}

/// What plain paths were when they were looked at.
struct StoreStamps {
    fileprivate let seen: [SeenPath]

    subscript(path: [UInt8]) -> FileStamp? { seen.find(path)?.stamp }
}

/// Finds out what a store holds: plain paths with their content, and tables with their newest
/// version.
///
/// A file whose stamp is that of the last sync is not read again.
///
/// File systems that are mounted in the store belong to it. One that is not there any more is a
/// problem, not a removal of all that it held.
struct StoreWalk {
    private let tree: TargetTree
    /// What former syncs left, of each other store.
    private let known: [TwoWayState]
    /// Where file systems were mounted at the last sync.
    private let formerMounts: Set<[UInt8]>
    private let start: Timestamp
    /// In the order of paths, once the walk is over.
    private(set) var seen: [SeenPath] = []
    private(set) var tables: [TableHead] = []
    private(set) var problems: [StoreProblem] = []
    /// Where file systems are mounted, or should be.
    private(set) var mounts: Set<[UInt8]> = []

    private static let depthLimit = 256
    private static let blockSize = 1 << 20

    /// `start` is the time at which the walk begins.
    init(
        _ tree: TargetTree, known: [TwoWayState], mounts: Set<[UInt8]>, at start: Timestamp
    ) {
        self.tree = tree
        self.known = known
        formerMounts = mounts
        self.start = start
    }

    var stamps: StoreStamps { StoreStamps(seen: seen) }

    mutating func run() throws {
        try walk([], depth: 0)
        try findLostMounts()
        seen.sort { PathBytes.isBefore($0.path, $1.path) }
        tables.sort { PathBytes.isBefore($0.path, $1.path) }
    }

    /// Notes file systems that were mounted at the last sync.
    private mutating func findLostMounts() throws {
        for path in formerMounts.subtracting(mounts).sorted(by: PathBytes.isBefore) {
            let isHidden = problems.contains {
                PathBytes.isInside(path, $0.path) && $0.path != path
            }
            if !isHidden {
                note(path, "a file system was mounted here at the last sync, and is not")
            }
            mounts.insert(path)
        }
    }

    private mutating func walk(_ path: [UInt8], depth: Int) throws {
        try Interruption.check()
        guard depth < Self.depthLimit, seen.count < TwoWayLimits.paths else {
            return note(path, "there is too much in it")
        }
        let entries: [DirectoryEntry]
        do throws(PlatformError) {
            entries = try tree.target.root.open(path, [.readOnly, .directory]).list(path)
        } catch {
            guard depth == 0 else { return note(path, "\(error)") }
            guard try tree.isStandIn() else { throw error }
            return
        }
        let isTable = entries.contains { $0.name == TargetOrder.log && $0.isDirectory }
        if isTable, try lookAtTable(path) { return }
        for entry in entries where !(path.isEmpty && entry.name == TargetPlaces.directory) {
            if entry.name == TargetOrder.log {
                // An empty log is that of a table that is being made.
                if !entry.isDirectory { note(PathBytes.join(path, entry.name), "it is no log") }
                continue
            }
            try look(entry, at: PathBytes.join(path, entry.name), depth)
        }
    }

    private mutating func note(_ path: [UInt8], _ reason: String) {
        problems.append(StoreProblem(path: path, reason: reason))
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
            tables.append(TableHead(path: path, latest: point))
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
            case .directory: append(path, .directory, status, .zero)
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
        guard status.type == .directory, try isToBeEntered(path, status) else { return }
        try walk(path, depth: depth + 1)
    }

    /// Notes mounts; false where what is mounted, or is not, hides what the store had.
    private mutating func isToBeEntered(
        _ path: [UInt8], _ status: FileStatus
    ) throws(PlatformError) -> Bool {
        guard status.isMountRoot else { return !formerMounts.contains(path) }
        mounts.insert(path)
        guard !formerMounts.contains(path), known.contains(where: { $0.plain.hasInside(path) }),
            try tree.directory(path)?.descriptor.names(path).isEmpty == true
        else { return true }
        note(path, "an empty file system is mounted over what was synced")
        return false
    }

    /// What former syncs know of a path, in the state of whoever has a file with this stamp.
    private func knownFile(_ path: [UInt8], _ stamp: FileStamp) -> PlainFact? {
        for state in known {
            if let plain = state.plain.find(path), plain.fact.kind == .file, plain.stamp == stamp {
                return plain.fact
            }
        }
        return nil
    }

    private mutating func append(
        _ path: [UInt8], _ kind: PlainEntry.Kind, _ status: FileStatus, _ digest: SHA256Digest,
        target: [UInt8] = [], isYoung: Bool = false
    ) {
        let entry = PlainEntry(
            path: path, kind: kind, mode: status.mode & 0o777, mtime: status.mtime,
            size: kind == .file ? status.size : 0, digest: digest, target: target)
        seen.append(SeenPath(entry: entry, stamp: FileStamp(status), isYoung: isYoung))
    }

    private mutating func lookAtFile(
        _ path: [UInt8], _ status: FileStatus
    ) throws(PlatformError) {
        let stamp = FileStamp(status)
        if let known = knownFile(path, stamp) {
            // Its path has the memory of the state.
            return append(known.path, .file, status, known.digest)
        }
        let file = try tree.target.root.open(path, [.readOnly, .nonBlocking])
        let digest = try Self.digest(file, path)
        let after = try file.status(path)
        guard FileStamp(after) == stamp, after.type == .regular else {
            return note(path, "it changed while it was read")
        }
        let isYoung = stamp.isRacy(at: start, .any) || stamp.mtime >= start.earlier(by: .any)
        append(path, .file, after, digest, isYoung: isYoung)
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
