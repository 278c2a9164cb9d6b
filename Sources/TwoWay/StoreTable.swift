internal import Bytes
internal import Hashing
internal import Platform
internal import SystemPackage
internal import TableLog
internal import Targets
internal import Trees

/// A table of a store: answers questions about it, and takes commits of the other store.
struct StoreTable {
    private let log: CommitLog

    static func open(_ path: [UInt8], _ tree: TargetTree) throws(TableLogError) -> TableDirectory {
        do throws(PlatformError) {
            let directory = try tree.target.root.open(path, [.readOnly, .directory])
            return TableDirectory(PinnedDirectory(directory, path))
        } catch {
            throw TableLogError(.environment, "", "\(error)", cause: error)
        }
    }

    init(_ path: [UInt8], _ tree: TargetTree) throws(TableLogError) {
        log = CommitLog(try Self.open(path, tree))
    }

    // MARK: Answers

    /// All commits after a version.
    func history(since base: LogPoint) throws(TableLogError) -> StoreAnswer {
        guard try digest(base.version) == base.digest else {
            return .refused("the log does not have version \(base.version) as it was")
        }
        var commits: [TableCommit] = []
        var (version, size) = (base.version, 0)
        while let commit = try commit(version + 1) {
            version += 1
            size += commit.bytes.count
            guard commit.bytes.count <= TwoWayLimits.commit, size <= TwoWayLimits.commits else {
                return .refused("there is too much new in its log")
            }
            commits.append(commit)
        }
        guard version == (try latest()) else { return .refused("the log of the table has a gap") }
        let table = try log.snapshot(version: version)
        return .history(commits, refusal: table.refusesWriting)
    }

    /// Every commit, and what the newest version consists of.
    func identity() throws(TableLogError) -> StoreAnswer {
        let table = try log.snapshot()
        var identity = TableIdentity(metadataID: table.metadata.id)
        for version in try log.reader.listing().versions where version <= table.version {
            guard let digest = try digest(version) else { continue }
            identity.points.append(LogPoint(version: version, digest: digest))
        }
        guard identity.latest?.version == table.version else {
            return .refused("the log lacks its newest commit")
        }
        identity.content = SHA256Digest(of: Array(table.identity.utf8).span)
        return .identity(identity)
    }

    /// Every file of the newest version and the history before it.
    func whole() throws(TableLogError) -> StoreAnswer {
        let version = try log.snapshot().version
        let contents = try log.reader.contents(version: version)
        var files: [TableFile] = []
        func add(_ path: ExactText, isNeeded: Bool, size: Int64?) {
            files.append(
                TableFile(
                    path: Array(path.utf8), isNeeded: isNeeded,
                    size: size.map { UInt64(clamping: $0) }))
        }
        for (path, size) in contents.live.sorted(by: { $0.key < $1.key }) {
            add(path, isNeeded: true, size: size)
        }
        for path in contents.retained.sorted() { add(path, isNeeded: false, size: nil) }
        let log = TableDirectory.log
        for name in contents.sidecars.sorted() {
            add("\(log)/_sidecars/\(name)", isNeeded: true, size: nil)
        }
        for name in contents.logNames where !name.hasPrefix(".") {
            add("\(log)/\(name)", isNeeded: true, size: nil)
        }
        guard let digest = try digest(version) else {
            return .refused("the log lacks its newest commit")
        }
        return .whole(files, at: LogPoint(version: version, digest: digest))
    }

    private func latest() throws(TableLogError) -> Int64? { try log.reader.listing().latest }

    private func digest(_ version: Int64) throws(TableLogError) -> SHA256Digest? {
        try log.directory.readLog(LogListing.name(version, ".json"))
            .map { SHA256Digest(of: $0.span) }
    }

    private func commit(_ version: Int64) throws(TableLogError) -> TableCommit? {
        let name = LogListing.name(version, ".json")
        guard let bytes = try log.directory.readLog(name) else { return nil }
        do throws(PlatformError) {
            let path = Array("\(TableDirectory.log)/\(name)".utf8)
            let file = try log.directory.root.open(path, [.readOnly, .nonBlocking])
            let modified = try file.status(path).mtime
            return TableCommit(version: version, modified: modified, bytes: bytes)
        } catch {
            throw TableLogError(.environment, name, "\(error)", cause: error)
        }
    }

    // MARK: Commits

    /// Publishes a commit of the other store as version `version`; false where another writer was
    /// first.
    ///
    /// Its time is that in the other store, but never before that of the version before: time
    /// travel goes by them.
    func publish(_ commit: TableCommit) throws(TableLogError) -> Bool {
        guard try latest() == commit.version - 1 else { return false }
        var modified = commit.modified
        if let before = try self.commit(commit.version - 1)?.modified, modified <= before {
            modified = before.nextMillisecond
        }
        let name = LogListing.name(commit.version, ".json")
        return try log.directory.publish(commit.bytes, as: name, modified: modified)
    }

    /// Checkpoints are this store's own; failing to write one harms nobody.
    func maintain(after version: Int64, _ count: Int64) {
        for number in (version - count + 1)...version where number > 0 {
            _ = try? log.maintain(number)
        }
    }

    /// Whether the table is at this version.
    func isAt(_ version: Int64) throws(TableLogError) -> Bool { try latest() == version }
}

extension Timestamp {
    fileprivate var nextMillisecond: Self {
        let next = nanoseconds + 1_000_000
        guard next >= 1_000_000_000 else { return Self(seconds: seconds, nanoseconds: next) }
        return Self(seconds: seconds &+ 1, nanoseconds: next - 1_000_000_000)
    }
}
