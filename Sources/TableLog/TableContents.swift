package import Bytes

internal import JSON

// What a version consists of, for whoever copies it: the log up to the version, the files that are
// live at it, and those that versions before it had, as far as the log still tells of them and they
// are still there (PROTOCOL.md, "File Types").

/// The files that a version of a table, and the history that the log retains of it, consist of.
///
/// Paths are relative to the table, decoded.
package struct TableContents: Sendable {
    package let table: TableSnapshot
    /// Names in the directory of the log, sorted, without the hint `_last_checkpoint`.
    package private(set) var logNames: [String] = []
    /// Names in the directory for sidecars.
    package private(set) var sidecars: Set<ExactText> = []
    /// The files that are live, with their sizes where the log tells them.
    package private(set) var live: [ExactText: Int64?] = [:]
    /// Files that only versions before need, and change files: vacuum may take them.
    package private(set) var retained: Set<ExactText> = []
}

extension LogListing {
    /// The newest version that can be read with all the log has up to it, and whether there are
    /// commits behind a gap after it.
    ///
    /// Nil when nothing can be read: neither a first commit nor a checkpoint is there.
    package var newestWhole: (version: Int64, isGapped: Bool)? {
        let first = checkpoints.first?.version ?? (commits[0] == nil ? nil : 0)
        guard var version = first else { return nil }
        while version < .max, commits[version + 1] != nil { version += 1 }
        return (version, (commits.keys.max() ?? version) > version)
    }

    /// Whether a name in the log belongs to `version` or one before it: not what is later, half a
    /// checkpoint, or a temporary name.
    func holds(_ name: String, upTo version: Int64) -> Bool {
        // Hadoop keeps a checksum beside each file.
        if name.hasPrefix("."), name.hasSuffix(".crc") {
            return holds(String(name.dropFirst().dropLast(4)), upTo: version)
        }
        let pieces = name.split(separator: ".", omittingEmptySubsequences: false)
        guard pieces.count > 1, let number = Self.version(pieces[0]), number <= version else {
            return false
        }
        switch pieces[1] {
        case "json", "crc": return pieces.count == 2
        case "checkpoint": return checkpoints.contains { $0.names.contains(name) }
        default:
            guard pieces.count == 4, pieces[2] == "compacted", pieces[3] == "json",
                let last = Self.version(pieces[1])
            else { return false }
            return last <= version
        }
    }
}

extension LogReader {
    /// The files of `version`, which must be readable, and of the history before it.
    ///
    /// Throws `.unsupported` where files lie outside of the table, or the table may consist of more
    /// than is understood here.
    package func contents(version: Int64) throws(TableLogError) -> TableContents {
        guard let files = try files.listLog() else {
            throw TableLogError(.notATable, "", "there is no \(TableDirectory.log) here")
        }
        let listing = LogListing(files)
        let table = try snapshot(version: version)
        try table.checkReadable()
        var contents = TableContents(table: table)
        contents.keepLog(files.map(\.name).filter { listing.holds($0, upTo: version) })
        for checkpoint in listing.checkpoints
        where checkpoint.version <= version {
            contents.keepSidecars(try CheckpointReader(self.files).sidecars(checkpoint.names))
        }
        for add in table.files.values { try contents.keep(add) }
        for remove in table.tombstones.values {
            try contents.retain(remove.path, remove.deletionVector)
        }
        for number in listing.commits.keys.sorted() where number <= version {
            for action in try actions(of: number) { try contents.retain(action) }
        }
        return contents
    }

    /// The version that the hint in the log speaks of; nil where there is none to be understood.
    package static func hintedVersion(_ bytes: [UInt8]) -> Int64? {
        (try? JSONValue(parsing: bytes[...]))?["version"]?.int64
    }
}

extension TableContents {
    fileprivate init(table: TableSnapshot) { self.table = table }

    fileprivate mutating func keepLog(_ names: [String]) { logNames = names }

    fileprivate mutating func keepSidecars(_ names: [ExactText]) { sidecars.formUnion(names) }

    fileprivate mutating func keep(_ add: AddFile) throws(TableLogError) {
        live[try DataPath.decode(add.path)] = .some(add.size)
        if let path = try add.deletionVector?.pathInTable {
            live.updateValue(nil, forKey: path)
        }
    }

    fileprivate mutating func retain(_ action: LogAction) throws(TableLogError) {
        switch action {
        case .add(let add): try retain(add.path, add.deletionVector)
        case .remove(let remove): try retain(remove.path, remove.deletionVector)
        case .change(let path): try retain(path, nil)
        default: break
        }
    }

    fileprivate mutating func retain(
        _ path: ExactText, _ vector: DeletionVectorReference?
    ) throws(TableLogError) {
        let decoded = try DataPath.decode(path)
        if live[decoded] == nil { retained.insert(decoded) }
        if let path = try vector?.pathInTable, live[path] == nil {
            retained.insert(path)
        }
    }
}

extension AddFile {
    /// Rows that the file has, those that are deleted left out; nil where the log does not tell.
    package var rowCount: Int64? {
        guard let statistics, let value = try? JSONValue(parsing: statistics),
            let count = value["numRecords"]?.int64
        else { return nil }
        return max(0, count.subtractingClamped(deletionVector?.cardinality ?? 0))
    }
}

extension TableSnapshot {
    /// Rows of the table; nil where the log does not tell of all files.
    package var rowCount: Int64? {
        var count: Int64 = 0
        for file in files.values {
            guard let rows = file.rowCount else { return nil }
            count = count.addingClamped(rows)
        }
        return count
    }
}
