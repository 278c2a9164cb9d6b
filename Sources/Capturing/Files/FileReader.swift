internal import Bytes
internal import Chunking
internal import Hashing
internal import Platform
internal import Repository
internal import Snapshots
internal import SystemPackage
internal import Trees

/// Reads files of jobs into buffers, and cuts what it read into chunks.
///
/// One per thread.
struct FileReader {
    private let context: ReaderContext
    /// How files are cut of which nothing else is known.
    private let contentChunker: FileChunker
    /// How the current file is cut.
    private var chunker: FileChunker
    private let nodes: NodeSource
    private var buffer: ReadBuffer?
    private var chunks: [CutChunk] = []
    private var report = ContentPipeline.Report()
    /// How often the current file was begun; chunks of earlier attempts are dropped on arrival.
    private var attempt = 0

    /// A file that changes while it is read is read again this often.
    private static let attemptLimit = 3

    init(_ context: ReaderContext, _ nodes: NodeSource) {
        self.context = context
        contentChunker = .content(FastCDC(context.chunking))
        chunker = contentChunker
        self.nodes = nodes
    }

    /// Smaller files are read before anybody could read their name.
    private static let namedSize: UInt64 = 1 << 20

    /// Reads one file to the end and reports its outcome.
    mutating func read(_ job: FileJob) {
        report.path = job.walk.snapshotPath(job.path)
        if job.size >= Self.namedSize { context.begin(report.path) }
        do throws(PlatformError) {
            report.outcomes.append((job.number, .stored(try readSettled(job))))
        } catch {
            beginAgain(job)
            let outcome: FileOutcome = error.isNotFound ? .vanished : .unreadable(error)
            report.outcomes.append((job.number, outcome))
        }
    }

    /// Reads until the file was the same before and after, or the attempts are used up.
    private mutating func readSettled(_ job: FileJob) throws(PlatformError) -> StoredFile {
        for attempt in 0..<Self.attemptLimit {
            self.attempt = attempt
            let file = try open(job)
            let before = try file.status(job.path)
            guard before.type == .regular else {
                throw PlatformError("read", job.path, .noSuchFileOrDirectory)
            }
            let (attributes, unread) = ExtendedAttributes.readEach(file, job.path)
            let isWhole = try readContent(file, before, job)
            let after = try file.status(job.path)
            let isSettled =
                isWhole && before.size == after.size && before.mtime == after.mtime
                && before.ctime == after.ctime
            if isSettled || attempt == Self.attemptLimit - 1 {
                return StoredFile(
                    pieces: [], status: before, attributes: attributes, unread: unread,
                    isChanging: !isSettled)
            }
            beginAgain(job)
        }
        throw PlatformError("read", job.path, .ioError)
    }

    /// Drops what was read of the file so far.
    private mutating func beginAgain(_ job: FileJob) {
        chunks.removeAll { $0.job == job.number }
        report.pieces.removeAll { $0.job == job.number }
        context.beginAgain(job.number)
    }

    private func open(_ job: FileJob) throws(PlatformError) -> Descriptor {
        if let pin = job.pin { return try pin.descriptor.duplicate() }
        let flags: OpenFlags = [.readOnly, .nonBlocking]
        do throws(PlatformError) {
            return try job.walk.root.open(job.path, flags.union(.noAccessTime))
        } catch  where error.errno == .notPermitted {
            return try job.walk.root.open(job.path, flags)
        }
    }

    /// Reads as many bytes as the status says; returns false when the file ended before that.
    private mutating func readContent(
        _ file: borrowing Descriptor, _ status: FileStatus, _ job: FileJob
    ) throws(PlatformError) -> Bool {
        let size = status.size
        chunker = makeChunker(file, status, job)
        var base = baseContent(file, job)
        var ordinal = 0
        var position: UInt64 = 0
        for extent in try extents(file, status, job) {
            if extent.offset > position {
                report.pieces.append((job.number, .hole(size: extent.offset - position)))
                ordinal += 1
            }
            base?.begin(at: extent.offset)
            let isWhole = try readExtent(file, extent, job, &base, &ordinal)
            guard isWhole else { return false }
            position = extent.offset + extent.count
        }
        if position < size { report.pieces.append((job.number, .hole(size: size - position))) }
        return true
    }

    /// The file may change before it is read: parts are hints.
    private func makeChunker(
        _ file: borrowing Descriptor, _ status: FileStatus, _ job: FileJob
    ) -> FileChunker {
        guard let parts = ParquetParts.find(file, size: status.size, job.path) else {
            return contentChunker
        }
        return .parts(PartCutter(parts, context.chunking))
    }

    /// Holes are looked for only in files that take less space than they are long.
    private func extents(
        _ file: borrowing Descriptor, _ status: FileStatus, _ job: FileJob
    ) throws(PlatformError) -> [DataExtent] {
        if status.size == 0 { return try unmeasuredExtents(file, job) }
        guard status.blocks < status.size / 512 else {
            return [DataExtent(offset: 0, count: status.size)]
        }
        return try file.dataExtents(size: status.size, job.path)
    }

    /// What a file holds that says it is empty: kernels and some FUSE file systems do not measure
    /// what they make up when it is read.
    private func unmeasuredExtents(
        _ file: borrowing Descriptor, _ job: FileJob
    ) throws(PlatformError) -> [DataExtent] {
        let step = 1 << 16
        var count = 0
        var got = try file.read(1, at: 0, job.path).count
        while got > 0, count < Self.unmeasuredLimit {
            if context.isCancelled() { throw PlatformError("read", job.path, .interrupted) }
            count += got
            got = try file.read(step, at: UInt64(count), job.path).count
        }
        return count == 0 ? [] : [DataExtent(offset: 0, count: UInt64(count))]
    }

