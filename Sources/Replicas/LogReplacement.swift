internal import Bytes
internal import Hashing
internal import Platform
internal import Snapshots
internal import SystemPackage
internal import Targets
internal import Trees

/// Moves logs of tables as a whole, so that no reader sees versions of two tables in one log.
struct LogReplacement {
    private let changes: TreeChanges
    private let gone: Set<[UInt8]>

    private var tree: TargetTree { changes.tree }
    private var journal: ReplicaJournal { changes.journal }
    private var before: ReplicaState { changes.before }

    init(_ changes: TreeChanges) {
        self.changes = changes
        gone = Set(changes.journal.removals)
    }

    /// Replaces the logs of tables that were made anew: those that get a commit of a name that the
    /// state has.
    func replaceLogs() throws {
        var logs: Set<[UInt8]> = []
        for index in 0..<journal.puts.count {
            let put = try journal.puts[index]
            let path = put.entry.path
            guard put.action == .place, TargetOrder(path) == .commit,
                let table = TargetOrder.table(path), try before.records.contains(path)
            else { continue }
            logs.insert(PathBytes.join(table, TargetOrder.log))
        }
        for log in logs { try replace(log) }
    }

    /// Removes the logs of tables that are gone, each in one step.
    func removeLogs() throws {
        for log in journal.removals where TargetOrder.isLog(log) {
            let away = awayName(log)
            if try changes.status(away) == nil {
                guard try changes.status(log) != nil else { continue }
                try changes.rename(log, to: away, replacing: false)
            }
            try syncName(of: log)
            try removeKnown(away, was: log)
        }
    }

    /// Nothing of a log that was moved away may go before its name is gone for good.
    private func syncName(of log: [UInt8]) throws(PlatformError) {
        changes.note(log)
        try changes.sync()
    }

    /// Moves the log of a table away and brings back what stays of it, in the order of a log.
    ///
    /// After an interruption what was put there already is put there again.
    private func replace(_ log: [UInt8]) throws {
        let away = awayName(log)
        if try changes.status(away) == nil {
            guard try !isLogDone(log), try changes.status(log) != nil else { return }
            try changes.rename(log, to: away, replacing: false)
        }
        try syncName(of: log)
        try bringBack(log, from: away)
        try removeKnown(away, was: log)
    }

    /// Whether a file of the journal is in the log already: then it was moved away before.
    private func isLogDone(_ log: [UInt8]) throws -> Bool {
        for index in try journal.puts.indices(below: log) {
            let put = try journal.puts[index]
            guard put.action == .place else { continue }
            if try changes.status(TargetPlaces.staged(put.key)) == nil { return true }
        }
        return false
    }

    /// Brings back from the log that was moved away what stays as it is.
    private func bringBack(_ log: [UInt8], from away: [UInt8]) throws {
        if try changes.status(log) == nil {
            try tree.target.makeDirectory(log)
            if let record = try journal.puts.find(log) ?? before.records.find(log) {
                try changes.apply(record.entry)
            }
        }
        changes.note(log)
        var kept: [[UInt8]] = []
        for index in try before.records.indices(below: log) {
            let path = try before.records[index].entry.path
            guard !gone.contains(path), try journal.puts.find(path)?.action ?? .keep == .keep
            else { continue }
            kept.append(path)
        }
        // Of one order in the order of paths, as they came.
        let orders = kept.map(TargetOrder.init)
        for index in kept.indices.sorted(by: { (orders[$0], $0) < (orders[$1], $1) }) {
            let path = kept[index]
            let moved = PathBytes.join(away, Array(path.dropFirst(log.count + 1)))
            guard try changes.status(moved) != nil, try changes.status(path) == nil else {
                continue
            }
            try changes.rename(moved, to: path, replacing: false)
        }
    }

    /// The same after an interruption.
    private func awayName(_ log: [UInt8]) -> [UInt8] {
        let digest = SHA256Digest(of: (journal.nonce + log).span)
        return PathBytes.join(TargetPlaces.staging, Array("o-\(digest.hex)".utf8))
    }

    /// Removes what the state names from a directory that was moved; what is left is set aside.
    private func removeKnown(_ away: [UInt8], was path: [UInt8]) throws {
        for index in try before.records.indices(below: path).reversed() {
            let entry = try before.records[index].entry
            let inside = Array(entry.path.dropFirst(path.count + 1))
            let moved = PathBytes.join(away, inside)
            guard let status = try changes.status(moved) else { continue }
            changes.noteInside(entry.path)
            guard entry.isDirectory || status.isOf(entry) else { continue }
            _ = try? changes.removeOne(moved, isDirectory: entry.isDirectory, isCounted: false)
        }
        do {
            try changes.removeOne(away, isDirectory: true, isCounted: false)
        } catch let error as PlatformError where error.errno == .directoryNotEmpty {
            try changes.setAside(away, named: path)
        }
    }
}
