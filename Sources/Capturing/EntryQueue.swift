internal import Platform
internal import Snapshots
internal import Trees

/// Entries of the manifest in path order, of which some are filled later than those behind them.
struct EntryQueue {
    /// A file whose content is on its way.
    struct Reading {
        var job: Int
        var template: ManifestEntry
        /// What the parent has of it.
        var base: Content?
        /// A version of a table is not whole without it.
        var isNeeded = false
    }

    /// A further name of a file that another job reads.
    struct FurtherName {
        var job: Int
        var path: [UInt8]
        var status: FileStatus
        var base: Content?
        var walk: SourceWalk
    }

    enum Slot {
        case ready(ManifestEntry)
        /// A name of a file with several, on the device.
        case named(ManifestEntry, device: UInt64)
        case reading(Reading)
        case furtherName(FurtherName)
        /// What the parent has of a table.
        case range([ParentComparison.Piece])
    }

    private var slots = Queue<Slot>()

    /// Entries that may wait for one slow file before it.
    private static let limit = 50_000

    var isEmpty: Bool { slots.isEmpty }
    var isTooLong: Bool { slots.count > Self.limit }
    var first: Slot? { slots.first }

    mutating func append(_ slot: Slot) { slots.append(slot) }

    @discardableResult
    mutating func removeFirst() -> Slot? { slots.removeFirst() }
}

/// Hands files to the pipeline in runs, each with a number of its own.
struct FileRuns {
    let pipeline: ContentPipeline
    private var next: [FileJob] = []
    private var nextSize: UInt64 = 0
    private var count = 0

    /// Files submitted together; enough that a run fills a good part of a buffer.
    private static let fileLimit = 64
    private static let sizeLimit: UInt64 = 2 << 20

    init(_ pipeline: ContentPipeline) { self.pipeline = pipeline }

    /// Adds a file, and returns the number of its job.
    mutating func add(
        _ path: [UInt8], _ status: FileStatus, _ base: Content?, _ walk: SourceWalk,
        pin: PinnedFile? = nil
    ) -> Int {
        let job = FileJob(
            number: count, walk: walk, path: walk.sourcePath(path), size: status.size,
            inode: status.inode, base: base, pin: pin)
        count += 1
        next.append(job)
        nextSize &+= status.size
        if next.count >= Self.fileLimit || nextSize >= Self.sizeLimit { submit() }
        return job.number
    }

    /// Lets the pipeline begin what was added.
    mutating func submit() {
        guard !next.isEmpty else { return }
        pipeline.submit(next)
        (next, nextSize) = ([], 0)
    }
}
