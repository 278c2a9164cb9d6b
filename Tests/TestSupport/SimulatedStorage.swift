package import Bytes
internal import Platform
package import Repository
package import SystemPackage

/// A step that a repository asks of its storage.
package enum StorageStep: Hashable, Sendable {
    case stage(ObjectKind)
    case write
    case sync
    case publish(ObjectName)
    case syncNames([ObjectName])
    case remove(ObjectName)
    case list(ObjectKind)
    case open(ObjectName)
    case read(ObjectName)

    /// Whether it may change what the storage holds.
    package var isChange: Bool {
        switch self {
        case .list, .open, .read: false
        default: true
        }
    }
}

/// What goes wrong, and when.
package struct FaultPlan: Sendable {
    package enum Effect: Sendable {
        /// The step does nothing and fails.
        case fail(Errno)
        /// A write leaves half of its bytes and fails for lack of space; other steps just fail.
        case shortWrite
        /// The step and everything after it fails; `crash` tells what is left.
        case powerCut
    }

    /// Number of the step it befalls, from 0.
    package var step: Int
    package var effect: Effect
    /// Whether only steps that change the storage are counted.
    package var countsChangesOnly: Bool

    package init(at step: Int, _ effect: Effect, countingChangesOnly: Bool = true) {
        self.step = step
        self.effect = effect
        countsChangesOnly = countingChangesOnly
    }
}

/// A storage in memory that forgets, after a crash, whatever the contract of `Storage` allows.
///
/// - Content that was not synced may be lost, torn at sectors, or zeros.
/// - A name that was published without `syncNames` may be gone, each by itself, so in any order.
/// - An object that was removed may be back.
/// - After a failed `sync` the content is lost even if a second one says otherwise, as on Linux.
///
/// It is stricter than a file system: `syncNames` makes just the names it is given durable.
package final class SimulatedStorage: Storage {
    package let location = "simulation"
    fileprivate let disk: Monitor<SimulatedDisk>

    package init() { disk = Monitor(SimulatedDisk()) }

    private init(_ contents: SimulatedDisk) { disk = Monitor(contents) }

    package func stage(_ kind: ObjectKind) throws(StorageError) -> any StagedObject {
        SimulatedStagedObject(self, try perform(.stage(kind)) { disk, _ in .success(disk.make()) })
    }

    package func syncNames(_ names: [ObjectName]) throws(StorageError) {
        try perform(.syncNames(names)) { disk, _ in
            for name in names { disk.durable[name] = disk.visible[name] }
            return .success(())
        }
    }

    package func list(_ kind: ObjectKind) throws(StorageError) -> [SHA256Digest] {
        try perform(.list(kind)) { disk, _ in
            .success(disk.visible.keys.filter { $0.kind == kind }.compactMap(\.listedDigest))
        }
    }

    package func open(_ name: ObjectName) throws(StorageError) -> any StoredObject {
        let bytes = try perform(.open(name)) { disk, _ -> Result<[UInt8], StorageError> in
            guard let file = disk.visible[name] else {
                return .failure(StorageError(.missing, name))
            }
            return .success(disk.files[file]?.bytes ?? [])
        }
        return SimulatedStoredObject(self, name, bytes)
    }

    package func remove(_ name: ObjectName) throws(StorageError) {
        try perform(.remove(name)) { disk, _ in
            disk.visible[name] = nil
            return .success(())
        }
    }

    /// Counts a step, lets a planned fault happen, or does it.
    @discardableResult
    fileprivate func perform<Value>(
        _ step: StorageStep,
        _ body: (inout SimulatedDisk, _ isCutShort: Bool) -> Result<Value, StorageError>
    ) throws(StorageError) -> Value {
        let result: Result<Value, StorageError> = disk.update { disk in
            switch disk.faultAt(step) {
            case nil: return body(&disk, false)
            case .shortWrite where step == .write: return body(&disk, true)
            case .shortWrite: return .failure(StorageError(PlatformError("\(step)", [], .noSpace)))
            case .fail(let errno):
                if step == .sync { return body(&disk, true) }
                return .failure(StorageError(PlatformError("\(step)", [], errno)))
            case .powerCut: return .failure(StorageError(PlatformError("\(step)", [], .ioError)))
            }
        }
        return try result.get()
    }
}

extension SimulatedStorage {
    /// Plans a fault; counting begins now.
    package func plan(_ plan: FaultPlan?) {
        disk.update { disk in
            disk.plan = plan
            disk.counted = 0
        }
    }

    /// Bytes read of objects so far.
    package var bytesRead: UInt64 { disk.withState { $0.bytesRead } }

    /// Every step so far.
    package var steps: [StorageStep] { disk.withState { $0.steps } }

