internal import Bytes
internal import Compression
internal import Hashing
internal import Platform
internal import Remote
internal import Repository
internal import Snapshots
internal import Targets
internal import Wire

/// Sends what makes a replica equal to a snapshot.
///
/// Its passes over the manifests give the same files in the same order, so that a number names a
/// file on both sides and little is remembered between them.
final class ReplicaSender {
    /// A file that is to be sent.
    struct File {
        var number: UInt32
        var entry: ManifestEntry
        /// What the replica has at the path, as far as is known.
        var before: Content?
        /// The target has a file there that may hold some of it.
        var isThere: Bool
    }

    private let repository: Repository
    private let nodes: NodeSource
    private let snapshot: Snapshot
    /// The snapshot that the replica is equal to; nil when everything is offered.
    private let known: Snapshot?
    private let progress: WorkProgress
    private let encoder = BlobEncoder(.standard)
    /// Plain bytes of chunks that were sent, and of those that the target had.
    private(set) var sentBytes: UInt64 = 0
    private(set) var copiedBytes: UInt64 = 0
    private(set) var offered = 0
    private let gaps: CaptureGaps

    init(
        _ repository: Repository, _ snapshot: Snapshot, known: Snapshot?,
        _ progress: WorkProgress
    ) {
        self.repository = repository
        self.snapshot = snapshot
        self.known = known
        self.progress = progress
        gaps = CaptureGaps(snapshot.record)
        nodes = NodeSource(repository)
    }

    private var scope: ReplicaOffers.Scope {
        guard known == nil else { return .changes }
        return gaps.isEmpty ? .everything : .everythingRead
    }

    // MARK: Offer

    func offer(to sink: any ByteSink) throws {
        var writer = RecordWriter(sink)
        let origin = ReplicaOrigin(repository: repository.config.id, snapshot)
        try writer.write(OfferRecord.head(scope, origin))
        try forEachChange { change throws in
            try Interruption.check()
            if let entry = change.after {
                let key = entry.isFile ? entry.contentKey : .zero
                let record = ReplicaRecord(entry.withoutContent, key: key)
                try writer.write(OfferRecord.put(record))
            } else {
                try writer.write(OfferRecord.remove(change.path))
            }
            offered += 1
        }
        try writer.end()
    }

    /// Calls `body` with all that is offered, in path order.
    private func forEachChange(_ body: (ManifestChange) throws -> Void) throws {
        var diff = ManifestDiff(
            known?.record.root, snapshot.record.root, nodes, comparesDirectoryTimes: true)
        while let change = try diff.next() {
            if !gaps.hide(change) { try body(change) }
        }
    }

    /// Calls `body` with the files that are offered, with their number, and what is gone.
    private func forEachFile(
        _ body: (UInt32, ManifestChange) throws -> Void, gone: (ManifestEntry) throws -> Void
    ) throws {
        var number: UInt32 = 0
        try forEachChange { change throws in
            if let entry = change.after, entry.isFile {
                try body(number, change)
                number += 1
            } else if let entry = change.before, entry.isFile {
                try gone(entry)
            }
        }
    }

    // MARK: Content

    /// Sends the wanted files; `wants` has the target's answer for each file offered.
    func content(_ wants: [UInt8], to sink: any ByteSink) throws {
        var writer = RecordWriter(sink)
        try tellSizes(wants)
        var batch = ReplicaBatch(repository, nodes, known)
        var paths = ReplicaPaths()
        try forEachFile { number, change throws in
            guard Int(number) < wants.count, let entry = change.after else {
                throw RemoteFailure(.violation, "an answer that does not fit the offer")
            }
            guard wants[Int(number)] != ReplicaOffers.Want.no.rawValue else { return }
            let isThere =
                known == nil && wants[Int(number)] == ReplicaOffers.Want.yesAndThere.rawValue
            var before: Content?
            if case .file(_, let content)? = change.before?.payload { before = content }
            batch.add(
                File(number: number, entry: entry, before: before, isThere: isThere),
                changed: change.before)
            if batch.isFull { try send(&batch, &paths, &writer) }
        } gone: { entry throws in
            batch.add(gone: entry)
        }
        try send(&batch, &paths, &writer)
        try writer.end()
    }

    private func tellSizes(_ wants: [UInt8]) throws {
        try forEachFile { number, change throws in
            guard Int(number) < wants.count, wants[Int(number)] != 0, let entry = change.after
            else { return }
            progress.update { counters in
                counters.filesFound += 1
                counters.bytesFound &+= entry.size
            }
        } gone: { _ in
        }
        progress.update { $0.isTotalKnown = true }
    }

    private func send(
        _ batch: inout ReplicaBatch, _ paths: inout ReplicaPaths,
        _ writer: inout RecordWriter
    ) throws {
        try batch.resolve()
        for file in batch.files {
            try Interruption.check()
            try writer.write(ContentRecord.file(file.number))
            try send(file, &batch, &paths, &writer)
            progress.update { $0.filesDone += 1 }
        }
        batch.removeAll()
    }

