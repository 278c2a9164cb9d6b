internal import Bytes
internal import Compression
internal import Deltas
internal import Hashing
package import Platform
package import Repository
internal import Snapshots
package import Wire

// Receiving a stream:
//
//     stream ──records──▶ workers: decode, compare XXH3 and SHA-256 ──▶ packs
//
//  1. Nothing is written before the header was read and the snapshots it needs are there.
//  2. A blob is stored only if its bytes are what its id says.
//  3. A snapshot is published once all of its blobs are durable and each of them was found: in the
//     stream, or here before. So a stream cut anywhere leaves whole snapshots and blobs to reuse.

/// What was received.
package struct ReceiveSummary: Equatable, Sendable {
    /// Snapshots that were not there before.
    package var newSnapshots: [SnapshotID] = []
    /// Snapshots that were there already.
    package var knownSnapshots: [SnapshotID] = []
    package var blobs: UInt64 = 0
    /// Plain bytes of the blobs.
    package var plainBytes: UInt64 = 0
    /// Of the blobs, those that were there already.
    package var knownBlobs: UInt64 = 0
    /// Bytes that the repository grew by.
    package var storedBytes: UInt64 = 0
    package var streamBytes: UInt64 = 0

    package init() {}
}

/// Applies delta streams to a repository.
package final class DeltaReceiver {
    private let repository: Repository
    private let progress: WorkProgress
    private var summary = ReceiveSummary()
    private var hasher = SHA256Hasher()
    private var totals = StreamTotals()
    /// Where the blobs of the next snapshot go.
    private var intake: BlobIntake?
    private var present: Set<SnapshotID> = []
    /// Snapshots that are here, to compare those in the stream with.
    private var known: [Snapshot] = []

    package init(_ repository: Repository, _ progress: WorkProgress) {
        self.repository = repository
        self.progress = progress
    }

    /// Reads a stream to its end.
    ///
    /// What was whole when an error stops it stays: snapshots, and blobs that the next try finds.
    package func receive(_ source: any ByteSource) throws -> ReceiveSummary {
        var cursor = StreamCursor(source)
        do {
            let header = try StreamHeader(reading: &cursor)
            hasher.update(header.encoded().span)
            try begin(header)
            while try readRecord(&cursor, header) {}
        } catch {
            keepReceived()
            if let error = error as? MalformedBytes {
                throw StreamError(.damaged("\(error)"), at: cursor.offset)
            }
            throw error
        }
        summary.streamBytes = cursor.offset
        return summary
    }

    private func begin(_ header: StreamHeader) throws {
        present = Set(try repository.snapshotIDs())
        let missing = header.needed.filter { !present.contains($0) }
        guard missing.isEmpty else { throw StreamError(.lacks(missing), at: 0) }
        let series = try SnapshotSeries(repository)
        known = series.items.filter { header.needed.contains($0.id) }
    }

    /// Reads one record; false after the last.
    private func readRecord(
        _ cursor: inout StreamCursor, _ header: StreamHeader
    ) throws -> Bool {
        let prefix = try cursor.take(StreamRecord.prefixSize)
        guard let headSize = StreamRecord.headSize(type: prefix[0]) else {
            throw StreamError(.damaged("a record of no known type"), at: cursor.offset)
        }
        let bytes = try prefix + cursor.take(headSize)
        let record = try StreamRecord(decoding: bytes)
        switch record {
        case .blob(let id, let codec, let plainSize, let storedSize):
            hasher.update(bytes.span)
            guard codec != .gathered || header.features.contains(.gatheredBlobs) else {
                let why = "gathered columns, of which its header does not tell"
                throw StreamError(.damaged(why), at: cursor.offset)
            }
            let stored = try cursor.take(storedSize)
            try add(
                ReceivedBlob(
                    blob: ForeignBlob(id, EncodedBlob(codec, stored, plainSize: plainSize)),
                    offset: cursor.offset))
        case .snapshot(let id, let size):
            hasher.update(bytes.span)
            try add(id, try cursor.take(size), header, cursor.offset)
        case .end(let told):
            // Blobs that belong to no snapshot are checked too.
            try finishIntake()
            let counted = bytes.dropLast(SHA256Digest.size)
            hasher.update(Array(counted).span)
            guard told == totals, Int(totals.snapshots) == header.snapshots.count,
                Array(bytes.suffix(SHA256Digest.size)) == hasher.finish().bytes,
                try cursor.isAtEnd()
            else { throw StreamError(.damaged("its end does not match it"), at: cursor.offset) }
            return false
        }
        return true
    }

    private func add(_ received: ReceivedBlob) throws {
        try Interruption.check()
        totals.blobs += 1
        let size = UInt64(received.blob.encoded.plainSize)
        summary.plainBytes += size
        let intake = try self.intake ?? BlobIntake(repository)
        self.intake = intake
        try intake.add(received)
        progress.update { $0.bytesDone += size }
    }

    private func add(
        _ id: SnapshotID, _ bytes: [UInt8], _ header: StreamHeader, _ offset: UInt64
    ) throws {
        let number = Int(totals.snapshots)
        guard number < header.snapshots.count, header.snapshots[number] == id else {
            throw StreamError(.damaged("not the snapshot that its header promises"), at: offset)
        }
        guard SHA256Digest(of: bytes.span) == id.digest else {
            throw StreamError(.damaged("a snapshot that is not what its id says"), at: offset)
        }
        totals.snapshots += 1
        let record = try SnapshotRecord(decoding: bytes, id)
        let item = Snapshot(id, record)
        try finishIntake()
        if present.insert(id).inserted {
            let base = NearestSnapshot.choose(for: item, among: known)
            try requireWhole(item, base)
            _ = try repository.publishSnapshot(bytes)
            summary.newSnapshots.append(id)
        } else {
            summary.knownSnapshots.append(id)
        }
        known.append(item)
    }

    /// Makes the blobs received so far durable: before the snapshot that needs them.
    private func finishIntake() throws {
        guard let intake else { return }
        self.intake = nil
        let (blobs, known, stored) = try intake.finish()
        summary.blobs += blobs
        summary.knownBlobs += known
        summary.storedBytes += stored
    }

    /// After a fault: what was received whole is kept for the next try.
    private func keepReceived() { try? finishIntake() }

    /// Throws when a blob that the snapshot needs is not here.
    ///
    /// Where packs are missing, what is here is not taken for whole.
    private func requireWhole(
        _ snapshot: Snapshot, _ base: Snapshot?
    ) throws {
        let nodes = NodeSource(repository)
        let whole = try repository.isComplete() ? base : nil
        if let missing = try SnapshotCompleteness.firstMissing(
            snapshot.record.root, given: whole?.record.root, repository, nodes)
        {
            throw StreamError(.incomplete(snapshot.id, missing), at: 0)
        }
    }
}

