internal import Bytes
internal import Platform
internal import TableLog

/// What a commit must say to make a table equal to another version of it.
///
/// Files are compared by path and deletion vector: the same file with other rows deleted is
/// another one.
struct TableEquality {
    /// Files of the wanted version that the table does not have.
    let added: [AddFile]
    /// Files of the table that the wanted version does not have.
    let removed: [AddFile]
    private let other: [LogAction]
    /// Paths of all files that the wanted version needs, those of deletion vectors too.
    let wantedPaths: Set<ExactText>

    /// With `partition` only files with its values count, and the schema must be the same.
    init(
        _ table: TableSnapshot?, _ wanted: TableSnapshot, _ partition: [ExactText: ExactText?]
    ) throws {
        func isMeant(_ file: AddFile) -> Bool {
            partition.allSatisfy { column, value in
                guard let found = file.partitionValues[column] else { return false }
                return found == value
            }
        }
        for column in partition.keys where !wanted.metadata.partitionColumns.contains(column) {
            throw TableRestoreError.notInSnapshot(
                "the table is not partitioned by '\(column)'")
        }
        let present = (table?.files ?? [:]).filter { isMeant($0.value) }
        let files = wanted.files.filter { isMeant($0.value) }
        guard partition.isEmpty || !files.isEmpty || !present.isEmpty else {
            throw TableRestoreError.notInSnapshot("no file has these partition values")
        }
        added = files.filter { present[$0.key] == nil }.map(\.value).sorted { $0.path < $1.path }
        removed = present.filter { files[$0.key] == nil }.map(\.value)
            .sorted { $0.path < $1.path }
        wantedPaths = try Self.paths(files.map(\.value))
        other = try Self.other(table, wanted, isPart: !partition.isEmpty)
    }

    private static func paths(_ files: [AddFile]) throws(TableLogError) -> Set<ExactText> {
        var paths: Set<ExactText> = []
        for file in files {
            paths.insert(try DataPath.decode(file.path))
            if let path = file.deletionVector?.filePath { paths.insert(path) }
        }
        return paths
    }

    /// Metadata and protocol, where they must change.
    private static func other(
        _ table: TableSnapshot?, _ wanted: TableSnapshot, isPart: Bool
    ) throws -> [LogAction] {
        guard let table else { return [] }
        var actions: [LogAction] = []
        let needed = table.protocolVersion.covering(wanted.protocolVersion)
        if needed != table.protocolVersion { actions.append(.protocolVersion(needed)) }
        guard table.metadata != wanted.metadata else { return actions }
        guard !isPart else {
            throw TableRestoreError.notInSnapshot(
                "schema or settings were changed since, so a partition alone cannot be restored")
        }
        return actions + [.metadata(wanted.metadata)]
    }

    var isNothing: Bool { added.isEmpty && removed.isEmpty && other.isEmpty }

    var actions: [LogAction] {
        let now = Timestamp.now().milliseconds
        return other + removed.map { .remove($0.removed(at: now)) }
            + added.map { file in
                var file = file
                file.dataChange = true
                return .add(file)
            }
    }
}

extension ProtocolAction {
    /// What readers and writers must understand for both.
    fileprivate func covering(_ other: ProtocolAction) -> ProtocolAction {
        func union(_ one: [ExactText]?, _ other: [ExactText]?) -> [ExactText]? {
            guard one != nil || other != nil else { return nil }
            return Array(Set(one ?? []).union(other ?? [])).sorted()
        }
        let reader = max(readerVersion, other.readerVersion)
        let writer = max(writerVersion, other.writerVersion)
        let readerList = union(readerFeatures, other.readerFeatures)
        let writerList = union(writerFeatures, other.writerFeatures)
        let isCovered =
            reader == readerVersion && writer == writerVersion
            && Set(readerList ?? []) == Set(readerFeatures ?? [])
            && Set(writerList ?? []) == Set(writerFeatures ?? [])
        return isCovered
            ? self
            : ProtocolAction(
                readerVersion: reader, writerVersion: writer, readerFeatures: readerList,
                writerFeatures: writerList)
    }
}
