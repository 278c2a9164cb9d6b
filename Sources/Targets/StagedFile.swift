internal import Trees
internal import Snapshots
package import Wire
internal import Bytes
package import Hashing
package import Platform
package import Repository
internal import SystemPackage

/// A file that is being built in the staging directory.
///
/// While all of it is what the target has at the same place, nothing is written: it may turn out
/// that the whole file is right.
package final class StagedFile {
    package let number: Int
    package let record: ReplicaRecord
    package private(set) var offset: UInt64 = 0
    package private(set) var pieceCount: UInt32 = 0
    /// All pieces so far are those of the live file.
    package private(set) var isKept = true
    /// Those pieces, to be compared again should they be copied.
    private var kept: [(id: ChunkID, size: Int)] = []
    private let tree: ReplicaTree
    private var file: OpenFile?
    private var gathered: [UInt8] = []
    private var gatheredStart: UInt64 = 0

    private final class OpenFile {
        let descriptor: Descriptor
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }

    private static let blockSize = 1 << 20

    package init(_ tree: ReplicaTree, _ number: Int, _ record: ReplicaRecord) {
        self.tree = tree
        self.number = number
        self.record = record
    }

    private var path: [UInt8] { ReplicaPlaces.partial(record.key) }
    private var size: UInt64 { record.entry.size }

    package var isAtEnd: Bool { offset == size }

    package func checkRoom(_ count: Int) throws(RemoteFailure) {
        guard count > 0, UInt64(count) <= size - offset else {
            throw RemoteFailure(.violation, "more content than the file has")
        }
    }

    /// Notes a piece that the live file has at this place.
    package func keep(_ bytes: [UInt8], _ id: ChunkID) throws {
        guard isKept else { return try write(bytes) }
        kept.append((id, bytes.count))
        advance(UInt64(bytes.count))
    }

    package func skip(_ count: UInt64) throws {
        guard count > 0, count <= size - offset else {
            throw RemoteFailure(.violation, "more content than the file has")
        }
        try begin()
        try flush()
        advance(count)
    }

    package func write(_ bytes: [UInt8]) throws {
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
    package func hasRightSize() throws -> Bool {
        let status = try tree.target.status(record.entry.path)
        return status?.type == .regular && status?.size == size
    }

    /// Where what came so far can be read.
    package func readablePath() throws -> [UInt8] {
        if isKept { return record.entry.path }
        try flush()
        return path
    }

    /// Gives the file its size and, once no piece is lacking, owner, attributes, mode and time: its
    /// mode may not allow to write.
    package func finish(isWhole: Bool) throws {
        try begin()
        try flush()
        guard let file else { return }
        if try file.descriptor.status(path).size != size {
            try file.descriptor.truncate(to: size, path)
        }
        if isWhole { try tree.target.apply(record.entry.metadata, to: file.descriptor, path) }
    }
}

/// Reads and decodes pieces, each checked against its id.
package final class ReplicaPieces {
    private let tree: ReplicaTree
    private let decoder = ChunkDecoder()
    /// The file that was read last; copies come in runs.
    private var last: (path: [UInt8], file: ReplicaTree.Directory)?

    package init(_ tree: ReplicaTree) { self.tree = tree }

    /// Reads a piece of a file at the target; nil where it is not what it should be.
    package func read(
        _ path: [UInt8], _ offset: UInt64, _ size: Int, _ id: ChunkID
    ) throws(PlatformError) -> [UInt8]? {
        guard let bytes = try read(path, offset, size), ChunkID(of: bytes.span) == id else {
            return nil
        }
        return bytes
    }

    private func read(
        _ path: [UInt8], _ offset: UInt64, _ size: Int
    ) throws(PlatformError) -> [UInt8]? {
        if last?.path != path {
            last = nil
            do throws(PlatformError) {
                let file = try tree.target.root.open(path, [.readOnly, .nonBlocking])
                guard try file.status(path).type == .regular else { return nil }
                last = (path, ReplicaTree.Directory(file))
            } catch {
                guard error.isNotFound || error.errno == .tooManySymbolicLinkLevels else {
                    throw error
                }
                return nil
            }
        }
        guard let file = last?.file else { return nil }
        // A file that is shorter than the piece says so before memory is taken.
        let (end, overflow) = offset.addingReportingOverflow(UInt64(size))
        guard !overflow, try file.descriptor.status(path).size >= end else { return nil }
        let bytes = try file.descriptor.read(size, at: offset, path)
        return bytes.count == size ? bytes : nil
    }

    /// Decodes a piece that was sent; nil where a base at the target is not what it should be.
    package func decode(
        _ id: ChunkID, _ codec: BlobCodec, _ stored: [UInt8], _ size: Int,
        _ bases: [(path: [UInt8], offset: UInt64)]
    ) throws -> [UInt8]? {
        let plain: [UInt8]
        do {
            var bytes: [UInt8] = []
            if codec == .patch {
                let wanted = try ChunkDecoder.bases(of: stored)
                guard wanted.count == bases.count else {
                    throw RemoteFailure(.violation, "a patch with another number of bases")
                }
                for (base, place) in zip(wanted, bases) {
                    guard let found = try read(place.path, place.offset, base.size, base.id) else {
                        return nil
                    }
                    bytes += found
                }
            }
            plain = try decoder.decode(stored, codec, bases: bytes, size: size)
        } catch let error as RepositoryError {
            throw RemoteFailure(.invalid, "\(error)")
        }
        guard ChunkID(of: plain.span) == id else {
            throw RemoteFailure(.invalid, "a piece is not what its id says")
        }
        return plain
    }
}