    /// What is left if the power fails now; this storage is not changed.
    package func crash(using generator: inout some RandomNumberGenerator) -> SimulatedStorage {
        SimulatedStorage(disk.withState { $0.afterCrash(using: &generator) })
    }

    /// What another process sees after this one was killed: everything, durable or not.
    package func restarted() -> SimulatedStorage {
        SimulatedStorage(disk.withState { $0.afterKill() })
    }

    /// An independent copy in which everything is durable.
    package func copy() -> SimulatedStorage { SimulatedStorage(disk.withState { $0.allDurable() }) }

    package var names: [ObjectName] {
        disk.withState { disk in disk.visible.keys.sorted { $0.path < $1.path } }
    }

    package func names(_ kind: ObjectKind) -> [ObjectName] { names.filter { $0.kind == kind } }

    package func bytes(_ name: ObjectName) -> [UInt8]? {
        disk.withState { disk in disk.visible[name].flatMap { disk.files[$0]?.bytes } }
    }

    /// Damages: gives `name` other bytes, or with nil takes it away.
    package func damage(_ name: ObjectName, _ bytes: [UInt8]?) {
        disk.update { disk in
            let file = bytes.map { disk.make(synced: $0) }
            disk.visible[name] = file
            disk.durable[name] = file
        }
    }
}

private final class SimulatedStagedObject: StagedObject, StoredObject {
    private let storage: SimulatedStorage
    private let file: Int

    var content: (any StoredObject)? { self }

    init(_ storage: SimulatedStorage, _ file: Int) {
        self.storage = storage
        self.file = file
    }

    deinit { discard() }

    func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(StorageError) {
        let bytes = [UInt8](copying: bytes)
        try storage.perform(.write) { disk, isCutShort in
            let written = isCutShort ? bytes.prefix(bytes.count / 2) : bytes[...]
            disk.files[file]?.write(written, at: Int(offset))
            return isCutShort
                ? .failure(StorageError(PlatformError("write", [], .noSpace))) : .success(())
        }
    }

    private var bytes: [UInt8] { storage.disk.withState { $0.files[file]?.bytes ?? [] } }

    var size: UInt64 { UInt64(bytes.count) }

    func read(_ count: Int, at offset: UInt64) throws(StorageError) -> [UInt8] {
        Array(bytes.dropFirst(Int(clamping: offset)).prefix(count))
    }

    func withBytes<Value>(
        _ range: Range<Int>,
        _ body: (Span<UInt8>) -> Value
    )
        throws(StorageError) -> Value
    {
        let bytes = self.bytes
        return body(bytes.span.extracting(range))
    }

    func sync() throws(StorageError) {
        try storage.perform(.sync) { disk, hasFailed in
            disk.files[file]?.sync(hasFailed: hasFailed)
            return hasFailed
                ? .failure(StorageError(PlatformError("sync", [], .ioError))) : .success(())
        }
    }

    func publish(as name: ObjectName, replacing: Bool) throws(StorageError) {
        try storage.perform(.publish(name)) { disk, _ in
            guard let other = disk.visible[name] else {
                disk.visible[name] = file
                return .success(())
            }
            if name == .config {
                return .failure(StorageError(.exists, name))
            }
            guard disk.files[other]?.bytes != disk.files[file]?.bytes else { return .success(()) }
            guard replacing else { return .failure(StorageError(.exists, name)) }
            disk.visible[name] = file
            return .success(())
        }
    }

    func discard() { storage.disk.update { $0.discard(file) } }
}

private final class SimulatedStoredObject: StoredObject {
    private let storage: SimulatedStorage
    private let name: ObjectName
    private let bytes: [UInt8]

    init(_ storage: SimulatedStorage, _ name: ObjectName, _ bytes: [UInt8]) {
        self.storage = storage
        self.name = name
        self.bytes = bytes
    }

    var size: UInt64 { UInt64(bytes.count) }

    func read(_ count: Int, at offset: UInt64) throws(StorageError) -> [UInt8] {
        try storage.perform(.read(name)) { disk, _ in
            let start = Int(min(offset, size))
            disk.bytesRead += UInt64(min(count, bytes.count - start))
            return .success(Array(bytes[start..<start + min(count, bytes.count - start)]))
        }
    }

    func withBytes<Value>(
        _ range: Range<Int>,
        _ body: (Span<UInt8>) -> Value
    )
        throws(StorageError) -> Value
    {
        try storage.perform(.read(name)) { disk, _ in
            disk.bytesRead += UInt64(range.count)
            return .success(())
        }
        let bytes = self.bytes
        return body(bytes.span.extracting(range))
    }
}