    /// Bytes that are read at most of a file that does not say how large it is.
    private static let unmeasuredLimit = 1 << 30

    /// A parent whose content list cannot be read is no base; the file is simply cut anew.
    private func baseContent(_ file: borrowing Descriptor, _ job: FileJob) -> BaseContent? {
        guard let content = job.base ?? kinContent(file, job),
            let pieces = try? nodes.pieces(content)
        else { return nil }
        return BaseContent(pieces, limit: context.chunking.maximum)
    }

    /// What a file that the parent does not have may have come from.
    private func kinContent(_ file: borrowing Descriptor, _ job: FileJob) -> Content? {
        guard job.size >= KinFiles.leastSize else { return nil }
        if case .parts(let cutter) = chunker {
            return try? context.kin.content(for: job.path, inode: job.inode, nodes) {
                KinSample(context, cutter).knownChunks(file, job.path)
            }
        }
        return context.kin.content(for: job.path, inode: job.inode, nodes) {
            try? file.read(KinFiles.sampleSize, at: 0, job.path)
        }
    }

    private mutating func readExtent(
        _ file: borrowing Descriptor, _ extent: DataExtent, _ job: FileJob,
        _ base: inout BaseContent?, _ ordinal: inout Int
    ) throws(PlatformError) -> Bool {
        var remaining = extent.count
        guard var current = room(for: remaining) else { return false }
        var start = current.count
        while true {
            if context.isCancelled() { throw PlatformError("read", job.path, .interrupted) }
            let wanted = Int(min(UInt64(current.room), remaining))
            context.rateLimit?.wait(for: wanted)
            let position = extent.offset + (extent.count - remaining)
            let got = try current.append(
                reading: wanted, at: position, of: file, job.path)
            remaining -= UInt64(got)
            report.bytesRead += got
            let isShort = got < wanted
            let isEnd = remaining == 0 || isShort
            while true {
                let place = extent.offset + extent.count - remaining - UInt64(current.count - start)
                guard let cut = nextCut(current, start, at: place, isEnd: isEnd, &base) else {
                    break
                }
                add(cut, current, &start, job, &ordinal)
                base?.didAdd(cut, endingAt: place + UInt64(cut.size))
            }
            if isEnd { return !isShort }
            guard let next = replaceBuffer(carrying: start..<current.count) else { return false }
            current = next
            start = 0
        }
    }

    fileprivate struct Cut {
        var size: Int
        var digest: XXH3Digest?
        var known: ChunkID?
        var bases: PatchBases?
    }
}

// MARK: - Cutting

extension FileReader {
    /// Where the chunk ends that begins at `start` of the buffer, at `place` of the file; nil when
    /// there are no more bytes, or too few to tell.
    private func nextCut(
        _ buffer: ReadBuffer, _ start: Int, at place: UInt64, isEnd: Bool,
        _ base: inout BaseContent?
    ) -> Cut? {
        guard start < buffer.count else { return nil }
        return buffer.withBytes(start..<buffer.count) { bytes in
            switch base?.match(bytes, at: place, isEnd: isEnd, chunker) ?? .none {
            case .chunk(let id, let size):
                return Cut(size: size, digest: id.fingerprint.xxh3, known: id)
            case .needs: return nil
            case .none: break
            }
            guard let size = chunker.cut(bytes, at: place, isEnd: isEnd) else { return nil }
            let digest = base == nil ? nil : XXH3Digest(of: bytes.extracting(0..<size))
            let bases =
                size < PatchBases.leastSize
                ? nil : base?.patchBases(for: place..<place + UInt64(size))
            return Cut(size: size, digest: digest, known: nil, bases: bases)
        }
    }

    private mutating func add(
        _ cut: Cut, _ buffer: ReadBuffer, _ start: inout Int, _ job: FileJob, _ ordinal: inout Int
    ) {
        report.pieces.append((job.number, nil))
        chunks.append(
            CutChunk(
                job: job.number, attempt: attempt, ordinal: ordinal,
                range: start..<start + cut.size,
                digest: cut.digest, known: cut.known, bases: cut.bases))
        start += cut.size
        ordinal += 1
    }
}

extension BaseContent {
    fileprivate mutating func didAdd(_ cut: FileReader.Cut, endingAt end: UInt64) {
        guard cut.known == nil, let digest = cut.digest else { return }
        didCut(digest, endingAt: end)
    }
}

// MARK: - Buffers

extension FileReader {
    /// The current buffer if the data fits it, or may begin there; else a fresh one.
    private mutating func room(for count: UInt64) -> ReadBuffer? {
        if let buffer, UInt64(buffer.room) >= min(count, UInt64(context.chunking.maximum)) {
            return buffer
        }
        return replaceBuffer(carrying: 0..<0)
    }

    /// Hands the buffer to the encoders, and takes another that begins with a copy of `range`.
    private mutating func replaceBuffer(carrying range: Range<Int>) -> ReadBuffer? {
        guard let next = context.buffers.take() else { return nil }
        if let buffer { next.append(range, of: buffer) }
        flush()
        buffer = next
        return next
    }

    /// Reports what was found, and hands what was cut to the encoders.
    mutating func flush() {
        context.tell(report)
        report = ContentPipeline.Report()
        guard let buffer else { return }
        self.buffer = nil
        if chunks.isEmpty {
            context.buffers.giveBack(buffer)
        } else {
            context.push(ContentPipeline.Batch(buffer: buffer, chunks: chunks))
        }
        chunks = []
    }

    /// Lets go of the buffer at the end of the work.
    mutating func close() { flush() }
}
