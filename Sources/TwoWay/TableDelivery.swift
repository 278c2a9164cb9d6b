internal import Bytes
internal import Hashing
internal import TableLog
internal import Targets

/// What is to be brought to a table of one store.
struct TableDelivery: Equatable, Sendable {
    struct File: Equatable, Sendable {
        /// Below the store.
        var path: [UInt8]
        var size: UInt64?
        /// The newest version has it; else it may be gone where it comes from.
        var isNeeded: Bool
        var key: SHA256Digest
        /// Its name in the log of a new table.
        var logName: [UInt8]?
    }

    var path: [UInt8]
    /// The version that the table must be at; nil for a new one.
    var version: Int64?
    var files: [File] = []
    /// In order, with the versions that they get.
    var commits: [LoggedCommit] = []
    /// Files that the commits replace, below the store.
    var replaced: [[UInt8]] = []

    /// Brings commits to a table whose newest version is `latest`.
    init(_ path: [UInt8], after latest: LogPoint, _ commits: [LoggedCommit]) {
        self.path = path
        version = latest.version
        for (commit, number) in zip(commits, 1...) {
            var commit = commit
            commit.version = latest.version + Int64(number)
            self.commits.append(commit)
        }
        addFiles()
    }

    /// Brings a whole table to where none is.
    init(new path: [UInt8], _ whole: [TableFile], at latest: LogPoint) {
        self.path = path
        let log = TargetOrder.log
        for file in whole {
            let inLog = PathBytes.isInside(file.path, log) && file.path != log
            files.append(
                File(
                    path: PathBytes.join(path, file.path), size: file.size,
                    isNeeded: file.isNeeded,
                    key: Self.key(latest.digest, path, file.path, file.size),
                    logName: inLog ? Array(file.path.dropFirst(log.count + 1)) : nil))
        }
    }

    private mutating func addFiles() {
        replaced = Set(commits.flatMap(\.effect.replaced)).sorted().map {
            PathBytes.join(path, Array($0.utf8))
        }
        var live: Set<FileKey> = []
        for commit in commits {
            live.subtract(commit.effect.removed)
            live.formUnion(commit.effect.added)
        }
        var places: [[UInt8]: Int] = [:]
        for commit in commits {
            for file in commit.effect.files {
                let name = Array(file.path.utf8)
                let isNeeded = file.key.map(live.contains) ?? false
                if let place = places[name] {
                    files[place].isNeeded = files[place].isNeeded || isNeeded
                    continue
                }
                places[name] = files.count
                let size = file.size.map { UInt64(clamping: $0) }
                files.append(
                    File(
                        path: PathBytes.join(path, name), size: size, isNeeded: isNeeded,
                        key: Self.key(commit.digest, path, name, size)))
            }
        }
    }

    /// Where it comes from says what it is: a commit names a file once and for all.
    private static func key(
        _ commit: SHA256Digest, _ table: [UInt8], _ name: [UInt8], _ size: UInt64?
    ) -> SHA256Digest {
        var writer = ByteWriter()
        writer.digest(commit)
        writer.string(table)
        writer.string(name)
        writer.u64(size ?? .max)
        return SHA256Digest(of: writer.bytes.span)
    }
}

/// What is to be done to a table in both stores.
struct TableWork: Equatable, Sendable {
    var path: [UInt8]
    var toHere: TableDelivery?
    var toThere: TableDelivery?
    /// What holds once both are done.
    var fact: TableFact

    init(_ path: [UInt8], new files: [TableFile], isHere: Bool, at point: LogPoint) {
        self.path = path
        fact = TableFact(path: path, here: point, there: point)
        let delivery = TableDelivery(new: path, files, at: point)
        if isHere { toThere = delivery } else { toHere = delivery }
    }

    init(
        _ path: [UInt8], _ here: TableHistory, _ there: TableHistory, toHere: [LoggedCommit],
        toThere: [LoggedCommit]
    ) {
        self.path = path
        if !toHere.isEmpty { self.toHere = TableDelivery(path, after: here.latest, toHere) }
        if !toThere.isEmpty { self.toThere = TableDelivery(path, after: there.latest, toThere) }
        fact = TableFact(
            path: path, here: self.toHere?.commits.last?.point ?? here.latest,
            there: self.toThere?.commits.last?.point ?? there.latest)
    }
}
