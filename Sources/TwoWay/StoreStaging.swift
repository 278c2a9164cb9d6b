internal import Trees
internal import Targets
internal import Wire
internal import Bytes
internal import Compression
internal import Hashing
internal import Platform
internal import Repository
internal import SystemPackage

/// Takes files of the other store into the staging directory: whole, compared with what they should
/// be, and durable, before any name outside of it is touched.
struct StoreStaging {
    private let tree: ReplicaTree
    private let decoder = ChunkDecoder()
    private let pieces: ReplicaPieces
    private(set) var offers: [OfferedFile] = []
    private var wanted: Set<Int> = []
    private var current: Incoming?
    private var unsynced: [SHA256Digest] = []
    private var unsyncedBytes: UInt64 = 0

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

    private static let unsyncedFiles = 256
    private static let unsyncedLimit: UInt64 = 256 << 20
    private static let singleSyncs = 4

    init(_ tree: ReplicaTree) {
        self.tree = tree
        pieces = ReplicaPieces(tree)
    }

    // MARK: Offers

    mutating func receiveOffers(_ source: any ByteSource) throws {
        var records = ReplicaRecordReader(source)
        while let next = try records.next() {
            var reader = next.reader
            guard next.type == 1, offers.count < TwoWayLimits.files else {
                throw ReplicaRecordReader.unknown(next.type)
            }
            offers.append(try OfferedFile(decoding: &reader))
            try reader.finish()
        }
    }

    mutating func writeNeeds(to sink: any ByteSink) throws {
        var writer = ReplicaRecordWriter(sink)
        for (number, offer) in offers.enumerated() {
            let need = try need(offer)
            if need == .yes || offer.isTableFile && need != .no { wanted.insert(number) }
            try writer.write(1) { need.encode(into: &$0) }
        }
        try writer.end()
    }

    private func need(_ offer: OfferedFile) throws -> FileNeed {
        let staged = try tree.target.status(ReplicaPlaces.staged(offer.key))
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
        try tree.target.status(ReplicaPlaces.staged(offer.key))?.type == .regular
    }

    // MARK: Content

    mutating func receive(_ source: any ByteSource) throws {
        var records = ReplicaRecordReader(source)
        while let next = try records.next() {
            var reader = next.reader
            switch next.type {
            case 1: try begin(&reader)
            case 2: try take(&reader)
            case 3: try finish(try reader.sha256())
            case 4: try takeCopy(&reader)
            default: throw ReplicaRecordReader.unknown(next.type)
            }
            try reader.finish()
        }
        guard current == nil else { throw RemoteFailure(.violation, "a file without its end") }
        try sync()
    }

    private mutating func begin(_ reader: inout ByteReader) throws {
        let number = Int(try reader.u32())
        guard current == nil, wanted.remove(number) != nil, number < offers.count else {
            throw RemoteFailure(.violation, "a file that was not asked for")
        }
        let isThere = try reader.u8() == 1
        let size = try reader.u64()
        let mtime = try reader.time()
        // What is gone, or has another size than the log says, is simply not staged.
        guard isThere else { return }
        let path = ReplicaPlaces.partial(offers[number].key)
        try tree.target.remove(path)
        let file = try tree.target.root.open(path, [.readWrite, .create, .exclusive], mode: 0o600)
        current = Incoming(number, size, mtime, file)
    }

    private mutating func take(_ reader: inout ByteReader) throws {
        guard let current, let codec = BlobCodec(rawValue: try reader.u8()), codec != .patch else {
            throw RemoteFailure(.violation, "a piece of no file")
        }
        let size = try reader.count(limit: TwoWayLimits.piece, "a size")
        let id = ChunkID(try reader.fingerprint())
        guard size > 0, UInt64(size) <= current.size - current.offset else {
            throw RemoteFailure(.violation, "more content than the file has")
        }
        let stored = Array(try reader.take(reader.remaining))
        let plain: [UInt8]
        do throws(RepositoryError) {
            plain = try decoder.decode(stored, codec, bases: [], size: size)
        } catch {
            throw RemoteFailure(.invalid, "\(error)")
        }
        guard ChunkID(of: plain.span) == id else {
            throw RemoteFailure(.invalid, "a piece is not what its id says")
        }
        try add(plain, to: current)
    }

    private func add(_ plain: [UInt8], to current: Incoming) throws {
        let path = ReplicaPlaces.partial(offers[current.number].key)
        try current.file.write(plain.span, at: current.offset, path)
        current.hasher.update(plain.span)
        current.offset += UInt64(plain.count)
    }

    /// Takes a piece that is in another file of this store.
    private mutating func takeCopy(_ reader: inout ByteReader) throws {
        guard let current else { throw RemoteFailure(.violation, "a piece of no file") }
        let size = try reader.count(limit: TwoWayLimits.copy, "a size")
        let id = ChunkID(try reader.fingerprint())
        let path = try TwoWayPath.decode(&reader)
        let place = try reader.varint()
        guard size > 0, UInt64(size) <= current.size - current.offset else {
            throw RemoteFailure(.violation, "more content than the file has")
        }
        if let bytes = try pieces.read(path, place, size, id) {
            try add(bytes, to: current)
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
        let path = ReplicaPlaces.partial(offer.key)
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
        try file.file.setMode(offer.mode, path)
        let mtime = offer.isTableFile ? file.mtime : offer.mtime
        try file.file.setModificationTime(mtime, path)
        unsynced.append(offer.key)
        unsyncedBytes += file.size
        if unsynced.count >= Self.unsyncedFiles || unsyncedBytes >= Self.unsyncedLimit {
            try sync()
        }
    }

    /// Waits until what was written is durable, and gives it the names of whole files.
    private mutating func sync() throws {
        guard !unsynced.isEmpty else { return }
        if unsynced.count > Self.singleSyncs {
            try tree.target.root.descriptor.syncFileSystem([])
        } else {
            for key in unsynced {
                let path = ReplicaPlaces.partial(key)
                try tree.target.root.open(path, [.readOnly]).sync(path)
            }
        }
        let staging = try tree.target.root.open(ReplicaPlaces.staging, [.readOnly, .directory])
        for key in unsynced {
            try FileOperations.rename(
                Array(PathBytes.name(ReplicaPlaces.partial(key))),
                to: Array(PathBytes.name(ReplicaPlaces.staged(key))), at: staging.raw)
        }
        try staging.sync(ReplicaPlaces.staging)
        unsynced = []
        unsyncedBytes = 0
    }
}

/// Sends files of a store as they are asked for.
struct StoreContent {
    private let tree: ReplicaTree
    private let encoder: BlobEncoder?
    private var wants: [WantedFile] = []

