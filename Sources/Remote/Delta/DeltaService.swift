internal import Bytes
internal import Hashing
internal import Platform
internal import Repository
internal import Snapshots
package import Wire

// Requests for streams:
//
//     receive   1: version; a delta stream is uploaded
//     send      1: version; asks for the plan only (1);
//               wanted snapshots, known snapshots: number (varint), ids (32 each);
//               number of blobs in the plan (varint), a bit each: 1 for those that the client has
//
// The answer to a send request is a delta stream, or, when the plan is asked for, the kind (1) and
// fingerprint (48) of every blob that the stream would have.

/// What a client asks for when it pulls.
struct DeltaRequest: Equatable {
    var wanted: [SnapshotID]
    var known: [SnapshotID]
    var asksForPlan = false
    /// For each blob of the plan, whether the client has it; empty when it did not ask.
    var present: [Bool] = []

    static let idSize = 1 + Fingerprint.size
    private static let version: UInt8 = 1
    /// The wire carries no more than 1 MiB in a request.
    private static let blobLimit = 4 << 20

    init(wanted: [SnapshotID], known: [SnapshotID]) {
        self.wanted = wanted
        // The newest: snapshots are compared with few of them.
        self.known = known.suffix(8 << 10)
    }

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.u8(Self.version)
        writer.u8(asksForPlan ? 1 : 0)
        for ids in [wanted, known] {
            writer.count(ids.count)
            for id in ids { writer.digest(id.digest) }
        }
        let bits = present.count <= Self.blobLimit ? present : []
        writer.count(bits.count)
        for start in stride(from: 0, to: bits.count, by: 8) {
            var byte: UInt8 = 0
            for bit in start..<min(start + 8, bits.count) where bits[bit] {
                byte |= 1 << UInt8(bit - start)
            }
            writer.u8(byte)
        }
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        guard try reader.u8() == Self.version else { throw reader.invalid("request version 1") }
        asksForPlan = try reader.u8() == 1
        wanted = try Self.ids(&reader)
        known = try Self.ids(&reader)
        let count = try reader.count(limit: Self.blobLimit, "a number of blobs")
        let bits = Array(try reader.take((count + 7) / 8, "a bit for each blob"))
        present = (0..<count).map { bits[$0 / 8] >> UInt8($0 % 8) & 1 == 1 }
        try reader.finish()
    }

    private static func ids(_ reader: inout ByteReader) throws(MalformedBytes) -> [SnapshotID] {
        let limit = StreamHeader.snapshotLimit
        let count = try reader.count(limit: limit, "a number of snapshots")
        var ids: [SnapshotID] = []
        for _ in 0..<count { ids.append(SnapshotID(try reader.sha256())) }
        return ids
    }

    static func encode(_ id: BlobID) -> [UInt8] {
        var writer = ByteWriter()
        writer.u8(id.kind.rawValue)
        writer.fingerprint(id.fingerprint)
        return writer.bytes
    }

    static func decodeID(_ bytes: [UInt8]) throws(MalformedBytes) -> BlobID {
        var reader = ByteReader(bytes)
        guard let kind = BlobKind(rawValue: try reader.u8()) else {
            throw reader.invalid("a known kind of blob")
        }
        return BlobID(kind, try reader.fingerprint())
    }
}

/// Receives and sends delta streams for a client.
package struct DeltaService: StreamService {
    static let receiveRequest: [UInt8] = [1]

    package init() {}

    package func receive(
        _ request: [UInt8], _ content: IncomingStream, _ served: ServedStorage
    ) throws -> [UInt8] {
        guard request == Self.receiveRequest else {
            throw RemoteFailure(.unsupported, "a stream of another version")
        }
        do {
            let receiver = DeltaReceiver(try served.repository(), WorkProgress())
            _ = try receiver.receive(WireSource(content))
        } catch let error as StreamError {
            throw RemoteFailure(error)
        }
        return []
    }

    package func send(
        _ request: [UInt8], _ content: OutgoingStream, _ served: ServedStorage
    ) throws {
        let request = try DeltaRequest(decoding: request)
        let repository = try served.repository()
        let series = try SnapshotSeries(repository)
        let wanted = series.items.filter { request.wanted.contains($0.id) }
        guard wanted.count == Set(request.wanted).count else {
            throw RemoteFailure(.missing, "a snapshot that was asked for is not there")
        }
        let known = series.items.filter { request.known.contains($0.id) }
        let sender = DeltaSender(repository, WorkProgress())
        if request.asksForPlan {
            try sender.plan(wanted, known: known) { try content.write(DeltaRequest.encode($0)) }
            return
        }
        var next = 0
        _ = try sender.send(
            wanted, known: known, to: WireSink(content),
            query: { question in
                guard next < request.present.count else { return nil }
                defer { next += question.blobs.count }
                return Array(request.present.dropFirst(next).prefix(question.blobs.count))
            })
    }
}

extension RemoteFailure {
    fileprivate init(_ error: StreamError) {
        switch error.kind {
        case .unsupported: self.init(.unsupported, "\(error)")
        case .lacks: self.init(.missing, "\(error)")
        case .damaged, .incomplete, .cutShort: self.init(.invalid, "\(error)")
        }
    }
}
