internal import Bytes
internal import Platform

/// Reads from another storage and lets everything written vanish: for dry runs.
final class DryRunStorage: Storage {
    private let base: any Storage

    init(_ base: any Storage) { self.base = base }

    var location: String { base.location }

    func stage(_ kind: ObjectKind) throws(PlatformError) -> any StagedObject { Vanishing() }
    func syncNames(_ names: [ObjectName]) throws(PlatformError) {}
    func list(_ kind: ObjectKind) throws(PlatformError) -> [SHA256Digest] { try base.list(kind) }

    func open(_ name: ObjectName) throws(PlatformError) -> any StoredObject {
        try base.open(name)
    }

    func remove(_ name: ObjectName) throws(PlatformError) {}

    func prepare(_ names: [ObjectName]) { base.prepare(names) }

    private final class Vanishing: StagedObject {
        func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(PlatformError) {}
        func sync() throws(PlatformError) {}
        func publish(as name: ObjectName) throws(PlatformError) {}
        func discard() {}
    }
}
