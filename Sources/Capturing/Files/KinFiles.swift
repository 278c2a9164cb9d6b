internal import Bytes
internal import Deltas
internal import Hashing
internal import Platform
internal import Repository
internal import Snapshots

/// Finds what a new file was made of: a file of the parent snapshot that was renamed, or one with a
/// like name and like content, such as the dump of the day before.
///
/// Shared between threads. The parent's manifest is read through once, when the first file asks.
final class KinFiles: Sendable {
    private struct Candidate {
        var path: [UInt8]
        var content: Content
        var mtime: Timestamp
    }

    private struct Table {
        var byInode: [UInt64: Candidate] = [:]
        /// The newest first.
        var byStem: [[UInt8]: [Candidate]] = [:]
        /// Which of the candidates of a stem has a chunk; made when it is first asked for.
        var owners: [[UInt8]: [XXH3Digest: Int]] = [:]
    }

    private let parent: TreeRoot?
    private let repository: Repository
    private let table = Monitor<Table?>(nil)

    /// Smaller files cost less than looking for their kin.
    static let leastSize: UInt64 = 64 << 10
    /// Bytes at the beginning of a file by which its kin is chosen.
    static let sampleSize = 256 << 10
    /// Candidates of a like name that are remembered, the newest first, how many of them have their
    /// content looked at, and how many chunks of those with parts are remembered.
    private static let candidateLimit = 1_000
    private static let comparedLimit = 4
    private static let ownedLimit = 1 << 16
    /// So many large files are remembered of the parent.
    private static let fileLimit = 100_000
    /// Contents that share fewer features are no kin.
    private static let leastShared = 2

    init(_ parent: TreeRoot?, _ repository: Repository) {
        self.parent = parent
        self.repository = repository
    }

    /// The content that a new file may have come from; nil when there is none like it.
    ///
    /// `sample` gives the first bytes of the file; nil where they cannot be read.
    func content(
        for path: [UInt8], inode: UInt64, _ nodes: NodeSource, sample: () -> [UInt8]?
    ) -> Content? {
        guard parent != nil else { return nil }
        let (renamed, likely) = candidates(path, inode)
        if let renamed { return renamed.content }
        guard !likely.isEmpty else { return nil }
        guard let bytes = sample(), !Self.isParquet(bytes) else { return nil }
        return best(among: likely.prefix(Self.comparedLimit), Sketch(bytes.span), nodes)
    }

    /// Its pages are compressed: like content does not look alike.
    private static func isParquet(_ bytes: [UInt8]) -> Bool { bytes.starts(with: "PAR1".utf8) }

    /// The same for a file with parts: the content that has most of some chunks of it, those that
    /// `known` gives.
    func content(
        for path: [UInt8], inode: UInt64, _ nodes: NodeSource, sharing known: () -> [ChunkID]
    ) throws(RepositoryError) -> Content? {
        guard parent != nil else { return nil }
        let (renamed, likely) = candidates(path, inode)
        guard renamed != nil || !likely.isEmpty else { return nil }
        let known = known()
        var best: (shared: Int, content: Content)?
        if let renamed, case let shared = Self.count(known, in: try nodes.pieces(renamed.content)),
            shared > 0
        {
            best = (shared, renamed.content)
        }
        let owners = owners(path, likely, nodes)
        var votes: [Int: Int] = [:]
        for id in known {
            if let owner = owners[id.fingerprint.xxh3] { votes[owner, default: 0] += 1 }
        }
        for (owner, count) in votes.sorted(by: { $0.key < $1.key })
        where count > best?.shared ?? 0 {
            best = (count, likely[owner].content)
        }
        return best?.content
    }

    /// Which of the candidates, the newest that has it, has a chunk.
    private func owners(
        _ path: [UInt8], _ candidates: [Candidate], _ nodes: NodeSource
    ) -> [XXH3Digest: Int] {
        let stem = Self.stem(path)
        return table.withState { table in
            if let known = table?.owners[stem] { return known }
            let owners = Self.owners(candidates, nodes)
            table?.owners[stem] = owners
            return owners
        }
    }

