internal import Bytes
internal import Hashing
internal import Platform
internal import Snapshots
internal import Targets

// journal, version 1: what a publication does.
//
//     offset  size
//          0     8  magic "varvejrn"
//          8     1  format version, 1
//          9    16  nonce
//         25    96  origin: repository, series, snapshot
//        121     1  options (ReplicaOptions)
//        122     8  number of records
//        130     …  records (ReplicaRecords), with their actions
//          …     8  number of paths to remove
//          …     …  paths (varint count, bytes), in order
//          …     8  low half of XXH3-128 of everything before

/// All that a publication does, written before its first change.
struct ReplicaJournal: Sendable {
    let nonce: [UInt8]
    var origin = ReplicaOrigin()
    var options: ReplicaOptions = []
    var puts = ReplicaRecords()
    var removals: [[UInt8]] = []

    private static let version: UInt8 = 1

    init(_ host: Host) { nonce = host.randomBytes(ReplicaState.nonceSize) }

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: puts.bytes.count + 1024)
        writer.magic("varvejrn")
        writer.u8(Self.version)
        writer.raw(nonce)
        origin.encode(into: &writer)
        writer.u8(options.rawValue)
        writer.u64(UInt64(puts.count))
        writer.raw(puts.bytes)
        writer.u64(UInt64(removals.count))
        for path in removals { writer.string(path) }
        writer.u64(XXH3Digest(of: writer.bytes.span).low)
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var reader = try TargetFile.checked(bytes, "varvejrn", Self.version)
        nonce = Array(try reader.take(ReplicaState.nonceSize))
        origin = try ReplicaOrigin(decoding: &reader)
        options = ReplicaOptions(rawValue: try reader.u8())
        let count = Int(clamping: try reader.u64())
        puts = try ReplicaRecords(decoding: &reader, count: count)
        for _ in 0..<(try reader.u64()) {
            let path = try reader.string(limit: ManifestPath.pathLimit)
            guard ManifestPath.isValid(path) else { throw reader.invalid("a path") }
            removals.append(path)
        }
        try reader.finish()
    }
}
