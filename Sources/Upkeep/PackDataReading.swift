internal import Bytes
internal import Hashing
internal import Platform
internal import Repository

/// Reads whole packs on several threads and hashes every blob in them.
final class PackDataReading: Sendable {
    private let repository: Repository
    private let progress: WorkProgress
    private let found = Monitor<[(BlobID, RepositoryError)]>([])

    init(_ repository: Repository, _ progress: WorkProgress) {
        self.repository = repository
        self.progress = progress
    }

    /// Returns the blobs that are not what their ids say, with why; `plainSize` is what all blobs
    /// of the packs have together.
    ///
    /// Throws when a pack cannot be read at all. After an interruption, packs are left out.
    func run(
        _ packs: [PackID], plainSize: UInt64
    ) throws(RepositoryError) -> [(BlobID, RepositoryError)] {
        progress.update { counters in
            counters.bytesFound = plainSize
            counters.isTotalKnown = true
        }
        try Threads.forEach(
            packs, threads: Processors.count, context: { BlobReader(self.repository) }
        ) { pack, reader throws(RepositoryError) in
            try self.read(pack, reader)
        }
        return found.withState { $0 }
    }

    private func read(_ pack: PackID, _ reader: BlobReader) throws(RepositoryError) {
        guard !Interruption.isRequested else { return }
        var rest = try PackReader(pack, repository.storage).entries()[...]
        while !rest.isEmpty, !Interruption.isRequested {
            let group = Self.group(at: rest)
            let failures = reader.check(group, in: pack)
            if !failures.isEmpty { found.withState { $0 += failures } }
            let size = group.reduce(0) { $0 + UInt64($1.plainSize) }
            progress.update { $0.bytesDone += size }
            rest = rest.dropFirst(group.count)
        }
    }

    /// The first blobs of `entries`: at least one, and not more than are well held in memory.
    private static func group(at entries: ArraySlice<PackEntry>) -> ArraySlice<PackEntry> {
        var size: UInt64 = 0
        var end = entries.startIndex
        for entry in entries.prefix(groupCount) {
            size += UInt64(entry.plainSize)
            if size > groupSize, end > entries.startIndex { break }
            end += 1
        }
        return entries[..<end]
    }

    private static let groupCount = 32
    private static let groupSize: UInt64 = 8 << 20
}
