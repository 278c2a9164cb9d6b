internal import Bytes
internal import Hashing
internal import Platform
internal import Repository

/// Reads whole packs on several threads and hashes every blob in them.
final class PackDataReading: Sendable {
    private let repository: Repository
    private let progress: WorkProgress
    private let work = BoundedQueue<PackID>(capacity: Processors.count)
    private let found = Monitor(Found())

    private struct Found {
        var blobs: [(BlobID, RepositoryError)] = []
        /// Set where a pack could not be read at all.
        var failure: RepositoryError?
    }

    init(_ repository: Repository, _ progress: WorkProgress) {
        self.repository = repository
        self.progress = progress
    }

    /// Returns the blobs that are not what their ids say, with why; `plainSize` is what all blobs
    /// of the packs have together.
    func run(
        _ packs: [PackID], plainSize: UInt64
    ) throws(RepositoryError) -> [(BlobID, RepositoryError)] {
        progress.update { counters in
            counters.bytesFound = plainSize
            counters.isTotalKnown = true
        }
        let threads = WorkerThreads(count: Processors.count) { _ in self.readPacks() }
        for pack in packs { work.push(pack) }
        work.close()
        threads.join()
        let found = self.found.withState { $0 }
        if let failure = found.failure { throw failure }
        return found.blobs
    }

    private func readPacks() {
        let reader = BlobReader(repository)
        while let pack = work.pop() {
            do throws(RepositoryError) {
                try read(pack, reader)
            } catch {
                found.withState { $0.failure = $0.failure ?? error }
            }
        }
    }

    private func read(_ pack: PackID, _ reader: BlobReader) throws(RepositoryError) {
        var rest = try PackReader(pack, repository.storage).entries()[...]
        while !rest.isEmpty, !Interruption.isRequested {
            let group = Self.group(at: rest)
            let failures = reader.check(group, in: pack)
            if !failures.isEmpty { found.withState { $0.blobs += failures } }
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
