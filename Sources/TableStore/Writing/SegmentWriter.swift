internal import Bytes
internal import Parquet
internal import Platform
internal import SystemPackage
internal import TableLog

/// Writes data files: row groups, new ones and those of other files, until one is large enough.
///
/// Each file is synced, and read again before it is handed over: its footer, and when there are
/// row groups of other files in it, the checksums of all pages.
final class SegmentWriter {
    private let layout: TableLayout
    private let schema: Schema
    private let options: WriterOptions
    private let partition: Partition
    private let targetSize: Int64
    private var writer: FileWriter<SegmentFile>?
    private var file: SegmentFile?
    /// Whether row groups of other files are in the file that is being written.
    private var isSpliced = false
    /// Files that are complete.
    private(set) var finished: [AddFile] = []

    init(
        _ layout: TableLayout, _ schema: Schema, _ options: WriterOptions,
        _ partition: Partition, targetSize: Int64
    ) {
        self.layout = layout
        self.schema = schema
        self.options = options
        self.partition = partition
        self.targetSize = targetSize
    }

    var isOpen: Bool { writer != nil }
    /// Bytes of the file that is being written.
    var size: Int64 { writer?.size ?? 0 }

    private func open(_ directory: SegmentDirectory) throws(TableStoreError) {
        guard writer == nil else { return }
        let file = try directory.makeFile(partition.directory(layout))
        self.file = file
        writer = try parqueted("") { () throws(ParquetError) in
            try FileWriter(file, schema, options)
        }
    }

    func append(
        _ rows: RecordBatch, in directory: SegmentDirectory
    ) throws(TableStoreError) {
        guard rows.rowCount > 0 else { return }
        try open(directory)
        try parqueted("") { () throws(ParquetError) in
            try writer?.append(try GroupEncoding.encode(rows, schema, options))
        }
        if size >= targetSize { try finish(in: directory) }
    }

    /// Copies a row group byte for byte; false when its file is another one than this can be.
    func splice(
        _ source: ParquetFile, rowGroup: Int, in directory: SegmentDirectory
    ) throws(TableStoreError) -> Bool {
        guard let group = try Self.spliced(source, rowGroup: rowGroup, schema) else { return false }
        try splice(group, in: directory)
        return true
    }

    /// A row group that can be copied into files with these fields; nil when it cannot, and its
    /// rows are to be written anew.
    static func spliced(
        _ source: ParquetFile, rowGroup: Int, _ schema: Schema
    ) throws(TableStoreError) -> SplicedGroup? {
        guard source.schema.elements.dropFirst() == schema.elements.dropFirst() else { return nil }
        do throws(ParquetError) {
            return try SplicedGroup(source, rowGroup: rowGroup)
        } catch {
            guard error.kind != .inputOutput else { throw TableStoreError(error, "") }
            return nil
        }
    }

    /// Copies a row group of a file with the fields of this one byte for byte.
    func splice(
        _ group: SplicedGroup, in directory: SegmentDirectory
    ) throws(TableStoreError) {
        try open(directory)
        do throws(ParquetError) {
            try writer?.splice(group)
        } catch {
            throw TableStoreError(error, "")
        }
        isSpliced = true
        if size >= targetSize { try finish(in: directory) }
    }

    /// Ends the file that is being written; a writer without rows has none.
    func finish(in directory: SegmentDirectory) throws(TableStoreError) {
        guard let file, writer != nil else { return }
        let footer = try parqueted("") { () throws(ParquetError) in try writer?.finish() }
        writer = nil
        self.file = nil
        let isSpliced = isSpliced
        self.isSpliced = false
        guard footer?.rowCount ?? 0 > 0 else {
            directory.remove(file)
            return
        }
        var finished: AddFile?
        try file.sync { () throws(TableStoreError) in
            finished = try directory.describe(file, partition, layout, checksPages: isSpliced)
        }
        if let finished { self.finished.append(finished) }
    }
}

