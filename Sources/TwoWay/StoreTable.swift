internal import Trees
internal import Targets
internal import Bytes
internal import Hashing
internal import Platform
internal import SystemPackage
internal import TableLog

/// A table of a store: answers questions about it, and takes commits of the other store.
struct StoreTable {
    /// A commit that is to be published.
    struct Commit {
        var version: Int64
        var modified: Timestamp
        var bytes: [UInt8]
    }

    private let log: CommitLog

    static func open(_ path: [UInt8], _ tree: ReplicaTree) throws(TableLogError) -> TableDirectory {
        do throws(PlatformError) {
            let directory = try tree.target.root.open(path, [.readOnly, .directory])
            return TableDirectory(PinnedDirectory(directory, path))
        } catch {
            throw TableLogError(.environment, "", "\(error)", cause: error)
        }
    }

    init(_ path: [UInt8], _ tree: ReplicaTree) throws(TableLogError) {
        log = CommitLog(try Self.open(path, tree))
    }

    // MARK: Answers

    /// All commits after a version.
    func history(since base: LogPoint) throws(TableLogError) -> StoreAnswer {
        var answer = StoreAnswer()
        guard try commit(base.version)?.digest == base.digest else {
            answer.text = "the log does not have version \(base.version) as it was"
            return answer
        }
        var (version, size) = (base.version, 0)
        while let files = try commit(version + 1) {
            version += 1
            size += files.bytes.count
            guard files.bytes.count <= TwoWayLimits.commit, size <= TwoWayLimits.commits else {
                answer.text = "there is too much new in its log"
                return answer
            }
            answer.commits.append(
                try LoggedCommit(version, files.bytes, modified: files.modified))
        }
        guard version == (try latest()) else {
            answer.text = "the log of the table has a gap"
            return answer
        }
        let table = try log.snapshot(version: version)
        answer.isThere = true
        answer.metadataID = table.metadata.id
        answer.text = table.refusesWriting ?? ""
        return answer
    }

    /// Every commit, and what the newest version consists of.
    func identity() throws(TableLogError) -> StoreAnswer {
        let table = try log.snapshot()
        var answer = StoreAnswer()
        for version in try log.reader.listing().versions where version <= table.version {
            guard let digest = try commit(version)?.digest else { continue }
            answer.points.append(LogPoint(version: version, digest: digest))
        }
        guard answer.points.last?.version == table.version else {
            answer.text = "the log lacks its newest commit"
            return answer
        }
        answer.isThere = true
        answer.metadataID = table.metadata.id
        answer.digest = SHA256Digest(of: Array(table.identity.utf8).span)
        return answer
    }

    /// Every file of the newest version and the history before it.
    func whole() throws(TableLogError) -> StoreAnswer {
        let version = try log.snapshot().version
        let contents = try log.reader.contents(version: version)
        var answer = StoreAnswer()
        func add(_ path: ExactText, isNeeded: Bool, size: Int64?) {
            answer.files.append(
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
        guard let digest = try commit(version)?.digest else {
            answer.text = "the log lacks its newest commit"
            return answer
        }
        answer.points = [LogPoint(version: version, digest: digest)]
        answer.isThere = true
        answer.metadataID = contents.table.metadata.id
        return answer
    }

    private func latest() throws(TableLogError) -> Int64? { try log.reader.listing().latest }

    private func commit(
        _ version: Int64
    ) throws(TableLogError) -> (bytes: [UInt8], digest: SHA256Digest, modified: Timestamp)? {
        let name = LogListing.name(version, ".json")
        guard let bytes = try log.directory.readLog(name) else { return nil }
        do throws(PlatformError) {
            let path = Array("\(TableDirectory.log)/\(name)".utf8)
            let file = try log.directory.root.open(path, [.readOnly, .nonBlocking])
            let modified = try file.status(path).mtime
            return (bytes, SHA256Digest(of: bytes.span), modified)
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
    func publish(_ commit: Commit) throws(TableLogError) -> Bool {
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
