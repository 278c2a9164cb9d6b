internal import Bytes
internal import Chunking
internal import Compression
internal import Hashing
internal import Platform
internal import Repository
internal import Snapshots
internal import Trees

// Content flows through bounded queues:
//
//     capture ──runs of files──▶ readers ──batches of cut chunks──▶ encoders ──▶ packs
//        ▲                          │ take buffers from a pool          │
//        └───── outcome of each file, in any order ◀────────────────────┘
//
// Readers open, read, verify against the parent and cut; encoders hash, find, compress and store.
// The pool has a fixed number of buffers, so memory does not depend on what is captured.

/// A file whose content is to be captured.
struct FileJob: Sendable {
    /// Position in the order of submission; names the outcome.
    var number: Int
    var walk: SourceWalk
    /// Path below the source directory.
    var path: [UInt8]
    var size: UInt64
    var inode: UInt64
    /// What the parent snapshot has for the path.
    var base: Content?
    /// The file, held open since an earlier moment: its name may be gone.
    var pin: PinnedFile?
}

/// What became of a file.
enum FileOutcome: Sendable {
    case stored(StoredFile)
    case vanished
    case unreadable(PlatformError)
}

struct StoredFile: Sendable {
    var pieces: [ContentPiece]
    /// Status when it was read.
    var status: FileStatus
    var attributes: [ExtendedAttribute]
    /// Attributes that could not be read.
    var unread: [ExtendedAttributes.Failure]
    /// It kept changing while it was read.
    var isChanging: Bool

    var size: UInt64 { pieces.reduce(0) { $0 &+ $1.size } }
}

/// A chunk in a buffer, on its way from a reader to an encoder.
struct CutChunk: Sendable {
    var job: Int
    /// Which reading of the file it comes from.
    var attempt: Int
    /// Position among the pieces of the file.
    var ordinal: Int
    var range: Range<Int>
    /// What the reader knows already.
    var digest: XXH3Digest?
    /// The parent's chunk with this digest: stored already if SHA-256 agrees.
    var known: ChunkID?
    /// What to encode it against, should it be new.
    var bases: PatchBases?
}

/// What the readers of files are given: how to cut, and where findings go.
struct ReaderContext: Sendable {
    let chunking: ChunkingParameters
    let buffers: BufferPool
    let rateLimit: RateLimit?
    let kin: KinFiles
    let isCancelled: @Sendable () -> Bool
    /// Whether the repository has a chunk, as far as can be told.
    let isStored: @Sendable (ChunkID) -> Bool
    /// Shows the path of a file that takes long to read.
    let begin: @Sendable ([UInt8]) -> Void
    let tell: @Sendable (ContentPipeline.Report) -> Void
    let push: @Sendable (ContentPipeline.Batch) -> Void
    /// Forgets all pieces of a job.
    let beginAgain: @Sendable (Int) -> Void
}

/// Reads, cuts, hashes, compresses and stores the content of files.
final class ContentPipeline: Sendable {
    struct Batch: Sendable {
        var buffer: ReadBuffer
        var chunks: [CutChunk]
    }

    private struct JobState {
        var attempt = 0
        var pieces: [ContentPiece?] = []
        var missing = 0
        /// Set when the reader is done; the pieces may still be on their way.
        var result: FileOutcome?

        var isDone: Bool { result != nil && missing == 0 }
    }

    private struct State {
        var jobs: [Int: JobState] = [:]
        var failure: RepositoryError?
        var isCancelled = false
    }

    private let repository: Repository
    private let chunking: ChunkingParameters
    private let buffers: BufferPool
    private let progress: WorkProgress
    private let rateLimit: RateLimit?
    private let kin: KinFiles
    private let encoderCount: Int
    private let writer: RepositoryWriter
    private let level: CompressionLevel
    private let trustsParent: Bool
    private let runs: BoundedQueue<[FileJob]>
    private let batches: BoundedQueue<Batch>
    private let state = Monitor(State())

    /// Twice the largest chunk, so that most of a buffer is cut before the rest must be copied.
    static func bufferSize(_ chunking: ChunkingParameters) -> Int { 2 * chunking.maximum }

