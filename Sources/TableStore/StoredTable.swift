package import Bytes
package import Platform
package import TableLog

internal import Parquet
internal import SystemPackage

/// Which version of a table is meant.
package enum VersionChoice: Equatable, Sendable {
    case latest
    case number(Int64)
    /// The newest that was there at a moment.
    case time(Timestamp)
}

/// A table at one version.
package struct StoredTable: Sendable {
    package let path: [UInt8]
    package let log: CommitLog
    package let snapshot: TableSnapshot
    package let schema: TableSchema
    /// Places of the columns that the table is partitioned by, in their order.
    package let partitionColumns: [Int]
    /// Places of the columns that rows of a segment are sorted by, in their order.
    package let sortColumns: [Int]

    /// The setting that keeps the names of the sort columns.
    static let sortSetting: ExactText = "varve.sortBy"

    /// Opens the table in a directory; throws when its rows cannot be read here.
    package init(
        _ path: [UInt8], at choice: VersionChoice = .latest
    ) throws(TableStoreError) {
        let directory: TableDirectory
        do throws(TableLogError) {
            directory = try TableDirectory(path)
        } catch {
            guard let cause = error.cause, cause.isNotFound else { throw TableStoreError(error) }
            throw TableStoreError(
                .notATable, PathBytes.printable(path),
                cause.errno == .notDirectory
                    ? "a file, and not the directory of a table" : "there is no such directory")
        }
        try self.init(path, CommitLog(directory), at: choice)
    }

    init(
        _ path: [UInt8], _ log: CommitLog, at choice: VersionChoice = .latest
    ) throws(TableStoreError) {
        let snapshot: TableSnapshot
        do throws(TableLogError) {
            switch choice {
            case .latest: snapshot = try log.snapshot()
            case .number(let version): snapshot = try log.snapshot(version: version)
            case .time(let moment):
                snapshot = try log.snapshot(version: try log.version(at: moment.milliseconds))
            }
        } catch {
            var error = TableStoreError(error)
            if error.kind == .notATable { error.file = PathBytes.printable(path) }
            throw error
        }
        try self.init(path, log, snapshot)
    }

    init(
        _ path: [UInt8], _ log: CommitLog, _ snapshot: TableSnapshot
    ) throws(TableStoreError) {
        self.path = path
        self.log = log
        self.snapshot = snapshot
        try logged { () throws(TableLogError) in try snapshot.checkReadable() }
        let schema = try logged { () throws(TableLogError) in
            try snapshot.metadata.schema()
        }
        self.schema = schema
        var partitions: [Int] = []
        for name in snapshot.metadata.partitionColumns {
            guard let index = schema.fields.firstIndex(where: { $0.name == name }) else {
                throw TableStoreError(
                    .damaged, "", "the table is partitioned by \"\(name)\", which it has not")
            }
            partitions.append(index)
        }
        partitionColumns = partitions
        let sorting = snapshot.metadata.configuration[Self.sortSetting] ?? ""
        sortColumns = sorting.utf8.split(separator: UInt8(ascii: ",")).compactMap { name in
            schema.fields.firstIndex { $0.name == ExactText(Substring(name)) }
        }
    }

    /// Whether there is a log of a table in a directory; the directory itself may be missing.
    ///
    /// A log that holds only hidden files, which a run left that ended while it made the table, is
    /// none.
    package static func exists(_ path: [UInt8]) throws(TableStoreError) -> Bool {
        do throws(PlatformError) {
            let log = PathBytes.join(path, Array("_delta_log".utf8))
            let directory = try Descriptor.open(log, [.readOnly, .directory])
            return try directory.names(log).contains { $0.first != UInt8(ascii: ".") }
        } catch {
            guard error.isNotFound else { throw TableStoreError(error) }
            return false
        }
    }

    /// Opens a data file.
    ///
    /// Throws when it is not there: `.noSuchVersion` where newer versions may do without it, and
    /// `.damaged` for the newest.
    func open(_ file: AddFile) throws(TableStoreError) -> ParquetFile {
        do throws(TableLogError) {
            return try log.open(file)
        } catch {
            throw try explained(error)
        }
    }

    /// The rows of an open data file that are deleted; throws as `open` does when the file with
    /// their list is not there.
    func deletedRows(
        of add: AddFile, _ file: ParquetFile
    ) throws(TableStoreError) -> RowSelection? {
        do throws(TableLogError) {
            return try log.deletedRows(of: add, rowCount: file.footer.rowCount)
        } catch {
            throw try explained(error)
        }
    }

    private func explained(_ error: TableLogError) throws(TableStoreError) -> TableStoreError {
        guard error.cause?.isNotFound == true else { return TableStoreError(error) }
        let newest = try logged { () throws(TableLogError) in try log.reader.listing().latest }
        guard let newest, newest > snapshot.version else {
            return TableStoreError(
                .damaged, error.file, "the data file is gone", cause: error.cause)
        }
        return TableStoreError(
            .noSuchVersion, error.file,
            "version \(snapshot.version) needs this data file, which is gone: vacuum removes "
                + "what the newest version, \(newest), does without", cause: error.cause)
    }

    /// Columns that stand in data files, by their places.
    var storedColumns: [Int] {
        schema.fields.indices.filter { !partitionColumns.contains($0) }
    }

    /// The data files in the order in which they were added, as far as that is known.
    package var files: [AddFile] {
        snapshot.files.values.sorted { one, other in
            (one.modificationTime, one.path) < (other.modificationTime, other.path)
        }
    }

    /// The same table at its newest version.
    package func refreshed() throws(TableStoreError) -> StoredTable { try StoredTable(path, log) }
}

