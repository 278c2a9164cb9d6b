internal import Bytes
internal import Hashing
internal import Snapshots

/// A part of a file that whoever gets it has in another file.
struct PieceCopy: Equatable, Sendable {
    /// In the file that is sent.
    var offset: UInt64
    var size: Int
    /// Where the other store has it.
    var path: [UInt8]
    var place: UInt64

    func encode(into writer: inout ByteWriter) {
        writer.varint(offset)
        writer.count(size)
        writer.string(path)
        writer.varint(place)
    }

    init(offset: UInt64, size: Int, path: [UInt8], place: UInt64) {
        self.offset = offset
        self.size = size
        self.path = path
        self.place = place
    }

    init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        offset = try reader.varint()
        size = try reader.count(limit: TwoWayLimits.copy, "a size")
        path = try TwoWayPath.decode(&reader)
        place = try reader.varint()
        let limit = UInt64(Int64.max)
        guard size > 0, offset < limit, place < limit, !path.isEmpty else {
            throw reader.invalid("a piece to be copied")
        }
    }
}

/// A file that is wanted, and what of it need not be sent.
struct WantedFile: Equatable, Sendable {
    var number: UInt32
    var path: [UInt8]
    /// In order, not overlapping.
    var copies: [PieceCopy] = []
}

/// Finds which parts of new files the other store has: a compaction or a deletion writes anew what
/// is in the files that it replaces.
struct PieceSearch {
    private var places: [ChunkID: (path: [UInt8], place: UInt64)] = [:]

    /// Files that are smaller are sent.
    static let leastSize: UInt64 = 64 << 10
    /// More pieces are not kept in mind, and more files not looked at.
    static let pieces = 1 << 20
    static let files = 4096

    /// Notes where a file of the other store has its pieces.
    mutating func add(_ pieces: [FilePiece], of path: [UInt8]) {
        guard places.count + pieces.count <= Self.pieces else { return }
        for piece in pieces { places[piece.id] = (path, piece.offset) }
    }

    var isEmpty: Bool { places.isEmpty }

    /// What of a file with these pieces need not be sent; what lies side by side in both files is
    /// one copy.
    func copies(_ pieces: [FilePiece]) -> [PieceCopy] {
        var copies: [PieceCopy] = []
        for piece in pieces {
            guard let found = places[piece.id] else { continue }
            let isNext =
                copies.last.map { last in
                    last.path == found.path && last.size + piece.size <= TwoWayLimits.copy
                        && last.offset + UInt64(last.size) == piece.offset
                        && last.place + UInt64(last.size) == found.place
                } ?? false
            if isNext {
                copies[copies.count - 1].size += piece.size
            } else if piece.size <= TwoWayLimits.copy {
                copies.append(
                    PieceCopy(
                        offset: piece.offset, size: piece.size, path: found.path,
                        place: found.place))
            }
        }
        return copies
    }
}