    init(
        _ context: CaptureContext, _ writer: RepositoryWriter, parent: TreeRoot?
    ) {
        let (repository, options) = (context.repository, context.options)
        self.repository = repository
        self.writer = writer
        trustsParent = parent != nil
        kin = KinFiles(parent, repository)
        progress = context.progress
        chunking = repository.config.chunking
        level = options.level
        rateLimit = options.bytesPerSecond.map { RateLimit(bytesPerSecond: $0) }
        let count = context.host.processors
        encoderCount = count
        // A reader may hold two, an encoder one, and some wait between them.
        buffers = BufferPool(
            count: 2 * Self.readerCount + count + 2, capacity: Self.bufferSize(chunking))
        // Few enough that a file is read soon after the walk saw it.
        runs = BoundedQueue(capacity: 16)
        batches = BoundedQueue(capacity: count)
    }

    private static let readerCount = 2

    /// Runs `body`, which submits jobs and takes outcomes, with the threads at work.
    func run<Failure: Error>(_ body: () throws(Failure) -> Void) throws(Failure) {
        let readers = WorkerThreads(count: Self.readerCount) { _ in
            var reader = FileReader(self.readerContext, NodeSource(self.repository))
            while let run = self.runs.pop() {
                for job in run where !self.isCancelled { reader.read(job) }
                reader.flush()
            }
            reader.close()
        }
        let encoders = WorkerThreads(count: encoderCount) { _ in self.encode() }
        let outcome: Result<Void, Failure>
        do throws(Failure) {
            try body()
            outcome = .success(())
        } catch {
            state.update { $0.isCancelled = true }
            outcome = .failure(error)
        }
        runs.close()
        readers.join()
        batches.close()
        encoders.join()
        buffers.close()
        try outcome.get()
    }

    /// Whether the work is to stop: whoever waits for it gave up, or something failed.
    private var isCancelled: Bool {
        Interruption.isRequested || state.withState { $0.isCancelled || $0.failure != nil }
    }

    func submit(_ run: [FileJob]) { runs.push(run) }

    /// The outcome of a job, if it is there already.
    func takeIfDone(_ job: Int) -> FileOutcome? {
        state.withState { Self.take(job, &$0) }
    }

    /// Waits for the outcome of a job; nil when the work is interrupted.
    func take(_ job: Int) throws(RepositoryError) -> FileOutcome? {
        let result: Result<FileOutcome?, RepositoryError> = state.wait { state in
            if let failure = state.failure { return .failure(failure) }
            if let outcome = Self.take(job, &state) { return .success(outcome) }
            return Interruption.isRequested ? .success(nil) : nil
        }
        return try result.get()
    }

    private static func take(_ job: Int, _ state: inout State) -> FileOutcome? {
        guard let found = state.jobs[job], found.isDone, let result = found.result else {
            return nil
        }
        state.jobs[job] = nil
        guard case .stored(var file) = result else { return result }
        file.pieces = found.pieces.compactMap { $0 }
        return .stored(file)
    }

    /// Whether the repository has a chunk, as far as can be told.
    private func isStored(_ id: ChunkID) -> Bool {
        (try? writer.isMissing(.chunk(id))) == false
    }

    func checkFailure() throws(RepositoryError) {
        if let failure = state.withState({ $0.failure }) { throw failure }
    }
}

// MARK: - What readers report

extension ContentPipeline {
    /// A reader's findings since its last report, in one batch, because a lock and a wake-up for
    /// each small file would cost more than reading it.
    struct Report: Sendable {
        /// Holes, and nil for chunks, whose pieces follow from an encoder.
        var pieces: [(job: Int, piece: ContentPiece?)] = []
        var outcomes: [(job: Int, outcome: FileOutcome)] = []
        var bytesRead = 0
        /// What is being read, in the snapshot.
        var path: [UInt8] = []

        var isEmpty: Bool { pieces.isEmpty && outcomes.isEmpty && bytesRead == 0 }
    }

    /// What readers need of the pipeline.
    private var readerContext: ReaderContext {
        ReaderContext(
            chunking: chunking, buffers: buffers, rateLimit: rateLimit, kin: kin,
            isCancelled: { self.isCancelled }, isStored: { self.isStored($0) },
            begin: { path in self.progress.update { $0.currentPath = path } },
            tell: { self.take($0) }, push: { self.push($0) },
            beginAgain: { self.beginAgain($0) })
    }

