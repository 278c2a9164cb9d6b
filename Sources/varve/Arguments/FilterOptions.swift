internal import Snapshots
internal import ArgumentParser
internal import Bytes
internal import Platform

/// Narrows a list of snapshots.
struct FilterOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Only those with this tag; may be repeated.", valueName: "tag")
    )
    var tag: [ByteArgument] = []

    @Option(help: ArgumentHelp("Only those of this host.", valueName: "name"))
    var host: ByteArgument?

    @Option(
        help: ArgumentHelp("Only those of this source.", valueName: "path"),
        completion: .file()
    )
    var source: ByteArgument?

    var isEmpty: Bool { tag.isEmpty && host == nil && source == nil }

    func apply(to items: [SnapshotSeries.Item]) throws -> [SnapshotSeries.Item] {
        let tags = Set(tag.map(\.bytes))
        let wanted = try source.map { try absolute($0.bytes) }
        return items.filter { _, record in
            (host == nil || record.host == host?.bytes)
                && tags.isSubset(of: record.tags)
                && (wanted.map(record.sources.contains) ?? true)
        }
    }

    /// As `snapshot` records it; a source that is gone is taken as it is written.
    private func absolute(_ path: [UInt8]) throws(PlatformError) -> [UInt8] {
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
