internal import Bytes
internal import Hashing
internal import Platform
internal import Repository
internal import Snapshots
internal import SystemPackage
internal import Trees

/// A file being brought back, perhaps by several threads that each write some of its pieces.
final class FileRestore: Sendable {
    let entry: ManifestEntry
    /// Path below the target.
    let path: [UInt8]
    /// Where it is written while what is at its path may be in use.
    private let temporary: [UInt8]
    /// What was written is read back and compared.
    private let verifies: Bool
    private let state: Monitor<State>

    /// File systems have no larger blocks.
    private static let largestBlock: UInt64 = 64 << 10

    private enum Opening {
        case notYet, underWay
        case done(RestoredFile)
        case failed(RestoreFault)
    }

    private struct State {
        var opening = Opening.notYet
        var remaining: Int
        var fault: RestoreFault?
        var bytesWritten: UInt64 = 0
        var bytesKept: UInt64 = 0
    }

    /// Pieces that one thread writes, and where in the file they begin.
    struct Part: Sendable {
        var file: FileRestore
        var offset: UInt64
        var pieces: [ContentPiece]
    }

    /// What became of the file, once its last part is done.
    struct Outcome {
        var fault: RestoreFault?
        var unset: [UnsetMetadata] = []
        var isNew = false
        var bytesWritten: UInt64
        var bytesKept: UInt64
    }

    init(
        _ entry: ManifestEntry, path: [UInt8], temporary: [UInt8], parts: Int, verifies: Bool
    ) {
        self.entry = entry
        self.path = path
        self.temporary = temporary
        self.verifies = verifies
        state = Monitor(State(remaining: parts))
    }

    /// Writes the pieces of one part; returns the outcome after the last part of the file.
    func write(_ part: Part, _ target: borrowing LiveTree, _ nodes: NodeSource) -> Outcome? {
        do throws(RestoreFault) {
            try checkInterruption()
            try write(part, to: try open(target, nodes), nodes)
        } catch {
            state.update { $0.fault = $0.fault ?? error }
        }
        let isLast = state.update { state in
            state.remaining -= 1
            return state.remaining == 0
        }
        return isLast ? finish(target, nodes) : nil
    }

    private func write(
        _ part: Part, to file: RestoredFile, _ nodes: NodeSource
    ) throws(RestoreFault) {
        let kept = try piecesPresent(part, file)
        var offset = part.offset
        var wanted: [PlacedChunk] = []
        var wantedBytes: UInt64 = 0
        for (index, piece) in part.pieces.enumerated() {
            switch piece {
            case _ where kept.contains(index): state.withState { $0.bytesKept &+= piece.size }
            case .hole(let size): try writeHole(size, at: offset, file)
            case .chunk(let id, let size):
                wanted.append(PlacedChunk(id: id, size: size, offset: offset))
                wantedBytes &+= size
                if wantedBytes >= Self.bytesTogether {
                    try write(wanted, file, nodes)
                    (wanted, wantedBytes) = ([], 0)
                }
            }
            offset &+= piece.size
        }
        try write(wanted, file, nodes)
    }

    private struct PlacedChunk {
        var id: ChunkID
        var size: UInt64
        var offset: UInt64
    }

    /// Bytes of chunks that are read together, about: two lanes hash them, and are both full as
    /// long as others wait.
    private static let bytesTogether: UInt64 = 8 << 20

    /// Opens the file once, by whichever thread comes first; the others wait for it.
    private func open(
        _ target: borrowing LiveTree, _ nodes: NodeSource
    ) throws(RestoreFault) -> RestoredFile {
        let known = state.wait { state -> Result<RestoredFile, RestoreFault>?? in
            switch state.opening {
            case .done(let file): return .some(.success(file))
            case .failed(let fault): return .some(.failure(fault))
            case .underWay: return nil
            case .notYet:
                state.opening = .underWay
                return .some(nil)
            }
        }
        if let known { return try known.get() }
        do throws(RestoreFault) {
            let file = try RestoredFile.open(entry, path, temporary, target, nodes)
            state.update { $0.opening = .done(file) }
            return file
        } catch {
            state.update { $0.opening = .failed(error) }
            throw error
        }
    }

    private func writeHole(
        _ size: UInt64, at offset: UInt64, _ file: RestoredFile
    ) throws(RestoreFault) {
        guard file.isWritable, file.isExisting, offset < file.size else { return }
        try onTarget { () throws(PlatformError) in try clear(offset, size, file) }
    }

