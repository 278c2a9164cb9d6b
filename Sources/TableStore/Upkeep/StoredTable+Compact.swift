package import Platform

internal import Bytes
internal import Parquet
internal import TableLog

/// How a table is compacted.
package struct CompactionOptions: Sendable {
    /// About how large data files become.
    package var targetSize: Int64 = TableWriter.targetSize
    /// Only files of partitions that match.
    package var filter: Filter?
    /// Told how much of the files has been put together.
    package var progress: WorkProgress?

    package init() {}
}

/// What a compaction did.
package struct CompactionReport: Equatable, Sendable {
    /// Row groups that were copied byte for byte.
    package var splicedGroups = 0
    /// Rows that were written anew, because their row groups were too small or had gaps.
    package var rewrittenRows: Int64 = 0
    /// Nil when there was nothing to do.
    package var commit: CommitOutcome?
}

extension StoredTable {
    /// Makes few large data files of many small ones, partition by partition, in one commit.
    ///
    /// Rows stay as they are, and where they can their row groups too, byte for byte.
    package func compact(
        _ options: CompactionOptions = CompactionOptions()
    ) throws(TableStoreError) -> CompactionReport {
        try checkWritable()
        let run = Compaction(
            self, TableLayout(self), try TableLayout(self).fileSchema(),
            try SegmentDirectory(path), options.targetSize)
        do throws(TableStoreError) {
            let bins = try bins(options)
            options.progress?.begin(bins.flatMap { $0 })
            for bin in bins { try run.merge(bin, options.progress) }
        } catch {
            run.directory.abandon()
            throw error
        }
        return try run.commit()
    }

    /// The files that become one each: neighbours of a partition that are small, or have gaps.
    private func bins(_ options: CompactionOptions) throws(TableStoreError) -> [[AddFile]] {
        var predicate: Predicate?
        if let filter = options.filter {
            let bound = try Predicate(filter, schema)
            guard Set(bound.columns).isSubset(of: partitionColumns) else {
                throw .request(
                    "compaction takes whole partitions: the filter may name only columns that the "
                        + "table is partitioned by")
            }
            predicate = bound
        }
        var partitions: [Partition: [AddFile]] = [:]
        for file in files {
            let ranges = FileRanges(self, file)
            if predicate?.judge({ ranges.range($0) }) == Verdict.none { continue }
            partitions[Partition(file, self), default: []].append(file)
        }
        let order = partitions.values.sorted { $0[0].path < $1[0].path }
        return order.flatMap { Self.bins($0, options.targetSize) }
    }

    private static func bins(_ files: [AddFile], _ targetSize: Int64) -> [[AddFile]] {
        var (bins, bin, size): ([[AddFile]], [AddFile], Int64) = ([], [], 0)
        for file in files {
            // A file that is nearly as large as wanted stays as it is.
            if file.size >= targetSize / 4 * 3, file.deletionVector == nil { continue }
            if size.addingClamped(file.size) > targetSize, !bin.isEmpty {
                bins.append(bin)
                (bin, size) = ([], 0)
            }
            bin.append(file)
            size = size.addingClamped(file.size)
        }
        bins.append(bin)
        return bins.filter { $0.count > 1 || $0.contains { $0.deletionVector != nil } }
    }
}

/// One compaction while it runs.
private final class Compaction {
    private let table: StoredTable
    private let layout: TableLayout
    private let fileSchema: Schema
    let directory: SegmentDirectory
    private let options: WriterOptions
    private let targetSize: Int64
    private var report = CompactionReport()
    private var added: [AddFile] = []
    private var removed: [RemoveFile] = []

    /// Bytes of rows that are joined at most.
    private static let pendingLimit = 48 << 20

    init(
        _ table: StoredTable, _ layout: TableLayout, _ fileSchema: Schema,
        _ directory: SegmentDirectory, _ targetSize: Int64
    ) {
        self.table = table
        self.layout = layout
        self.fileSchema = fileSchema
        self.directory = directory
        self.targetSize = targetSize
        options = TableWriter.options(layout)
    }

    func merge(_ bin: [AddFile], _ progress: WorkProgress?) throws(TableStoreError) {
        let segment = SegmentWriter(
            layout, fileSchema, options, Partition(bin[0], table), targetSize: .max)
        var pending: [RecordBatch] = []
        let parts = CompactionParts(table, bin, fileSchema)
        while let part = try parts.next() {
            try checkInterruption()
            switch part {
            case .nothing: continue
            case .end(let add): progress?.finish(add)
            case .spliced(let group):
                try write(&pending, segment)
                try segment.splice(group, in: directory)
                report.splicedGroups += 1
            case .rows(let rows): try join(rows, &pending, segment)
            case .unread(let content, let group, let rows):
                try join(try content.read(group, rows), &pending, segment)
            }
        }
        try write(&pending, segment)
        try segment.finish(in: directory)
        added += segment.finished.map { file in
            var file = file
            file.dataChange = false
            return file
        }
        let now = Timestamp.now().milliseconds
        removed += bin.map { $0.removed(at: now, dataChange: false) }
    }

    private func join(
        _ rows: RecordBatch, _ pending: inout [RecordBatch], _ segment: SegmentWriter
    ) throws(TableStoreError) {
        pending.append(rows)
        let bytes = pending.reduce(0) { $0 + $1.byteCount }
        if bytes >= Self.pendingLimit { try write(&pending, segment) }
    }

    /// Writes rows that were joined, in the order of the sort columns when there are some.
    private func write(
        _ pending: inout [RecordBatch], _ segment: SegmentWriter
    ) throws(TableStoreError) {
        guard !pending.isEmpty else { return }
        var rows = RecordBatch.joined(pending)
        pending.removeAll()
        let stored = layout.storedColumns
        let keys = layout.sortColumns.compactMap { stored.firstIndex(of: $0) }
        if !keys.isEmpty { rows = rows.taking(RowSorting.order(rows, by: keys)) }
        report.rewrittenRows += Int64(rows.rowCount)
        var cutter = RowGroupCutter(fileSchema, options)
        var groups = try parqueted("") { () throws(ParquetError) in try cutter.add(rows) }
        if let rest = cutter.finish() { groups.append(rest) }
        for group in groups { try segment.append(group, in: directory) }
    }

    func commit() throws(TableStoreError) -> CompactionReport {
        guard !removed.isEmpty else { return report }
        do throws(TableStoreError) {
            try directory.sync()
            report.commit = try table.commit(
                "OPTIMIZE", added: added, removed: removed, reads: .removedFiles)
        } catch {
            directory.abandon(after: error)
            throw error
        }
        return report
    }
}
