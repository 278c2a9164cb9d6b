package import Bytes
package import Hashing
package import Platform

// Blobs come from several threads, each written at its own place of the pack that is being filled.
// A pack that is full is sealed by a thread of its own, so that the wait for the disk overlaps
// with the filling of the next. Invariants (Design, "The repository on disk"):
//
//  1. A pack is complete, decoded again and synced before it has its name.
//  2. `finish` returns only when every pack is published and its name is durable.
//  6. A failed write or sync discards the pack and fails the whole run.

/// Collects blobs into packs and publishes them.
final class PackSink: Sendable {
    /// A pack being filled. Blobs that are placed but not yet written are pending.
    private struct Filling {
        let object: any StagedObject
        var entries: [PackEntry] = []
        var end = UInt64(PackFormat.headerSize)

        /// Reserves the next place; in the struct, so that the entries are not copied each time.
        mutating func place(_ id: BlobID, _ codec: BlobCodec, _ storedSize: Int, _ plainSize: Int)
            -> (object: any StagedObject, offset: UInt64, end: UInt64, count: Int)
        {
            let offset = end
            entries.append(
                PackEntry(
                    id: id, codec: codec, offset: UInt32(clamping: offset),
                    storedSize: UInt32(clamping: storedSize),
                    plainSize: UInt32(clamping: plainSize)))
            end += UInt64(storedSize)
            return (object, offset, end, entries.count)
        }
    }

    private struct State {
        var filling: Filling?
        /// Blobs placed and not yet written, by the object they are written to.
        var pending: [ObjectIdentifier: Int] = [:]
        var failure: RepositoryError?
        var storedBytes: UInt64 = 0
    }

    private let storage: any Storage
    private let packSize: Int
    private let published: @Sendable (PackID, [PackEntry]) -> Void
    private let state = Monitor(State())
    /// Bounded: at most this many packs wait for the disk while another is filled.
    private let full = BoundedQueue<Sealed>(capacity: 2)
    private let sealer = Monitor<WorkerHandle?>(nil)

    private struct Sealed: Sendable {
        let object: any StagedObject
        let entries: [PackEntry]
        let end: UInt64
    }

    /// Lets the threads be joined once from a shared object.
    private final class WorkerHandle {
        private var threads: WorkerThreads?
        init(_ threads: consuming WorkerThreads) { self.threads = consume threads }
        func join() { threads.take()?.join() }
    }

    /// `published` is called, on another thread, for each pack that is durable.
    init(
        _ storage: any Storage, packSize: Int,
        published: @escaping @Sendable (PackID, [PackEntry]) -> Void
    ) {
        self.storage = storage
        self.packSize = packSize
        self.published = published
    }

    /// Bytes of packs written so far.
    var storedBytes: UInt64 { state.read { $0.storedBytes } }

    /// Throws what made an earlier step fail.
    func checkFailure() throws(RepositoryError) {
        if let failure = state.read({ $0.failure }) { throw failure }
    }

    /// Writes one encoded blob into the pack that is being filled.
    func append(_ id: BlobID, _ codec: BlobCodec, _ stored: Span<UInt8>, plainSize: Int)
        throws(RepositoryError)
    {
        try checkFailure()
        let (object, offset) = try place(id, codec, storedSize: stored.count, plainSize: plainSize)
        defer { state.update { $0.pending[ObjectIdentifier(object), default: 1] -= 1 } }
        do throws(PlatformError) {
            try object.write(stored, at: offset)
        } catch {
            throw fail(RepositoryError(.environment(error), "packs"))
        }
    }

