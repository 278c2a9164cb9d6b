internal import Trees
internal import Snapshots
internal import Targets
internal import Wire
internal import Bytes
internal import Hashing
internal import Platform
internal import Repository
internal import SystemPackage

/// A piece that was to be copied at the target and was not found there as it should be.
struct LackingPiece: Equatable, Sendable {
    var file: UInt32
    /// Its number among the pieces of the file.
    var piece: UInt32
    var offset: UInt64

    func encode(into writer: inout ByteWriter) {
        writer.u32(file)
        writer.u32(piece)
        writer.u64(offset)
    }

    init(file: UInt32, piece: UInt32, offset: UInt64) {
        self.file = file
        self.piece = piece
        self.offset = offset
    }

    init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        file = try reader.u32()
        piece = try reader.u32()
        offset = try reader.u64()
    }
}

/// Builds the files that are wanted, from what the target has and what is sent, in the staging
/// directory.
struct ReplicaStaging {
    private let tree: ReplicaTree
    private let state: ReplicaState
    private var offers: ReplicaOffers
    private var paths: [[UInt8]] = []
    private var pathBytes = 0
    private var current: StagedFile?
    private var lastFile = -1
    private var pieces: ReplicaPieces
    /// Pieces that are to be supplied, with their ids, in order.
    private var lackingPieces: [(piece: LackingPiece, id: ChunkID, size: Int)] = []
    private var supplied = 0
    /// Files that lack pieces.
    private var unfinished: [UInt32: Int] = [:]
    /// Written and not yet synced.
    private var unsynced: [(number: Int, record: ReplicaRecord)] = []
    private var unsyncedBytes: UInt64 = 0

    private static let unsyncedFiles = 256
    private static let unsyncedLimit: UInt64 = 256 << 20
    private static let singleSyncs = 4
    private static let pathLimit = 1 << 22

    init(_ tree: ReplicaTree, _ state: ReplicaState, _ offers: ReplicaOffers) {
        self.tree = tree
        self.state = state
        self.offers = offers
        pieces = ReplicaPieces(tree)
    }

    var lacking: [LackingPiece] { lackingPieces.map(\.piece) }

    /// The offers, all of whose files are at the target now.
    func finishedOffers() throws -> ReplicaOffers {
        guard current == nil, unfinished.isEmpty, unsynced.isEmpty, try offers.isComplete else {
            throw RemoteFailure(.violation, "files are published before all were sent")
        }
        // A run that was killed may have left names here that are not on the disk.
        let staging = try tree.target.root.open(ReplicaPlaces.staging, [.readOnly, .directory])
        try staging.sync(ReplicaPlaces.staging)
        return offers
    }

    // MARK: Content

    mutating func receive(_ source: any ByteSource) throws {
        var stream = ReplicaRecordReader(source)
        while let next = try stream.next() {
            var reader = next.reader
            switch next.type {
            case 1: try begin(Int(try reader.u32()))
            case 2:
                let path = try reader.string(limit: ManifestPath.pathLimit)
                pathBytes += path.count
                guard paths.count < Self.pathLimit, pathBytes <= ReplicaLimits.pathBytes else {
                    throw RemoteFailure(.violation, "too many paths")
                }
                paths.append(path)
            case 3: try takeHole(try reader.varint())
            case 4: try takeCopy(&reader)
            case 5: try takeData(&reader)
            default: throw ReplicaRecordReader.unknown(next.type)
            }
            try reader.finish()
            try finishIfWhole()
        }
        guard current == nil else { throw RemoteFailure(.violation, "a file without its end") }
        try sync()
    }

    private mutating func begin(_ number: Int) throws {
        guard current == nil, number > lastFile, number < offers.files.count,
            offers.wants[number] != ReplicaOffers.Want.no.rawValue
        else { throw RemoteFailure(.violation, "a file that was not asked for") }
        lastFile = number
        current = StagedFile(tree, number, try offers.file(number))
    }

    private func openFile() throws -> StagedFile {
        guard let current else { throw RemoteFailure(.violation, "a piece of no file") }
        return current
    }

    private mutating func takeHole(_ size: UInt64) throws {
        try openFile().skip(size)
    }

    private mutating func takeCopy(_ reader: inout ByteReader) throws {
        let file = try openFile()
        let id = ChunkID(try reader.fingerprint())
        let size = try reader.count(limit: PackFormat.blobSizeLimit, "the size of a piece")
        let place = try ReplicaPlace(decoding: &reader)
        let (path, offset) = try resolve(place, for: file)
        try file.checkRoom(size)
        guard let bytes = try pieces.read(path, offset, size, id) else {
            try noteLacking(id, size, of: file)
            return try file.skip(UInt64(size))
        }
        if path == file.record.entry.path, offset == file.offset {
            try file.keep(bytes, id)
        } else {
            try file.write(bytes)
        }
    }

    private mutating func noteLacking(_ id: ChunkID, _ size: Int, of file: StagedFile) throws {
        guard lackingPieces.count < ReplicaLimits.lacking else {
            throw RemoteFailure(.other, "too much of what was to be copied is not as it should be")
        }
        let piece = LackingPiece(
            file: UInt32(clamping: file.number), piece: file.pieceCount, offset: file.offset)
        lackingPieces.append((piece, id, size))
        unfinished[piece.file, default: 0] += 1
    }

