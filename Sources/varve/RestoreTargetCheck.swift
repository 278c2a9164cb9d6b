internal import Bytes
internal import Platform

/// Keeps a restore from harming the repository that it reads.
enum RestoreTargetCheck {
    /// Refuses a target in the repository, and one that holds it when the rest is to be removed.
    static func run(_ target: [UInt8], repository: [UInt8], deletes: Bool) throws {
        let repository = try HostSystem.resolve(repository)
        let resolved = try resolve(target)
        if PathBytes.isInside(resolved, repository) {
            throw UsageError(
                "the target \(PathBytes.printable(target)) lies in the repository",
                "Restore into another directory."
            )
        }
        let isRoot = resolved == [PathBytes.separator]
        if deletes, isRoot || PathBytes.isInside(repository, resolved) {
            throw UsageError(
                "the repository lies in the target \(PathBytes.printable(target)), and --delete "
                    + "would remove it",
                "Restore without --delete, or into another directory."
            )
        }
    }

    /// The absolute path of what may not be there yet.
    static func resolve(_ path: [UInt8]) throws(PlatformError) -> [UInt8] {
        do throws(PlatformError) {
            return try HostSystem.resolve(path)
        } catch {
            let trimmed = path.lastIndex { $0 != PathBytes.separator }.map { Array(path[...$0]) }
            guard error.isNotFound, let trimmed else { throw error }
            let parent = PathBytes.parent(trimmed)
            let isAbsolute = trimmed.first == PathBytes.separator
            let above = parent.isEmpty ? Array((isAbsolute ? "/" : ".").utf8) : parent
            return PathBytes.join(try resolve(above), Array(PathBytes.name(trimmed)))
        }
    }
}
