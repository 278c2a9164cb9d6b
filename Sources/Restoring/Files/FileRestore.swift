internal import Snapshots
internal import Trees
internal import Bytes
internal import Hashing
internal import Platform
internal import Repository
internal import SystemPackage

/// A file being brought back, perhaps by several threads that each write some of its pieces.
final class FileRestore: Sendable {
    let entry: ManifestEntry
    /// Path below the target.
    let path: [UInt8]
    /// What was written is read back and compared.
    private let verifies: Bool
    private let state: Monitor<State>

    /// File systems have no larger blocks.
    private static let largestBlock: UInt64 = 64 << 10

    private struct State {
        var file: OpenFile?
        var remaining: Int
        var isNew = false
        var failure: String?
        var bytesWritten: UInt64 = 0
        var bytesKept: UInt64 = 0
    }

    /// The file in the target.
    fileprivate final class OpenFile: Sendable {
        let descriptor: Descriptor
        /// It was there before; what is in it may be right already.
        let isExisting: Bool
        let size: UInt64

        init(_ descriptor: consuming Descriptor, isExisting: Bool, size: UInt64) {
            self.descriptor = descriptor
            self.isExisting = isExisting
            self.size = size
        }
    }

    /// Pieces that one thread writes, and where in the file they begin.
    struct Part: Sendable {
        var file: FileRestore
        var offset: UInt64
        var pieces: [ContentPiece]
    }

    /// What became of the file, once its last part is done.
    struct Outcome {
        var failure: String?
        var bytesWritten: UInt64
        var bytesKept: UInt64
    }

    init(_ entry: ManifestEntry, path: [UInt8], parts: Int, verifies: Bool) {
        self.entry = entry
        self.path = path
        self.verifies = verifies
        state = Monitor(State(remaining: parts))
    }

    /// Whether the target did not have the file before.
    var isNew: Bool { state.withState { $0.isNew } }

    /// Writes the pieces of one part; returns the outcome after the last part of the file.
    func write(_ part: Part, _ target: borrowing LiveTree, _ nodes: NodeSource) -> Outcome? {
        do {
            try Interruption.check()
            let file = try open(target)
            let kept = try piecesPresent(part, file)
            var offset = part.offset
            for (index, piece) in part.pieces.enumerated() {
                if kept.contains(index) {
                    state.withState { $0.bytesKept += piece.size }
                } else {
                    try write(piece, at: offset, file, nodes)
                }
                offset += piece.size
            }
        } catch {
            state.update { $0.failure = $0.failure ?? "\(error)" }
        }
        let isLast = state.update { state in
            state.remaining -= 1
            return state.remaining == 0
        }
        return isLast ? finish(target, nodes) : nil
    }

    /// Opens the file once, for whichever thread comes first.
    private func open(_ target: borrowing LiveTree) throws -> OpenFile {
        let opened: Result<OpenFile, PlatformError> = state.withState { state in
            if let file = state.file { return .success(file) }
            do throws(PlatformError) {
                let file = try open(path, target)
                state.file = file
                state.isNew = !file.isExisting
                return .success(file)
            } catch {
                return .failure(error)
            }
        }
        return try opened.get()
    }

    /// Uses a file that is there, unless it has other names that would change with it.
    ///
    /// What is too long is cut off first, so that a hole at the end frees the last block too.
    private func open(
        _ path: [UInt8], _ target: borrowing LiveTree
    )
        throws(PlatformError) -> OpenFile
    {
        do throws(PlatformError) {
            return try Self.create(path, target)
        } catch  where error.errno == .fileExists {}
        if let status = try target.status(path), status.type == .regular, status.links == 1 {
            do throws(PlatformError) {
                let descriptor = try target.root.open(path, [.readWrite, .nonBlocking])
                if status.size > entry.size { try descriptor.truncate(to: entry.size, path) }
                return OpenFile(
                    descriptor, isExisting: true, size: min(status.size, entry.size))
            } catch  where error.errno == .permissionDenied {}
        }
        try target.remove(path)
        return try Self.create(path, target)
    }

    private static func create(
        _ path: [UInt8], _ target: borrowing LiveTree
    )
        throws(PlatformError) -> OpenFile
    {
        let descriptor = try target.root.open(
            path, [.readWrite, .create, .exclusive], mode: 0o600)
        return OpenFile(descriptor, isExisting: false, size: 0)
    }

    private func write(
        _ piece: ContentPiece, at offset: UInt64, _ file: OpenFile, _ nodes: NodeSource
    ) throws {
        switch piece {
        case .hole(let size):
            if file.isExisting, offset < file.size { try clear(offset, size, file) }
        case .chunk(let id, let size):
            let bytes = try nodes.chunk(id, size: size)
            try file.descriptor.write(bytes.span, at: offset, path)
            state.withState { $0.bytesWritten += size }
        }
    }

    /// Which pieces of the part the file has in their places already.
    private func piecesPresent(
        _ part: Part, _ file: OpenFile
    ) throws(PlatformError) -> Set<Int> {
        guard file.isExisting else { return [] }
        return try PresentPieces.indices(
            of: part.pieces, at: part.offset, in: file.descriptor, size: file.size, path)
    }

    /// Makes a region of an existing file a hole, where it is not one.
    private func clear(_ offset: UInt64, _ size: UInt64, _ file: OpenFile) throws {
        let end = min(offset + size, file.size)
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
        var final = state.withState { $0 }
        if final.failure == nil, let file = final.file {
            do {
                try finish(file, target, nodes)
            } catch {
                final.failure = "\(error)"
            }
        }
        // A file that could not be made whole is not left looking like one.
        if final.failure != nil, let file = final.file, !file.isExisting {
            _ = try? target.remove(path)
        }
        state.update { $0.file = nil }
        return Outcome(
            failure: final.failure, bytesWritten: final.bytesWritten, bytesKept: final.bytesKept)
    }

    private func finish(
        _ file: OpenFile, _ target: borrowing LiveTree, _ nodes: NodeSource
    ) throws {
        if try file.descriptor.status(path).size != entry.size {
            try file.descriptor.truncate(to: entry.size, path)
        }
        if verifies { try verify(file, nodes) }
        try target.apply(entry.metadata, to: file.descriptor, path)
    }

    /// Reads the whole file back and compares it with the snapshot.
    private func verify(_ file: OpenFile, _ nodes: NodeSource) throws {
        guard case .file(_, let content) = entry.payload else { return }
        let pieces = try nodes.pieces(content)
        let present = try PresentPieces.indices(
            of: pieces, at: 0, in: file.descriptor, size: entry.size, path)
        for (index, piece) in pieces.enumerated() where !present.contains(index) {
            if case .chunk = piece { throw PlatformError("verify", path, .ioError) }
        }
    }
}