// MARK: - Making tables
/// What a new table is to be.
package struct TableDesign: Sendable {
    package var schema: TableSchema
    /// Names of columns.
    package var partitionBy: [ExactText] = []
    /// Names of columns.
    package var sortBy: [ExactText] = []
    package var name: ExactText?

    package init(_ schema: TableSchema) { self.schema = schema }

    /// Checks that columns are there, once each, and of types to partition and sort by.
    func metadata() throws(TableStoreError) -> TableMetadata {
        try SchemaGrammar.check(schema)
        var metadata = TableMetadata(id: ExactText(UniqueName.uuid()), schemaText: schema.text)
        metadata.name = name
        metadata.createdTime = Timestamp.now().milliseconds
        var partitions: [Int] = []
        for column in partitionBy { partitions.append(try schema.index(of: column)) }
        guard Set(partitions).count == partitions.count else {
            throw .request("a column is named twice to partition by")
        }
        guard partitions.count < schema.fields.count else {
            throw .request("a table needs a column that it is not partitioned by")
        }
        metadata.partitionColumns = partitions.map { schema.fields[$0].name }
        var sorting: [Int] = []
        for column in sortBy { sorting.append(try schema.index(of: column)) }
        for index in sorting where partitions.contains(index) {
            throw .request(
                "\(schema.fields[index].name) is the same in all rows of a partition: there is "
                    + "nothing to sort")
        }
        guard Set(sorting).count == sorting.count else {
            throw .request("a column is named twice to sort by")
        }
        if !sorting.isEmpty {
            metadata.configuration[StoredTable.sortSetting] =
                ExactText(sorting.map { schema.fields[$0].name }.joined(separator: ","))
        }
        return metadata
    }

    /// The lowest versions that allow what the schema has (PROTOCOL.md, "Valid Feature Names").
    var protocolVersion: ProtocolAction {
        guard schema.fields.contains(where: { $0.type == .timestampWithoutZone }) else {
            return ProtocolAction(readerVersion: 1, writerVersion: 2)
        }
        return ProtocolAction(
            readerVersion: 3, writerVersion: 7, readerFeatures: ["timestampNtz"],
            writerFeatures: ["timestampNtz", "appendOnly", "invariants"])
    }
}

extension StoredTable {
    /// Makes an empty table; the directory is made where it is missing, and what is in it stays.
    package static func create(
        _ path: [UInt8], _ design: TableDesign
    ) throws(TableStoreError) -> StoredTable {
        let metadata = try design.metadata()
        try checkPlace(path)
        try makeDirectory(path)
        let log = CommitLog(try logged { () throws(TableLogError) in try TableDirectory(path) })
        try logged { () throws(TableLogError) in
            try log.create(design.protocolVersion, metadata)
        }
        return try StoredTable(path, log)
    }

    /// Throws unless a table can be made in a directory.
    ///
    /// It may be missing, empty, or hold what an import left behind that was killed. What else may
    /// lie there belongs to somebody, and the table's vacuum would take its Parquet files.
    package static func checkPlace(_ path: [UInt8]) throws(TableStoreError) {
        func taken(_ why: String) -> TableStoreError {
            TableStoreError(.alreadyExists, PathBytes.printable(path), why)
        }
        guard try !exists(path) else { throw taken("there is a table already") }
        let names: [[UInt8]]
        do throws(PlatformError) {
            names = try Descriptor.open(path, [.readOnly, .directory]).names(path)
        } catch {
            if error.errno == .notDirectory { throw taken("a file, and not a directory") }
            guard error.isNotFound else { throw TableStoreError(error) }
            return
        }
        let stranger = names.sorted { $0.lexicographicallyPrecedes($1) }.first { name in
            let isHidden = name.first == UInt8(ascii: "_") || name.first == UInt8(ascii: ".")
            let isSegment = name.starts(with: "seg-".utf8)
            return !isHidden && !isSegment && !name.contains(UInt8(ascii: "="))
        }
        if let stranger {
            throw taken("there is no table, but \(PathBytes.printable(stranger)) and perhaps more")
        }
    }

    /// Makes the directory of a table, not those above it; one that is there will do.
    static func makeDirectory(_ path: [UInt8]) throws(TableStoreError) {
        do throws(PlatformError) {
            try FileOperations.makeDirectory(path)
            let parent = PathBytes.parent(path)
            let above = try Descriptor.open(
                parent.isEmpty ? [UInt8(ascii: path.first == 0x2f ? "/" : ".")] : parent,
                [.readOnly, .directory])
            try above.sync(parent)
        } catch {
            guard error.errno == .fileExists else { throw TableStoreError(error) }
        }
    }
}

/// Names that nobody has given before.
enum UniqueName {
    /// A random UUID (RFC 9562, version 4).
    static func uuid() -> String { format(HostSystem.randomBytes(16), version: 4) }

    /// A UUID that begins with the time (RFC 9562, version 7): names sort as they were given.
    static func timeOrdered() -> String {
        var bytes = HostSystem.randomBytes(16)
        let time = UInt64(clamping: Timestamp.now().milliseconds)
        for index in 0..<6 {
            bytes[index] = UInt8(truncatingIfNeeded: time >> UInt64(40 - 8 * index))
        }
        return format(bytes, version: 7)
    }

    private static func format(_ random: [UInt8], version: UInt8) -> String {
        var bytes = random
        bytes[6] = bytes[6] & 0x0f | version << 4
        bytes[8] = bytes[8] & 0x3f | 0x80
        let digits = Array(Hex.encode(bytes))
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }
            .joined(separator: "-")
    }
}

extension Timestamp {
    /// Since 1970.
    var milliseconds: Int64 {
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        return overflow ? (seconds < 0 ? .min : .max) : whole &+ Int64(nanoseconds / 1_000_000)
    }
}
