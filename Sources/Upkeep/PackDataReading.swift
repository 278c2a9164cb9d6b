internal import Hashing
internal import Platform
internal import Repository

/// Reads whole packs on several threads and hashes every blob in them.
struct PackDataReading {
    private let repository: Repository
    private let inspection: RepositoryInspection
    private let progress: WorkProgress

    init(_ repository: Repository, _ inspection: RepositoryInspection, _ progress: WorkProgress) {
        self.repository = repository
        self.inspection = inspection
        self.progress = progress
    }

    /// Returns the blobs that are not what their ids say, with why; `plainSize` is what all blobs
    /// of the packs have together, in bytes.
    ///
    /// Throws when a pack cannot be read at all. After an interruption, packs are left out.
    func run(
        _ packs: [PackID], plainSize: UInt64
    ) throws(RepositoryError) -> [(id: BlobID, error: RepositoryError)] {
        progress.update { counters in
            counters.bytesFound = plainSize
            counters.isTotalKnown = true
        }
        let found = Monitor<[(id: BlobID, error: RepositoryError)]>([])
        let (repository, inspection, progress) = (repository, inspection, progress)
        try Threads.forEach(
            packs, threads: repository.host.processors, context: { BlobReader(repository) }
        ) { pack, reader throws(RepositoryError) in
            guard !Interruption.isRequested else { return }
            let faults = try inspection.contentFaults(of: pack, reader) { size in
                progress.update { $0.bytesDone += size }
                return !Interruption.isRequested
            }
            found.withState { $0 += faults }
        }
        return found.withState { $0 }
    }
}