    /// Reserves a place, beginning a new pack when the last one is full.
    private func place(_ id: BlobID, _ codec: BlobCodec, storedSize: Int, plainSize: Int)
        throws(RepositoryError) -> (any StagedObject, UInt64)
    {
        var sealed: Sealed?
        let outcome: Result<(any StagedObject, UInt64), RepositoryError> = state.update { state in
            do throws(RepositoryError) {
                if state.filling == nil { state.filling = try begin() }
                guard let placed = state.filling?.place(id, codec, storedSize, plainSize) else {
                    preconditionFailure("a pack was begun")
                }
                state.storedBytes += UInt64(storedSize)
                state.pending[ObjectIdentifier(placed.object), default: 0] += 1
                if placed.end >= UInt64(packSize) || placed.count >= PackFormat.targetBlobCount {
                    sealed = take(&state)
                }
                return .success((placed.object, placed.offset))
            } catch {
                return .failure(error)
            }
        }
        if let sealed { enqueue(sealed) }
        return try outcome.get()
    }

    private func begin() throws(RepositoryError) -> Filling {
        do throws(PlatformError) {
            let object = try storage.stage(.pack)
            let header = PackFormat.header
            try object.write(header.span, at: 0)
            return Filling(object: object)
        } catch {
            throw RepositoryError(.environment(error), "packs")
        }
    }

    private func take(_ state: inout State) -> Sealed? {
        guard let filling = state.filling else { return nil }
        state.filling = nil
        return Sealed(object: filling.object, entries: filling.entries, end: filling.end)
    }

    private func enqueue(_ sealed: Sealed) {
        sealer.update { sealer in
            guard sealer == nil else { return }
            sealer = WorkerHandle(WorkerThreads(count: 1) { _ in self.sealAll() })
        }
        full.push(sealed)
    }

    private func sealAll() {
        while let sealed = full.pop() {
            if state.read({ $0.failure != nil }) {
                sealed.object.discard()
                continue
            }
            do throws(RepositoryError) {
                try seal(sealed)
            } catch {
                sealed.object.discard()
                _ = fail(error)
            }
        }
    }

    private func seal(_ sealed: Sealed) throws(RepositoryError) {
        let key = ObjectIdentifier(sealed.object)
        state.wait { ($0.pending[key] ?? 0) == 0 ? () : nil }
        try checkFailure()
        let (tail, id) = PackFormat.encodeTail(sealed.entries, end: sealed.end)
        let name = ObjectName.pack(id)
        try about(name) {
            try Self.decodeAgain(tail, sealed, id)
            try sealed.object.write(tail.span, at: sealed.end)
            try sealed.object.sync()
            try sealed.object.publish(as: name)
            try storage.syncNames([name])
        }
        state.update { state in
            state.pending[key] = nil
            state.storedBytes += UInt64(tail.count + PackFormat.headerSize)
        }
        published(id, sealed.entries)
    }

    /// Invariant 3, for the table of contents; blobs are decoded again where they are encoded.
    private static func decodeAgain(_ tail: [UInt8], _ sealed: Sealed, _ id: PackID) throws {
        let tableSize = tail.count - PackFormat.trailerSize
        let trailer = try PackTrailer(
            decoding: Array(tail[tableSize...]), packSize: sealed.end + UInt64(tail.count))
        let entries = try PackFormat.decodeTable(Array(tail[..<tableSize]), trailer)
        guard trailer.id == id, entries == sealed.entries else {
            throw RepositoryError(
                .damaged("the table of contents does not decode to what was encoded"), .pack(id))
        }
    }

    /// Remembers the first failure; every later call throws it.
    @discardableResult
    func fail(_ error: RepositoryError) -> RepositoryError {
        state.update { state in
            let first = state.failure ?? error
            state.failure = first
            return first
        }
    }

    /// Seals what is left and waits until every pack is durable.
    func finish() throws(RepositoryError) {
        if let sealed = state.update({ take(&$0) }) { enqueue(sealed) }
        full.close()
        let handle = sealer.update { sealer in
            defer { sealer = nil }
            return sealer
        }
        handle?.join()
        try checkFailure()
    }

    /// Drops the pack being filled and waits for the sealer; packs already published stay, and the
    /// next run uses them.
    func abandon() {
        fail(RepositoryError(.damaged("the run was abandoned"), "packs"))
        try? finish()
    }
}
