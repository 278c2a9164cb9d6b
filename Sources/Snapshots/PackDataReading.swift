internal import Bytes
internal import Hashing
internal import Platform
internal import Repository

/// Reads whole packs on several threads and hashes every blob in them.
final class PackDataReading: Sendable {
    typealias Table = (pack: PackID, entries: [PackEntry])

    private let repository: Repository
    private let progress: WorkProgress
    private let work = BoundedQueue<Table>(capacity: Processors.count)
    private let found = Monitor<[(BlobID, RepositoryError)]>([])

    init(_ repository: Repository, _ progress: WorkProgress) {
        self.repository = repository
        self.progress = progress
    }

    /// Plain bytes of all blobs.
    static func plainSize(_ tables: [Table]) -> UInt64 {
        tables.reduce(0) { sum, table in
            table.entries.reduce(sum) { $0 + UInt64($1.plainSize) }
        }
    }

    /// Returns the blobs that are not what their ids say, with why.
    func run(_ tables: [Table]) -> [(BlobID, RepositoryError)] {
        let total = Self.plainSize(tables)
        progress.update { counters in
            counters.bytesFound = total
            counters.isTotalKnown = true
        }
        let threads = WorkerThreads(count: Processors.count) { _ in self.readPacks() }
        for table in tables { work.push(table) }
        work.close()
        threads.join()
        return found.read { $0 }
    }

    private func readPacks() {
        let reader = BlobReader(repository)
        while let table = work.pop() {
            for entry in table.entries where !Interruption.isRequested {
                check(entry, table.pack, reader)
                progress.update { $0.bytesDone += UInt64(entry.plainSize) }
            }
        }
    }

    private func check(_ entry: PackEntry, _ pack: PackID, _ reader: BlobReader) {
        do throws(RepositoryError) {
            let place = BlobPlace(entry, in: pack)
            _ = try reader.read(entry.id, at: place, checkingSHA256: true)
        } catch {
            found.update { $0.append((entry.id, error)) }
        }
    }
}
