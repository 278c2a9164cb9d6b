package import Bytes
internal import Hashing
internal import Platform
package import Repository
package import Snapshots
internal import SystemPackage
internal import Targets

// The state of a replica, `TargetPlaces.state`, version 1:
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
struct ReplicaState: Sendable {
    var origin = ReplicaOrigin()
    var nonce: [UInt8] = Array(repeating: 0, count: ReplicaState.nonceSize)
    var records = ReplicaRecords()

    static let nonceSize = 16
    private static let version: UInt8 = 1

    init() {}

    func encoded() -> [UInt8] {
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

    init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var reader = try TargetFile.checked(bytes, "varverpl", Self.version)
        origin = try ReplicaOrigin(decoding: &reader)
        nonce = Array(try reader.take(Self.nonceSize))
        let count = Int(clamping: try reader.u64())
        records = try ReplicaRecords(decoding: &reader, count: count)
        try reader.finish()
    }
}
