internal import Bytes
internal import Hashing
internal import Platform
internal import Repository
internal import Snapshots
internal import SystemPackage
internal import Targets
internal import Trees
internal import Wire

/// A file that is being built in the staging directory.
///
/// While all of it is what the target has at the same place, nothing is written: it may turn out
/// that the whole file is right.
final class StagedFile {
    let number: Int
    let record: ReplicaRecord
    private(set) var offset: UInt64 = 0
    private(set) var pieceCount: UInt32 = 0
    /// All pieces so far are those of the live file.
    private(set) var isKept = true
    /// Those pieces, to be compared again should they be copied.
    private var kept: [(id: ChunkID, size: Int)] = []
    private let tree: TargetTree
    private var file: OpenFile?
    private var gathered: [UInt8] = []
    private var gatheredStart: UInt64 = 0

    private final class OpenFile {
        let descriptor: Descriptor
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }

    private static let blockSize = 1 << 20

    init(_ tree: TargetTree, _ number: Int, _ record: ReplicaRecord) {
        self.tree = tree
        self.number = number
        self.record = record
    }

    private var path: [UInt8] { TargetPlaces.partial(record.key) }
    private var size: UInt64 { record.entry.size }

    var isAtEnd: Bool { offset == size }

    func checkRoom(_ count: Int) throws(RemoteFailure) {
        guard count > 0, UInt64(count) <= size - offset else {
            throw RemoteFailure(.violation, "more content than the file has")
        }
    }

    /// Notes a piece that the live file has at this place.
    func keep(_ bytes: [UInt8], _ id: ChunkID) throws {
        guard isKept else { return try write(bytes) }
        kept.append((id, bytes.count))
        advance(UInt64(bytes.count))
    }

    func skip(_ count: UInt64) throws {
        guard count > 0, count <= size - offset else {
            throw RemoteFailure(.violation, "more content than the file has")
        }
        try begin()
        try flush()
        advance(count)
    }

    func write(_ bytes: [UInt8]) throws {
        try begin()
        if gathered.isEmpty { gatheredStart = offset }
        gathered += bytes
        advance(UInt64(bytes.count))
        if gathered.count >= Self.blockSize { try flush() }
    }

    private func advance(_ count: UInt64) {
        offset += count
        pieceCount &+= 1
    }

    /// Opens the file, and writes what was only noted so far.
    private func begin() throws {
        guard file == nil else { return }
        try tree.target.remove(path)
        let made = try tree.target.root.open(
            path, [.readWrite, .create, .exclusive], mode: 0o600)
        isKept = false
        if offset > 0 { try copyPrefix(to: made) }
        file = OpenFile(made)
    }

    private func copyPrefix(to made: borrowing Descriptor) throws {
        let live = try tree.target.root.open(record.entry.path, [.readOnly, .nonBlocking])
        var position: UInt64 = 0
        for (id, size) in kept {
            let bytes = try live.read(size, at: position, record.entry.path)
            guard bytes.count == size, ChunkID(of: bytes.span) == id else {
                throw RemoteFailure(
                    .changedThere, "it was changed there meanwhile", object: record.entry.path)
            }
            try made.write(bytes.span, at: position, path)
            position += UInt64(size)
        }
        kept = []
    }

    private func flush() throws {
        guard !gathered.isEmpty, let file else { return }
        let block = gathered
        try file.descriptor.write(block.span, at: gatheredStart, path)
        gathered.removeAll(keepingCapacity: true)
    }

    /// Whether the live file, all of whose pieces were looked at, ends where this one does.
    func hasRightSize() throws -> Bool {
        let status = try tree.target.status(record.entry.path)
        return status?.type == .regular && status?.size == size
    }

    /// Where what came so far can be read.
    func readablePath() throws -> [UInt8] {
        if isKept { return record.entry.path }
        try flush()
        return path
    }

    /// Gives the file its size and, once no piece is lacking, owner, attributes, mode and time: its
    /// mode may not allow to write.
    func finish(isWhole: Bool) throws {
        try begin()
        try flush()
        guard let file else { return }
        if try file.descriptor.status(path).size != size {
            try file.descriptor.truncate(to: size, path)
        }
        guard isWhole else { return }
        let entry = record.entry
        try tree.apply(entry.metadata, to: file.descriptor, path, for: entry.path)
    }
}
