internal import Parquet
internal import Platform
internal import TableLog

/// What of a row group was not read ahead.
private struct GroupRest: Sendable {
    let part: GroupPart
    let firstRow: Int64
}

/// One row group of a scan.
private struct GroupPart: Sendable {
    let segment: SegmentSource
    let group: Int

    /// Reads batches until so many bytes of rows are there.
    func read(
        bytes limit: Int
    ) throws(TableStoreError) -> (batches: [RecordBatch], rest: GroupRest?) {
        guard let rows = try segment.selection(group) else { return ([], nil) }
        var reader = try GroupReader(segment, group, rows)
        var (batches, bytes, seen): ([RecordBatch], Int, Int64) = ([], 0, 0)
        while let batch = try reader.next(limit: TableScan.batchRows) {
            seen += Int64(TableScan.batchRows)
            if batch.rowCount > 0 { batches.append(batch) }
            bytes += batch.byteCount
            guard bytes >= limit, let next = rows.row(seen) else { continue }
            return (batches, GroupRest(part: self, firstRow: next))
        }
        return (batches, nil)
    }

    /// Reads from a row on.
    func reader(from first: Int64) throws(TableStoreError) -> GroupReader {
        let count = segment.file.footer.rowGroups[group].rowCount
        let rows = try segment.selection(group) ?? RowSelection()
        return try GroupReader(
            segment, group, rows.intersection(RowSelection(first..<max(first, count))))
    }
}

/// Reads row groups on several threads, and gives their rows out in the order of the table: the
/// result is that of reading one after the other.
///
/// A thread reads a row group as far as its rows need no more than a limit of memory; whoever asks
/// for rows reads on himself when it comes to the rest.
final class ParallelScan {
    private typealias ReadPart = (batches: [RecordBatch], rest: GroupRest?)

    private struct Source {
        var files: ScanFiles
        var segment: SegmentSource?
        var group = 0
        var isFailed = false

        /// The next row group; after a failure there are none.
        mutating func next() -> Result<GroupPart, TableStoreError>? {
            while !isFailed {
                if let segment, group < segment.file.footer.rowGroups.count {
                    group += 1
                    return .success(GroupPart(segment: segment, group: group - 1))
                }
                guard let add = files.next() else { return nil }
                do throws(TableStoreError) {
                    segment = try SegmentSource(
                        files.table, add, columns: files.columns, files.predicate)
                    group = 0
                } catch {
                    isFailed = true
                    return .failure(error)
                }
            }
            return nil
        }
    }

    private let source: Monitor<Source>
    private let work: OrderedWork<Result<ReadPart, TableStoreError>>
    /// Those that are read, the next one last.
    private var batches: [RecordBatch] = []
    /// Reads what was left of the row group before.
    private var reader: GroupReader?

    /// Bytes of rows that a thread reads before they are asked for.
    private static let partBytes = 24 << 20

    init(_ files: ScanFiles, threads: Int) {
        let source = Monitor(Source(files: files))
        self.source = source
        work = OrderedWork(
            threads: threads, window: threads + 1, source: { source.withState { $0.next() } },
            work: { (part: Result<GroupPart, TableStoreError>) in
                do throws(TableStoreError) {
                    return .success(try part.get().read(bytes: Self.partBytes))
                } catch {
                    return .failure(error)
                }
            })
    }

    /// Files that were skipped and opened so far.
    var counts: (skipped: Int, opened: Int) {
        source.withState { ($0.files.skippedCount, $0.files.openedCount) }
    }

    /// The next rows; nil at the end.
    func next() throws(TableStoreError) -> RecordBatch? {
        while batches.isEmpty {
            if let batch = try reader?.next(limit: TableScan.batchRows) {
                if batch.rowCount > 0 { return batch }
                continue
            }
            reader = nil
            guard let result = work.next() else { return nil }
            let part = try result.get()
            batches = part.batches.reversed()
            if let rest = part.rest { reader = try rest.part.reader(from: rest.firstRow) }
        }
        return batches.popLast()
    }
}
