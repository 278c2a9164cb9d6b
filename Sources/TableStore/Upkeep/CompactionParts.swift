internal import Parquet
internal import Platform
internal import TableLog

/// The row groups of files that become one, made ready while those before are written.
///
///     files ─▶ [thread: opens, reads indexes, or rows of small row groups] ─▶ next()
struct CompactionParts {
    enum Part: Sendable {
        /// To be copied byte for byte.
        case spliced(SplicedGroup)
        /// Rows to be written anew.
        case rows(RecordBatch)
        /// The same of a large row group, of which one at a time is read: all rows, or some.
        case unread(SegmentContent, group: Int, rows: [Int]?)
        /// A row group of which nothing stays.
        case nothing
        /// There are no more row groups in the file.
        case end(AddFile)
    }

    private enum Step: Sendable {
        case group(SegmentContent, Int)
        case end(AddFile)
        case failed(TableStoreError)
    }

    private struct Cursor {
        var files: ArraySlice<AddFile>
        var content: SegmentContent?
        var group = 0

        mutating func next(_ table: StoredTable) -> Step? {
            if let content {
                defer { group += 1 }
                if content.file.footer.rowGroups.indices.contains(group) {
                    return .group(content, group)
                }
                self.content = nil
                return .end(content.add)
            }
            guard let add = files.popFirst() else { return nil }
            do throws(TableStoreError) {
                (content, group) = (try SegmentContent(table, add), 0)
            } catch {
                files = []
                return .failed(error)
            }
            return next(table)
        }
    }

    /// Row groups with fewer rows are joined with their neighbours, as long as they are small too.
    private static let smallRows: Int64 = 16 << 10
    private static let smallBytes: Int64 = 1 << 20
    /// Parts that are ready before they are asked for.
    private static let window = 4

    private let work: OrderedWork<Result<Part, TableStoreError>>

    init(_ table: StoredTable, _ files: [AddFile], _ schema: Schema) {
        let cursor = Monitor(Cursor(files: files[...]))
        work = OrderedWork(threads: 1, window: Self.window) {
            cursor.withState { $0.next(table) }
        } work: { step in
            do throws(TableStoreError) {
                return .success(try Self.part(step, schema))
            } catch {
                return .failure(error)
            }
        }
    }

    /// The next part, file by file and in each row group by row group; nil at the end.
    func next() throws(TableStoreError) -> Part? { try work.next()?.get() }

    private static func part(_ step: Step, _ schema: Schema) throws(TableStoreError) -> Part {
        switch step {
        case .failed(let error): throw error
        case .end(let add): return .end(add)
        case .group(let content, let group): return try part(content, group, schema)
        }
    }

    private static func part(
        _ content: SegmentContent, _ group: Int, _ schema: Schema
    ) throws(TableStoreError) -> Part {
        let isSmall = isSmall(content.file.footer.rowGroups[group])
        let rows: [Int]?
        switch try content.rows(of: group).kept {
        case .none: return .nothing
        case .some(let some): rows = some
        case .whole:
            rows = nil
            if !isSmall,
                let spliced = try SegmentWriter.spliced(content.file, rowGroup: group, schema)
            {
                return .spliced(spliced)
            }
        }
        guard isSmall else { return .unread(content, group: group, rows: rows) }
        return .rows(try content.read(group, rows))
    }

    private static func isSmall(_ group: RowGroup) -> Bool {
        group.rowCount < smallRows
            && group.columns.reduce(0) { $0 &+ $1.storedSize } < smallBytes
    }
}
