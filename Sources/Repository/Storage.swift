package import Bytes

/// Where the objects of a repository lie.
///
/// Durability is explicit, so that the order of steps is the repository's to decide and a
/// simulated storage can lose what was not synced:
///
/// 1. `stage` makes an object that nobody can see; it is written, then `sync`ed.
/// 2. `publish` gives it its name, never replacing another object that is whole.
/// 3. `syncNames` makes the names that were published durable.
package protocol Storage: Sendable {
    /// How messages call the place.
    var location: String { get }

    func stage(_ kind: ObjectKind) throws(StorageError) -> any StagedObject

    /// Waits until the published names of these objects are durable.
    func syncNames(_ names: [ObjectName]) throws(StorageError)

    /// All names of a kind that is named by digest, in no order: a complete list, or an error.
    func list(_ kind: ObjectKind) throws(StorageError) -> [SHA256Digest]

    /// Opens an object for reading; throws `missing` when it is not there.
    func open(_ name: ObjectName) throws(StorageError) -> any StoredObject

    /// Removes an object; one that is not there is no error.
    func remove(_ name: ObjectName) throws(StorageError)

    /// Writes a small object and makes it durable: stages, syncs, publishes and syncs the name.
    func put(_ name: ObjectName, _ bytes: [UInt8]) throws(StorageError)

    /// Says that these objects will be opened soon, in this order; a storage that is far away asks
    /// for them at once.
    func prepare(_ names: [ObjectName])
}

/// An object being written, not yet visible.
///
/// Its methods may be called from several threads.
package protocol StagedObject: AnyObject, Sendable {
    func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(StorageError)

    /// Waits until the content is durable. A failure is final: discard the object.
    func sync() throws(StorageError)

    /// Gives the object its name.
    ///
    /// An object of that name which is there already stays, and is no error, when it holds the
    /// same. When it does not, it is replaced as a whole if `replacing`; else this throws `exists`
    /// and the object remains staged. The configuration is never replaced.
    func publish(as name: ObjectName, replacing: Bool) throws(StorageError)

    /// Drops the object; does nothing once it is published.
    func discard()

    /// What was written, for checks before it is published; nil where the storage cannot read it.
    var content: (any StoredObject)? { get }
}

/// A published object, open for reading from any thread.
package protocol StoredObject: AnyObject, Sendable {
    var size: UInt64 { get }

    /// Reads `count` bytes at `offset`; fewer only where the object ends.
    func read(_ count: Int, at offset: UInt64) throws(StorageError) -> [UInt8]

    /// Calls `body` with `range`, without copying it where the storage can avoid that. The range
    /// must lie inside.
    func withBytes<Value>(
        _ range: Range<Int>, _ body: (Span<UInt8>) -> Value
    )
        throws(StorageError) -> Value
}

extension StagedObject {
    /// Gives the object its name, in place of another of that name that differs.
    package func publish(as name: ObjectName) throws(StorageError) {
        try publish(as: name, replacing: true)
    }

    /// None, where a storage cannot be read before publishing.
    package var content: (any StoredObject)? { nil }
}

extension Storage {
    /// Reads a whole object of at most `limit` bytes.
    package func readAll(_ name: ObjectName, limit: Int) throws(RepositoryError) -> [UInt8] {
        try about(name) { () throws(StorageError) in
            let object = try open(name)
            guard object.size <= UInt64(limit) else {
                throw StorageError(.damaged, name, "larger than \(limit) bytes")
            }
            return try object.read(Int(object.size), at: 0)
        }
    }

    /// Does nothing: most storages are near.
    package func prepare(_ names: [ObjectName]) {}

    /// Writes a small object and makes it durable (invariant 1).
    package func put(_ name: ObjectName, _ bytes: [UInt8]) throws(StorageError) {
        let staged = try stage(name.kind)
        do throws(StorageError) {
            try staged.write(bytes.span, at: 0)
            try staged.sync()
            try staged.publish(as: name)
        } catch {
            staged.discard()
            throw error
        }
        try syncNames([name])
    }
}