    private func send(
        _ file: File, _ batch: inout ReplicaBatch, _ paths: inout ReplicaPaths,
        _ writer: inout RecordWriter
    ) throws {
        guard case .file(_, let content) = file.entry.payload else { return }
        var offset: UInt64 = 0
        for piece in try nodes.pieces(content) {
            switch piece {
            case .hole(let size): try writer.write(ContentRecord.hole(size))
            case .chunk(let id, let size):
                // Where nothing is known of the target, its own file is the best guess.
                let guess =
                    file.isThere ? ReplicaBatch.Place.live(file.entry.path, offset: offset) : nil
                if let place = batch.place(of: id) ?? guess {
                    try copy(id, size, try number(place, &paths, &writer), &writer)
                } else {
                    try sendData(id, size, &batch, &paths, &writer)
                    batch.note(id, file: file.number, offset: offset)
                }
            }
            offset += piece.size
            progress.update { $0.bytesDone += piece.size }
        }
    }

    private func number(
        _ place: ReplicaBatch.Place, _ paths: inout ReplicaPaths,
        _ writer: inout RecordWriter
    ) throws -> ReplicaPlace {
        switch place {
        case .live(let path, let offset):
            .live(path: try paths.number(path, &writer), offset: offset)
        case .offered(let file, let offset): .offered(file: file, offset: offset)
        }
    }

    private func copy(
        _ id: ChunkID, _ size: UInt64, _ place: ReplicaPlace, _ writer: inout RecordWriter
    ) throws {
        copiedBytes += size
        try writer.write(ContentRecord.copy(id, size: Int(clamping: size), place))
    }

    /// Sends a chunk as it is stored, where the target has the bases of a patch, else by itself.
    private func sendData(
        _ id: ChunkID, _ size: UInt64, _ batch: inout ReplicaBatch, _ paths: inout ReplicaPaths,
        _ writer: inout RecordWriter
    ) throws {
        let blob = DeltaBlob(id: .chunk(id), size: size)
        let encoded = try EncodedBlob.make(
            blob, repository, nodes.blobs, encoder, triesPatches: false
        ) { base in
            batch.isLive(base)
        }
        var places: [ReplicaPlace] = []
        if encoded.codec == .patch {
            for base in try ChunkDecoder.bases(of: encoded.bytes) {
                guard let place = batch.place(of: base.id) else { continue }
                places.append(try number(place, &paths, &writer))
            }
        }
        sentBytes += size
        try writer.write(ContentRecord.data(SentPiece(id: id, encoded, bases: places)))
    }

    // MARK: Supply

    /// Sends pieces that the target did not find where it was told.
    func supply(_ lacking: [LackingPiece], to sink: any ByteSink) throws {
        var writer = RecordWriter(sink)
        var next = 0
        try forEachFile { number, change throws in
            guard next < lacking.count, lacking[next].file == number,
                case .file(_, let content)? = change.after?.payload
            else { return }
            let pieces = try nodes.pieces(content)
            while next < lacking.count, lacking[next].file == number {
                try Interruption.check()
                try supply(lacking[next], pieces, &writer)
                next += 1
            }
        } gone: { _ in
        }
        guard next == lacking.count else {
            throw RemoteFailure(.violation, "pieces are asked for that were not offered")
        }
        try writer.end()
    }

    private func supply(
        _ lacking: LackingPiece, _ pieces: [ContentPiece], _ writer: inout RecordWriter
    ) throws {
        guard Int(lacking.piece) < pieces.count,
            case .chunk(let id, let size) = pieces[Int(lacking.piece)]
        else { throw RemoteFailure(.violation, "a piece is asked for that was not offered") }
        let blob = DeltaBlob(id: .chunk(id), size: size)
        let encoded = try EncodedBlob.make(
            blob, repository, nodes.blobs, encoder, triesPatches: false
        ) { _ in false }
        sentBytes += size
        copiedBytes -= min(copiedBytes, size)
        try writer.write(SupplyRecord.at(file: lacking.file, offset: lacking.offset))
        try writer.write(SupplyRecord.data(SentPiece(id: id, encoded)))
    }
}

/// What a snapshot does not tell of its source.
struct CaptureGaps {
    private let unreadable: [[UInt8]]
    private let hasOthers: Bool
    /// Tables that lack files: who has a whole version of them keeps it.
    let damagedTables: [[UInt8]]

    init(_ record: SnapshotRecord) {
        unreadable = record.problems.filter { $0.kind == .unreadable }.map(\.path)
        hasOthers = record.unlistedProblems > 0
        damagedTables = record.tables.filter { $0.state == .damaged }.map(\.path)
    }

    var isEmpty: Bool { unreadable.isEmpty && damagedTables.isEmpty && !hasOthers }

    /// Whether a change is not to be believed: what could not be read is not gone.
    func hide(_ change: ManifestChange) -> Bool {
        if damagedTables.contains(where: { PathBytes.isInside(change.path, $0) }) { return true }
        return change.after == nil
            && (hasOthers || unreadable.contains { PathBytes.isInside(change.path, $0) })
    }
}

/// Numbers of the paths that were told to the target.
struct ReplicaPaths {
    private var numbers: [[UInt8]: UInt32] = [:]
    private var next: UInt32 = 0

    /// More are told again.
    private static let limit = 64 << 10

    mutating func number(_ path: [UInt8], _ writer: inout RecordWriter) throws -> UInt32 {
        if let number = numbers[path] { return number }
        if numbers.count >= Self.limit { numbers = [:] }
        defer { next += 1 }
        numbers[path] = next
        try writer.write(ContentRecord.path(path))
        return next
    }
}
