internal import Bytes
internal import Hashing
internal import Platform
internal import Repository
internal import Snapshots
internal import Targets
internal import Trees
internal import Wire

/// Builds the files that are wanted, from what the target has and what is sent, in the staging
/// directory.
struct ReplicaStaging {
    private let tree: TargetTree
    private let state: ReplicaState
    private var offers: ReplicaOffers
    private var paths: [[UInt8]] = []
    private var pathBytes = 0
    private var current: StagedFile?
    private var lastFile = -1
    private var pieces: TargetPieces
    /// Pieces that are to be supplied, with their ids, in order.
    private var lackingPieces: [(piece: LackingPiece, id: ChunkID, size: Int)] = []
    private var supplied = 0
    /// Files that lack pieces.
    private var unfinished: [UInt32: Int] = [:]
    private var area: StagingArea
    /// The numbers of files that are not sealed yet, by their keys.
    private var unsealed: [[UInt8]: Int] = [:]

    private static let pathLimit = 1 << 22

    init(
        _ tree: TargetTree, _ state: ReplicaState, _ offers: ReplicaOffers
    ) throws(PlatformError) {
        area = try StagingArea(TargetPlaces.staging, in: tree.target)
        self.tree = tree
        self.state = state
        self.offers = offers
        pieces = TargetPieces(tree)
    }

    var lacking: [LackingPiece] { lackingPieces.map(\.piece) }

    /// The offers, all of whose files are at the target now.
    func finishedOffers() throws -> ReplicaOffers {
        guard current == nil, unfinished.isEmpty, unsealed.isEmpty, try offers.isComplete else {
            throw RemoteFailure(.violation, "files are published before all were sent")
        }
        // A run that was killed may have left names here that are not on the disk.
        let staging = try tree.target.root.open(TargetPlaces.staging, [.readOnly, .directory])
        try staging.sync(TargetPlaces.staging)
        return offers
    }

    // MARK: Content

    mutating func receive(_ source: any ByteSource) throws {
        var stream = RecordReader(source)
        while let record = try stream.next(ContentRecord.self) {
            switch record {
            case .file(let number): try begin(Int(number))
            case .path(let path): try take(path: path)
            case .hole(let size): try openFile().skip(size)
            case .copy(let id, let size, let place): try takeCopy(id, size, place)
            case .data(let piece): try take(piece)
            }
            try finishIfWhole()
        }
        guard current == nil else { throw RemoteFailure(.violation, "a file without its end") }
        note(sealed: try area.seal())
    }

    private mutating func begin(_ number: Int) throws {
        guard current == nil, number > lastFile, number < offers.files.count,
            offers.wants[number] != ReplicaOffers.Want.no.rawValue
        else { throw RemoteFailure(.violation, "a file that was not asked for") }
        lastFile = number
        current = StagedFile(tree, number, try offers.file(number))
    }

    private func openFile() throws(RemoteFailure) -> StagedFile {
        guard let current else { throw RemoteFailure(.violation, "a piece of no file") }
        return current
    }

    private mutating func take(path: [UInt8]) throws(RemoteFailure) {
        pathBytes += path.count
        guard paths.count < Self.pathLimit, pathBytes <= ReplicaLimits.pathBytes else {
            throw RemoteFailure(.violation, "too many paths")
        }
        paths.append(path)
    }

    private mutating func takeCopy(_ id: ChunkID, _ size: Int, _ place: ReplicaPlace) throws {
        let file = try openFile()
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
            case .place: return (TargetPlaces.staged(record.key), offset)
            default: return (TargetPlaces.partial(record.key), offset)
            }
        }
    }

    private mutating func take(_ piece: SentPiece) throws {
        let file = try openFile()
        try file.checkRoom(piece.size)
        var bases: [(path: [UInt8], offset: UInt64)] = []
        for place in piece.bases { bases.append(try resolve(place, for: file)) }
        let plain = try pieces.decode(piece.id, piece.codec, piece.bytes, piece.size, bases)
        guard let plain else {
            try noteLacking(piece.id, piece.size, of: file)
            return try file.skip(UInt64(piece.size))
        }
        try file.write(plain)
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
        var stream = RecordReader(source)
        var place: (file: UInt32, offset: UInt64)?
        while let record = try stream.next(SupplyRecord.self) {
            switch record {
            case .at(let file, let offset): place = (file, offset)
            case .data(let piece):
                try supply(piece, place)
                place = nil
            }
        }
        note(sealed: try area.seal())
    }

    private mutating func supply(
        _ piece: SentPiece, _ place: (file: UInt32, offset: UInt64)?
    ) throws {
        let unasked = RemoteFailure(.violation, "a piece that is not lacking")
        guard supplied < lackingPieces.count, let place, piece.codec != .patch else {
            throw unasked
        }
        let due = lackingPieces[supplied]
        guard due.id == piece.id, due.size == piece.size, due.piece.file == place.file,
            due.piece.offset == place.offset
        else { throw unasked }
        supplied += 1
        let record = try offers.file(Int(place.file))
        guard let plain = try pieces.decode(piece.id, piece.codec, piece.bytes, piece.size, [])
        else { return }
        let path = TargetPlaces.partial(record.key)
        let file = try tree.target.root.open(path, [.writeOnly])
        try file.write(plain.span, at: place.offset, path)
        guard let left = unfinished[place.file], left > 1 else {
            unfinished[place.file] = nil
            try tree.apply(record.entry.metadata, to: file, path, for: record.entry.path)
            return try add(Int(place.file), record)
        }
        unfinished[place.file] = left - 1
    }

    // MARK: Sealing

    private mutating func add(_ number: Int, _ record: ReplicaRecord) throws(PlatformError) {
        let key = record.key.stagingKey
        unsealed[key] = number
        note(sealed: try area.add(key, size: record.entry.size))
    }

    private mutating func note(sealed keys: [[UInt8]]) {
        for key in keys {
            if let number = unsealed.removeValue(forKey: key) {
                offers.setAction(.place, ofFile: number)
            }
        }
    }
}
