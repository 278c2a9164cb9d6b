internal import Bytes
package import Platform
internal import SystemPackage

/// What a careful removal did, or would do.
package struct RemovalOutcome: Sendable {
    /// Files, directories and others, each counted.
    package var removed: UInt64 = 0
    /// What was there and stays, without the directories above it, which stay with it.
    package var kept: [(path: [UInt8], reason: KeptReason)] = []

    /// Nothing was removed yet.
    package init() {}
}

/// Why something stays in a tree from which it would be removed.
package enum KeptReason: Equatable, Sendable {
    /// Another file system, or another directory, is mounted there.
    case mount
    /// Snapshots have no sockets: that one lacks it says nothing.
    case socket
    /// varve's own directory of a replica or synced store, and what was set aside in it.
    case replicaDirectory
    /// The caller wants to keep it.
    case chosen
}

extension LiveTree {
    /// Removes what is at and below `path`, but never what is mounted there, a socket, a directory
    /// of a replica, or what `isKept` names; nor the directories above what stays.
    ///
    /// On a dry run nothing is removed, and the outcome is the same. `isKept` is asked before
    /// anything below a path is looked at.
    package func removeCarefully(
        _ path: [UInt8], isDryRun: Bool = false,
        keeping isKept: (_ path: [UInt8], _ status: FileStatus) -> Bool = { _, _ in false }
    ) throws(PlatformError) -> RemovalOutcome {
        var outcome = RemovalOutcome()
        guard let status = try status(path) else { return outcome }
        if let reason = try reasonToKeep(path, status) ?? (isKept(path, status) ? .chosen : nil) {
            outcome.kept.append((path, reason))
            return outcome
        }
        guard status.type == .directory else {
            try removeOne(path, status, isDryRun, &outcome)
            return outcome
        }
        var levels = [try RemovalLevel(path, status, names(in: path, isDryRun))]
        while var level = levels.popLast() {
            guard let name = level.names.popLast() else {
                if !level.keepsSomething {
                    try removeOne(level.path, level.status, isDryRun, &outcome)
                } else if !levels.isEmpty {
                    levels[levels.count - 1].keepsSomething = true
                }
                continue
            }
            let next = PathBytes.join(level.path, name)
            guard let status = try self.status(next) else {
                levels.append(level)
                continue
            }
            if let reason = Self.reasonToKeep(name, status, in: level.status)
                ?? (isKept(next, status) ? .chosen : nil)
            {
                outcome.kept.append((next, reason))
                level.keepsSomething = true
                levels.append(level)
            } else if status.type == .directory {
                levels.append(level)
                levels.append(try RemovalLevel(next, status, names(in: next, isDryRun)))
            } else {
                levels.append(level)
                try removeOne(next, status, isDryRun, &outcome)
            }
        }
        return outcome
    }

    /// Whether something is mounted at a path of the tree.
    package func isMount(_ path: [UInt8], _ status: FileStatus) throws(PlatformError) -> Bool {
        guard !path.isEmpty else { return false }
        if status.isMountRoot { return true }
        return try openParent(path).status(path).device != status.device
    }

    private func reasonToKeep(
        _ path: [UInt8], _ status: FileStatus
    ) throws(PlatformError) -> KeptReason? {
        let above = try openParent(path).status(path)
        return Self.reasonToKeep(Array(PathBytes.name(path)), status, in: above)
    }

    private static func reasonToKeep(
        _ name: [UInt8], _ status: FileStatus, in directory: FileStatus
    ) -> KeptReason? {
        if status.isMountRoot || status.device != directory.device { return .mount }
        if status.type == .socket { return .socket }
        if status.type == .directory, name == SourceWalk.replicaDirectory {
            return .replicaDirectory
        }
        return nil
    }

    private func names(in path: [UInt8], _ isDryRun: Bool) throws(PlatformError) -> [[UInt8]] {
        let directory =
            isDryRun ? try root.open(path, [.readOnly, .directory]) : try openForChange(path)
        return try directory.names(path)
    }

    private func removeOne(
        _ path: [UInt8], _ status: FileStatus, _ isDryRun: Bool, _ outcome: inout RemovalOutcome
    ) throws(PlatformError) {
        if !isDryRun {
            let parent = try openParent(path)
            try FileOperations.remove(
                Array(PathBytes.name(path)), at: parent.raw,
                isDirectory: status.type == .directory)
        }
        outcome.removed += 1
    }
}

/// A directory that is being emptied.
private struct RemovalLevel {
    let path: [UInt8]
    let status: FileStatus
    var names: [[UInt8]]
    var keepsSomething = false

    init(_ path: [UInt8], _ status: FileStatus, _ names: [[UInt8]]) {
        self.path = path
        self.status = status
        self.names = names
    }
}
