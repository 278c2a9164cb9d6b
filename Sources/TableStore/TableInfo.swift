package import Bytes
package import Platform
package import TableLog

internal import JSON

/// What there is to know of a table at one version without reading its rows.
package struct TableInfo: Sendable {
    package let version: Int64
    package let id: ExactText
    package let name: ExactText?
    package let schema: TableSchema
    package let partitionBy: [ExactText]
    package let sortBy: [ExactText]
    package let fileCount: Int
    package let byteCount: Int64
    /// Nil when a writer left out how many rows a file has.
    package let rowCount: Int64?
    package let partitionCount: Int
    package let readerVersion: Int
    package let writerVersion: Int
    package let features: [ExactText]
    package let settings: [ExactText: ExactText]
    /// When the commit of the version was made, as far as that is known.
    package let time: Timestamp?

    package init(_ table: StoredTable) {
        let snapshot = table.snapshot
        version = snapshot.version
        id = snapshot.metadata.id
        name = snapshot.metadata.name
        schema = table.schema
        partitionBy = table.partitionColumns.map { table.schema.fields[$0].name }
        sortBy = table.sortColumns.map { table.schema.fields[$0].name }
        fileCount = snapshot.files.count
        byteCount = snapshot.size
        var (rows, partitions): (Int64?, Set<Partition>) = (0, [])
        for file in snapshot.files.values {
            partitions.insert(Partition(file, table))
            let count = FileRanges(table, file).rowCount
            let deleted = file.deletionVector?.cardinality ?? 0
            let left = count.map { max(0, $0.subtractingClamped(deleted)) }
            rows = rows.flatMap { sum in left.map { sum.addingClamped($0) } }
        }
        rowCount = rows
        partitionCount = table.partitionColumns.isEmpty ? 0 : partitions.count
        readerVersion = snapshot.protocolVersion.readerVersion
        writerVersion = snapshot.protocolVersion.writerVersion
        features = Set(
            (snapshot.protocolVersion.readerFeatures ?? [])
                + (snapshot.protocolVersion.writerFeatures ?? [])
        ).sorted()
        settings = snapshot.metadata.configuration
        time = snapshot.commitTime.map(Timestamp.init(milliseconds:))
    }
}

/// A version in the log of a table.
package struct HistoryEntry: Sendable {
    package let version: Int64
    package let time: Timestamp
    /// As its writer calls it: WRITE, DELETE, OPTIMIZE; nil when it does not say.
    package let operation: ExactText?
    package let writer: ExactText?
    package let addedFiles: Int
    package let removedFiles: Int
    package let addedBytes: Int64
    package let removedBytes: Int64
}

extension StoredTable {
    /// The versions in the log, the newest first.
    package func history(limit: Int = .max) throws(TableStoreError) -> [HistoryEntry] {
        let versions = try logged { () throws(TableLogError) in try log.history() }
        var entries: [HistoryEntry] = []
        for (version, time) in versions.prefix(limit) {
            let actions = try logged { () throws(TableLogError) in
                try log.actions(of: version)
            }
            entries.append(Self.entry(version, time, actions))
        }
        return entries
    }

    private static func entry(
        _ version: Int64, _ time: Int64, _ actions: [LogAction]
    ) -> HistoryEntry {
        var (info, added, removed): (JSONValue?, [AddFile], [RemoveFile]) = (nil, [], [])
        for action in actions {
            switch action {
            case .commitInfo(let text): info = try? JSONValue(parsing: text)
            case .add(let file): added.append(file)
            case .remove(let file): removed.append(file)
            default: continue
            }
        }
        return HistoryEntry(
            version: version, time: Timestamp(milliseconds: time),
            operation: info?["operation"]?.string, writer: info?["engineInfo"]?.string,
            addedFiles: added.count, removedFiles: removed.count,
            addedBytes: added.reduce(0) { $0.addingClamped($1.size) },
            removedBytes: removed.reduce(0) { $0.addingClamped($1.size ?? 0) })
    }
}

extension Timestamp {
    package init(milliseconds: Int64) {
        let rest = milliseconds % 1000
        self.init(
            seconds: milliseconds / 1000 - (rest < 0 ? 1 : 0),
            nanoseconds: UInt32((rest < 0 ? rest + 1000 : rest) * 1_000_000))
    }
}
