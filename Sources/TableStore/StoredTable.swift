internal import Bytes
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

extension Timestamp {
    /// Since 1970.
    var milliseconds: Int64 {
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        return overflow ? (seconds < 0 ? .min : .max) : whole &+ Int64(nanoseconds / 1_000_000)
    }
}
