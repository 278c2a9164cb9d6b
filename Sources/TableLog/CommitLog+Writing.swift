package import Bytes

internal import JSON
internal import Parquet
internal import Platform

/// What a change rests on: what others must not have changed in the meantime.
package enum ReadSet: Equatable, Sendable {
    /// Rows were only added.
    case nothing
    /// The files that are removed were read, and no others: a compaction.
    case removedFiles
    /// The whole table was read: rows that others add would have counted.
    case everything
}

/// What is to be committed.
package struct TableChange: Equatable, Sendable {
    /// A word for the history: WRITE, DELETE, OPTIMIZE.
    package var operation: ExactText
    package var actions: [LogAction]
    package var reads: ReadSet

    package init(_ operation: ExactText, _ actions: [LogAction], reads: ReadSet = .nothing) {
        self.operation = operation
        self.actions = actions
        self.reads = reads
    }
}

// MARK: - Committing
extension CommitLog {
    /// Makes a table in an empty log; refused when there is one.
    package func create(
        _ protocolVersion: ProtocolAction, _ metadata: TableMetadata
    ) throws(TableLogError) {
        try directory.makeLog()
        let listing = try listing()
        guard listing.latest == nil else {
            throw TableLogError(.refused, "", "there is a table already")
        }
        let actions: [LogAction] = [.protocolVersion(protocolVersion), .metadata(metadata)]
        let change = TableChange("CREATE TABLE", actions)
        guard try publish(change, version: 0) else {
            throw TableLogError(.conflict, "", "another writer made a table at the same time")
        }
    }

    /// Commits a change of the table as it is at `base`, as the next version that is free.
    ///
    /// The data files that it adds must be synced already. When other writers were faster, and what
    /// they did does not contradict the change, it is tried again behind them. Returns the version.
    package func commit(
        _ change: TableChange, to base: TableSnapshot, attempts: Int = 100
    ) throws(TableLogError) -> Int64 {
        try base.checkWritable()
        try reader.checkNewestCommit()
        if Features.isAppendOnly(base), change.actions.contains(where: \.removesRows) {
            throw TableLogError(.refused, "", "the table is set to be appended to only")
        }
        var version = base.version
        for _ in 0..<attempts {
            version += 1
            let time = try timeInside(version, after: base, change)
            if try publish(change, version: version, time: time) {
                return version
            }
            try checkConflict(change, with: try actions(of: version), version)
        }
        throw TableLogError(.conflict, "", "other writers were faster \(attempts) times")
    }

    /// The time that a commit must say it is made at, later than the one before; nil in tables that
    /// go by the times of files (PROTOCOL.md, "In-Commit Timestamps").
    private func timeInside(
        _ version: Int64, after base: TableSnapshot, _ change: TableChange
    ) throws(TableLogError) -> Int64? {
        let setting: ExactText = "delta.enableInCommitTimestamps"
        for case .metadata(let metadata) in change.actions
        where metadata.isSet(setting, to: "true") != base.metadata.isSet(setting, to: "true") {
            throw TableLogError(.unsupported, "", "a commit that changes '\(setting)'")
        }
        guard base.metadata.isSet(setting, to: "true") else { return nil }
        let name = LogListing.name(version - 1, ".json")
        guard let before = try reader.timeInside(version - 1, name), before < .max else {
            throw TableLogError(.damaged, name, "expected 'inCommitTimestamp' in 'commitInfo'")
        }
        return max(Timestamp.now().milliseconds, before + 1)
    }

    private func publish(
        _ change: TableChange, version: Int64, time: Int64? = nil
    ) throws(TableLogError) -> Bool {
        let isBlind = change.reads == .nothing
        var members: [JSONValue.Member] = []
        if let time { members.append(.init("inCommitTimestamp", .number(time))) }
        let info = JSONValue.object(
            members + [
                .init("timestamp", .number(Timestamp.now().milliseconds)),
                .init("operation", .string(change.operation)),
                .init("operationParameters", .object([])),
                .init("isBlindAppend", .bool(isBlind)), .init("engineInfo", .string("varve")),
            ])
        var bytes: [UInt8] = []
        for line in [JSONValue.object([.init("commitInfo", info)])] + change.actions.map(\.json) {
            bytes += line.bytes
            bytes.append(0x0a)
        }
        return try directory.publish(bytes, as: LogListing.name(version, ".json"))
    }

