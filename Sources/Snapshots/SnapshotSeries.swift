internal import Bytes
internal import Platform
package import Repository

/// A snapshot's name and its record.
package struct Snapshot: Equatable, Sendable {
    /// The digest of the record.
    package var id: SnapshotID
    /// What the storage holds under the id.
    package var record: SnapshotRecord

    /// A snapshot and its id.
    package init(_ id: SnapshotID, _ record: SnapshotRecord) {
        self.id = id
        self.record = record
    }
}

/// All snapshots of a repository, oldest first.
package struct SnapshotSeries {
    package private(set) var items: [Snapshot] = []
    /// Records that could not be read, each with its reason.
    package private(set) var damaged: [RepositoryError] = []

    /// Reads every record; damaged ones are told by `damaged`, any other fault throws.
    package init(_ repository: Repository) throws(RepositoryError) {
        let ids = try repository.snapshotIDs()
        repository.storage.prepare(ids.map(ObjectName.snapshot))
        for id in ids {
            do throws(RepositoryError) {
                let bytes = try repository.snapshotBytes(id)
                items.append(Snapshot(id, try SnapshotRecord(decoding: bytes, id)))
            } catch  where error.isDamage {
                damaged.append(error)
            }
        }
        items.sort { one, other in
            (one.record.time, one.record.sequence, one.id.digest)
                < (other.record.time, other.record.sequence, other.id.digest)
        }
    }

    /// The last snapshot in the series of a host and its sources, by sequence number: the clock may
    /// have been set back.
    package func newest(host: [UInt8], sources: [[UInt8]]) -> Snapshot? {
        items.filter { $0.record.host == host && $0.record.sources == sources }
            .max { ($0.record.sequence, $0.record.time) < ($1.record.sequence, $1.record.time) }
    }
}
