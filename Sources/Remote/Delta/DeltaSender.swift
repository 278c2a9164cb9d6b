internal import Bytes
package import Compression
internal import Deltas
package import Hashing
package import Platform
package import Repository
package import Snapshots
package import Wire

/// What was sent.
package struct SendSummary: Equatable, Sendable {
    package var snapshots = 0
    package var blobs: UInt64 = 0
    /// Of the blobs, those sent as patches.
    package var patches: UInt64 = 0
    /// Plain bytes of the blobs.
    package var plainBytes: UInt64 = 0
    /// Bytes of the stream.
    package var streamBytes: UInt64 = 0

    package init() {}
}

/// Sends what turns snapshots that a receiver has into others.
///
/// Blobs travel as they are stored, without being decoded, except chunks that are smaller as
/// patches against what the receiver has, and patches against what it may lack.
package final class DeltaSender {
    private let repository: Repository
    private let nodes: NodeSource
    private let encoder: BlobEncoder
    private let mayAsk: Bool
    private let isChecking: Bool
    private let progress: WorkProgress
    private var summary = SendSummary()
    private var hasher = SHA256Hasher()
    private var totals = StreamTotals()
    /// Blobs of snapshots that came earlier in the stream.
    private var sent: Set<BlobID> = []

    /// Tells which of the blobs the receiver has already; nil when it is not worth asking.
    package typealias Query = (Question) throws -> [Bool]?

    /// What may be asked of a receiver before anything is sent.
    package struct Question {
        package var blobs: [BlobID]
        /// Plain bytes of the blobs.
        package var size: UInt64
        /// Some may be in files that the receiver has and that did not change: only it can tell.
        package var isOpen: Bool
    }

    /// Snapshots with more files are not read through to find where else a chunk may be.
    private static let readingLimit: UInt64 = 50_000

    /// With `mayAsk` every query is answered, so it may be left to the receiver to find chunks.
    ///
    /// With `isChecking` each blob is decoded and compared with its id before it is sent: for a
    /// stream that nobody checks while it can still be made again.
    package init(
        _ repository: Repository, level: CompressionLevel = .standard, mayAsk: Bool = false,
        isChecking: Bool = false, _ progress: WorkProgress
    ) {
        self.isChecking = isChecking
        self.repository = repository
        self.mayAsk = mayAsk
        self.progress = progress
        nodes = NodeSource(repository)
        encoder = BlobEncoder(level)
    }

    /// Sends snapshots, in this order, to a receiver that has those in `known`.
    ///
    /// Of each snapshot, what its nearest known one lacks is sent, without what `query` finds.
    package func send(
        _ snapshots: [Snapshot], known: [Snapshot], to sink: any ByteSink,
        query: Query? = nil
    ) throws -> SendSummary {
        let out = BufferedSink(sink)
        let header = StreamHeader(
            repository: repository.config.id, needed: needed(by: snapshots, known),
            snapshots: snapshots.map(\.id))
        let bytes = header.encoded()
        hasher.update(bytes.span)
        try write(bytes, to: out)
        try forEachDelta(snapshots, known, query) { snapshot, delta, base throws in
            try send(snapshot, delta, isAgainstParent: base?.id == snapshot.record.parent, to: out)
        }
        let end = StreamRecord.end(totals).head()
        hasher.update(end.span)
        try write(end + hasher.finish().bytes, to: out)
        try out.flush()
        summary.snapshots = snapshots.count
        summary.blobs = totals.blobs
        return summary
    }

    /// Reads every blob that `send` would send; throws the damage of the first that is not what its
    /// id says.
    func checkAll(_ snapshots: [Snapshot], known: [Snapshot]) throws {
        try plan(snapshots, known: known) { id in
            try Interruption.check()
            _ = try nodes.blobs.read(id)
        }
    }

    /// Tells the blobs that `send` would send, were nothing known by a query.
    func plan(
        _ snapshots: [Snapshot], known: [Snapshot],
        _ body: (BlobID) throws -> Void
    ) throws {
        try forEachDelta(snapshots, known, nil) { _, delta, _ throws in
            for blob in delta.blobs { try body(blob.id) }
        }
    }

    /// The known snapshots that those to send are compared with.
    private func needed(
        by snapshots: [Snapshot], _ known: [Snapshot]
    ) -> [SnapshotID] {
        var candidates = known
        var needed: Set<SnapshotID> = []
        for snapshot in snapshots {
            if let base = NearestSnapshot.choose(for: snapshot, among: candidates) {
                needed.insert(base.id)
            }
            candidates.append(snapshot)
        }
        return known.map(\.id).filter(needed.contains)
    }

    private func forEachDelta(
        _ snapshots: [Snapshot], _ known: [Snapshot], _ query: Query?,
        _ body: (Snapshot, SnapshotDelta, Snapshot?) throws -> Void
    ) throws {
        var known = known
        for snapshot in snapshots {
            let base = NearestSnapshot.choose(for: snapshot, among: known)
            let isLarge = (base?.record.root.itemCount ?? 0) > Self.readingLimit
            let asks = mayAsk && isLarge
            var delta = try SnapshotDelta(
                from: base?.record.root, to: snapshot.record.root, nodes, looksEverywhere: !asks)
            if !sent.isEmpty { delta.remove { _, blob in sent.contains(blob.id) } }
            let ids = delta.blobs.map(\.id)
            let size = delta.blobs.reduce(0) { $0 + $1.size }
            let question = Question(blobs: ids, size: size, isOpen: asks)
            if let isThere = try query?(question) {
                delta.remove { index, _ in index < isThere.count && isThere[index] }
            }
            try body(snapshot, delta, base)
            known.append(snapshot)
            if snapshots.count > 1 { sent.formUnion(ids) }
        }
    }

    private func send(
        _ snapshot: Snapshot, _ delta: SnapshotDelta, isAgainstParent: Bool,
        to out: BufferedSink
    ) throws {
        progress.update { counters in
            counters.bytesFound &+= delta.blobs.reduce(0) { $0 &+ $1.size }
            counters.isTotalKnown = true
        }
        for blob in delta.blobs {
            try Interruption.check()
            // The capture tried the parent's chunks already.
            try send(blob, delta, triesPatches: !isAgainstParent, to: out)
        }
        let bytes = try repository.snapshotBytes(snapshot.id)
        try write(.snapshot(snapshot.id, size: bytes.count), bytes, to: out)
        totals.snapshots += 1
    }

    private func send(
        _ blob: DeltaBlob, _ delta: SnapshotDelta, triesPatches: Bool, to out: BufferedSink
    ) throws {
        var encoded = try EncodedBlob.make(
            blob, repository, nodes.blobs, encoder, triesPatches: triesPatches
        ) { base in
            delta.knownChunks.contains(base) || sent.contains(.chunk(base))
        }
        if isChecking { try check(&encoded, blob.id) }
        let record = StreamRecord.blob(
            blob.id, encoded.codec, plainSize: encoded.plainSize, storedSize: encoded.bytes.count)
        try write(record, encoded.bytes, to: out)
        totals.blobs += 1
        summary.plainBytes += UInt64(encoded.plainSize)
        if encoded.codec == .patch { summary.patches += 1 }
        progress.update { $0.bytesDone += blob.size }
    }

    /// Replaces what does not decode to its id by another copy of the blob, encoded anew; throws
    /// the damage where there is none.
    private func check(_ encoded: inout EncodedBlob, _ id: BlobID) throws(RepositoryError) {
        do throws(RepositoryError) {
            _ = try nodes.blobs.check(ForeignBlob(id, encoded))
        } catch {
            guard error.isDamage else { throw error }
            let plain = try nodes.blobs.read(id)
            let (codec, bytes) = try encoder.encode(plain.span, id.fingerprint.xxh3)
            encoded = EncodedBlob(codec, codec == .stored ? plain : bytes, plainSize: plain.count)
        }
    }

    private func write(_ record: StreamRecord, _ bytes: [UInt8], to out: BufferedSink) throws {
        let head = record.head()
        hasher.update(head.span)
        try write(head, to: out)
        try write(bytes, to: out)
    }

    private func write(_ bytes: [UInt8], to out: BufferedSink) throws {
        try out.write(bytes)
        summary.streamBytes += UInt64(bytes.count)
    }
}

