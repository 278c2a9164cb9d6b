internal import Bytes
internal import Platform
package import Repository
package import Snapshots

/// Narrows a list of snapshots.
package struct SnapshotFilter: Sendable {
    /// Only those that have all of these.
    package var tags: [[UInt8]] = []
    /// Only those of this host; nil for any.
    package var host: [UInt8]?
    /// Only those with this source; a relative path is one of this host.
    package var source: [UInt8]?

    /// Narrows nothing.
    package init() {}

    /// Whether all snapshots are meant.
    package var isEmpty: Bool { tags.isEmpty && host == nil && source == nil }

    /// Those that are meant, in the same order.
    package func apply(to items: [Snapshot]) throws -> [Snapshot] {
        let tags = Set(tags)
        let wanted = try source.map(Self.absolute)
        return items.filter { snapshot in
            let record = snapshot.record
            return (host == nil || record.host == host)
                && tags.isSubset(of: record.tags)
                && (wanted.map(record.sources.contains) ?? true)
        }
    }

    /// As a snapshot records it; a source that is gone is taken as it is written.
    private static func absolute(_ path: [UInt8]) throws(PlatformError) -> [UInt8] {
        do throws(PlatformError) {
            return try HostSystem.resolve(path)
        } catch  where error.isNotFound {
            let trimmed =
                path.count > 1 && path.last == PathBytes.separator
                ? path.dropLast() : path[...]
            guard trimmed.first != PathBytes.separator else { return Array(trimmed) }
            return PathBytes.join(try HostSystem.workingDirectory(), Array(trimmed))
        }
    }
}

extension SnapshotSelector {
    /// Finds the snapshot; notes others that cannot be read and so were not considered.
    ///
    /// `host`: "latest" and times look only at snapshots of this host.
    package func find(
        in repository: Repository, host: [UInt8]?, _ note: NoteTaker
    ) throws -> SelectedSnapshot {
        let found = try find(in: repository, host: host)
        for error in found.damaged { try note(.unreadable(error)) }
        return found
    }
}

extension SelectedSnapshot {
    /// The snapshot as a list of snapshots holds it.
    package var item: Snapshot { Snapshot(id, record) }
}

/// Snapshots that were chosen from a repository.
package struct SnapshotList {
    /// Oldest first.
    package var items: [Snapshot]
    /// Others could be read, and some could not.
    package var isComplete: Bool

    /// Lists those that `filter` leaves and, if some are named, are named by `names`.
    package init(
        _ repository: Repository, _ filter: SnapshotFilter, named names: [SnapshotSelector] = [],
        _ note: NoteTaker
    ) throws {
        let series = try SnapshotSeries(repository)
        for error in series.damaged { try note(.unreadable(error)) }
        isComplete = series.damaged.isEmpty || !names.isEmpty
        let filtered = try filter.apply(to: series.items)
        let wanted = Set(try names.map { try $0.choose(from: filtered).id })
        items = names.isEmpty ? filtered : filtered.filter { wanted.contains($0.id) }
    }
}
