internal import Bytes
internal import Compression
internal import Hashing
internal import Platform
internal import Repository
internal import Targets
internal import Trees
internal import Wire

/// Takes files of the other store into the staging directory: whole, compared with what they should
/// be, and durable, before any name outside of it is touched.
struct StoreStaging {
    private let tree: TargetTree
    private let decoder = ChunkDecoder()
    private let pieces: TargetPieces
    private(set) var offers: [OfferedFile] = []
    private var wanted: Set<Int> = []
    private var current: Incoming?
    private var area: StagingArea

    private final class Incoming {
        let number: Int
        let size: UInt64
        let mtime: Timestamp
        let file: Descriptor
        var offset: UInt64 = 0
        var hasher = SHA256Hasher()
        var isLacking = false

        init(_ number: Int, _ size: UInt64, _ mtime: Timestamp, _ file: consuming Descriptor) {
            self.number = number
            self.size = size
            self.mtime = mtime
            self.file = file
        }
    }

    init(_ tree: TargetTree) throws(PlatformError) {
        self.tree = tree
        area = try StagingArea(TargetPlaces.staging, in: tree.target)
        pieces = TargetPieces(tree)
    }

    // MARK: Offers

    mutating func receiveOffers(_ source: any ByteSource) throws {
        offers = try RecordReader.all(OfferedFile.self, in: source, limit: TwoWayLimits.files)
    }

    mutating func writeNeeds(to sink: any ByteSink) throws {
        var writer = RecordWriter(sink)
        for (number, offer) in offers.enumerated() {
            let need = try need(offer)
            if need == .yes || offer.isTableFile && need != .no { wanted.insert(number) }
            try writer.write(need)
        }
        try writer.end()
    }

    private func need(_ offer: OfferedFile) throws -> FileNeed {
        let staged = try tree.target.status(TargetPlaces.staged(offer.key))
        if let staged, staged.type == .regular, offer.size ?? staged.size == staged.size {
            return .no
        }
        guard offer.isTableFile, let live = try tree.target.status(offer.path) else { return .yes }
        guard live.type == .regular else { return .isThere(.zero) }
        let file = try tree.target.root.open(offer.path, [.readOnly, .nonBlocking])
        return .isThere(try StoreWalk.digest(file, offer.path))
    }

    /// Whether a file lies whole in the staging directory.
    func isStaged(_ offer: OfferedFile) throws -> Bool {
        try tree.target.status(TargetPlaces.staged(offer.key))?.type == .regular
    }

    // MARK: Content

    mutating func receive(_ source: any ByteSource) throws {
        var records = RecordReader(source)
        while let record = try records.next(FileRecord.self) {
            switch record {
            case .file(let number, let file): try begin(Int(number), file)
            case .data(let codec, let size, let id, let bytes): try take(bytes, codec, size, id)
            case .end(let digest): try finish(digest)
            case .copy(let size, let id, let path, let place):
                try takeCopy(path, place, size, id)
            }
        }
        guard current == nil else { throw RemoteFailure(.violation, "a file without its end") }
        try area.seal()
    }

    private mutating func begin(
        _ number: Int, _ file: (size: UInt64, mtime: Timestamp)?
    ) throws {
        guard current == nil, wanted.remove(number) != nil, number < offers.count else {
            throw RemoteFailure(.violation, "a file that was not asked for")
        }
        // What is gone, or has another size than the log says, is simply not staged.
        guard let (size, mtime) = file else { return }
        current = Incoming(
            number, size, mtime, try area.stage(offers[number].key.stagingKey))
    }

    /// The file that pieces belong to, which must have room for one of `size` bytes.
    private func open(for size: Int) throws(RemoteFailure) -> Incoming {
        guard let current else { throw RemoteFailure(.violation, "a piece of no file") }
        guard size > 0, UInt64(size) <= current.size - current.offset else {
            throw RemoteFailure(.violation, "more content than the file has")
        }
        return current
    }

    private func take(
        _ bytes: [UInt8], _ codec: BlobCodec, _ size: Int, _ id: ChunkID
    ) throws {
        let current = try open(for: size)
        let plain: [UInt8]
        do throws(RepositoryError) {
            plain = try decoder.decode(bytes, codec, bases: [], size: size)
        } catch {
            throw RemoteFailure(.invalid, "\(error)")
        }
        guard ChunkID(of: plain.span) == id else {
            throw RemoteFailure(.invalid, "a piece is not what its id says")
        }
        try add(plain, id, to: current)
    }

    /// Writes a piece but for its blocks of zeros: a hole stays a hole.
    private func add(_ plain: [UInt8], _ id: ChunkID, to current: Incoming) throws(PlatformError) {
        let path = TargetPlaces.partial(offers[current.number].key)
        let runs = id == ZeroBlocks.piece ? [] : ZeroBlocks.runs(of: plain, at: current.offset)
        for run in runs {
            let bytes = plain.span.extracting(run)
            try current.file.write(bytes, at: current.offset + UInt64(run.lowerBound), path)
        }
        current.hasher.update(plain.span)
        current.offset += UInt64(plain.count)
    }

    /// Takes a piece that is in another file of this store.
    private func takeCopy(
        _ path: [UInt8], _ place: UInt64, _ size: Int, _ id: ChunkID
    ) throws {
        let current = try open(for: size)
        if let bytes = try pieces.read(path, place, size, id) {
            try add(bytes, id, to: current)
        } else {
            // It was vacuumed by now: the next sync sends what is here no longer.
            current.isLacking = true
            current.offset += UInt64(size)
        }
    }

    private mutating func finish(_ digest: SHA256Digest) throws {
        guard let file = current else { throw RemoteFailure(.violation, "the end of no file") }
        current = nil
        let offer = offers[file.number]
        let path = TargetPlaces.partial(offer.key)
        guard !file.isLacking else {
            try tree.target.remove(path)
            return
        }
        guard file.offset == file.size, file.hasher.finish() == digest else {
            throw RemoteFailure(.invalid, "a file is not what its digest says", object: offer.path)
        }
        let isRight =
            (offer.size ?? file.size) == file.size
            && (offer.digest == .zero || offer.digest == digest)
        guard isRight else {
            // It changed since it was offered.
            try tree.target.remove(path)
            return
        }
        if try file.file.status(path).size != file.size {
            try file.file.truncate(to: file.size, path)
        }
        try file.file.setMode(offer.mode, path)
        let mtime = offer.isTableFile ? file.mtime : offer.mtime
        try file.file.setModificationTime(mtime, path)
        try area.add(offer.key.stagingKey, size: file.size)
    }
}
