package import Platform

internal import Bytes
internal import Parquet
internal import TableLog

/// What is wrong with a table.
package struct TableDamage: Equatable, Sendable {
    /// The file that it is about; empty for the table as a whole.
    package var file: String
    package var detail: String
}

/// What a verification found.
package struct VerifyReport: Equatable, Sendable {
    package var files = 0
    package var rows: Int64 = 0
    package var bytes: Int64 = 0
    package var damages: [TableDamage] = []
}

extension StoredTable {
    /// Reads every page of every data file and compares what is there with what the log says:
    /// sizes, row counts, null counts, bounds; checksums of pages, as far as they have some.
    ///
    /// Throws only when it cannot go on; what is damaged stands in the report.
    package func verify(
        _ progress: WorkProgress? = nil
    ) throws(TableStoreError) -> VerifyReport {
        var report = VerifyReport()
        progress?.begin(files)
        let matches = try logged { () throws(TableLogError) in
            try log.matchesChecksum(snapshot)
        }
        if matches == false {
            report.damages.append(
                TableDamage(file: "", detail: "the log and its checksum contradict each other"))
        }
        do throws(TableLogError) {
            try log.reader.checkNewestCommit()
        } catch {
            guard error.kind == .damaged else { throw TableStoreError(error) }
            report.damages.append(TableDamage(file: error.file, detail: error.detail))
        }
        for file in files {
            try checkInterruption()
            do throws(TableStoreError) {
                var verification = try SegmentVerification(self, file)
                try verification.run()
                report.rows += verification.rows
                report.damages += verification.damages
            } catch {
                guard error.kind != .interrupted else { throw error }
                report.damages.append(TableDamage(file: file.path.string, detail: error.detail))
            }
            report.files += 1
            report.bytes = report.bytes.addingClamped(file.size)
            progress?.finish(file)
        }
        return report
    }
}

/// The verification of one data file.
private struct SegmentVerification {
    private let table: StoredTable
    private let add: AddFile
    private var reader: SegmentReader
    private let ranges: FileRanges
    private(set) var rows: Int64 = 0
    private(set) var damages: [TableDamage] = []
    private var nulls: [Int64]
    private var reported: Set<Int> = []

    init(_ table: StoredTable, _ add: AddFile) throws(TableStoreError) {
        self.table = table
        self.add = add
        ranges = FileRanges(table, add)
        reader = try SegmentReader(
            table, add, columns: Array(table.schema.fields.indices), nil)
        nulls = Array(repeating: 0, count: table.schema.fields.count)
    }

    private mutating func note(_ detail: String) {
        damages.append(TableDamage(file: add.path.string, detail: detail))
    }

    mutating func run() throws(TableStoreError) {
        let footer = reader.file.footer
        if let told = ranges.rowCount, told != footer.rowCount {
            note("\(footer.rowCount) rows, and the log says \(told)")
        }
        while let batch = try reader.next(limit: TableScan.batchRows) {
            try checkInterruption()
            rows += Int64(batch.rowCount)
            for column in batch.columns.indices { check(batch.columns[column], column) }
        }
        let expected = footer.rowCount.subtractingClamped(
            add.deletionVector?.cardinality ?? 0)
        if rows != expected { note("\(rows) rows could be read, \(expected) should be there") }
        checkNulls()
    }

    private mutating func check(_ column: Column, _ index: Int) {
        let field = table.schema.fields[index]
        nulls[index] += Int64(column.nullCount)
        if !field.isNullable, column.nullCount > 0, reported.insert(index).inserted {
            note("column \(field.name) is not null, and has nulls")
        }
        guard !table.partitionColumns.contains(index), let range = ranges.range(index),
            range.minimum != nil || range.maximum != nil, !reported.contains(index)
        else { return }
        let low = range.minimum.map { Predicate.compare(column: index, .less, $0) }
        let high = range.maximum.map { Predicate.compare(column: index, .greater, $0) }
        let outside = Predicate.or([low, high].compactMap { $0 })
        let mask = outside.matches([index: column], rowCount: column.count)
        for row in mask.indices where mask[row] {
            // No bound takes values into account that are no number.
            if case .floating(let value) = column.scalar(row), value.isNaN { continue }
            reported.insert(index)
            note("column \(field.name) has values outside of the bounds in the log")
            return
        }
    }

    private mutating func checkNulls() {
        // With a deletion vector the log counts rows that are not read.
        guard add.deletionVector == nil else { return }
        for (index, field) in table.schema.fields.enumerated()
        where !table.partitionColumns.contains(index) {
            guard let told = ranges.range(index)?.nullCount, told != nulls[index] else { continue }
            note("column \(field.name) has \(nulls[index]) nulls, and the log says \(told)")
        }
    }
}