/// A blob as it arrived.
struct ReceivedBlob: Sendable {
    var blob: ForeignBlob
    /// Where its bytes end in the stream.
    var offset: UInt64
}

/// Checks blobs on several threads and stores them.
final class BlobIntake: Sendable {
    private struct State {
        var failure: (any Error)?
        var blobs: UInt64 = 0
        var known: UInt64 = 0
    }

    private let repository: Repository
    private let writer: RepositoryWriter
    private let queue = BoundedQueue<ReceivedBlob>(capacity: 64, sizeLimit: BlobIntake.queuedBytes)
    private let state = Monitor(State())
    private let threads = Monitor<WorkerThreads?>(nil)

    /// A peer chooses how large its blobs are, but not how much memory those that wait take.
    private static let queuedBytes = 32 << 20
    /// Plain bytes that one thread checks together: enough that hashing two at a time pays.
    private static let checkedBytes = 12 << 20

    init(_ repository: Repository) throws(RepositoryError) {
        self.repository = repository
        writer = try RepositoryWriter(repository)
    }

    /// Queues a blob; throws what made an earlier one fail.
    func add(_ received: ReceivedBlob) throws {
        if let failure = state.withState({ $0.failure }) { throw failure }
        threads.update { threads in
            guard threads == nil else { return }
            threads = WorkerThreads(count: repository.host.processors) { _ in self.work() }
        }
        queue.push(received, size: received.blob.encoded.bytes.count)
    }

    /// Waits for the blobs and makes them durable: how many there were, how many were known, and
    /// the bytes that the repository grew by.
    func finish() throws -> (blobs: UInt64, known: UInt64, stored: UInt64) {
        queue.close()
        threads.update { $0.take() }?.join()
        let written = try writer.commit()
        let state = state.withState { $0 }
        if let failure = state.failure { throw failure }
        return (state.blobs, state.known, written.storedBytes)
    }

    private func work() {
        let reader = BlobReader(repository)
        let encoder = BlobEncoder(.standard)
        while true {
            let batch = queue.pop(weighing: { $0.blob.encoded.plainSize }, upTo: Self.checkedBytes)
            guard !batch.isEmpty else { return }
            guard state.withState({ $0.failure == nil }) else { continue }
            do {
                let known = try batch.count - store(batch, reader, encoder)
                state.withState { state in
                    state.blobs += UInt64(batch.count)
                    state.known += UInt64(known)
                }
            } catch {
                state.update { $0.failure = $0.failure ?? error }
            }
        }
    }

    /// Stores those blobs that are not there; returns how many were new.
    private func store(
        _ batch: [ReceivedBlob], _ reader: BlobReader, _ encoder: BlobEncoder
    ) throws -> Int {
        let missing = try batch.filter { try writer.isMissing($0.blob.id) }
        let checked = reader.check(missing.map(\.blob))
        var new = 0
        for (received, result) in zip(missing, checked) {
            let (id, encoded) = (received.blob.id, received.blob.encoded)
            let form = try Self.unwrap(result, received)
            guard try writer.claim(id) else { continue }
            new += 1
            switch form {
            case .asSent:
                try writer.store(
                    encoded: id, encoded.codec, encoded.bytes.span, plainSize: encoded.plainSize)
            case .patch(let bytes):
                try writer.store(encoded: id, .patch, bytes.span, plainSize: encoded.plainSize)
            case .plain(let bytes):
                try writer.store(id, bytes.span, encoder)
            }
        }
        return new
    }

    /// What is wrong with a blob is the fault of the stream, not of the repository.
    private static func unwrap(
        _ result: Result<BlobReader.Checked, RepositoryError>, _ received: ReceivedBlob
    ) throws -> BlobReader.Checked {
        do throws(RepositoryError) {
            return try result.get()
        } catch {
            guard case .damaged(let why) = error.kind else { throw error }
            let name = received.blob.id.fingerprint.hex.prefix(32)
            throw StreamError(.damaged("the blob \(name): \(why)"), at: received.offset)
        }
    }
}
