internal import Bytes
internal import Hashing
internal import Platform
internal import Repository
internal import Snapshots

/// Finds out which pieces of its content a file has in their places already.
///
/// Only SHA-256 can tell, and it takes nearly all of the time; so pieces that follow each other are
/// read together, and hashed several at once.
struct PresentPieces {
    private struct Candidate {
        var index: Int
        var id: ChunkID
        /// In the bytes of the group.
        var range: Range<Int>
    }

    /// Pieces are read together up to this size.
    private static let groupSize = 8 << 20

    /// Where in the file the group begins that is being gathered.
    private var start: UInt64
    private var size = 0
    private var group: [Candidate] = []
    private var found: Set<Int> = []

    /// The indices of those chunks of `pieces`, of which the first belongs at `offset` of the file,
    /// that the first `fileSize` bytes of the file hold in their places.
    static func indices(
        of pieces: [ContentPiece], at offset: UInt64, in file: borrowing Descriptor,
        size fileSize: UInt64, _ path: [UInt8]
    ) throws(PlatformError) -> Set<Int> {
        var search = Self(start: offset)
        var offset = offset
        for (index, piece) in pieces.enumerated() {
            let isInside = offset < fileSize && fileSize - offset >= piece.size
            if isInside, case .chunk(let id, let size) = piece,
                let count = Int(exactly: size), count <= SizeLimits.blob
            {
                if !search.mayAdd(count, at: offset) { try search.compare(with: file, path) }
                search.add(index, id, count, at: offset)
            }
            offset += piece.size
        }
        try search.compare(with: file, path)
        return search.found
    }

    private init(start: UInt64) { self.start = start }

    /// Whether a chunk follows the group directly and has room in it.
    private func mayAdd(_ count: Int, at offset: UInt64) -> Bool {
        offset == start &+ UInt64(size) && size + count <= Self.groupSize
    }

    private mutating func add(_ index: Int, _ id: ChunkID, _ count: Int, at offset: UInt64) {
        if group.isEmpty { start = offset }
        group.append(Candidate(index: index, id: id, range: size..<size + count))
        size += count
    }

    /// Compares the group with the file, and begins another.
    private mutating func compare(
        with file: borrowing Descriptor, _ path: [UInt8]
    ) throws(PlatformError) {
        defer { (group, size) = ([], 0) }
        guard !group.isEmpty else { return }
        let bytes = try file.read(size, at: start, path)
        // A file that someone cut short just now has none of them for sure.
        guard bytes.count == size else { return }
        let alike = group.filter { candidate in
            XXH3Digest(of: bytes.span.extracting(candidate.range)) == candidate.id.fingerprint.xxh3
        }
        let digests = SHA256Digest.digests(of: alike.map(\.range), in: bytes.span)
        for (candidate, digest) in zip(alike, digests)
        where digest == candidate.id.fingerprint.sha256 {
            found.insert(candidate.index)
        }
    }
}