    private static func owners(
        _ candidates: [Candidate], _ nodes: NodeSource
    ) -> [XXH3Digest: Int] {
        var owners: [XXH3Digest: Int] = [:]
        for (index, candidate) in candidates.enumerated() where owners.count < ownedLimit {
            for case .chunk(let id, _) in (try? nodes.pieces(candidate.content)) ?? []
            where owners[id.fingerprint.xxh3] == nil {
                owners[id.fingerprint.xxh3] = index
            }
        }
        return owners
    }

    private static func count(_ known: [ChunkID], in pieces: [ContentPiece]) -> Int {
        let wanted = Set(known.map(\.fingerprint.xxh3))
        var found: Set<XXH3Digest> = []
        for case .chunk(let id, _) in pieces where wanted.contains(id.fingerprint.xxh3) {
            found.insert(id.fingerprint.xxh3)
        }
        return found.count
    }

    private func candidates(_ path: [UInt8], _ inode: UInt64) -> (Candidate?, [Candidate]) {
        table.withState { table in
            let known = table ?? makeTable()
            table = known
            return (known.byInode[inode], known.byStem[Self.stem(path)] ?? [])
        }
    }

    private func best(
        among candidates: ArraySlice<Candidate>, _ sketch: Sketch, _ nodes: NodeSource
    ) -> Content? {
        var best: (shared: Int, content: Content)?
        for candidate in candidates {
            guard let beginning = try? beginning(candidate.content, nodes) else { continue }
            let shared = sketch.shared(with: Sketch(beginning.span))
            if shared >= max(Self.leastShared, (best?.shared ?? 0) + 1) {
                best = (shared, candidate.content)
            }
        }
        return best?.content
    }

    private func beginning(
        _ content: Content, _ nodes: NodeSource
    ) throws(RepositoryError) -> [UInt8] {
        guard case .chunk(let id, let size)? = try nodes.pieces(content).first else { return [] }
        return Array(try nodes.chunk(id, size: size).prefix(Self.sampleSize))
    }

    /// A parent that cannot be read to its end has no more kin.
    private func makeTable() -> Table {
        var table = Table()
        var count = 0
        var cursor = ManifestCursor(parent, NodeSource(repository))
        while count < Self.fileLimit, let entry = try? cursor.next() {
            guard case .file(let size, let content) = entry.payload, size >= Self.leastSize else {
                continue
            }
            let candidate = Candidate(path: entry.path, content: content, mtime: entry.mtime)
            table.byInode[entry.inode] = candidate
            table.byStem[Self.stem(entry.path), default: []].append(candidate)
            count += 1
        }
        for (stem, candidates) in table.byStem {
            let newest = candidates.sorted { $0.mtime > $1.mtime }
            table.byStem[stem] = Array(newest.prefix(Self.candidateLimit))
        }
        return table
    }

    /// The name without its directory, each UUID in it, and each run of digits and of letters that
    /// may be hexadecimal next to them, replaced by one mark.
    static func stem(_ path: [UInt8]) -> [UInt8] {
        var stem: [UInt8] = []
        var run: [UInt8] = []
        func endRun() {
            let hasDigit = run.contains { (0x30...0x39).contains($0) }
            stem += hasDigit ? [UInt8(ascii: "#")] : run
            run = []
        }
        var rest = PathBytes.name(path)[...]
        while let byte = rest.first {
            if run.isEmpty, startsWithUUID(rest) {
                stem.append(UInt8(ascii: "#"))
                rest = rest.dropFirst(uuidSize)
                continue
            }
            rest = rest.dropFirst()
            if isHexadecimal(byte) {
                run.append(byte)
            } else {
                endRun()
                stem.append(byte)
            }
        }
        endRun()
        return stem
    }

    private static let uuidSize = 36
    private static let uuidDashes: Set<Int> = [8, 13, 18, 23]

    private static func startsWithUUID(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count >= uuidSize else { return false }
        return bytes.prefix(uuidSize).enumerated().allSatisfy { index, byte in
            uuidDashes.contains(index) ? byte == UInt8(ascii: "-") : isHexadecimal(byte)
        }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
}
