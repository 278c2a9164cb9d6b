internal import Operations
internal import Remote
internal import Bytes
internal import Platform

/// Keeps a replica apart from what it is made of.
enum ReplicaTargetCheck {
    /// Where a store to sync with is; one that lies in the other is refused.
    static func location(
        _ target: ByteArgument,
        store: [UInt8]
    ) throws -> RepositoryLocation {
        let location = try parse(target)
        if case .directory(let path) = location {
            try check(try RestoreTargetCheck.resolve(path), store, target, "store")
        }
        return location
    }

    /// Where the replica is to be: a target that holds the store or the repository, or lies in one
    /// of them, is refused.
    static func destination(
        _ target: ByteArgument,
        sources: [[UInt8]],
        repository: RepositoryLocation,
        _ ssh: SSHCommand
    ) throws -> ReplicaDestination {
        let location = try parse(target)
        switch location {
        case .remote(let remote): return .remote(remote, ssh)
        case .directory(let path):
            let resolved = try RestoreTargetCheck.resolve(path)
            for source in sources {
                try check(resolved, source, target, "store")
            }
            if case .directory(let path) = repository {
                try check(resolved, try HostSystem.resolve(path), target, "repository")
            }
            return .directory(path)
        }
    }

    private static func parse(_ target: ByteArgument) throws(UsageError) -> RepositoryLocation {
        do throws(LocationError) {
            return try RepositoryLocation(parsing: target.bytes)
        } catch {
            throw UsageError(
                error.message,
                "Write /path, ssh://[user@]host[:port]/path or host:path."
            )
        }
    }

    private static func check(
        _ target: [UInt8],
        _ other: [UInt8],
        _ name: ByteArgument,
        _ what: String
    ) throws(UsageError) {
        let isApart =
            target != [PathBytes.separator] && other != [PathBytes.separator]
            && !PathBytes.isInside(target, other) && !PathBytes.isInside(other, target)
        guard isApart else {
            throw UsageError(
                "the target \(name.printable) and the \(what) lie in one another",
                "Name a directory of its own."
            )
        }
    }
}
