internal import Parquet
internal import Platform
internal import TableLog

/// Writes rows of a table into new data files: by partition, sorted when the table is, cut at the
/// target size.
///
/// Memory is bounded whatever the number of rows and partitions.
final class TableWriter {
    private let layout: TableLayout
    private let schema: Schema
    private let options: WriterOptions
    private let targetSize: Int64
    let directory: SegmentDirectory
    private var places: [Partition: Int] = [:]
    private var open: [OpenPartition] = []
    private var pendingBytes = 0
    private var clock = 0
    private(set) var rowCount: Int64 = 0

    /// What is gathered for a partition.
    private final class OpenPartition {
        let segment: SegmentWriter
        var cutter: RowGroupCutter
        /// Rows that wait to be sorted.
        var unsorted: [RecordBatch] = []
        var bytes = 0
        var lastUse = 0

        init(_ segment: SegmentWriter, _ cutter: RowGroupCutter) {
            self.segment = segment
            self.cutter = cutter
        }
    }

    /// Bytes of rows that wait in memory at most, in all partitions together.
    private static let pendingLimit = 96 << 20
    /// Bytes of rows that are sorted together.
    private static let sortLimit = 48 << 20
    /// Data files that are open at a time.
    private static let openLimit = 128

    static let targetSize: Int64 = 128 << 20

    init(
        _ path: [UInt8], _ layout: TableLayout, targetSize: Int64 = targetSize
    ) throws(TableStoreError) {
        self.layout = layout
        self.targetSize = targetSize
        schema = try layout.fileSchema()
        options = Self.options(layout)
        directory = try SegmentDirectory(path)
    }

    static func options(_ layout: TableLayout) -> WriterOptions {
        var options = WriterOptions()
        let stored = layout.storedColumns
        options.sorting = layout.sortColumns.compactMap { column in
            stored.firstIndex(of: column).map {
                SortingColumn(leaf: Int32(clamping: $0), nullsFirst: true)
            }
        }
        return options
    }
}

// MARK: - Rows
extension TableWriter {
    /// Adds rows, with a column for each of the table's; nulls where none may be are refused.
    func append(_ batch: RecordBatch) throws(TableStoreError) {
        guard batch.rowCount > 0 else { return }
        for (column, field) in zip(batch.columns, layout.schema.fields)
        where !field.isNullable && column.nullCount > 0 {
            throw TableStoreError(.input, "", "column \(field.name) is not null, and there is one")
        }
        rowCount += Int64(batch.rowCount)
        if layout.partitionColumns.isEmpty {
            try add(layout.stored(batch), to: .whole)
        } else {
            for (partition, rows) in try split(batch) {
                try add(layout.stored(batch.taking(rows)), to: partition)
            }
        }
        try makeRoom()
    }

    /// The rows of each partition; neighbours with the same values are looked up once.
    private func split(
        _ batch: RecordBatch
    ) throws(TableStoreError) -> [(Partition, [Int])] {
        let keys = layout.partitionColumns.map { batch.columns[$0] }
        var (found, parts): ([Partition: Int], [(Partition, [Int])]) = ([:], [])
        var current = 0
        for row in 0..<batch.rowCount {
            let isSame = row > 0 && keys.allSatisfy { $0.isIdentical(row - 1, row) }
            if !isSame {
                let partition = try Partition(batch, row, layout)
                if let known = found[partition] {
                    current = known
                } else {
                    current = parts.count
                    found[partition] = current
                    parts.append((partition, []))
                }
            }
            parts[current].1.append(row)
        }
        return parts
    }

    private func add(_ rows: RecordBatch, to partition: Partition) throws(TableStoreError) {
        let place = openPlace(partition)
        let open = self.open[place]
        clock += 1
        open.lastUse = clock
        open.bytes += rows.byteCount
        pendingBytes += rows.byteCount
        guard layout.sortColumns.isEmpty else {
            open.unsorted.append(rows)
            if open.bytes >= Self.sortLimit { try flush(open) }
            return
        }
        let groups = try parqueted("") { () throws(ParquetError) in try open.cutter.add(rows) }
        for group in groups {
            forget(group.byteCount, open)
            try open.segment.append(group, in: directory)
        }
    }

    private func openPlace(_ partition: Partition) -> Int {
        if let place = places[partition] { return place }
        let segment = SegmentWriter(
            layout, schema, options, partition, targetSize: targetSize)
        open.append(OpenPartition(segment, RowGroupCutter(schema, options)))
        places[partition] = open.count - 1
        return open.count - 1
    }

    private func forget(_ bytes: Int, _ open: OpenPartition) {
        open.bytes -= bytes
        pendingBytes -= bytes
    }

    /// Writes what a partition has gathered; sorted rows end their file, which is in order then.
    private func flush(_ open: OpenPartition) throws(TableStoreError) {
        forget(open.bytes, open)
        if !open.unsorted.isEmpty {
            let all = RecordBatch.joined(open.unsorted)
            open.unsorted.removeAll()
            let stored = layout.storedColumns
            let keys = layout.sortColumns.compactMap { stored.firstIndex(of: $0) }
            let sorted = all.taking(RowSorting.order(all, by: keys))
            let groups = try parqueted("") { () throws(ParquetError) in
                try open.cutter.add(sorted)
            }
            for group in groups { try open.segment.append(group, in: directory) }
        }
        if let rest = open.cutter.finish() { try open.segment.append(rest, in: directory) }
        if !layout.sortColumns.isEmpty { try open.segment.finish(in: directory) }
    }

    /// Keeps rows in memory and open files below their limits.
    private func makeRoom() throws(TableStoreError) {
        if pendingBytes > Self.pendingLimit {
            for largest in open.sorted(by: { $0.bytes > $1.bytes })
            where pendingBytes > Self.pendingLimit / 2 && largest.bytes > 0 {
                try flush(largest)
            }
        }
        let writing = open.filter { $0.segment.isOpen }
        guard writing.count > Self.openLimit else { return }
        for oldest in writing.sorted(by: { $0.lastUse < $1.lastUse }).prefix(Self.openLimit / 2) {
            try flush(oldest)
            try oldest.segment.finish(in: directory)
        }
    }

    /// Writes what is left; all data files are on the disk then, and only a commit is missing.
    func finish() throws(TableStoreError) -> [AddFile] {
        var files: [AddFile] = []
        for open in open {
            try flush(open)
            try open.segment.finish(in: directory)
            files += open.segment.finished
        }
        try directory.sync()
        return files
    }
}

extension Column {
    /// Whether two rows hold the same value; zeros with and without sign are two.
    fileprivate func isIdentical(_ one: Int, _ other: Int) -> Bool {
        guard RowSorting.compare(self, one, other) == 0 else { return false }
        switch values {
        case .float(let values): return values[one].bitPattern == values[other].bitPattern
        case .double(let values): return values[one].bitPattern == values[other].bitPattern
        default: return true
        }
    }
}
