internal import Bytes
internal import Platform
internal import TableLog

/// What an import did.
package struct ImportReport: Equatable, Sendable {
    package var rows: Int64 = 0
    /// Rows that were left out.
    package var rejectedRows: Int64 = 0
    /// Files of which all rows were left out.
    package var rejectedFiles = 0
    /// The first rows and files that were left out.
    package var rejections: [RejectedRow] = []
    /// Files that were in the table already.
    package var passedFiles: [[UInt8]] = []
    /// Whether the table was made.
    package var isCreated = false
    /// Nil when there was nothing to commit.
    package var commit: CommitOutcome?

    package init() {}
}

/// Imports files of rows into a table, in one commit.
package struct TableImport {
    private var files: [[UInt8]] = []
    private let options: ImportOptions
    private var report = ImportReport()
    private var marks: ImportMarks

    /// `table` is nil when it is to be made.
    private init(
        _ files: [[UInt8]], _ options: ImportOptions, _ table: StoredTable?
    ) throws(TableStoreError) {
        self.options = options
        marks = ImportMarks(table)
        for file in files {
            let isNew = options.once ? try marks.take(file) : true
            if isNew {
                self.files.append(file)
            } else {
                report.passedFiles.append(file)
            }
        }
    }

    /// Appends to a table that is there.
    package static func append(
        _ files: [[UInt8]], to table: StoredTable, _ options: ImportOptions = ImportOptions()
    ) throws(TableStoreError) -> ImportReport {
        try table.checkWritable()
        var run = try TableImport(files, options, table)
        let (added, directories) = try run.write(table.path, TableLayout(table))
        guard !added.isEmpty else { return run.report }
        do throws(TableStoreError) {
            run.report.commit = try table.commit(
                "WRITE", added: added, other: run.marks.actions, reads: .nothing)
        } catch {
            for directory in directories { directory.abandon(after: error) }
            throw error
        }
        return run.report
    }

    /// Makes a table of the files; when the import fails there is none.
    package static func create(
        _ files: [[UInt8]], at path: [UInt8], _ design: TableDesign,
        _ options: ImportOptions = ImportOptions()
    ) throws(TableStoreError) -> ImportReport {
        _ = try design.metadata()
        try StoredTable.checkPlace(path)
        let isThere = (try? FileStatus.following(path)) != nil
        var run = try TableImport(files, options, nil)
        try StoredTable.makeDirectory(path)
        do throws(TableStoreError) {
            let (added, directories) = try run.write(path, try TableLayout(design))
            do throws(TableStoreError) {
                let table = try StoredTable.create(path, design)
                run.report.isCreated = true
                if !added.isEmpty {
                    run.report.commit = try table.commit(
                        "WRITE", added: added, other: run.marks.actions, reads: .nothing)
                }
            } catch {
                for directory in directories { directory.abandon(after: error) }
                throw error
            }
        } catch {
            // Only what is empty can be removed so.
            if !isThere {
                try? FileOperations.remove(path, isDirectory: true)
            }
            throw error
        }
        return run.report
    }

    /// Writes the rows of all files; nothing stays of what failed.
    private mutating func write(
        _ path: [UInt8], _ layout: TableLayout
    ) throws(TableStoreError) -> ([AddFile], [SegmentDirectory]) {
        announce()
        if options.onError == .rejectFile { return try writeEach(path, layout) }
        let writer = try TableWriter(path, layout, targetSize: options.targetSize)
        do throws(TableStoreError) {
            for file in files { try add(file, layout.schema, writer) }
            return (try writer.finish(), [writer.directory])
        } catch {
            writer.directory.abandon()
            throw error
        }
    }

    /// Tells how much there is to read; a pipe does not say.
    private func announce() {
        guard let progress = options.progress else { return }
        let sizes = files.map { path in
            let status = try? FileStatus.following(path)
            return status?.type == .regular ? status?.size : nil
        }
        progress.update { counters in
            counters.filesFound = UInt64(files.count)
            counters.bytesFound = sizes.reduce(0) { $0 &+ ($1 ?? 0) }
            counters.isTotalKnown = !sizes.contains(nil)
        }
    }

    private mutating func add(
        _ file: [UInt8], _ schema: TableSchema, _ writer: TableWriter
    ) throws(TableStoreError) {
        options.progress?.update { $0.currentPath = file }
        defer { options.progress?.update { $0.filesDone += 1 } }
        var reading = FileImport(file, options, schema, writer)
        do throws(TableStoreError) {
            try reading.run()
        } catch {
            throw error.inFile(file)
        }
        report.rows += reading.rowCount
        report.rejectedRows += reading.rejectedCount
        let room = max(0, FileImport.listedRejections - report.rejections.count)
        report.rejections += reading.rejected.prefix(room)
    }

    /// Writes the rows of each file into data files of their own, which go when a row does not fit.
    private mutating func writeEach(
        _ path: [UInt8], _ layout: TableLayout
    ) throws(TableStoreError) -> ([AddFile], [SegmentDirectory]) {
        var (added, directories): ([AddFile], [SegmentDirectory]) = ([], [])
        for file in files {
            let writer = try TableWriter(path, layout, targetSize: options.targetSize)
            do throws(TableStoreError) {
                try add(file, layout.schema, writer)
                added += try writer.finish()
                directories.append(writer.directory)
            } catch {
                writer.directory.abandon()
                guard error.kind == .input else {
                    for directory in directories { directory.abandon() }
                    throw error
                }
                report.rejectedFiles += 1
                marks.drop(file)
                report.rejections.append(RejectedRow(file: file, detail: error.detail))
            }
        }
        return (added, directories)
    }
}