    private func write(
        _ chunks: [PlacedChunk], _ file: RestoredFile, _ nodes: NodeSource
    ) throws(RestoreFault) {
        let contents = try inRepository { () throws(RepositoryError) in
            try nodes.chunks(chunks.map { ($0.id, $0.size) })
        }
        for (chunk, bytes) in zip(chunks, contents) {
            try onTarget { () throws(PlatformError) in
                try file.descriptor.write(bytes.span, at: chunk.offset, path)
            }
            state.withState { $0.bytesWritten &+= chunk.size }
        }
    }

    /// Which pieces of the part the file has in their places already.
    private func piecesPresent(_ part: Part, _ file: RestoredFile) throws(RestoreFault) -> Set<Int>
    {
        guard file.isExisting else { return [] }
        guard file.isWritable else { return Set(part.pieces.indices) }
        return try onTarget { () throws(PlatformError) in
            try PresentPieces.indices(
                of: part.pieces, at: part.offset, in: file.descriptor, size: file.size, path)
        }
    }

    /// Makes a region of an existing file a hole, where it is not one.
    private func clear(
        _ offset: UInt64, _ size: UInt64, _ file: RestoredFile
    ) throws(PlatformError) {
        let end = min(offset &+ size, file.size)
        // Past the end of the file, or its last block would stay: only whole blocks are freed.
        let stop = end == file.size ? end + Self.largestBlock : end
        if file.descriptor.punchHole(offset..<stop) { return }
        let zeros = [UInt8](repeating: 0, count: 1 << 16)
        for start in stride(from: offset, to: end, by: zeros.count) {
            let count = Int(min(UInt64(zeros.count), end - start))
            try file.descriptor.write(zeros.span.extracting(0..<count), at: start, path)
        }
    }
}

// MARK: - Finishing

extension FileRestore {
    private func finish(_ target: borrowing LiveTree, _ nodes: NodeSource) -> Outcome {
        let final = state.withState { $0 }
        var outcome = Outcome(
            fault: final.fault, bytesWritten: final.bytesWritten, bytesKept: final.bytesKept)
        guard case .done(let file) = final.opening else { return outcome }
        outcome.isNew = !file.isExisting
        if outcome.fault == nil {
            do throws(RestoreFault) {
                outcome.unset = try finish(file, target, nodes)
            } catch {
                outcome.fault = error
            }
        }
        // A file that could not be made whole is not left looking like one.
        if outcome.fault != nil, !file.isExisting { try? target.makeRoom(at: file.path) }
        state.update { $0.opening = .notYet }
        return outcome
    }

    private func finish(
        _ file: RestoredFile, _ target: borrowing LiveTree, _ nodes: NodeSource
    ) throws(RestoreFault) -> [UnsetMetadata] {
        try onTarget { () throws(PlatformError) in
            guard file.isWritable, try file.descriptor.status(path).size != entry.size else {
                return
            }
            try file.descriptor.truncate(to: entry.size, path)
        }
        if verifies { try verify(file, nodes) }
        return try onTarget { () throws(PlatformError) in
            let unset = try target.applyEach(entry.metadata, to: file.descriptor, path)
            if file.path != path { try target.rename(file.path, to: path) }
            return unset
        }
    }

    /// Reads the whole file back and compares it with the snapshot.
    private func verify(_ file: RestoredFile, _ nodes: NodeSource) throws(RestoreFault) {
        guard try file.holds(entry, nodes) else { throw .differs }
    }
}

/// The file in the target, as it was found or made.
final class RestoredFile: Sendable {
    let descriptor: Descriptor
    /// Where it lies until it is whole.
    let path: [UInt8]
    /// It was there before; what is in it may be right already.
    let isExisting: Bool
    /// False for a file that is right already, of which only metadata may change.
    let isWritable: Bool
    /// What it had before of the bytes that it is to have.
    let size: UInt64

    private init(
        _ descriptor: consuming Descriptor, _ path: [UInt8], isExisting: Bool,
        isWritable: Bool = true, size: UInt64 = 0
    ) {
        self.descriptor = descriptor
        self.path = path
        self.isExisting = isExisting
        self.isWritable = isWritable
        self.size = size
    }