    /// Compares with a commit of another writer.
    private func checkConflict(
        _ change: TableChange, with others: [LogAction], _ version: Int64
    ) throws(TableLogError) {
        func conflict(_ what: String) -> TableLogError {
            TableLogError(
                .conflict, LogListing.name(version, ".json"),
                "another writer was first: version \(version) \(what)")
        }
        var (removed, applications): (Set<FileKey>, Set<ExactText>) = ([], [])
        for action in change.actions {
            if case .remove(let remove) = action { removed.insert(remove.key) }
            if case .transaction(let transaction) = action {
                applications.insert(transaction.application)
            }
        }
        for action in others {
            switch action {
            case .protocolVersion: throw conflict("changes what the table needs")
            case .metadata: throw conflict("changes the schema or the settings of the table")
            case .remove(let remove) where removed.contains(remove.key):
                throw conflict("removes the same file \(remove.path)")
            case .remove(let remove) where change.reads == .everything && remove.dataChange:
                throw conflict("removes rows that were read")
            case .add(let add) where change.reads == .everything && add.dataChange:
                throw conflict("adds rows that were not read")
            case .transaction(let transaction)
            where applications.contains(transaction.application):
                throw conflict("is of the same application \(transaction.application)")
            default: break
            }
        }
    }
}

extension LogAction {
    fileprivate var removesRows: Bool {
        if case .remove(let remove) = self { remove.dataChange } else { false }
    }
}

// MARK: - Upkeep
extension CommitLog {
    /// Writes the checkpoint of a version, and the hint that tells of it.
    package func writeCheckpoint(_ table: TableSnapshot) throws(TableLogError) {
        try table.checkWritable()
        let kept = table.removedFileRetention
        let outcome: CheckpointWriter.Outcome
        do throws(ParquetError) {
            outcome = try CheckpointWriter.encode(
                table, tombstonesSince: kept.map { Timestamp.now().milliseconds &- $0 } ?? .min)
        } catch {
            throw TableLogError(error, LogListing.name(table.version, ".checkpoint.parquet"))
        }
        let name = LogListing.name(table.version, ".checkpoint.parquet")
        try check(outcome.bytes, name, table)
        guard try directory.publish(outcome.bytes, as: name) else { return }
        let hint = JSONValue.object([
            .init("version", .number(table.version)), .init("size", .number(outcome.rowCount)),
            .init("sizeInBytes", .number(outcome.bytes.count)),
            .init("numOfAddFiles", .number(table.files.count)),
        ])
        _ = try directory.publish(hint.bytes, as: "_last_checkpoint", replaces: true)
    }

    /// Reads a checkpoint before others do: what comes before it may be removed.
    private func check(
        _ bytes: [UInt8], _ name: String, _ table: TableSnapshot
    ) throws(TableLogError) {
        var replay = Replay()
        replay.apply(try CheckpointReader.rows(MemoryFile(bytes), name))
        let read = try replay.snapshot(table.version, commitTime: table.commitTime)
        guard read.metadata == table.metadata, read.protocolVersion == table.protocolVersion,
            read.transactions == table.transactions, read.domains == table.domains,
            read.size == table.size,
            Set(read.files.keys) == Set(table.files.keys)
        else { throw TableLogError(.damaged, name, "the checkpoint is not what was to be written") }
    }

    /// Writes what a reader can check its own reading of a version with.
    package func writeChecksum(_ table: TableSnapshot) throws(TableLogError) {
        let checksum = JSONValue.object([
            .init("tableSizeBytes", .number(table.size)),
            .init("numFiles", .number(table.files.count)), .init("numMetadata", .number(1)),
            .init("numProtocol", .number(1)), .init("metadata", table.metadata.json),
            .init("protocol", table.protocolVersion.json),
        ])
        _ = try directory.publish(checksum.bytes, as: LogListing.name(table.version, ".crc"))
    }

