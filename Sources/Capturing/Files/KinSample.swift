internal import Bytes
internal import Chunking
internal import Hashing
internal import Platform
internal import Snapshots

/// Looks in a file with parts for chunks that the repository has, by which its kin is found: those
/// at the beginning of some runs.
///
/// Small ones first, which cost little; only when none of them is known those that take more.
struct KinSample {
    private let context: ReaderContext
    private let cutter: PartCutter

    private static let runLimit = 8
    private static let smallSize = 64 << 10
    /// Bytes of all larger chunks that are looked at.
    private static let largeLimit = 8 << 20

    init(_ context: ReaderContext, _ cutter: PartCutter) {
        self.context = context
        self.cutter = cutter
    }

    func knownChunks(_ file: borrowing Descriptor, _ path: [UInt8]) -> [ChunkID] {
        var known: [ChunkID] = []
        var large: [Range<UInt64>] = []
        for run in cutter.sampleRuns(atMost: Self.runLimit, least: PatchBases.leastSize) {
            switch first(of: run, file, path, atMost: Self.smallSize) {
            case let chunk?: known += isKnown(chunk)
            case nil: large.append(run)
            }
        }
        var left = Self.largeLimit
        for run in large where known.isEmpty && left > 0 {
            guard let chunk = first(of: run, file, path, atMost: context.chunking.maximum + 1)
            else { continue }
            known += isKnown(chunk)
            left -= chunk.count
        }
        return known
    }

    private func isKnown(_ chunk: [UInt8]) -> [ChunkID] {
        guard chunk.count >= PatchBases.leastSize else { return [] }
        let id = ChunkID(of: chunk.span)
        return context.isStored(id) ? [id] : []
    }

    /// The first chunk of a run; nil when it is larger than `limit` bytes, or cannot be read.
    private func first(
        of run: Range<UInt64>, _ file: borrowing Descriptor, _ path: [UInt8], atMost limit: Int
    ) -> [UInt8]? {
        let wanted = Int(min(UInt64(limit), UInt64(run.count)))
        guard let bytes = try? file.read(wanted, at: run.lowerBound, path),
            let size = cutter.cut(bytes.span, at: run.lowerBound, isEnd: false)
        else { return nil }
        return Array(bytes.prefix(size))
    }
}