    /// Makes the file, or uses one that is there.
    ///
    /// A file that has other names, that is a program and may run, or that may not be written, is
    /// not written into: unless it is right already, the new one is made beside it.
    static func open(
        _ entry: ManifestEntry, _ path: [UInt8], _ temporary: [UInt8],
        _ tree: borrowing LiveTree, _ nodes: NodeSource
    ) throws(RestoreFault) -> RestoredFile {
        let status = try onTarget { () throws(PlatformError) in try tree.status(path) }
        guard let status else {
            return try onTarget { () throws(PlatformError) in try create(path, tree) }
        }
        if status.type == .regular, status.links == 1 {
            if !mayRun(status, entry), let file = try openInPlace(entry, path, status, tree) {
                return file
            }
            if let file = try openRight(entry, path, status, tree, nodes) { return file }
        }
        return try onTarget { () throws(PlatformError) in try create(temporary, tree) }
    }

    private static func mayRun(_ status: FileStatus, _ entry: ManifestEntry) -> Bool {
        (status.mode | entry.mode) & 0o111 != 0
    }

    private static func create(
        _ path: [UInt8], _ tree: borrowing LiveTree
    ) throws(PlatformError) -> RestoredFile {
        let descriptor = try tree.root.open(
            path, [.readWrite, .create, .exclusive], mode: 0o600)
        return RestoredFile(descriptor, path, isExisting: false)
    }

    /// Nil where the file may not be written.
    ///
    /// What is too long is cut off first, so that a hole at the end frees the last block too.
    private static func openInPlace(
        _ entry: ManifestEntry, _ path: [UInt8], _ status: FileStatus, _ tree: borrowing LiveTree
    ) throws(RestoreFault) -> RestoredFile? {
        do throws(PlatformError) {
            let descriptor = try tree.root.open(path, [.readWrite, .nonBlocking])
            if status.size > entry.size { try descriptor.truncate(to: entry.size, path) }
            return RestoredFile(
                descriptor, path, isExisting: true, size: min(status.size, entry.size))
        } catch {
            switch error.errno {
            case .permissionDenied, .notPermitted, .textFileBusy: return nil
            default: throw .system(error)
            }
        }
    }

    /// Nil where the file is not right already, or cannot be read.
    private static func openRight(
        _ entry: ManifestEntry, _ path: [UInt8], _ status: FileStatus, _ tree: borrowing LiveTree,
        _ nodes: NodeSource
    ) throws(RestoreFault) -> RestoredFile? {
        guard status.size == entry.size,
            let descriptor = try? tree.root.open(path, [.readOnly, .nonBlocking])
        else { return nil }
        let file = RestoredFile(
            descriptor, path, isExisting: true, isWritable: false, size: status.size)
        return try file.holds(entry, nodes) ? file : nil
    }

    /// Whether the file has all the content of an entry.
    func holds(_ entry: ManifestEntry, _ nodes: NodeSource) throws(RestoreFault) -> Bool {
        guard case .file(_, let content) = entry.payload else { return false }
        let pieces = try inRepository { () throws(RepositoryError) in try nodes.pieces(content) }
        let present = try onTarget { () throws(PlatformError) in
            try PresentPieces.indices(of: pieces, at: 0, in: descriptor, size: entry.size, path)
        }
        var offset: UInt64 = 0
        for (index, piece) in pieces.enumerated() {
            switch piece {
            case .chunk: guard present.contains(index) else { return false }
            case .hole(let size): guard try isZero(offset, size) else { return false }
            }
            offset &+= piece.size
        }
        return true
    }

    private func isZero(_ offset: UInt64, _ size: UInt64) throws(RestoreFault) -> Bool {
        try onTarget { () throws(PlatformError) in
            let end = offset &+ size
            for extent in try descriptor.dataExtents(size: end, path)
            where extent.offset &+ extent.count > offset {
                var position = max(extent.offset, offset)
                while position < extent.offset &+ extent.count {
                    try Self.checkProgress()
                    let count = Int(min(1 << 20, extent.offset &+ extent.count - position))
                    let bytes = try descriptor.read(count, at: position, path)
                    guard bytes.count == count, bytes.allSatisfy({ $0 == 0 }) else { return false }
                    position += UInt64(count)
                }
            }
            return true
        }
    }

    private static func checkProgress() throws(PlatformError) {
        if Interruption.isRequested { throw PlatformError("read", [], .interrupted) }
    }
}
