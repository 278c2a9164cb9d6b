internal import Bytes
internal import Platform
package import Repository
package import TableLog

/// What a snapshot's own copy of a log tells of a table.
package struct TableSummary: Equatable, Sendable {
    package var version: Int64
    /// Nil where the log does not tell of all files.
    package var rows: Int64?
    package var files: UInt64
    package var bytes: Int64
    /// How many different partition values there are; zero for a table without partitions.
    package var partitions: UInt64

    package init(_ table: TableSnapshot) {
        version = table.version
        rows = table.rowCount
        files = UInt64(table.files.count)
        bytes = table.size
        partitions =
            table.metadata.partitionColumns.isEmpty
            ? 0 : UInt64(Set(table.files.values.map(\.partitionValues)).count)
    }
}

/// The tables of a snapshot.
package enum SnapshotTables {
    /// All tables, in path order.
    ///
    /// Those that the record tells of; snapshots of releases that knew no tables are searched, and
    /// have them as plain files.
    package static func list(
        _ record: SnapshotRecord, _ nodes: NodeSource
    ) throws(RepositoryError) -> [CapturedTable] {
        if !record.tables.isEmpty { return record.tables }
        var tables: [CapturedTable] = []
        var cursor = ManifestCursor(record.root, nodes)
        while let entry = try cursor.next() {
            guard entry.isDirectory,
                PathBytes.name(entry.path).elementsEqual(TableSearch.logName)
            else { continue }
            tables.append(
                CapturedTable(
                    PathBytes.parent(entry.path), .unverified,
                    reason: "it was copied as plain files"))
        }
        return tables.sorted { PathBytes.isBefore($0.path, $1.path) }
    }

    /// The table at its version in the snapshot, read from the log there.
    package static func read(
        _ table: CapturedTable, _ record: SnapshotRecord, _ nodes: NodeSource
    ) throws -> TableSnapshot {
        try read(table, SnapshotLog(table.path, record.root, nodes))
    }

    static func read(
        _ table: CapturedTable, _ log: SnapshotLog
    ) throws(TableLogError)
        -> TableSnapshot
    {
        let reader = LogReader(log)
        let newest = try reader.listing().newestWhole?.version
        guard let version = table.version ?? newest else {
            throw TableLogError(.damaged, "", "neither version 0 nor a checkpoint is there")
        }
        return try reader.snapshot(version: version)
    }
}

/// How a table differs between two snapshots, from their logs alone.
package struct TableDifference: Sendable {
    /// One direction of the difference.
    package struct Part: Equatable, Sendable {
        package var files: UInt64 = 0
        package var bytes: Int64 = 0
        /// Nil where the log does not tell of all files.
        package var rows: Int64? = 0
        package var partitions: UInt64 = 0

        fileprivate init(_ files: [AddFile], partitions: Int) {
            self.files = UInt64(files.count)
            self.partitions = UInt64(partitions)
            for file in files {
                bytes = bytes.addingClamped(file.size)
                rows = rows.flatMap { sum in file.rowCount.map { sum.addingClamped($0) } }
            }
        }
    }

    package let path: [UInt8]
    /// Nil where the snapshot does not have the table.
    package let before: TableSummary?
    package let after: TableSummary?
    package let added: Part
    package let removed: Part
    /// Whether it is another table in the same place.
    package let isRecreated: Bool

    init(_ path: [UInt8], _ before: TableSnapshot?, _ after: TableSnapshot?) {
        self.path = path
        self.before = before.map(TableSummary.init)
        self.after = after.map(TableSummary.init)
        let (old, new) = (before?.files ?? [:], after?.files ?? [:])
        let added = new.filter { old[$0.key] == nil }.map(\.value)
        let removed = old.filter { new[$0.key] == nil }.map(\.value)
        let oldValues = Self.partitions(before)
        let newValues = Self.partitions(after)
        self.added = Part(added, partitions: newValues.subtracting(oldValues).count)
        self.removed = Part(removed, partitions: oldValues.subtracting(newValues).count)
        isRecreated =
            before != nil && after != nil && before?.metadata.id != after?.metadata.id
    }

    private static func partitions(_ table: TableSnapshot?) -> Set<[ExactText: ExactText?]> {
        guard let table, !table.metadata.partitionColumns.isEmpty else { return [] }
        return Set(table.files.values.map(\.partitionValues))
    }

    package var isNothing: Bool {
        before?.version == after?.version && added.files == 0 && removed.files == 0
            && !isRecreated
    }
}

extension TableDifference {
    /// The tables that differ, in path order, and those that cannot be compared, each with why.
    package static func all(
        _ before: SnapshotRecord, _ after: SnapshotRecord, _ nodes: NodeSource
    ) throws -> (differences: [TableDifference], unread: [(path: [UInt8], reason: String)]) {
        func byPath(_ record: SnapshotRecord) throws -> [[UInt8]: CapturedTable] {
            let tables = try SnapshotTables.list(record, nodes)
            return Dictionary(tables.map { ($0.path, $0) }) { one, _ in one }
        }
        let (old, new) = (try byPath(before), try byPath(after))
        var differences: [TableDifference] = []
        var unread: [(path: [UInt8], reason: String)] = []
        for path in Set(old.keys).union(new.keys).sorted(by: PathBytes.isBefore) {
            try Interruption.check()
            do {
                let found = try difference(
                    path, old[path].map { ($0, before) }, new[path].map { ($0, after) }, nodes)
                if let found, !found.isNothing { differences.append(found) }
            } catch let error as TableLogError {
                unread.append((path, "\(error)"))
            }
        }
        return (differences, unread)
    }

    private static func difference(
        _ path: [UInt8], _ before: (table: CapturedTable, record: SnapshotRecord)?,
        _ after: (table: CapturedTable, record: SnapshotRecord)?, _ nodes: NodeSource
    ) throws -> TableDifference? {
        let old = try before.map { try SnapshotLog(path, $0.record.root, nodes) }
        let new = try after.map { try SnapshotLog(path, $0.record.root, nodes) }
        if let old, let new, old.isSame(new) { return nil }
        return try TableDifference(
            path,
            before.flatMap { table in try old.map { try SnapshotTables.read(table.table, $0) } },
            after.flatMap { table in try new.map { try SnapshotTables.read(table.table, $0) } })
    }
}

extension SnapshotLog {
    /// Whether both logs have the same files with the same content.
    fileprivate func isSame(_ other: SnapshotLog) -> Bool {
        entries.count == other.entries.count
            && entries.allSatisfy { $0.value.payload == other.entries[$0.key]?.payload }
    }
}
