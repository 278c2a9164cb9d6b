package import Snapshots
internal import Trees
package import Bytes
internal import Hashing
package import Platform
package import Repository
internal import SystemPackage

// In the target, .varve-replica/:
//
//     lock              held while a varve writes to the target
//     state             what the last replication left
//     journal           what is being published, whole or not there (ReplicaJournal)
//     staging/          files of the next replication: p-<key> being written, s-<key> whole
//     set-aside/        files that others made where the replica has its own; nothing is lost
//     sync-<pair>       what the last sync with another store left (TwoWayState)
//
// state, version 1:
//
//     offset  size
//          0     8  magic "varverpl"
//          8     1  format version, 1
//          9    32  id of the repository that it was sent from
//         41    32  the series: SHA-256 of host and sources
//         73    32  snapshot that the target is equal to; zeros when it is equal to none
//        105    16  nonce of the journal that led to it
//        121     8  number of records
//        129     …  records (ReplicaRecords)
//          …     8  low half of XXH3-128 of everything before

/// Where in a target varve keeps what it needs.
package enum ReplicaPlaces {
    package static let directory = SourceWalk.replicaDirectory
    static let lock = inside("lock")
    package static let state = inside("state")
    package static let newState = inside("state.new")
    package static let journal = inside("journal")
    package static let newJournal = inside("journal.new")
    package static let staging = inside("staging")
    static let setAside = inside("set-aside")

    private static func inside(_ name: String) -> [UInt8] {
        PathBytes.join(directory, Array(name.utf8))
    }

    package static func staged(_ key: SHA256Digest) -> [UInt8] {
        PathBytes.join(staging, Array("s-\(key.hex)".utf8))
    }

    package static func partial(_ key: SHA256Digest) -> [UInt8] {
        PathBytes.join(staging, Array("p-\(key.hex)".utf8))
    }

    /// A name for what is on its way out; found after an interruption, it is set aside.
    package static func leaving() -> [UInt8] {
        PathBytes.join(staging, Array("x-\(Hex.encode(HostSystem.randomBytes(8)))".utf8))
    }

    /// A name for what is made next to nothing else.
    package static func temporary() -> [UInt8] {
        PathBytes.join(staging, Array("o-\(Hex.encode(HostSystem.randomBytes(8)))".utf8))
    }
}

/// What a target was made equal to.
package struct ReplicaOrigin: Equatable, Sendable {
    package var repository = SHA256Digest.zero
    package var series = SHA256Digest.zero
    /// Zeros when the target is equal to no snapshot.
    package var snapshot = SHA256Digest.zero

    static let size = 3 * SHA256Digest.size

    package init() {}

    package init(repository: RepositoryID, _ item: Snapshot) {
        self.repository = repository.digest
        series = Self.series(item.record)
        snapshot = item.id.digest
    }

    /// Tells stores apart: a replica follows one.
    private static func series(_ record: SnapshotRecord) -> SHA256Digest {
        var writer = ByteWriter()
        writer.string(record.host)
        for source in record.sources { writer.string(source) }
        return SHA256Digest(of: writer.bytes.span)
    }

    package func encode(into writer: inout ByteWriter) {
        for digest in [repository, series, snapshot] { writer.digest(digest) }
    }

    package init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        repository = try reader.sha256()
        series = try reader.sha256()
        snapshot = try reader.sha256()
    }
}

/// What the last replication left at a target.
package struct ReplicaState: Sendable {
    package var origin = ReplicaOrigin()
    package var nonce: [UInt8] = Array(repeating: 0, count: ReplicaState.nonceSize)
    package var records = ReplicaRecords()

    package static let nonceSize = 16
    private static let version: UInt8 = 1
    /// Some twenty million files.
    static let sizeLimit: UInt64 = 4 << 30

    package init() {}

    package func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: records.bytes.count + 256)
        writer.magic("varverpl")
        writer.u8(Self.version)
        origin.encode(into: &writer)
        writer.raw(nonce)
        writer.u64(UInt64(records.count))
        writer.raw(records.bytes)
        writer.u64(XXH3Digest(of: writer.bytes.span).low)
        return writer.bytes
    }

    package init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var reader = try ReplicaFile.checked(bytes, "varverpl", Self.version)
        origin = try ReplicaOrigin(decoding: &reader)
        nonce = Array(try reader.take(Self.nonceSize))
        let count = Int(clamping: try reader.u64())
        records = try ReplicaRecords(decoding: &reader, count: count)
        try reader.finish()
    }
}

/// Small files of the target's own: whole, or not there.
package enum ReplicaFile {
    private static let checkSize = 8

    /// A reader of what stands between the head and the check, which must fit.
    package static func checked(
        _ bytes: [UInt8], _ magic: StaticString, _ version: UInt8
    ) throws(MalformedBytes) -> ByteReader {
        let end = max(0, bytes.count - Self.checkSize)
        var tail = ByteReader(bytes, in: end..<bytes.count)
        guard try tail.u64() == XXH3Digest(of: bytes.span.extracting(0..<end)).low else {
            throw tail.invalid("the check of everything before")
        }
        var reader = ByteReader(bytes, in: 0..<end)
        try reader.magic(magic)
        guard try reader.u8() == version else { throw reader.invalid("version \(version)") }
        return reader
    }

    /// Reads a file; nil when there is none.
    package static func read(
        _ path: [UInt8], _ root: borrowing PinnedDirectory
    ) throws(PlatformError) -> [UInt8]? {
        do throws(PlatformError) {
            let file = try root.open(path, [.readOnly, .nonBlocking])
            let status = try file.status(path)
            guard status.type == .regular, status.size <= ReplicaState.sizeLimit else {
                throw PlatformError("read", path, .invalidArgument)
            }
            return try file.read(Int(status.size), at: 0, path)
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    /// Replaces a file: written under another name, synced, renamed, the directory synced.
    package static func write(
        _ bytes: [UInt8], to path: [UInt8], through temporary: [UInt8],
        _ root: borrowing PinnedDirectory
    ) throws(PlatformError) {
        let flags: OpenFlags = [.writeOnly, .create, .truncate]
        let file = try root.open(temporary, flags, mode: 0o600)
        try file.write(bytes.span, at: 0, temporary)
        try file.sync(temporary)
        try file.close(temporary)
        let directory = try root.open(PathBytes.parent(path), [.readOnly, .directory])
        try FileOperations.rename(
            Array(PathBytes.name(temporary)), to: Array(PathBytes.name(path)), at: directory.raw)
        try directory.sync(path)
    }
}
