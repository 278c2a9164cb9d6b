internal import Bytes
internal import Hashing
internal import Platform

// Blobs come from several threads, each written at its own place of the pack that is being filled.
// A pack that is full is sealed by a thread of its own, so that the wait for the disk overlaps
// with the filling of the next. Invariants (Design, "The repository on disk"):
//
//  1. A pack is complete, decoded again and synced before it has its name.
//  2. `finish` returns only when every pack is published and its name is durable.
//  6. A failed write or sync discards the pack and fails the whole run.

/// Collects blobs into packs and publishes them.
final class PackSink: Sendable {
    /// A pack being filled.
    ///
    /// Small blobs gather in memory and are written together.
    private struct Filling {
        let object: any StagedObject
        var entries: [PackEntry] = []
        var end = UInt64(PackFormat.headerSize)
        var gathered: [UInt8] = []

        /// Reserves the next place.
        mutating func place(
            _ id: BlobID, _ codec: BlobCodec, _ storedSize: Int, _ plainSize: Int
        ) -> UInt64 {
            let offset = end
            entries.append(
                PackEntry(
                    id: id, codec: codec, offset: UInt32(clamping: offset),
                    storedSize: UInt32(clamping: storedSize),
                    plainSize: UInt32(clamping: plainSize)))
            end += UInt64(storedSize)
            return offset
        }

        /// Takes what was gathered, which ends where the next blob will be placed.
        mutating func takeGathered() -> Region? {
            guard !gathered.isEmpty else { return nil }
            defer { gathered = [] }
            return Region(object: object, offset: end - UInt64(gathered.count), bytes: gathered)
        }
    }

    /// Bytes that have a place and are to be written there.
    private struct Region {
        var object: any StagedObject
        var offset: UInt64
        var bytes: [UInt8]
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
    private let sealer = Monitor<WorkerThreads?>(nil)

    private struct Sealed: Sendable {
        let object: any StagedObject
        let entries: [PackEntry]
        let end: UInt64
        /// Blobs before the end that are still to be written.
        let gathered: [UInt8]
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
    var storedBytes: UInt64 { state.withState { $0.storedBytes } }

    /// Throws what made an earlier step fail.
    func checkFailure() throws(RepositoryError) {
        if let failure = state.withState({ $0.failure }) { throw failure }
    }

    /// Adds one encoded blob to the pack that is being filled.
    func append(
        _ id: BlobID, _ codec: BlobCodec, _ stored: Span<UInt8>, plainSize: Int
    )
        throws(RepositoryError)
    {
        let isSmall = stored.count < PackFormat.gatherLimit
        let copy = isSmall ? [UInt8](copying: stored) : []
        let step = try place(id, codec, stored.count, plainSize, gathering: copy)
        if let region = step.gathered {
            try write(region.bytes.span, at: region.offset, to: region.object)
        }
        if !isSmall { try write(stored, at: step.offset, to: step.object) }
        if let sealed = step.sealed { enqueue(sealed) }
    }

    /// What is left to do once a blob has its place.
    private struct Step {
        var object: any StagedObject
        var offset: UInt64
        var gathered: Region?
        var sealed: Sealed?
    }

    private func write(
        _ bytes: Span<UInt8>, at offset: UInt64, to object: any StagedObject
    )
        throws(RepositoryError)
    {
        defer { state.update { $0.pending[ObjectIdentifier(object), default: 1] -= 1 } }
        do throws(StorageError) {
            try object.write(bytes, at: offset)
        } catch {
            throw fail(RepositoryError(error, "packs"))
        }
    }

    /// Reserves a place, beginning a new pack when the last one is full.
    ///
    /// What is to be written to the pack counts as pending until it is.
    private func place(
        _ id: BlobID, _ codec: BlobCodec, _ storedSize: Int, _ plainSize: Int,
        gathering copy: [UInt8]
    ) throws(RepositoryError) -> Step {
        let outcome: Result<Step, RepositoryError> = state.withState { state in
            do throws(RepositoryError) {
                if let failure = state.failure { throw failure }
                if state.filling == nil { state.filling = try begin() }
                return .success(place(id, codec, storedSize, plainSize, copy, &state))
            } catch {
                return .failure(error)
            }
        }
        do throws(RepositoryError) {
            return try outcome.get()
        } catch {
            throw fail(error)
        }
    }

