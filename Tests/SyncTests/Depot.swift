@testable import Capturing
@testable import Remote
@testable import Repository
@testable import Restoring
@testable import Snapshots
@testable import Trees
@testable import Upkeep
@testable import Wire
import Bytes
import Chunking
import Compression
import Hashing
import Platform
import Testing
import TestSupport

/// A repository in memory that deltas come from and go to.
///
/// Each step opens the repository afresh, as each run of the program does.
final class Depot: Sendable {
    typealias Item = Snapshot

    let storage: SimulatedStorage

    init(_ storage: SimulatedStorage) { self.storage = storage }

    convenience init() throws {
        self.init(SimulatedStorage())
        _ = try Repository.create(storage, chunking: TestTree.chunking)
    }

    /// An independent copy.
    func copy() -> Depot { Depot(storage.copy()) }

    func repository() throws -> Repository { try Repository(storage) }

    /// Takes a snapshot of a directory; the series is named by the host.
    @discardableResult
    func capture(_ path: [UInt8], host: String = "host", time: Int64? = nil) throws -> Item {
        var options = CaptureOptions(
            filter: WalkFilter(patterns: ExcludePatterns()), host: Array(host.utf8))
        options.time = time.map { Timestamp(seconds: $0, nanoseconds: 0) }
        let result = try Capture.run([path], into: try repository(), options, WorkProgress())
        return Snapshot(try #require(result.id), result.record)
    }

    /// All snapshots, oldest first.
    func items() throws -> [Item] { try SnapshotSeries(try repository()).items }

    func snapshotIDs() throws -> [SnapshotID] { try repository().snapshotIDs() }

    /// The stream with `wanted` for whoever has `known`.
    func send(
        _ wanted: [Item], known: [Item] = [], query: DeltaSender.Query? = nil
    ) throws -> [UInt8] {
        try sendAndTell(wanted, known: known, query: query).stream
    }

    func sendAndTell(
        _ wanted: [Item], known: [Item] = [], query: DeltaSender.Query? = nil
    ) throws -> (stream: [UInt8], summary: SendSummary) {
        let sink = GatheringSink()
        let sender = DeltaSender(try repository(), WorkProgress())
        let summary = try sender.send(wanted, known: known, to: sink, query: query)
        #expect(summary.streamBytes == UInt64(sink.bytes.count))
        return (sink.bytes, summary)
    }

    /// Applies a stream that comes in pieces of so many bytes.
    @discardableResult
    func receive(_ stream: [UInt8], pieces: Int = 100_000) throws -> ReceiveSummary {
        let source = PieceSource(stream, pieces)
        return try DeltaReceiver(try repository(), WorkProgress()).receive(source)
    }

    /// What receiving a stream throws.
    func refusal(of stream: [UInt8]) -> (any Error)? {
        do {
            try receive(stream)
            return nil
        } catch {
            return error
        }
    }

    /// Every blob that lies in packs, with its codec; as often as it lies there.
    func blobs() throws -> [(id: BlobID, codec: BlobCodec)] {
        try repository().index.presentPacks().flatMap { pack in
            try PackReader(pack, storage).entries().map { ($0.id, $0.codec) }
        }
    }

    /// The content of a small file.
    func read(_ path: String, of item: Item) throws -> [UInt8] {
        let nodes = NodeSource(try repository(), checkingSHA256: true)
        var cursor = ManifestCursor(item.record.root, nodes)
        while let entry = try cursor.next() {
            guard entry.path == Array(path.utf8), case .file(_, let content) = entry.payload
            else { continue }
            return try nodes.pieces(content).flatMap { piece in
                guard case .chunk(let id, let size) = piece else { return [UInt8]() }
                return try nodes.chunk(id, size: size)
            }
        }
        return []
    }

    /// The codecs of all chunks.
    func chunkCodecs() throws -> [BlobCodec] {
        try blobs().filter { $0.id.kind == .chunk }.map(\.codec)
    }
}

// MARK: - What must be found

extension Depot {
    /// Expects that a snapshot is restored as the tree was that `listing` tells of.
    func expectRestores(
        _ item: Item, _ listing: [String], _ comment: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let directory = try TemporaryDirectory()
        var options = RestoreOptions()
        options.attributes.setsSetID = true
        options.verifies = true
        // The record as this repository has it.
        let record = try SnapshotRecord(
            decoding: try repository().snapshotBytes(item.id), item.id)
        let path = directory.path("target")
        let result = try Restore.run(
            record, from: try repository(), to: path, options, WorkProgress())
        #expect(result.failures.isEmpty, comment, sourceLocation: sourceLocation)
        let restored = try TreeListing.of(path)
        expectSame(listing, restored, comment, sourceLocation: sourceLocation)
    }

    /// Expects that a check of every byte finds nothing, and no blob lies here twice.
    func expectSound(
        _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let report = try RepositoryCheck.run(
            try repository(), readDataPercent: 100, WorkProgress())
        let damages = report.damages.map(\.message)
        #expect(damages == [], comment, sourceLocation: sourceLocation)
        let ids = try blobs().map(\.id)
        #expect(ids.count == Set(ids).count, comment, sourceLocation: sourceLocation)
    }
}

extension SimulatedStorage {
    /// The number of steps so far that may have changed it.
    var changes: Int { steps.count { $0.isChange } }
}

/// Keeps a stream in memory.
final class GatheringSink: ByteSink {
    private(set) var bytes: [UInt8] = []

    func write(_ bytes: [UInt8]) { self.bytes += bytes }
}

/// Gives a stream in pieces.
final class PieceSource: ByteSource {
    private var rest: ArraySlice<UInt8>
    private let size: Int

    init(_ bytes: [UInt8], _ size: Int) {
        rest = bytes[...]
        self.size = size
    }

    func next() -> ArraySlice<UInt8> {
        defer { rest = rest.dropFirst(size) }
        return rest.prefix(size)
    }
}