    /// Takes in a report.
    ///
    /// The chunks it makes room for must not have been pushed before.
    private func take(_ report: Report) {
        guard !report.isEmpty else { return }
        state.update { state in
            for (job, piece) in report.pieces {
                state.jobs[job, default: JobState()].pieces.append(piece)
                if piece == nil { state.jobs[job]?.missing += 1 }
            }
            for (job, outcome) in report.outcomes {
                state.jobs[job, default: JobState()].result = outcome
            }
        }
        progress.update { counters in
            counters.bytesDone &+= UInt64(report.bytesRead)
            counters.currentPath = report.path
        }
    }

    /// Hands a filled buffer to the encoders.
    private func push(_ batch: Batch) { batches.push(batch) }

    /// Forgets the pieces so far, also those on their way: the file is read again, or not at all.
    private func beginAgain(_ job: Int) {
        state.withState { state in
            let attempt = state.jobs[job]?.attempt ?? 0
            state.jobs[job] = JobState(attempt: attempt + 1)
        }
    }

    private func fail(_ error: RepositoryError) {
        state.update { $0.failure = $0.failure ?? error }
    }
}

// MARK: - Encoders

extension ContentPipeline {
    private func encode() {
        let encoder = BlobEncoder(level)
        let bases = BlobReader(repository)
        while let batch = batches.pop() {
            if !isCancelled {
                do throws(RepositoryError) {
                    try encode(batch, encoder, bases)
                } catch {
                    fail(error)
                }
            } else {
                state.update { _ in }  // Wakes whoever waits for this batch.
            }
            buffers.giveBack(batch.buffer)
        }
    }

    private func encode(
        _ batch: Batch, _ encoder: BlobEncoder, _ bases: BlobReader
    ) throws(RepositoryError) {
        let ids = Self.ids(of: batch)
        var pieces: [ContentPiece] = []
        pieces.reserveCapacity(batch.chunks.count)
        for (chunk, id) in zip(batch.chunks, ids) {
            try batch.buffer.withBytes(chunk.range) { bytes throws(RepositoryError) in
                try store(chunk, id, bytes, encoder, bases)
            }
            pieces.append(.chunk(id, size: UInt64(chunk.range.count)))
        }
        state.update { state in
            for (chunk, piece) in zip(batch.chunks, pieces)
            where state.jobs[chunk.job]?.attempt == chunk.attempt {
                state.jobs[chunk.job]?.pieces[chunk.ordinal] = piece
                state.jobs[chunk.job]?.missing -= 1
            }
        }
    }

    /// All at once, because several messages are hashed faster together.
    private static func ids(of batch: Batch) -> [ChunkID] {
        batch.buffer.withBytes(0..<batch.buffer.count) { bytes in
            let digests = SHA256Digest.digests(of: batch.chunks.map(\.range), in: bytes)
            var ids: [ChunkID] = []
            ids.reserveCapacity(digests.count)
            for (chunk, sha256) in zip(batch.chunks, digests) {
                let xxh3 = chunk.digest ?? XXH3Digest(of: bytes.extracting(chunk.range))
                ids.append(ChunkID(Fingerprint(xxh3: xxh3, sha256: sha256)))
            }
            return ids
        }
    }

    private func store(
        _ chunk: CutChunk, _ id: ChunkID, _ bytes: Span<UInt8>, _ encoder: BlobEncoder,
        _ bases: BlobReader
    ) throws(RepositoryError) {
        if trustsParent, chunk.known == id { return }
        guard try writer.claim(.chunk(id)) else { return }
        let source = trustsParent ? chunk.bases.flatMap { patchSource($0, bases) } : nil
        try writer.store(.chunk(id), bytes, encoder, against: source)
    }

    /// Bases that cannot be read are none; the chunk is then stored whole.
    private func patchSource(_ bases: PatchBases, _ reader: BlobReader) -> PatchSource? {
        do throws(RepositoryError) {
            return try reader.patchSource(bases.chunks, place: bases.place)
        } catch {
            return nil
        }
    }
}
