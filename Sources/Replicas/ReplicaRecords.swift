internal import Bytes
internal import Hashing
internal import Platform
internal import Snapshots

// A record, in memory, in the state and in the journal of a replica:
//
//     path       count (varint), bytes
//     entry      as in a manifest leaf, without the content; in the state, change time and inode
//                are those of the target
//     key        32: `ManifestEntry.contentKey` of a file at the source; zeros where the content is
//                not known to be that
//     action     1: what is to be done, see `ReplicaAction`; 0 in the state

/// What becomes of an offered path.
enum ReplicaAction: UInt8, Sendable {
    /// The content that is at the target is right; owner, mode and time may not be.
    case keep = 0
    /// A file that lies whole in the staging directory.
    case place = 1
    /// A directory, symlink or special file.
    case make = 2
    /// The content is still to come.
    case build = 3
}

/// One path of a replica.
struct ReplicaRecord: Equatable, Sendable {
    var entry: ManifestEntry
    var key: SHA256Digest = .zero
    var action = ReplicaAction.keep

    func encode(into writer: inout ByteWriter) {
        writer.string(entry.path)
        entry.encode(into: &writer)
        writer.digest(key)
        writer.u8(action.rawValue)
    }

    init(_ entry: ManifestEntry, key: SHA256Digest = .zero, action: ReplicaAction = .keep) {
        self.entry = entry
        self.key = key
        self.action = action
    }

    init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        let path = try reader.string(limit: ManifestPath.pathLimit, "a path")
        entry = try ManifestEntry(decoding: &reader)
        guard path == entry.path else { throw reader.invalid("the path once more") }
        key = try reader.sha256()
        guard let action = ReplicaAction(rawValue: try reader.u8()) else {
            throw reader.invalid("a known action")
        }
        self.action = action
    }
}

/// Records in path order, as one run of bytes: a million of them take some 150 MB.
struct ReplicaRecords: Sendable {
    private(set) var bytes: [UInt8] = []
    private var starts: [Int] = []

    var count: Int { starts.count }
    var isEmpty: Bool { starts.isEmpty }

    init() {}

    /// Adds a record whose path comes after all others.
    mutating func append(_ record: ReplicaRecord) {
        starts.append(bytes.count)
        var writer = ByteWriter(capacity: 256)
        record.encode(into: &writer)
        bytes += writer.bytes
    }

    /// Decodes `count` records; each is checked, and their order.
    init(decoding reader: inout ByteReader, count: Int) throws(MalformedBytes) {
        var previous: [UInt8]?
        for _ in 0..<count {
            let record = try ReplicaRecord(decoding: &reader)
            if let previous, !PathBytes.isBefore(previous, record.entry.path) {
                throw reader.invalid("paths in order, each once")
            }
            previous = record.entry.path
            append(record)
        }
    }

    subscript(index: Int) -> ReplicaRecord {
        get throws(MalformedBytes) {
            var reader = ByteReader(bytes, in: starts[index]..<bytes.count)
            return try ReplicaRecord(decoding: &reader)
        }
    }

    private func path(_ index: Int) throws(MalformedBytes) -> [UInt8] {
        var reader = ByteReader(bytes, in: starts[index]..<bytes.count)
        return try reader.string(limit: ManifestPath.pathLimit)
    }

    /// Changes what is to be done with a record.
    mutating func setAction(_ action: ReplicaAction, at index: Int) {
        let end = index + 1 < starts.count ? starts[index + 1] : bytes.count
        bytes[end - 1] = action.rawValue
    }

    /// Where the path is, or the first one after it.
    func position(of path: [UInt8]) throws(MalformedBytes) -> (index: Int, isThere: Bool) {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            let found = try self.path(middle)
            if found == path { return (middle, true) }
            if PathBytes.isBefore(found, path) { low = middle + 1 } else { high = middle }
        }
        return (low, false)
    }

    /// Numbers of the records below a directory, without its own.
    func indices(below directory: [UInt8]) throws(MalformedBytes) -> Range<Int> {
        let (place, isThere) = try position(of: directory)
        let first = isThere ? place + 1 : place
        var end = first
        while end < count, PathBytes.isInside(try path(end), directory) { end += 1 }
        return first..<end
    }

    func find(_ path: [UInt8]) throws(MalformedBytes) -> ReplicaRecord? {
        let (index, isThere) = try position(of: path)
        return isThere ? try self[index] : nil
    }

    func contains(_ path: [UInt8]) throws(MalformedBytes) -> Bool {
        try position(of: path).isThere
    }

    /// Whether something lies below `path`.
    func hasChildren(_ path: [UInt8]) throws(MalformedBytes) -> Bool {
        let (index, isThere) = try position(of: path)
        let next = isThere ? index + 1 : index
        guard next < count else { return false }
        return PathBytes.isInside(try self.path(next), path)
    }

    /// The records with some put in, replaced or, where the record is nil, taken out; `next` gives
    /// the changes in path order.
    func merging(
        _ next: () throws -> (path: [UInt8], record: ReplicaRecord?)?
    ) throws -> ReplicaRecords {
        var merged = ReplicaRecords()
        merged.bytes.reserveCapacity(bytes.count)
        var position = 0
        while let change = try next() {
            let (index, isThere) = try self.position(of: change.path)
            merged.append(self, position..<index)
            if let record = change.record { merged.append(record) }
            position = isThere ? index + 1 : index
        }
        merged.append(self, position..<count)
        return merged
    }

    private mutating func append(_ other: ReplicaRecords, _ range: Range<Int>) {
        guard !range.isEmpty else { return }
        let start = other.starts[range.lowerBound]
        let end =
            range.upperBound < other.count ? other.starts[range.upperBound] : other.bytes.count
        let shift = bytes.count - start
        starts += other.starts[range].map { $0 + shift }
        bytes += other.bytes[start..<end]
    }
}