    /// Where a place is: only what a replication left, the file of that name, or one of this
    /// replication.
    private func resolve(
        _ place: ReplicaPlace, for file: StagedFile
    ) throws -> (path: [UInt8], offset: UInt64) {
        switch place {
        case .live(let number, let offset):
            guard number < paths.count else { throw RemoteFailure(.violation, "no such path") }
            let path = paths[Int(number)]
            guard try path == file.record.entry.path || state.records.contains(path) else {
                throw RemoteFailure(.forbidden, "no file of the replica", object: path)
            }
            return (path, offset)
        case .offered(let number, let offset):
            guard number <= lastFile else { throw RemoteFailure(.violation, "no such file") }
            let record = try offers.file(Int(number))
            if Int(number) == file.number { return (try file.readablePath(), offset) }
            switch record.action {
            case .keep: return (record.entry.path, offset)
            case .place: return (ReplicaPlaces.staged(record.key), offset)
            default: return (ReplicaPlaces.partial(record.key), offset)
            }
        }
    }

    private mutating func takeData(_ reader: inout ByteReader) throws {
        let file = try openFile()
        let (id, codec, size) = try Self.dataHead(&reader)
        try file.checkRoom(size)
        var bases: [(path: [UInt8], offset: UInt64)] = []
        if codec == .patch {
            for _ in 0..<(try reader.u8()) {
                bases.append(try resolve(try ReplicaPlace(decoding: &reader), for: file))
            }
        }
        let stored = Array(try reader.take(reader.remaining))
        let plain = try pieces.decode(id, codec, stored, size, bases)
        guard let plain else {
            try noteLacking(id, size, of: file)
            return try file.skip(UInt64(size))
        }
        try file.write(plain)
    }

    private static func dataHead(
        _ reader: inout ByteReader
    ) throws -> (id: ChunkID, codec: BlobCodec, size: Int) {
        let id = ChunkID(try reader.fingerprint())
        guard let codec = BlobCodec(rawValue: try reader.u8()) else {
            throw reader.invalid("a known codec")
        }
        return (id, codec, try reader.count(limit: PackFormat.blobSizeLimit, "a size"))
    }

    private mutating func finishIfWhole() throws {
        guard let file = current, file.isAtEnd else { return }
        current = nil
        if file.isKept, unfinished[UInt32(file.number)] == nil, try file.hasRightSize() {
            return offers.setAction(.keep, ofFile: file.number)
        }
        let isWhole = unfinished[UInt32(file.number)] == nil
        try file.finish(isWhole: isWhole)
        if isWhole { try add(file.number, file.record) }
    }

    // MARK: Supply

    mutating func receiveSupply(_ source: any ByteSource) throws {
        var stream = ReplicaRecordReader(source)
        var place: (file: UInt32, offset: UInt64)?
        while let next = try stream.next() {
            var reader = next.reader
            switch next.type {
            case 6: place = (try reader.u32(), try reader.u64())
            case 5:
                try supply(&reader, place)
                place = nil
            default: throw ReplicaRecordReader.unknown(next.type)
            }
            try reader.finish()
        }
        try sync()
    }

    private mutating func supply(
        _ reader: inout ByteReader, _ place: (file: UInt32, offset: UInt64)?
    ) throws {
        let (id, codec, size) = try Self.dataHead(&reader)
        guard supplied < lackingPieces.count, let place, codec != .patch else {
            throw RemoteFailure(.violation, "a piece that is not lacking")
        }
        let due = lackingPieces[supplied]
        guard due.id == id, due.size == size, due.piece.file == place.file,
            due.piece.offset == place.offset
        else { throw RemoteFailure(.violation, "a piece that is not lacking") }
        supplied += 1
        let stored = Array(try reader.take(reader.remaining))
        let record = try offers.file(Int(place.file))
        guard let plain = try pieces.decode(id, codec, stored, size, []) else { return }
        let path = ReplicaPlaces.partial(record.key)
        let file = try tree.target.root.open(path, [.writeOnly])
        try file.write(plain.span, at: place.offset, path)
        guard let left = unfinished[place.file], left > 1 else {
            unfinished[place.file] = nil
            try tree.target.apply(record.entry.metadata, to: file, path)
            return try add(Int(place.file), record)
        }
        unfinished[place.file] = left - 1
    }

    // MARK: Syncing

    private mutating func add(_ number: Int, _ record: ReplicaRecord) throws {
        unsynced.append((number, record))
        unsyncedBytes += record.entry.size
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
            for (_, record) in unsynced {
                let path = ReplicaPlaces.partial(record.key)
                try tree.target.root.open(path, [.readOnly]).sync(path)
            }
        }
        let staging = try tree.target.root.open(ReplicaPlaces.staging, [.readOnly, .directory])
        for (number, record) in unsynced {
            try FileOperations.rename(
                Array(PathBytes.name(ReplicaPlaces.partial(record.key))),
                to: Array(PathBytes.name(ReplicaPlaces.staged(record.key))), at: staging.raw)
            offers.setAction(.place, ofFile: number)
        }
        try staging.sync(ReplicaPlaces.staging)
        unsynced = []
        unsyncedBytes = 0
    }
}
