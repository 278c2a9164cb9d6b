internal import Bytes
internal import Hashing

/// The content that the parent snapshot has for a file, to be verified before anything is cut.
///
/// A cut depends only on the bytes from the start of its chunk to the cut, so where the bytes are
/// the same the cut is the same, and hashing replaces the much slower search for it. The exception
/// is a chunk that ended where data ended: it counts only where data ends there again.
struct BaseContent {
    private let pieces: [ContentPiece]
    private let offsets: [UInt64]
    /// Longest chunk that is compared; a parent with other parameters may have longer ones.
    private let limit: Int
    /// The piece that should come next, if the file goes on as it did.
    private var next = 0
    /// Where chunks are, by digest; made after the first miss.
    private var places: [XXH3Digest: Int]?

    enum Match {
        /// The parent's chunk is here again, as far as XXH3 tells.
        case chunk(ChunkID, size: Int)
        /// Cannot tell before there are this many bytes.
        case needs(Int)
        case none
    }

    init(_ pieces: [ContentPiece], limit: Int) {
        self.pieces = pieces
        self.limit = limit
        var offsets: [UInt64] = []
        var offset: UInt64 = 0
        for piece in pieces {
            offsets.append(offset)
            offset &+= piece.size
        }
        self.offsets = offsets
    }

    /// Whether the chunk that should come next is at the start of `bytes`.
    ///
    /// `isEnd`: the data ends where `bytes` does.
    mutating func match(_ bytes: Span<UInt8>, isEnd: Bool) -> Match {
        guard next < pieces.count, case .chunk(let id, let size) = pieces[next],
            let size = Int(exactly: size), size <= limit
        else { return .none }
        guard size <= bytes.count else { return isEnd ? .none : .needs(size) }
        if endsData(next), !(isEnd && size == bytes.count) { return .none }
        guard XXH3Digest(of: bytes.extracting(0..<size)) == id.fingerprint.xxh3 else {
            return .none
        }
        next += 1
        return .chunk(id, size: size)
    }

    private func endsData(_ index: Int) -> Bool {
        guard index + 1 < pieces.count else { return true }
        if case .hole = pieces[index + 1] { return true }
        return false
    }

    /// Tells that data begins at `offset` of the file, after a hole or at its start.
    mutating func begin(at offset: UInt64) { next = index(startingAt: offset) ?? pieces.count }

    /// Tells of a chunk that had to be cut, and finds where to go on comparing: after the same
    /// chunk elsewhere in the parent's content, else at a chunk that starts where this one ended.
    mutating func didCut(_ digest: XXH3Digest, endingAt end: UInt64) {
        let places = self.places ?? makePlaces()
        self.places = places
        if let found = places[digest] {
            next = found + 1
        } else {
            next = index(startingAt: end) ?? next
        }
    }

    private func index(startingAt offset: UInt64) -> Int? {
        var low = 0
        var high = offsets.count
        while low < high {
            let middle = (low + high) / 2
            if offsets[middle] < offset { low = middle + 1 } else { high = middle }
        }
        return low < offsets.count && offsets[low] == offset ? low : nil
    }

    private func makePlaces() -> [XXH3Digest: Int] {
        var places: [XXH3Digest: Int] = [:]
        for (index, piece) in pieces.enumerated() {
            if case .chunk(let id, _) = piece { places[id.fingerprint.xxh3] = index }
        }
        return places
    }
}
