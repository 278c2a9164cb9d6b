package import Bytes
package import Chunking
internal import Deltas
package import Hashing

/// Chunks to encode a new chunk against.
package struct PatchBases: Sendable {
    package private(set) var chunks: [(id: ChunkID, size: UInt64)]
    /// Where in them the new chunk is expected to begin; may lie outside.
    package var place: Int

    /// Smaller chunks gain less than reading their bases costs.
    package static let leastSize = 4 << 10

    /// Adds a chunk; returns false when all of them would be too many or too large.
    mutating func add(_ id: ChunkID, _ size: UInt64) -> Bool {
        let total = chunks.reduce(size) { $0 &+ $1.size }
        guard chunks.count < PatchHeader.baseLimit, total <= UInt64(PatchHeader.baseBytesLimit)
        else { return false }
        chunks.append((id, size))
        return true
    }
}

extension [UInt64] {
    /// The first place in the sorted array whose number is not below `value`.
    fileprivate func lowerBound(of value: UInt64) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// The content that the parent snapshot has for a file, to be verified before anything is cut.
///
/// A cut depends only on the bytes from the start of its chunk to the cut, so where the bytes are
/// the same the cut is the same, and hashing replaces the much slower search for it. The exception
/// is a chunk that ended where data ended: it counts only where data ends there again.
package struct BaseContent {
    private let pieces: [ContentPiece]
    private let offsets: [UInt64]
    /// Longest chunk that is compared; a parent with other parameters may have longer ones.
    private let limit: Int
    /// The piece that should come next, if the file goes on as it did.
    private var next = 0
    /// Where chunks are, by digest; made after the first miss.
    private var places: [XXH3Digest: Int]?
    /// How far ahead in the parent's content the content lies, since the last chunk that was equal.
    private var drift: Int64 = 0

    package enum Match {
        /// The parent's chunk is here again, as far as XXH3 tells.
        case chunk(ChunkID, size: Int)
        /// Cannot tell before there are this many bytes.
        case needs(Int)
        case none
    }

    package init(_ pieces: [ContentPiece], limit: Int) {
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

    /// Whether the chunk that should come next is at the start of `bytes`, which lie at `position`
    /// of the file.
    ///
    /// `isEnd`: the data ends where `bytes` does. `chunker` has the last word.
    package mutating func match(
        _ bytes: Span<UInt8>, at position: UInt64, isEnd: Bool, _ chunker: FileChunker
    ) -> Match {
        guard next < pieces.count, case .chunk(let id, let size) = pieces[next],
            let size = Int(exactly: size), size <= limit
        else { return .none }
        guard size <= bytes.count else { return isEnd ? .none : .needs(size) }
        let isLast = isEnd && size == bytes.count
        if endsData(next), !isLast { return .none }
        let chunk = bytes.extracting(0..<size)
        guard XXH3Digest(of: chunk) == id.fingerprint.xxh3,
            chunker.accepts(chunk, at: position, isEnd: isLast)
        else { return .none }
        drift = Int64(clamping: offsets[next]) - Int64(clamping: position)
        next += 1
        return .chunk(id, size: size)
    }

    private func endsData(_ index: Int) -> Bool {
        guard index + 1 < pieces.count else { return true }
        if case .hole = pieces[index + 1] { return true }
        return false
    }

    /// Tells that data begins at `offset` of the file, after a hole or at its start.
    package mutating func begin(at offset: UInt64) {
        next = index(startingAt: offset) ?? pieces.count
        drift = 0
    }

    /// Tells of a chunk that had to be cut, and finds where to go on comparing: after the same
    /// chunk elsewhere in the parent's content, else at a chunk that starts where this one ended.
    package mutating func didCut(_ digest: XXH3Digest, endingAt end: UInt64) {
        let places = self.places ?? makePlaces()
        self.places = places
        if let found = places[digest] {
            next = found + 1
            drift = Int64(clamping: offsets[found] &+ pieces[found].size) - Int64(clamping: end)
        } else {
            next = index(startingAt: end) ?? next
        }
    }

    /// Tells that the chunk at `position` of the file is this one; finds where it lies in the
    /// parent's content, if it does.
    mutating func follow(_ id: ChunkID, at position: UInt64) {
        let places = self.places ?? makePlaces()
        self.places = places
        guard let found = places[id.fingerprint.xxh3] else { return }
        next = found + 1
        drift = Int64(clamping: offsets[found]) - Int64(clamping: position)
    }

    private func index(startingAt offset: UInt64) -> Int? {
        let index = offsets.lowerBound(of: offset)
        return index < offsets.count && offsets[index] == offset ? index : nil
    }

    /// Chunks of the parent that hold what bytes in `range` of the file were made of, if anything:
    /// those at the same place since the last chunk that was equal, and the first chunk after it,
    /// since it may have been cut into several.
    package func patchBases(for range: Range<UInt64>) -> PatchBases? {
        let start = Int64(clamping: range.lowerBound).addingReportingOverflow(drift).partialValue
        let lower = UInt64(clamping: start)
        let upper = lower.addingReportingOverflow(UInt64(range.count)).partialValue
        let first = max(0, offsets.lowerBound(of: lower &+ 1) - 1)
        var chosen = first..<max(first, offsets.lowerBound(of: upper))
        if next < chosen.lowerBound, next + 2 >= chosen.lowerBound {
            chosen = next..<chosen.upperBound
        }
        var bases = PatchBases(chunks: [], place: 0)
        for index in chosen {
            guard case .chunk(let id, let size) = pieces[index] else { continue }
            if bases.chunks.isEmpty {
                bases.place = Int(clamping: start - Int64(clamping: offsets[index]))
            }
            guard bases.add(id, size) else { break }
        }
        return bases.chunks.isEmpty ? nil : bases
    }

    private func makePlaces() -> [XXH3Digest: Int] {
        var places: [XXH3Digest: Int] = [:]
        for (index, piece) in pieces.enumerated() {
            if case .chunk(let id, _) = piece { places[id.fingerprint.xxh3] = index }
        }
        return places
    }
}
