package import Bytes
internal import Hashing
package import Platform
package import TableLog

/// A commit of a table with what it does, read from its bytes.
package struct LoggedCommit: Equatable, Sendable {
    var commit: TableCommit
    package var digest: SHA256Digest
    package var effect: CommitEffect

    package var version: Int64 {
        get { commit.version }
        set { commit.version = newValue }
    }

    package var bytes: [UInt8] { commit.bytes }

    /// Throws where the bytes are no commit, or name files outside of the table.
    init(_ commit: TableCommit) throws(TableLogError) {
        self.commit = commit
        digest = SHA256Digest(of: commit.bytes.span)
        effect = try CommitEffect(parsing: commit.bytes, LogListing.name(commit.version, ".json"))
    }

    /// The same, for a commit that is not read from a log.
    package init(
        _ version: Int64, _ bytes: [UInt8], modified: Timestamp
    ) throws(TableLogError) {
        try self.init(TableCommit(version: version, modified: modified, bytes: bytes))
    }

    var point: LogPoint { LogPoint(version: version, digest: digest) }
}

/// What a store tells of a table since the versions that were equal.
struct TableHistory: Equatable, Sendable {
    /// The version that the commits follow.
    var base: LogPoint
    /// All commits after it, none left out.
    var commits: [LoggedCommit] = []
    /// Why nobody but a writer that understands all of the table may add to it.
    var refusal: String?

    init(base: LogPoint, commits: [LoggedCommit] = [], refusal: String? = nil) {
        self.base = base
        self.commits = commits
        self.refusal = refusal
    }

    /// Throws where a commit is not understood.
    init(
        base: LogPoint, reading commits: [TableCommit], refusal: String?
    ) throws(TableLogError) {
        self.init(base: base, refusal: refusal)
        for commit in commits { self.commits.append(try LoggedCommit(commit)) }
    }

    var latest: LogPoint { commits.last?.point ?? base }
}

/// What becomes of a table that both stores have; a value, made without input or output.
///
/// New commits of one store go to the other as they are, in order, under the next numbers there. A
/// commit that is in both already, byte for byte, was brought by a sync that did not come to its
/// end. Where both have commits that the other lacks, all of them must only add rows, or lay the
/// same rows into other files that the other store did not touch: then their order means nothing,
/// and both logs come to the same rows.
enum TableMerge: Equatable, Sendable {
    case bring(toHere: [LoggedCommit], toThere: [LoggedCommit])
    case refused(SyncConflict.Kind, SyncConflict.Side?)

    init(here: TableHistory, there: TableHistory) {
        let toThere = Self.missing(here.commits, in: there.commits)
        let toHere = Self.missing(there.commits, in: here.commits)
        if !toThere.isEmpty, !toHere.isEmpty,
            let (kind, side) = Self.obstacle(toThere, toHere)
        {
            self = .refused(kind, side)
            return
        }
        // Numbers that differ from those of the other log stand nowhere in a commit that this varve
        // would write; what others put there cannot be known.
        let isRenumbered =
            !toThere.isEmpty && there.latest.version + 1 != toThere[0].version
            || !toHere.isEmpty && here.latest.version + 1 != toHere[0].version
        if isRenumbered, let refusal = here.refusal {
            self = .refused(.refused(refusal), .here)
        } else if isRenumbered, let refusal = there.refusal {
            self = .refused(.refused(refusal), .there)
        } else {
            self = .bring(toHere: toHere, toThere: toThere)
        }
    }

    /// The commits that the other store does not have, each as often as it lacks it.
    private static func missing(
        _ commits: [LoggedCommit], in others: [LoggedCommit]
    ) -> [LoggedCommit] {
        var there: [SHA256Digest: Int] = [:]
        for other in others { there[other.digest, default: 0] += 1 }
        return commits.filter { commit in
            guard let count = there[commit.digest], count > 0 else { return true }
            there[commit.digest] = count - 1
            return false
        }
    }

    /// Why commits of both cannot be put behind one another.
    private static func obstacle(
        _ ours: [LoggedCommit], _ theirs: [LoggedCommit]
    ) -> (SyncConflict.Kind, SyncConflict.Side)? {
        for (commits, side) in [(ours, SyncConflict.Side.here), (theirs, .there)] {
            for commit in commits {
                guard case .change(let what) = commit.effect.kind else { continue }
                let operation = commit.effect.operation
                return (
                    .changes(version: commit.version, operation: operation.string, what: what), side
                )
            }
        }
        let removed = Set(ours.flatMap(\.effect.removed))
        let applications = Set(ours.flatMap(\.effect.applications))
        for commit in theirs {
            let (version, operation) = (commit.version, commit.effect.operation)
            if let file = commit.effect.removed.first(where: removed.contains) {
                return (
                    .bothRearranged(
                        version: version, operation: operation.string, file: file.path.string),
                    .there
                )
            }
            if let application = commit.effect.applications.first(where: applications.contains) {
                return (
                    .sameApplication(
                        version: version, operation: operation.string,
                        application: application.string), .there
                )
            }
        }
        return nil
    }
}

/// What a store tells of a table when it is not known where the two histories were equal.
struct TableIdentity: Equatable, Sendable {
    var metadataID: ExactText = ""
    /// SHA-256 of what the newest version consists of; nil where it cannot be read.
    var content: SHA256Digest?
    /// All commits in the log, oldest first.
    var points: [LogPoint] = []
    var latest: LogPoint? { points.last }

    /// Where two tables were equal, from the newest on: at what either store remembers, at a commit
    /// that both logs have under the same number, or now.
    static func common(
        _ here: Self, _ there: Self, remembered: [TableFact], path: [UInt8]
    ) -> TableFact? {
        let ours = Set(here.points)
        let theirs = Set(there.points)
        var found = remembered.filter { ours.contains($0.here) && theirs.contains($0.there) }
        if here.metadataID == there.metadataID, !here.metadataID.isEmpty {
            if let point = here.points.last(where: theirs.contains) {
                found.append(TableFact(path: path, here: point, there: point))
            }
            if let content = here.content, content == there.content, let latest = here.latest,
                let other = there.latest
            {
                found.append(TableFact(path: path, here: latest, there: other))
            }
        }
        return found.max {
            ($0.here.version, $0.there.version) < ($1.here.version, $1.there.version)
        }
    }
}
