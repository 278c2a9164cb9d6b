internal import Bytes
internal import Compression
package import Hashing
internal import Platform

/// What one run added to a repository.
package struct WriteStatistics: Equatable, Sendable {
    /// Chunks that were not there before.
    package var newChunks = 0
    /// Nodes that were not there before.
    package var newNodes = 0
    /// Plain bytes of the new blobs.
    package var newBytes: UInt64 = 0
    /// Of the new chunks, those stored as patches.
    package var patchedChunks = 0
    /// Bytes that the storage grew by: packs and index, not the snapshot.
    package var storedBytes: UInt64 = 0
    /// Blobs whose XXH3 was known but whose SHA-256 was not: crafted, or a 2⁻¹²⁸ accident.
    package var collisions = 0
}

/// How much a run gathers before it writes; tests choose less.
package struct WriterLimits: Sendable {
    /// A pack is sealed once it is this large.
    package var packSize = PackFormat.targetSize
    /// Loose blobs are written to an index segment when there are this many, so that the memory of
    /// a run does not grow with what it stores: some 30 MB.
    package var looseBlobs = 64 << 10

    /// What every run but a test takes.
    package static let standard = WriterLimits()

    /// The same as `standard`.
    package init() {}
}

/// Adds blobs to a repository, from any number of threads, and commits them.
///
/// Nothing that it wrote is visible before `commit`; a run that is dropped leaves only packs that
/// no index names, which the next run uses and `check` mentions.
package final class RepositoryWriter: Sendable {
    private struct State {
        /// Blobs that this run stores and that no index segment holds yet.
        var claimed: Set<BlobID> = []
        var statistics = WriteStatistics()
        /// A thread is writing an index segment.
        var isFlushing = false
    }

    private let repository: Repository
    private let sink: PackSink
    private let state = Monitor(State())

    private let isDryRun: Bool
    private let limits: WriterLimits

    /// With `isDryRun` everything is encoded and counted, and nothing written.
    package init(
        _ repository: Repository, isDryRun: Bool = false, limits: WriterLimits = .standard
    ) throws(RepositoryError) {
        self.repository = repository
        self.isDryRun = isDryRun
        self.limits = limits
        let index = repository.index
        try index.listPacks()
        let storage: any Storage =
            isDryRun ? DryRunStorage(repository.storage) : repository.storage
        sink = PackSink(storage, packSize: limits.packSize) { pack, entries in
            if !isDryRun { index.addPack(pack, entries) }
        }
    }

    /// Whether the repository lacks this blob, and no other thread is storing it.
    package func isMissing(_ id: BlobID) throws(RepositoryError) -> Bool {
        guard try repository.index.findPresent(id).isEmpty else { return false }
        return state.withState { !$0.claimed.contains(id) }
    }

    /// Whether the caller must store this blob: true once for each blob that is not there.
    package func claim(_ id: BlobID) throws(RepositoryError) -> Bool {
        guard try repository.index.findPresent(id).isEmpty else { return false }
        return state.withState { $0.claimed.insert(id).inserted }
    }

    /// Encodes and stores a blob that was claimed, as a patch against `source` where that is
    /// smaller.
    package func store(
        _ id: BlobID, _ plain: Span<UInt8>, _ encoder: BlobEncoder,
        against source: PatchSource? = nil
    ) throws(RepositoryError) {
        let (codec, stored) = try encoder.encode(plain, id.fingerprint.xxh3, against: source)
        switch codec {
        case .stored: try store(encoded: id, codec, plain, plainSize: plain.count)
        default: try store(encoded: id, codec, stored.span, plainSize: plain.count)
        }
        if !isDryRun { repository.nodeCache?.add(id, plain) }
    }

    /// Stores a blob that was claimed, as it is encoded already.
    ///
    /// The caller has decoded it and compared it with its id.
    package func store(
        encoded id: BlobID, _ codec: BlobCodec, _ stored: Span<UInt8>, plainSize: Int
    ) throws(RepositoryError) {
        try sink.append(id, codec, stored, plainSize: plainSize)
        let size = UInt64(plainSize)
        state.withState { state in
            state.statistics.newBytes += size
            if codec == .patch { state.statistics.patchedChunks += 1 }
            switch id.kind {
            case .chunk: state.statistics.newChunks += 1
            case .node: state.statistics.newNodes += 1
            }
        }
        try flushIfLarge()
    }

    /// Stores a blob unless it is there.
    package func put(
        _ id: BlobID, _ plain: Span<UInt8>, _ encoder: BlobEncoder
    )
        throws(RepositoryError)
    {
        if try claim(id) { try store(id, plain, encoder) }
    }

    /// Writes loose blobs to a segment when there are many.
    ///
    /// Their packs are durable already, so the order packs, index, snapshot holds (invariant 2).
    private func flushIfLarge() throws(RepositoryError) {
        guard !isDryRun, repository.index.looseCount >= limits.looseBlobs else { return }
        let isMine = state.update { state in
            defer { state.isFlushing = true }
            return !state.isFlushing
        }
        guard isMine else { return }
        defer { state.update { $0.isFlushing = false } }
        let loose = repository.index.looseBlobs()
        try publishIndex(loose, merging: [])
        state.update { state in
            for blob in loose { state.claimed.remove(blob.id) }
        }
    }

    private func publishIndex(
        _ blobs: [LocatedBlob], merging segments: [IndexSegment]
    )
        throws(RepositoryError)
    {
        try repository.index.syncFoundPacks()
        var all = blobs
        for segment in segments {
            for index in 0..<segment.entryCount {
                let entry = try segment.entry(index)
                if repository.index.isPresent(entry.place.pack) { all.append(entry) }
            }
        }
        let bytes = IndexFormat.encode(all)
        let id = IndexID(SHA256Digest(of: bytes.span))
        let name = ObjectName.index(id)
        let object = try about(name) { () throws(StorageError) in
            try repository.storage.put(name, bytes)
            return try repository.storage.open(name)
        }
        let segment = try IndexSegment(id, object)
        repository.index.replace(loose: blobs, merged: segments, by: segment)
        state.update { $0.statistics.storedBytes += UInt64(bytes.count) }
        for old in segments where old.id != id { try remove(old) }
    }

    /// Removes a segment that was merged; it stays where this run may not remove it.
    private func remove(_ segment: IndexSegment) throws(RepositoryError) {
        do throws(RepositoryError) {
            try about(.index(segment.id)) { () throws(StorageError) in
                try repository.storage.remove(.index(segment.id))
            }
        } catch {
            guard error.isRefusal else { throw error }
        }
    }

    /// Publishes what is loose, merged with other segments unless the storage does not accept that:
    /// one of them may be wrong.
    private func publishLoose(merging segments: [IndexSegment]) throws(RepositoryError) {
        let loose = repository.index.looseBlobs()
        do throws(RepositoryError) {
            try publishIndex(loose, merging: segments)
        } catch {
            guard error.isRefusal, !segments.isEmpty else { throw error }
            try publishIndex(loose, merging: [])
        }
    }

    /// Makes all blobs durable and findable: packs, then index (invariant 2).
    ///
    /// The caller may then publish a snapshot that needs them.
    package func commit() throws(RepositoryError) -> WriteStatistics {
        try sink.finish()
        let index = repository.index
        if index.looseCount > 0, !isDryRun {
            let chosen = IndexMerge.choose(index.segments, adding: index.looseCount)
            let merged = try index.sound(chosen)
            // Only now: what damaged segments listed is loose too.
            try publishLoose(merging: merged)
        }
        return state.withState { state in
            var statistics = state.statistics
            statistics.storedBytes += sink.storedBytes
            return statistics
        }
    }

    /// Stops writing and lets go of what is not published.
    package func abandon() { sink.abandon() }

    /// Bytes of packs written so far.
    package var storedBytes: UInt64 { sink.storedBytes }
}

/// Which segments to merge into the next one.
enum IndexMerge {
    /// Segments beyond this number are merged.
    private static let segmentLimit = 8

    /// The smallest segments, as many as fit one segment together with `adding` new entries; none
    /// while there are few.
    static func choose(_ segments: [IndexSegment], adding: Int) -> [IndexSegment] {
        guard segments.count >= segmentLimit else { return [] }
        var total = adding
        var chosen: [IndexSegment] = []
        for segment in segments.sorted(by: { $0.entryCount < $1.entryCount }) {
            total += segment.entryCount
            if total > IndexFormat.entryLimit { break }
            chosen.append(segment)
        }
        return chosen
    }
}