    private func place(
        _ id: BlobID, _ codec: BlobCodec, _ storedSize: Int, _ plainSize: Int, _ copy: [UInt8],
        _ state: inout State
    ) -> Step {
        guard let object = state.filling?.object else { preconditionFailure("a pack was begun") }
        var step = Step(object: object, offset: 0)
        let isGathered = copy.count == storedSize
        if !isGathered { step.gathered = state.filling?.takeGathered() }
        step.offset = state.filling?.place(id, codec, storedSize, plainSize) ?? 0
        state.filling?.gathered += copy
        state.storedBytes += UInt64(storedSize)
        let isFull =
            state.filling.map { $0.end >= UInt64(packSize) || $0.entries.count >= blobLimit }
            ?? false
        let isMuch = (state.filling?.gathered.count ?? 0) >= PackFormat.gatherSize
        if isGathered, isFull || isMuch { step.gathered = state.filling?.takeGathered() }
        let writes = (isGathered ? 0 : 1) + (step.gathered == nil ? 0 : 1)
        state.pending[ObjectIdentifier(object), default: 0] += writes
        if isFull { step.sealed = take(&state) }
        return step
    }

    private let blobLimit = PackFormat.targetBlobCount

    private func begin() throws(RepositoryError) -> Filling {
        do throws(StorageError) {
            let object = try storage.stage(.pack)
            let header = PackFormat.header
            try object.write(header.span, at: 0)
            return Filling(object: object)
        } catch {
            throw RepositoryError(error, "packs")
        }
    }

    private func take(_ state: inout State) -> Sealed? {
        guard let filling = state.filling else { return nil }
        state.filling = nil
        return Sealed(
            object: filling.object, entries: filling.entries, end: filling.end,
            gathered: filling.gathered)
    }

    private func enqueue(_ sealed: Sealed) {
        sealer.update { sealer in
            guard sealer == nil else { return }
            sealer = WorkerThreads(count: 1) { _ in self.sealAll() }
        }
        full.push(sealed)
    }

    private func sealAll() {
        while let sealed = full.pop() {
            if state.withState({ $0.failure != nil }) {
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
        // After a failure some of what is pending is never written.
        state.wait { $0.failure != nil || ($0.pending[key] ?? 0) == 0 ? () : nil }
        try checkFailure()
        let (tail, id) = PackFormat.encodeTail(sealed.entries, end: sealed.end)
        let name = ObjectName.pack(id)
        try Self.decodeAgain(tail, sealed, id)
        try about(name) { () throws(StorageError) in
            try sealed.object.write(
                sealed.gathered.span, at: sealed.end - UInt64(sealed.gathered.count))
            try sealed.object.write(tail.span, at: sealed.end)
            try sealed.object.sync()
        }
        try publish(sealed.object, name)
        try about(name) { () throws(StorageError) in try storage.syncNames([name]) }
        state.update { state in
            state.pending[key] = nil
            state.storedBytes += UInt64(tail.count + PackFormat.headerSize)
        }
        published(id, sealed.entries)
    }

    /// Gives the pack its name.
    ///
    /// A sound pack of that name with other bytes stays: it has the same table of contents, and so
    /// the same blobs.
    private func publish(
        _ object: any StagedObject, _ name: ObjectName
    ) throws(RepositoryError) {
        do throws(StorageError) {
            try object.publish(as: name, replacing: false)
        } catch {
            guard error.kind == .exists else { throw RepositoryError(error, name) }
            guard try !isSound(name) else { return object.discard() }
            try about(name) { () throws(StorageError) in
                try object.publish(as: name, replacing: true)
            }
        }
    }

    private func isSound(_ name: ObjectName) throws(RepositoryError) -> Bool {
        do throws(RepositoryError) {
            let object = try about(name) { () throws(StorageError) in try storage.open(name) }
            try ObjectVerification.verify(name, object, in: storage)
            return true
        } catch {
            guard error.isDamage else { throw error }
            return false
        }
    }

    /// Invariant 3, for the table of contents; blobs are decoded again where they are encoded.
    private static func decodeAgain(
        _ tail: [UInt8], _ sealed: Sealed, _ id: PackID
    ) throws(RepositoryError) {
        let tableSize = tail.count - PackFormat.trailerSize
        let (trailer, entries) = try about(.pack(id)) { () throws(MalformedBytes) in
            let trailer = try PackTrailer(
                decoding: Array(tail[tableSize...]), packSize: sealed.end + UInt64(tail.count))
            return (trailer, try PackFormat.decodeTable(Array(tail[..<tableSize]), trailer))
        }
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
        sealer.update { $0.take() }?.join()
        try checkFailure()
    }

    /// Drops the pack being filled and waits for the sealer; packs already published stay, and the
    /// next run uses them.
    func abandon() {
        fail(RepositoryError(StorageError(.interrupted, "packs", "the run was given up"), "packs"))
        try? finish()
    }
}
