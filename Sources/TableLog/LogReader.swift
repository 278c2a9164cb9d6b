internal import Bytes
internal import JSON
internal import Parquet

/// Reads the versions of a table from its log, wherever that lies.
package struct LogReader {
    package let files: any LogFiles

    package init(_ files: any LogFiles) { self.files = files }

    package func listing() throws(TableLogError) -> LogListing {
        guard let files = try files.listLog() else {
            throw TableLogError(.notATable, "", "no table: it has no \(TableDirectory.log)")
        }
        return LogListing(files)
    }

    /// Reads the table at `version`, or the newest.
    ///
    /// Begins with the newest complete checkpoint up to there that can be read, and goes on with
    /// the commits after it, all of which must be there.
    package func snapshot(version: Int64? = nil) throws(TableLogError) -> TableSnapshot {
        let listing = try listing()
        guard let latest = listing.latest else {
            throw TableLogError(.notATable, "", "the log has no commit")
        }
        let wanted = version ?? latest
        guard wanted >= 0, wanted <= latest else {
            throw TableLogError(
                .noSuchVersion, "", "there is no version \(wanted); the newest is \(latest)")
        }
        var failure: TableLogError?
        for checkpoint in listing.checkpoints where checkpoint.version <= wanted {
            do throws(TableLogError) {
                var replay = Replay()
                replay.apply(try CheckpointReader(files).actions(checkpoint.names))
                return try finish(replay, from: checkpoint.version + 1, to: wanted, listing)
            } catch {
                // An older checkpoint may do, or all commits from the first.
                guard error.kind == .damaged else { throw error }
                failure = failure ?? error
            }
        }
        guard listing.commits[0] != nil || failure == nil else {
            throw failure ?? gap(0)
        }
        return try finish(Replay(), from: 0, to: wanted, listing)
    }

    /// Throws where the newest commit is a name without content: a writer would come to stand
    /// behind it, and what it named would be swept.
    package func checkNewestCommit() throws(TableLogError) {
        guard let name = try listing().emptyCommits.first else { return }
        throw TableLogError(
            .damaged, name,
            "the newest commit is empty, as a power cut leaves it: the rows that it added are in "
                + "data files that nothing names; restore it from a snapshot or, to give them up, "
                + "remove this file")
    }

    private func gap(_ version: Int64) -> TableLogError {
        TableLogError(
            .noSuchVersion, LogListing.name(version, ".json"),
            "version \(version) is not in the log, and no checkpoint stands for it")
    }

    private func finish(
        _ begun: Replay, from first: Int64, to last: Int64, _ listing: LogListing
    ) throws(TableLogError) -> TableSnapshot {
        var replay = begun
        if first <= last {
            for version in first...last {
                guard let file = listing.commits[version] else { throw gap(version) }
                replay.apply(try actions(of: version, file.name))
            }
        }
        return try replay.snapshot(last, commitTime: listing.commits[last]?.modified)
    }

    /// The actions of one commit.
    package func actions(of version: Int64) throws(TableLogError) -> [LogAction] {
        try actions(of: version, LogListing.name(version, ".json"))
    }

    private func actions(of version: Int64, _ name: String) throws(TableLogError) -> [LogAction] {
        guard let bytes = try files.readLog(name) else { throw gap(version) }
        guard !bytes.contains(0) else {
            throw TableLogError(
                .damaged, name, "expected JSON, found zero bytes, as a power cut leaves them")
        }
        return try Self.actions(bytes, name)
    }

    /// Understands lines of JSON; empty ones are passed over.
    static func actions(_ bytes: [UInt8], _ name: String) throws(TableLogError) -> [LogAction] {
        var actions: [LogAction] = []
        for line in bytes.split(separator: 0x0a) where line.contains(where: { $0 > 0x20 }) {
            let value: JSONValue
            do throws(JSONError) {
                value = try JSONValue(parsing: line)
            } catch {
                throw TableLogError(error, name)
            }
            if let action = try LogAction.parse(value, name) { actions.append(action) }
        }
        return actions
    }

    /// The versions whose commits are in the log, with their times, the newest first.
    ///
    /// Times are those of the files, in milliseconds since 1970, or those in the commits where the
    /// newest has one (PROTOCOL.md, "In-Commit Timestamps"); where a clock went back, a version
    /// counts as a millisecond younger than the one before.
    package func history() throws(TableLogError) -> [(version: Int64, time: Int64)] {
        var history: [(version: Int64, time: Int64)] = []
        let commits = try listing().commits.sorted(by: { $0.key < $1.key })
        var hasTimes = false
        if let newest = commits.last {
            hasTimes = try timeInside(newest.key, newest.value.name) != nil
        }
        for (version, file) in commits {
            let earliest = history.last.map { $0.time.addingClamped(1) } ?? .min
            let told = hasTimes ? try timeInside(version, file.name) : nil
            history.append((version, max(told ?? file.modified, earliest)))
        }
        return history.reversed()
    }

    /// The time that a commit says it was made at.
    func timeInside(_ version: Int64, _ name: String) throws(TableLogError) -> Int64? {
        for case .commitInfo(let text) in try actions(of: version, name) {
            return (try? JSONValue(parsing: text))?["inCommitTimestamp"]?.int64
        }
        return nil
    }

    /// The files that were removed by commits in the log; nil when commits since `time`, in
    /// milliseconds since 1970, may no longer be there.
    package func removals(since time: Int64) throws(TableLogError) -> [RemoveFile]? {
        let listing = try listing()
        var removals: [RemoveFile] = []
        for (version, file) in listing.commits.sorted(by: { $0.key > $1.key }) {
            for case .remove(let remove) in try actions(of: version, file.name) {
                removals.append(remove)
            }
            if version == 0 || file.modified <= time { return removals }
            guard listing.commits[version - 1] != nil else { return nil }
        }
        return nil
    }

    /// The newest version that was made at `time` or before, in milliseconds since 1970.
    package func version(at time: Int64) throws(TableLogError) -> Int64 {
        let history = try history()
        guard let version = history.first(where: { $0.time <= time })?.version else {
            let oldest = history.last.map { ": the oldest, \($0.version), is younger" } ?? ""
            throw TableLogError(.noSuchVersion, "", "no version is as old as that\(oldest)")
        }
        return version
    }
}