    /// Compares a version with the checksum that its writer left; false when they contradict each
    /// other, nil when there is none that says something.
    package func matchesChecksum(_ table: TableSnapshot) throws(TableLogError) -> Bool? {
        let name = LogListing.name(table.version, ".crc")
        guard let bytes = try directory.readLog(name),
            let value = try? JSONValue(parsing: bytes[...]),
            let size = value["tableSizeBytes"]?.int64, let files = value["numFiles"]?.int64
        else { return nil }
        return size == table.size && files == Int64(table.files.count)
    }

    /// Writes a checkpoint after every tenth version and removes what is too old to be kept.
    ///
    /// Called after a commit; returns whether there was something to do.
    package func maintain(
        _ version: Int64, every interval: Int64 = 10
    ) throws(TableLogError) -> Bool {
        guard version > 0, version % interval == 0 else { return false }
        let table = try snapshot(version: version)
        try writeCheckpoint(table)
        try removeExpired(table)
        return true
    }

    /// Removes commits and checkpoints that are older than the log is kept.
    ///
    /// What stays can still be read: the newest checkpoint that is old enough stays, with its
    /// commit and all that follows.
    func removeExpired(_ table: TableSnapshot) throws(TableLogError) {
        guard !table.metadata.isSet("delta.enableExpiredLogCleanup", to: "false") else { return }
        guard let kept = table.logRetention, let files = try directory.listLog() else { return }
        let limit = Timestamp.now().milliseconds &- kept
        let listing = LogListing(files)
        let expired = listing.checkpoints.first { checkpoint in
            listing.commits[checkpoint.version].map { $0.modified < limit } ?? false
        }
        guard let expired else { return }
        let old = files.filter { file in
            let first = file.name.split(separator: ".").first ?? ""
            return LogListing.version(first).map { $0 < expired.version } ?? false
                && file.modified < limit
        }
        guard !old.isEmpty else { return }
        // From now on all versions depend on it.
        _ = try CheckpointReader(directory).actions(expired.names)
        for file in old { try directory.removeLog(file.name) }
    }
}

extension TableSnapshot {
    /// The setting that says how long files stay that were removed from the table.
    package static let removedFileSetting: ExactText = "delta.deletedFileRetentionDuration"

    /// How long they are remembered, in milliseconds; nil, for ever, when the setting is there and
    /// not understood.
    package var removedFileRetention: Int64? {
        milliseconds(Self.removedFileSetting, days: 7)
    }

    /// How long old versions of the log are kept; nil as above.
    var logRetention: Int64? { milliseconds("delta.logRetentionDuration", days: 30) }

    private func milliseconds(_ setting: ExactText, days: Int64) -> Int64? {
        guard let text = metadata.configuration[setting] else { return days * 86_400_000 }
        return Intervals.milliseconds(text.string)
    }
}

/// Settings like `interval 7 days`.
enum Intervals {
    private static let units: [(String, Int64)] = [
        ("millisecond", 1), ("second", 1000), ("minute", 60_000), ("hour", 3_600_000),
        ("day", 86_400_000), ("week", 604_800_000),
    ]

    static func milliseconds(_ text: String) -> Int64? {
        var words = text.lowercased().split(separator: " ")[...]
        if words.first == "interval" { words = words.dropFirst() }
        guard !words.isEmpty, words.count % 2 == 0 else { return nil }
        var total: Int64 = 0
        while let amount = words.popFirst(), let unit = words.popFirst() {
            guard let number = Int64(amount), number >= 0,
                let size = units.first(where: { unit == $0.0 || unit == $0.0 + "s" })?.1
            else { return nil }
            let (part, overflow) = number.multipliedReportingOverflow(by: size)
            let (sum, overflown) = total.addingReportingOverflow(part)
            guard !overflow, !overflown else { return nil }
            total = sum
        }
        return total
    }
}
