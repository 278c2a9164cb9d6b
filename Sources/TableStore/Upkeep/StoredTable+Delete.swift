package import Platform

internal import Bytes
internal import Parquet
internal import TableLog

/// What a deletion did.
package struct DeleteReport: Equatable, Sendable {
    package var deletedRows: Int64 = 0
    /// Data files that were written anew because some of their rows went.
    package var rewrittenFiles = 0
    /// Row groups that were copied byte for byte into them.
    package var splicedGroups = 0
    /// Nil when no row matched.
    package var commit: CommitOutcome?
}

extension StoredTable {
    /// Deletes the rows that match, in one commit.
    ///
    /// Data files with such rows are written anew; their row groups without are copied as they
    /// are. Rows that others append in the meantime stay. Throws `.conflict` when another writer
    /// replaced or removed one of these files first.
    package func delete(
        where filter: Filter, _ progress: WorkProgress? = nil
    ) throws(TableStoreError) -> DeleteReport {
        try checkWritable()
        let predicate = try Predicate(filter, schema)
        let layout = TableLayout(self)
        let run = Deletion(
            table: self, layout: layout, predicate: predicate,
            fileSchema: try layout.fileSchema(), directory: try SegmentDirectory(path))
        do throws(TableStoreError) {
            progress?.begin(files)
            for file in files {
                try run.take(file)
                progress?.finish(file)
            }
        } catch {
            run.directory.abandon()
            throw error
        }
        return try run.commit()
    }
}

/// One deletion while it runs.
private final class Deletion {
    let table: StoredTable
    let layout: TableLayout
    let predicate: Predicate
    let fileSchema: Schema
    let directory: SegmentDirectory
    private var report = DeleteReport()
    private var added: [AddFile] = []
    private var removed: [RemoveFile] = []

    init(
        table: StoredTable, layout: TableLayout, predicate: Predicate, fileSchema: Schema,
        directory: SegmentDirectory
    ) {
        self.table = table
        self.layout = layout
        self.predicate = predicate
        self.fileSchema = fileSchema
        self.directory = directory
    }

    func take(_ add: AddFile) throws(TableStoreError) {
        try checkInterruption()
        let ranges = FileRanges(table, add)
        switch predicate.judge({ ranges.range($0) }) {
        case .none: return
        case .all where Set(predicate.columns).isSubset(of: table.partitionColumns):
            // Partition values are no estimates: all rows go, unread.
            let file = try table.open(add)
            let hidden = try table.deletedRows(of: add, file)?.count ?? 0
            remove(add, file.footer.rowCount - hidden)
        default: try rewrite(add)
        }
    }

    private func remove(_ add: AddFile, _ rows: Int64) {
        removed.append(add.removed(at: Timestamp.now().milliseconds))
        report.deletedRows += rows
    }

    /// Writes the rows anew that stay, when there are others.
    private func rewrite(_ add: AddFile) throws(TableStoreError) {
        let content = try SegmentContent(table, add)
        var kept: [SegmentContent.Kept] = []
        var deleted: Int64 = 0
        for group in content.file.footer.rowGroups.indices {
            let part = try content.rows(of: group, without: predicate)
            deleted += part.droppedRows
            kept.append(part.kept)
        }
        guard deleted > 0 else { return }
        remove(add, deleted)
        var options = TableWriter.options(layout)
        // What others wrote may be in any order, and what stays of it is in the same.
        if !content.isSorted(options.sorting, fileSchema) { options.sorting = [] }
        let segment = SegmentWriter(
            layout, fileSchema, options, Partition(add, table), targetSize: .max)
        for (group, part) in kept.enumerated() {
            switch part {
            case .none: continue
            case .whole:
                if try segment.splice(content.file, rowGroup: group, in: directory) {
                    report.splicedGroups += 1
                } else {
                    try segment.append(try content.read(group, nil), in: directory)
                }
            case .some(let rows):
                try segment.append(try content.read(group, rows), in: directory)
            }
        }
        try segment.finish(in: directory)
        added += segment.finished
        if !segment.finished.isEmpty { report.rewrittenFiles += 1 }
    }

    func commit() throws(TableStoreError) -> DeleteReport {
        guard !removed.isEmpty else { return report }
        do throws(TableStoreError) {
            try directory.sync()
            report.commit = try table.commit(
                "DELETE", added: added, removed: removed, reads: .removedFiles)
        } catch {
            directory.abandon(after: error)
            throw error
        }
        return report
    }
}