    init(_ tree: ReplicaTree, compresses: Bool) {
        self.tree = tree
        encoder = compresses ? BlobEncoder(.standard) : nil
    }

    mutating func receiveWants(_ source: any ByteSource) throws {
        var records = ReplicaRecordReader(source)
        while let next = try records.next() {
            var reader = next.reader
            switch next.type {
            case 1:
                guard wants.count < TwoWayLimits.files else {
                    throw RemoteFailure(.violation, "too many files")
                }
                wants.append(
                    WantedFile(number: try reader.u32(), path: try TwoWayPath.decode(&reader)))
            case 2: try take(try PieceCopy(decoding: &reader))
            default: throw ReplicaRecordReader.unknown(next.type)
            }
            try reader.finish()
        }
    }

    private mutating func take(_ copy: PieceCopy) throws {
        guard let want = wants.last, want.copies.count < PieceSearch.pieces else {
            throw RemoteFailure(.violation, "a piece of no file")
        }
        let end = want.copies.last.map { $0.offset + UInt64($0.size) } ?? 0
        guard copy.offset >= end else { throw RemoteFailure(.violation, "pieces out of order") }
        wants[wants.count - 1].copies.append(copy)
    }

    func write(to sink: any ByteSink) throws {
        var writer = ReplicaRecordWriter(sink)
        for want in wants {
            try Interruption.check()
            try write(want, &writer)
        }
        try writer.end()
    }

    private func write(_ want: WantedFile, _ writer: inout ReplicaRecordWriter) throws {
        let (number, path) = (want.number, want.path)
        guard let file = try open(path) else {
            return try writer.write(1) { Self.head(number, nil, &$0) }
        }
        let status = try file.descriptor.status(path)
        guard status.type == .regular else {
            return try writer.write(1) { Self.head(number, nil, &$0) }
        }
        try writer.write(1) { Self.head(number, status, &$0) }
        var hasher = SHA256Hasher()
        var offset: UInt64 = 0
        var copies = want.copies[...]
        while offset < status.size {
            let copy = copies.first
            let end = min(copy?.offset ?? status.size, status.size)
            let isCopy = offset == end
            let count =
                isCopy
                ? copy?.size ?? 0 : Int(min(UInt64(TwoWayLimits.piece), end - offset))
            let bytes = try file.descriptor.read(count, at: offset, path)
            guard count > 0, bytes.count == count else {
                throw RemoteFailure(.missing, "it became shorter while it was read", object: path)
            }
            hasher.update(bytes.span)
            if isCopy, let copy {
                copies = copies.dropFirst()
                try write(copy, bytes, &writer)
            } else {
                try write(bytes, &writer)
            }
            offset += UInt64(count)
        }
        let digest = hasher.finish()
        try writer.write(3) { $0.digest(digest) }
    }

    private final class OpenFile {
        let descriptor: Descriptor
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }

    /// Nil where there is no such file, or a symlink is in its way.
    private func open(_ path: [UInt8]) throws(PlatformError) -> OpenFile? {
        do throws(PlatformError) {
            return OpenFile(try tree.target.root.open(path, [.readOnly, .nonBlocking]))
        } catch {
            guard error.isNotFound || error.errno == .tooManySymbolicLinkLevels else {
                throw error
            }
            return nil
        }
    }

    private static func head(
        _ number: UInt32, _ status: FileStatus?, _ writer: inout ByteWriter
    ) {
        writer.u32(number)
        writer.u8(status == nil ? 0 : 1)
        writer.u64(status?.size ?? 0)
        writer.time(status?.mtime ?? Timestamp(seconds: 0, nanoseconds: 0))
    }

    private func write(
        _ copy: PieceCopy, _ bytes: [UInt8], _ writer: inout ReplicaRecordWriter
    ) throws {
        let id = ChunkID(of: bytes.span)
        try writer.write(4) {
            $0.count(bytes.count)
            $0.fingerprint(id.fingerprint)
            $0.string(copy.path)
            $0.varint(copy.place)
        }
    }

    private func write(_ bytes: [UInt8], _ writer: inout ReplicaRecordWriter) throws {
        let id = ChunkID(of: bytes.span)
        var (codec, stored) = (BlobCodec.stored, bytes)
        if let encoder {
            let (tried, encoded) = try encoder.encode(bytes.span, id.fingerprint.xxh3)
            if tried == .zstd { (codec, stored) = (tried, encoded) }
        }
        let used = codec
        try writer.write(
            2,
            {
                $0.u8(used.rawValue)
                $0.count(bytes.count)
                $0.fingerprint(id.fingerprint)
            }, stored)
    }
}
