internal import Bytes

/// Reads from another storage and lets everything written vanish: for dry runs.
final class DryRunStorage: Storage {
    private let base: any Storage

    init(_ base: any Storage) { self.base = base }

    var location: String { base.location }

    func stage(_ kind: ObjectKind) throws(StorageError) -> any StagedObject { Vanishing() }
    func syncNames(_ names: [ObjectName]) throws(StorageError) {}
    func list(_ kind: ObjectKind) throws(StorageError) -> [SHA256Digest] { try base.list(kind) }

    func open(_ name: ObjectName) throws(StorageError) -> any StoredObject {
        try base.open(name)
    }

    func remove(_ name: ObjectName) throws(StorageError) {}

    func prepare(_ names: [ObjectName]) { base.prepare(names) }

    private final class Vanishing: StagedObject {
        func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(StorageError) {}
        func sync() throws(StorageError) {}
        func publish(as name: ObjectName, replacing: Bool) throws(StorageError) {}
        func discard() {}
    }
}
