internal import Bytes
internal import Hashing
internal import Platform
internal import Repository
internal import Snapshots
internal import SystemPackage
internal import TableLog

/// A file to be brought back into the directory of a table.
struct MissingFile: Sendable {
    /// Below the table.
    var path: ExactText
    var entry: ManifestEntry
    /// Something else has its name.
    var replaces: Bool
}

/// Brings files back, each whole or not at all.
///
/// A file is written under a hidden name that follows from its own, synced, and renamed; what is
/// there is replaced by the rename, never written into, so who reads it goes on reading it. Then
/// the directories are synced. What a run that was killed left under the hidden name is overwritten
/// by the next.
struct SegmentFetch {
    private let directory: TableDirectory
    private let repository: Repository
    private let progress: WorkProgress
    private let rateLimit: RateLimit?
    /// A file that no version names yet must look young, or a vacuum takes it before the commit.
    private let keepsTime: Bool

    init(
        _ directory: TableDirectory, _ repository: Repository, _ progress: WorkProgress,
        _ bytesPerSecond: UInt64?, keepsTime: Bool = false
    ) {
        self.directory = directory
        self.repository = repository
        self.progress = progress
        self.keepsTime = keepsTime
        rateLimit = bytesPerSecond.map { RateLimit(bytesPerSecond: $0) }
    }

    private struct Failure {
        var first: (any Error)?
    }

    /// Brings back all files; the first that fails ends it.
    func run(_ files: [MissingFile]) throws {
        guard !files.isEmpty else { return }
        progress.update { counters in
            counters.filesFound += UInt64(files.count)
            counters.bytesFound &+= files.reduce(0) { $0 &+ $1.entry.size }
        }
        var parents: Set<[UInt8]> = [[]]
        for file in files {
            let parent = PathBytes.parent(Array(file.path.utf8))
            try makeDirectory(parent, &parents)
        }
        let queue = BoundedQueue<MissingFile>(capacity: 64)
        let failure = Monitor<Result<Void, any Error>>(.success(()))
        let threads = WorkerThreads(count: min(files.count, Processors.count)) { _ in
            let nodes = NodeSource(repository)
            while let file = queue.pop() {
                if case .failure = failure.withState({ $0 }) { continue }
                do {
                    try fetch(file, nodes)
                } catch {
                    failure.withState { state in
                        if case .success = state { state = .failure(error) }
                    }
                }
            }
        }
        for file in files { queue.push(file) }
        queue.close()
        threads.join()
        try failure.withState { $0 }.get()
        for path in parents { try directory.root.open(path, [.readOnly, .directory]).sync(path) }
    }

    /// Makes a directory and those above it; `made` are known to be there.
    private func makeDirectory(_ path: [UInt8], _ made: inout Set<[UInt8]>) throws {
        guard made.insert(path).inserted else { return }
        let parent = PathBytes.parent(path)
        try makeDirectory(parent, &made)
        let above = try directory.root.open(parent, [.readOnly, .directory])
        try FileOperations.makeDirectory(Array(PathBytes.name(path)), like: above)
    }

    private func fetch(_ file: MissingFile, _ nodes: NodeSource) throws {
        let path = Array(file.path.utf8)
        let name = Array(PathBytes.name(path))
        let parent = try directory.root.open(PathBytes.parent(path), [.readOnly, .directory])
        let temporary = Self.temporary(name)
        try? FileOperations.remove(temporary, at: parent.raw)
        let written = try Descriptor.open(
            temporary, [.readWrite, .create, .exclusive, .noFollow], at: parent.raw, mode: 0o600)
        do {
            try write(file.entry, to: written, nodes)
            try finish(file, written, temporary, name, parent)
        } catch {
            try? FileOperations.remove(temporary, at: parent.raw)
            throw error
        }
        progress.update { counters in
            counters.filesDone += 1
            counters.currentPath = path
        }
    }

    /// Hidden from readers and vacuum, and too long for no file system: a name that is long already
    /// is told by its digest.
    private static func temporary(_ name: [UInt8]) -> [UInt8] {
        let plain = name.count <= 200 ? name : Array(SHA256Digest(of: name.span).hex.utf8)
        return Array(".".utf8) + plain + Array(".varve-restore.tmp".utf8)
    }

    private func write(
        _ entry: ManifestEntry, to file: borrowing Descriptor, _ nodes: NodeSource
    ) throws {
        guard case .file(let size, let content) = entry.payload else { return }
        var offset: UInt64 = 0
        for piece in try nodes.pieces(content) {
            try Interruption.check()
            if case .chunk(let id, let size) = piece {
                let bytes = try nodes.chunk(id, size: size)
                rateLimit?.wait(for: bytes.count)
                guard SHA256Digest(of: bytes.span) == id.fingerprint.sha256 else {
                    throw RepositoryError(
                        .damaged("its SHA-256 is another"), "chunk \(id.fingerprint.hex)")
                }
                try file.write(bytes.span, at: offset, entry.path)
                progress.update { $0.bytesDone &+= size }
            }
            offset &+= piece.size
        }
        try file.truncate(to: size, entry.path)
    }

    private func finish(
        _ file: MissingFile, _ written: borrowing Descriptor, _ temporary: [UInt8],
        _ name: [UInt8], _ parent: borrowing Descriptor
    ) throws {
        let path = Array(file.path.utf8)
        let entry = file.entry
        if HostSystem.isRoot { try written.setOwner(uid: entry.uid, gid: entry.gid, path) }
        try written.setMode(entry.mode & 0o777, path)
        if keepsTime { try written.setModificationTime(entry.mtime, path) }
        try written.sync(path)
        if file.replaces {
            return try FileOperations.rename(temporary, to: name, at: parent.raw)
        }
        do throws(PlatformError) {
            try FileOperations.renameWithoutReplacing(temporary, to: name, at: parent.raw)
        } catch {
            // Somebody else brought it back in the meantime.
            guard error.errno == .fileExists else { throw error }
            try FileOperations.remove(temporary, at: parent.raw)
        }
    }
}
