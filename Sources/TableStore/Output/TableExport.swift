internal import Bytes
internal import Parquet
internal import Platform
internal import SystemPackage
internal import TableLog

/// Writes rows of a table to a file that is there whole or not at all.
package enum TableExport {
    /// Writes all rows of a scan to `path`; refused when something is there and `replaces` is not
    /// set.
    ///
    /// Returns how many rows there were.
    package static func write(
        _ request: ScanRequest, of table: StoredTable, as format: RowFormat, to path: [UInt8],
        delimiter: UInt8 = UInt8(ascii: ","), header: Bool = true, replaces: Bool = false
    ) throws(TableStoreError) -> Int64 {
        var scan = try TableScan(table, request)
        let file = try ExportFile(path, replaces: replaces)
        do throws(TableStoreError) {
            let rows: Int64
            switch format {
            case .csv:
                let text = RowText(scan.fields, .csv(delimiter: delimiter))
                rows = try write(&scan, text, header ? text.header : [], file)
            case .ndjson: rows = try write(&scan, RowText(scan.fields, .ndjson), [], file)
            case .parquet: rows = try parquet(&scan, file)
            }
            try file.publish()
            return rows
        } catch {
            file.abandon()
            throw file.failure ?? error
        }
    }

    private static func write(
        _ scan: inout TableScan, _ text: RowText, _ header: [UInt8], _ file: ExportFile
    ) throws(TableStoreError) -> Int64 {
        var (bytes, rows): ([UInt8], Int64) = (header, 0)
        while let batch = try scan.next() {
            text.append(batch, to: &bytes)
            rows += Int64(batch.rowCount)
            if bytes.count >= 1 << 20 {
                try file.append(bytes)
                bytes.removeAll(keepingCapacity: true)
            }
        }
        try file.append(bytes)
        return rows
    }

    private static func parquet(
        _ scan: inout TableScan, _ file: ExportFile
    ) throws(TableStoreError) -> Int64 {
        var layout = TableLayout(scan.table)
        layout.schema.fields = scan.fields
        layout.partitionColumns = []
        layout.sortColumns = []
        let schema = try layout.fileSchema()
        let options = WriterOptions()
        var cutter = RowGroupCutter(schema, options)
        var writer = try parqueted("") { () throws(ParquetError) in
            try FileWriter(file, schema, options)
        }
        var rows: Int64 = 0
        while let batch = try scan.next() {
            rows += Int64(batch.rowCount)
            try parqueted("") { () throws(ParquetError) in
                for group in try cutter.add(batch) {
                    try writer.append(try GroupEncoding.encode(group, schema, options))
                }
            }
        }
        try parqueted("") { () throws(ParquetError) in
            if let group = cutter.finish() {
                try writer.append(try GroupEncoding.encode(group, schema, options))
            }
            _ = try writer.finish()
        }
        return rows
    }
}

/// A file under a temporary name until it is complete.
private final class ExportFile: ByteSink {
    private let directory: PinnedDirectory
    private let name: [UInt8]
    private let temporary: [UInt8]
    private let descriptor: Descriptor
    private let replaces: Bool
    private var offset: UInt64 = 0
    /// Why a write failed, which errors of Parquet do not tell.
    private(set) var failure: TableStoreError?

    init(_ path: [UInt8], replaces: Bool) throws(TableStoreError) {
        self.replaces = replaces
        let name = Array(PathBytes.name(path))
        self.name = name
        let parent = PathBytes.parent(path)
        let above: [UInt8] =
            parent.isEmpty ? [UInt8(ascii: path.first == 0x2f ? "/" : ".")] : parent
        if !replaces, (try? FileStatus.of(path)) != nil {
            throw TableStoreError(
                .refused, PathBytes.printable(path),
                "something is there already; --force replaces it")
        }
        let temporary = Array(".".utf8) + name + Array(".\(UniqueName.uuid()).tmp".utf8)
        self.temporary = temporary
        descriptor = try callingOutside { () throws(PlatformError) in
            try Descriptor.open(
                PathBytes.join(above, temporary), [.writeOnly, .create, .exclusive], mode: 0o666)
        }
        directory = try callingOutside { () throws(PlatformError) in try PinnedDirectory(above) }
    }

    func write(_ bytes: [UInt8]) throws(ParquetError) {
        do throws(TableStoreError) {
            try append(bytes)
        } catch {
            throw ParquetError(.inputOutput, at: Int64(clamping: offset), error.detail)
        }
    }

    func append(_ bytes: [UInt8]) throws(TableStoreError) {
        do throws(PlatformError) {
            try descriptor.write(bytes.span, at: offset, temporary)
        } catch {
            let failure = TableStoreError(outside: error)
            self.failure = failure
            throw failure
        }
        offset += UInt64(bytes.count)
    }

    func publish() throws(TableStoreError) {
        try callingOutside { () throws(PlatformError) in
            try descriptor.sync(temporary)
            if replaces {
                try FileOperations.rename(temporary, to: name, at: directory.descriptor.raw)
            } else {
                try FileOperations.renameWithoutReplacing(
                    temporary, to: name, at: directory.descriptor.raw)
            }
            try directory.descriptor.sync([])
        }
    }

    func abandon() { try? FileOperations.remove(temporary, at: directory.descriptor.raw) }
}