/// Which snapshot another is compared with.
package enum NearestSnapshot {
    /// The parent, else the newest of the same series, else the newest at all.
    package static func choose(
        for snapshot: Snapshot, among known: [Snapshot]
    ) -> Snapshot? {
        if let parent = known.first(where: { $0.id == snapshot.record.parent }) { return parent }
        let related = known.filter { $0.record.isSameSeries(snapshot.record) }
        return (related.isEmpty ? known : related).max { $0.record.time < $1.record.time }
    }
}

extension EncodedBlob {
    /// Takes the stored bytes where the receiver can read them and a patch would not be smaller.
    ///
    /// `isKnown` is true of the chunks that the receiver has.
    package static func make(
        _ blob: DeltaBlob, _ repository: Repository, _ reader: BlobReader, _ encoder: BlobEncoder,
        triesPatches: Bool, isKnown: (ChunkID) -> Bool
    ) throws(RepositoryError) -> EncodedBlob {
        let stored = try repository.encoded(blob.id, canUse: isKnown)
        let hasBases = !blob.bases.isEmpty && stored?.codec != .patch
        if let stored, !(triesPatches && hasBases) { return stored }
        let plain = try reader.read(blob.id)
        let source = try patchSource(blob, reader)
        let (codec, bytes) = try encoder.encode(
            plain.span, blob.id.fingerprint.xxh3, against: source)
        let again = EncodedBlob(codec, codec == .stored ? plain : bytes, plainSize: plain.count)
        if let stored, stored.bytes.count <= again.bytes.count { return stored }
        return again
    }

    private static func patchSource(
        _ blob: DeltaBlob, _ reader: BlobReader
    ) throws(RepositoryError) -> PatchSource? {
        do throws(RepositoryError) {
            return try reader.patchSource(blob.bases, place: blob.place)
        } catch {
            guard error.isDamage else { throw error }
            return nil  // It travels whole.
        }
    }
}
