internal import Bytes
internal import Platform
internal import SystemPackage
internal import TableLog

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
