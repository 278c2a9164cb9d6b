package import Bytes
internal import Hashing

// A table in the record of a snapshot (format version 2):
//
//     path of its directory    varint count, bytes
//     state                    1: 0 pinned, 1 copied as plain files, 2 lacks files
//     version + 1              varint; 0 when it is not known
//     id of the table          varint count, bytes
//     reason                   varint count, bytes; of states 1 and 2
//     has seal                 1; if 1:
//       seal                   32
//       files, directories     varints: what the manifest has at and below the path
//       watched                number (varint), each path below the table (varint count, bytes)

/// What a snapshot tells of a table in it.
package struct CapturedTable: Equatable, Sendable {
    package enum State: UInt8, Sendable {
        /// All that its version and the history before it need, as they were at one moment.
        case pinned = 0
        /// Plain files, taken one after the other: not known to be a whole version.
        case unverified = 1
        /// Files that its version needs were gone, or are damaged.
        case damaged = 2
    }

    /// Of its directory, in the snapshot.
    package var path: [UInt8]
    package var state: State
    package var version: Int64?
    /// The id in its metadata; empty when it is not known.
    package var id: [UInt8]
    /// Why it is not pinned.
    package var reason: [UInt8]
    /// Tells that nothing happened to the table since.
    package var seal: TableSeal?

    package init(
        _ path: [UInt8], _ state: State, version: Int64? = nil, id: String = "",
        reason: String = ""
    ) {
        self.path = path
        self.state = state
        self.version = version
        self.id = Array(id.utf8)
        self.reason = Array(reason.utf8)
    }
}

/// What a table looked like from outside: with nothing of it changed its log says what it said, and
/// all that the snapshot has of it can be taken over unread.
package struct TableSeal: Equatable, Sendable {
    /// Over what the file system tells of the log's files and of the watched paths.
    package var digest: SHA256Digest
    /// What the manifest has at and below the table.
    package var files: UInt64
    package var directories: UInt64
    /// Directories, the table's first, and files that are no segments.
    package var watched: [[UInt8]]

    package init(digest: SHA256Digest, files: UInt64, directories: UInt64, watched: [[UInt8]]) {
        self.digest = digest
        self.files = files
        self.directories = directories
        self.watched = watched
    }

    /// A table with more is compared entry by entry.
    package static let watchedLimit = 4096
}

// MARK: - Coding
extension CapturedTable {
    private static let stringLimit = 128 << 10

    func encode(into writer: inout ByteWriter) {
        writer.string(path)
        writer.u8(state.rawValue)
        writer.varint(UInt64(bitPattern: (version ?? -1) &+ 1))
        writer.string(id)
        writer.string(reason)
        writer.u8(seal == nil ? 0 : 1)
        guard let seal else { return }
        writer.digest(seal.digest)
        writer.varint(seal.files)
        writer.varint(seal.directories)
        writer.count(seal.watched.count)
        for path in seal.watched { writer.string(path) }
    }

    init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        path = try reader.string(limit: Self.stringLimit, "a path")
        guard ManifestPath.isValid(path) else { throw reader.invalid("the path of a table") }
        guard let state = State(rawValue: try reader.u8()) else {
            throw reader.invalid("a known state of a table")
        }
        self.state = state
        let coded = try reader.varint("a version")
        guard coded <= UInt64(Int64.max) else { throw reader.invalid("a version") }
        version = coded == 0 ? nil : Int64(coded) - 1
        id = try reader.string(limit: Self.stringLimit, "the id of a table")
        reason = try reader.string(limit: Self.stringLimit, "a reason")
        let hasSeal = try reader.u8()
        guard hasSeal <= 1 else { throw reader.invalid("0 or 1") }
        seal = hasSeal == 0 ? nil : try TableSeal(decoding: &reader)
    }
}

extension TableSeal {
    fileprivate init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        digest = try reader.sha256()
        files = try reader.varint()
        directories = try reader.varint()
        watched = []
        for _ in 0..<(try reader.count(limit: Self.watchedLimit, "a number of paths")) {
            let path = try reader.string(limit: ManifestPath.pathLimit, "a path")
            guard ManifestPath.isValid(path) else { throw reader.invalid("a path in a table") }
            watched.append(path)
        }
    }
}
