internal import Bytes
internal import Platform
internal import Repository
internal import Snapshots
internal import Trees

/// Cuts files into parts for the threads that write them.
final class FileQueue {
    private let repository: Repository
    private let target: RestoreTarget
    private let outcome: Monitor<RestoreResult>
    private let progress: WorkProgress
    private let options: RestoreOptions
    private let host: Host

    /// Nil while nothing is written.
    private var writers: FileWriters?
    private var nextParts: [FileRestore.Part] = []
    private var nextSize: UInt64 = 0

    /// Parts of files are at most about this large, so that threads share large files.
    private static let partSize: UInt64 = 8 << 20
    /// Small files per run: enough that threads are mostly in different directories, whose locks
    /// they would otherwise wait for.
    private static let partsPerRun = 512

    init(
        _ repository: Repository, _ target: RestoreTarget, _ outcome: Monitor<RestoreResult>,
        _ progress: WorkProgress, _ options: RestoreOptions, _ host: Host
    ) {
        self.repository = repository
        self.target = target
        self.outcome = outcome
        self.progress = progress
        self.options = options
        self.host = host
    }

    /// Runs `body`, which submits files, and waits until all of them are written.
    func writing(_ body: () throws(RestoreFault) -> Void) throws(RestoreFault) {
        guard let tree = target.tree, !options.isDryRun else { return try body() }
        let writers = FileWriters(
            repository, tree, outcome, progress, bytesPerSecond: options.bytesPerSecond)
        self.writers = writers
        defer { self.writers = nil }
        try writers.run(threads: host.processors) { () throws(RestoreFault) in
            try body()
            submitParts()
        }
    }

    /// Cuts the file into parts and queues them.
    func submit(
        _ entry: ManifestEntry, _ path: [UInt8], _ nodes: NodeSource
    ) throws(RepositoryError) {
        guard case .file(_, let content) = entry.payload else { return }
        var groups: [(offset: UInt64, pieces: [ContentPiece])] = []
        var offset: UInt64 = 0
        var groupSize: UInt64 = 0
        for piece in try nodes.pieces(content) {
            if groups.isEmpty || groupSize >= Self.partSize {
                groups.append((offset, []))
                groupSize = 0
            }
            groups[groups.count - 1].pieces.append(piece)
            groupSize &+= piece.size
            offset &+= piece.size
        }
        if groups.isEmpty { groups.append((0, [])) }
        let file = FileRestore(
            entry, path: path, temporary: target.temporary(path), parts: groups.count,
            verifies: options.verifies)
        submit(
            groups.map { FileRestore.Part(file: file, offset: $0.offset, pieces: $0.pieces) },
            size: entry.size)
    }

    private func submit(_ parts: [FileRestore.Part], size: UInt64) {
        if parts.count > 1 {
            writers?.push(largeFile: parts)
        } else {
            nextParts += parts
            nextSize &+= size
            if nextParts.count >= Self.partsPerRun || nextSize >= Self.partSize { submitParts() }
        }
    }

    private func submitParts() {
        guard !nextParts.isEmpty else { return }
        writers?.push(smallFiles: nextParts)
        nextParts = []
        nextSize = 0
    }
}
