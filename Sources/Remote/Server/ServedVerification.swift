internal import Platform
package import Repository
internal import Snapshots

/// Looks at what a client wants to publish.
package enum ServedVerification {
    /// Throws unless the object is what its name says, and a snapshot one that can be read.
    package static func verify(
        _ name: ObjectName, _ object: any StoredObject, in storage: any Storage
    ) throws(RepositoryError) {
        try ObjectVerification.verify(name, object, in: storage)
        guard case .snapshot(let id) = name else { return }
        let bytes: [UInt8]
        do throws(StorageError) {
            bytes = try object.read(Int(clamping: object.size), at: 0)
        } catch {
            throw RepositoryError(error, name)
        }
        _ = try SnapshotRecord(decoding: bytes, id)
    }
}
