@testable import Capturing
@testable import Restoring
@testable import Snapshots
@testable import Trees
@testable import Upkeep
import Bytes
import Chunking
import Hashing
import Platform
import Repository
import Testing
import TestSupport

/// A repository in memory with small chunks, and a directory for sources and targets.
///
/// Each step opens the repository afresh, as each run of the program does.
final class Vault: Sendable {
    let storage: SimulatedStorage
    let directory: TemporaryDirectory

    static var chunking: ChunkingParameters { TestTree.chunking }

    init() throws {
        storage = SimulatedStorage()
        directory = try TemporaryDirectory()
        _ = try Repository.create(storage, chunking: Self.chunking)
        try directory.makeDirectories(source)
    }

    let source = Array("source".utf8)
    var sourcePath: [UInt8] { directory.path("source") }

    func repository() throws -> Repository { try Repository(storage) }

    static func options() -> CaptureOptions {
        CaptureOptions(filter: WalkFilter(patterns: ExcludePatterns()), host: Array("host".utf8))
    }

    /// Captures `sources`, or the directory "source".
    @discardableResult
    func capture(
        _ options: CaptureOptions = options(), sources: [[UInt8]]? = nil
    ) throws
        -> CaptureResult
    {
        try Capture.run(sources ?? [sourcePath], into: try repository(), options, WorkProgress())
    }

    /// Captures and trusts nothing that is known.
    func captureAnew() throws -> CaptureResult {
        var options = Self.options()
        options.ignoresParent = true
        return try capture(options)
    }

    /// Publishes the record as a later one of its series, as if the capture had begun a minute
    /// later: what it holds then counts as unchanged, however young it is.
    @discardableResult
    func settle(_ record: SnapshotRecord) throws -> SnapshotRecord {
        var settled = record
        settled.captureStart.seconds += 60
        settled.sequence += 1
        _ = try repository().publishSnapshot(settled.encoded())
        return settled
    }

    @discardableResult
    func restore(
        _ record: SnapshotRecord, to target: String = "target", _ options: RestoreOptions = .init()
    ) throws -> RestoreResult {
        let path = directory.path(target)
        return try Restore.run(
            record, from: try repository(), to: path, options, WorkProgress())
    }

    func listing(_ relative: String) throws -> [String] {
        try TreeListing.of(directory.path(relative))
    }

    func check(readDataPercent: Int? = nil) throws -> CheckReport {
        try RepositoryCheck.run(
            try repository(), readDataPercent: readDataPercent, WorkProgress())
    }

    /// All entries of a manifest.
    func entries(_ root: TreeRoot) throws -> [ManifestEntry] {
        var cursor = ManifestCursor(root, NodeSource(try repository(), checkingSHA256: true))
        var entries: [ManifestEntry] = []
        while let entry = try cursor.next() { entries.append(entry) }
        return entries
    }

    func entry(_ path: String, of record: SnapshotRecord) throws -> ManifestEntry? {
        try entries(record.root).first { $0.path == Array(path.utf8) }
    }
}

/// What `body` throws, if it is of the type wanted.
func failure<Value, Failure: Error>(
    _ type: Failure.Type, of body: () throws -> Value
) -> Failure? {
    do {
        _ = try body()
        return nil
    } catch {
        return error as? Failure
    }
}

extension [UInt8] {
    init(_ text: String) { self = Array(text.utf8) }

    func flipped(_ index: Int, _ mask: UInt8 = 0xff) -> [UInt8] {
        var copy = self
        copy[index] ^= mask
        return copy
    }
}

extension WriteStatistics {
    /// Whether nothing was added to the repository.
    var isNothing: Bool { newChunks == 0 && newNodes == 0 && storedBytes == 0 }
}