/// The directory of a table as far as data files are made in it.
final class SegmentDirectory {
    private let root: PinnedDirectory
    private let reading: TableDirectory
    private var made: Set<ExactText> = []
    /// Directories with new names that are not synced yet, by their paths.
    private var unsynced: Set<ExactText> = []
    /// What was made here and is in no commit yet.
    private(set) var files: [[UInt8]] = []

    init(_ path: [UInt8]) throws(TableStoreError) {
        let root: PinnedDirectory
        root = try calling("") { () throws(PlatformError) in try PinnedDirectory(path) }
        self.root = root
        reading = try logged { () throws(TableLogError) in try TableDirectory(path) }
    }

    func makeFile(_ directory: ExactText) throws(TableStoreError) -> SegmentFile {
        try makeDirectories(directory)
        let name = "seg-\(UniqueName.timeOrdered()).parquet"
        let path = PathBytes.join(Array(directory.utf8), Array(name.utf8))
        let file = try calling("") { () throws(PlatformError) in try SegmentFile(path, in: root) }
        files.append(path)
        unsynced.insert(directory)
        return file
    }

    private func makeDirectories(_ path: ExactText) throws(TableStoreError) {
        guard !path.isEmpty, !made.contains(path) else { return }
        var parent: ExactText = ""
        for part in path.utf8.split(separator: UInt8(ascii: "/")) {
            let name = ExactText(Substring(part))
            let directory = parent.isEmpty ? name : "\(parent)/\(name)"
            do throws(PlatformError) {
                let above = try root.open(Array(parent.utf8), [.readOnly, .directory])
                try FileOperations.makeDirectory(Array(name.utf8), at: above.raw)
            } catch {
                guard error.errno == .fileExists else { throw TableStoreError(error) }
            }
            unsynced.insert(parent)
            parent = directory
        }
        made.insert(path)
    }

    /// Waits until all names that were made are on the disk.
    func sync() throws(TableStoreError) {
        for path in unsynced.sorted() {
            try calling(path.string) { () throws(PlatformError) in
                try root.open(Array(path.utf8), [.readOnly, .directory]).sync(Array(path.utf8))
            }
        }
        unsynced.removeAll()
    }

    func describe(
        _ file: SegmentFile, _ partition: Partition, _ layout: TableLayout, checksPages: Bool
    ) throws(TableStoreError) -> AddFile {
        let path = ExactText(String(decoding: file.path, as: UTF8.self))
        let source = try logged { () throws(TableLogError) in try reading.open(path) }
        let written = try parqueted(path.string) { () throws(ParquetError) in
            try ParquetFile(source)
        }
        if checksPages {
            do throws(ParquetError) {
                try CopiedPages.check(written)
            } catch {
                throw TableStoreError(
                    .damaged, "",
                    "a page that was copied from a data file is not what its checksum says "
                        + "(\(error)); nothing was changed, and verify names the data file")
            }
        }
        var values: [ExactText: ExactText?] = [:]
        for (column, value) in zip(layout.partitionColumns, partition.values) {
            values.updateValue(value, forKey: layout.schema.fields[column].physicalName)
        }
        return AddFile(
            path: DataPath.encode(path), partitionValues: values, size: source.size,
            modificationTime: Timestamp.now().milliseconds,
            statistics: FileStatistics.text(written, layout))
    }

    func remove(_ file: SegmentFile) {
        try? FileOperations.remove(file.path, at: root.descriptor.raw)
        files.removeAll { $0 == file.path }
    }

    /// Removes the files of a change that was not committed.
    ///
    /// When the system refused something, the commit may be there all the same, and the files stay:
    /// vacuum sweeps them when nothing names them.
    func abandon(after error: TableStoreError? = nil) {
        if error?.kind == .environment { return }
        for path in files { try? FileOperations.remove(path, at: root.descriptor.raw) }
        files.removeAll()
    }
}
