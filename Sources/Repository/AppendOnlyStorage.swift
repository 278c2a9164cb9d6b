package import Bytes

/// Another storage, for whoever may add to it and change nothing: a published name keeps its bytes,
/// even damaged ones, and nothing is removed but index segments that others replace.
package final class AppendOnlyStorage: Storage {
    private let base: any Storage

    /// Narrows what may be done with `base`.
    package init(_ base: any Storage) { self.base = base }

    /// That of the other storage.
    package var location: String { base.location }

    /// Stages an object that will never take the place of another.
    package func stage(_ kind: ObjectKind) throws(StorageError) -> any StagedObject {
        AddedObject(try base.stage(kind))
    }

    /// As the other storage.
    package func syncNames(_ names: [ObjectName]) throws(StorageError) {
        try base.syncNames(names)
    }

    /// As the other storage.
    package func list(_ kind: ObjectKind) throws(StorageError) -> [SHA256Digest] {
        try base.list(kind)
    }

    /// As the other storage.
    package func open(_ name: ObjectName) throws(StorageError) -> any StoredObject {
        try base.open(name)
    }

    /// Throws `refused` but for an index segment that says nothing that others do not.
    package func remove(_ name: ObjectName) throws(StorageError) {
        guard case .index(let id) = name, isSuperseded(id) else {
            throw StorageError(.refused, name, "\(name) may not be removed: it is append-only")
        }
        try base.remove(name)
    }

    /// False where it cannot be found out.
    private func isSuperseded(_ id: IndexID) -> Bool {
        do throws(RepositoryError) {
            return try ObjectVerification.isSuperseded(id, in: base)
        } catch {
            return false
        }
    }

    /// As the other storage.
    package func prepare(_ names: [ObjectName]) { base.prepare(names) }

    /// An object that never takes the place of another.
    private final class AddedObject: StagedObject {
        private let object: any StagedObject

        init(_ object: any StagedObject) { self.object = object }

        func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(StorageError) {
            try object.write(bytes, at: offset)
        }

        func sync() throws(StorageError) { try object.sync() }

        func publish(as name: ObjectName, replacing: Bool) throws(StorageError) {
            do throws(StorageError) {
                try object.publish(as: name, replacing: false)
            } catch {
                guard replacing, error.kind == .exists else { throw error }
                throw StorageError(
                    .refused, name,
                    "\(name) is damaged there; with --append-only it is not replaced")
            }
        }

        func discard() { object.discard() }

        var content: (any StoredObject)? { object.content }
    }
}
