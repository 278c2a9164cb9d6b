internal import Parquet
internal import TableLog

/// The data files of a scan that may have rows which match, opened when their turn comes.
struct ScanFiles: Sendable {
    let table: StoredTable
    let columns: [Int]
    let predicate: Predicate?
    /// The last one first.
    private var files: [AddFile]
    private(set) var skippedCount = 0
    private(set) var openedCount = 0

    init(_ table: StoredTable, _ columns: [Int], _ predicate: Predicate?) {
        self.table = table
        self.columns = columns
        self.predicate = predicate
        files = table.files.reversed()
    }

    /// The next file that is to be opened; nil at the end.
    mutating func next() -> AddFile? {
        while let add = files.popLast() {
            if let predicate {
                let ranges = FileRanges(table, add)
                if predicate.judge({ ranges.range($0) }) == .none {
                    skippedCount += 1
                    continue
                }
            }
            openedCount += 1
            return add
        }
        return nil
    }
}
