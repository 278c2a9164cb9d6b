package import Bytes
package import Platform
internal import SystemPackage

/// A repository in a directory of a local or mounted file system.
///
///     config            packs/3f/<64 digits>    index/<64 digits>
///     snapshots/<64 digits>                     leases/<name>
///
/// Temporary names are `.tmp-<random>`, in the directory of their kind; a crash may leave some.
package final class DirectoryStorage: Storage {
    let root: PinnedDirectory
    /// The path of the directory; printable.
    package let location: String

    private let host: Host

    /// Opens an existing directory.
    package init(_ path: [UInt8], _ host: Host = .system) throws(PlatformError) {
        root = try PinnedDirectory(path)
        location = PathBytes.printable(path)
        self.host = host
    }

    /// Takes over a directory that is open.
    package init(_ root: consuming PinnedDirectory, _ host: Host = .system) {
        location = PathBytes.printable(root.path)
        self.root = root
        self.host = host
    }

    /// Makes the directory where it is missing, and the directories in it, durably.
    ///
    /// Throws `exists` when the directory holds anything.
    package static func create(
        _ path: [UInt8], _ host: Host = .system
    ) throws(StorageError) -> DirectoryStorage {
        let root = try aboutDirectory { () throws(PlatformError) in
            do throws(PlatformError) {
                try FileOperations.makeDirectory(path, mode: 0o700)
            } catch  where error.errno == .fileExists {}
            return try PinnedDirectory(path)
        }
        return try create(in: root, host)
    }

    /// Makes the directories in a directory that is open, durably.
    ///
    /// Throws `exists` when it holds anything.
    package static func create(
        in root: consuming PinnedDirectory, _ host: Host = .system
    ) throws(StorageError) -> DirectoryStorage {
        let storage = DirectoryStorage(root, host)
        let path = storage.root.path
        let isEmpty = try aboutDirectory { () throws(PlatformError) in
            try storage.root.descriptor.names(path).isEmpty
        }
        guard isEmpty else {
            throw StorageError(.exists, storage.location, "\(storage.location) is not empty")
        }
        try aboutDirectory { () throws(PlatformError) in
            try storage.makeDirectories()
            try storage.syncParent()
        }
        return storage
    }

    /// Runs calls of the system on the directory itself: what is not there then is no object.
    private static func aboutDirectory<Value: ~Copyable>(
        _ body: () throws(PlatformError) -> Value
    ) throws(StorageError) -> Value {
        do throws(PlatformError) {
            return try body()
        } catch {
            throw StorageError(.environment(error), PathBytes.printable(error.path))
        }
    }

    private func makeDirectories() throws(PlatformError) {
        for kind in ObjectKind.allCases where kind != .config {
            try FileOperations.makeDirectory(
                Array(kind.rawValue.utf8), at: root.descriptor.raw, mode: 0o700)
        }
        for shard in 0..<256 {
            let name = "packs/" + Hex.encode([UInt8(shard)])
            try FileOperations.makeDirectory(
                Array(name.utf8), at: root.descriptor.raw, mode: 0o700)
        }
        try syncDirectory(Array("packs".utf8))
        try syncDirectory([])
    }

    private func syncParent() throws(PlatformError) {
        let parent = try root.descriptor.duplicate()
        let above = try Descriptor.open(
            Array("..".utf8), [.readOnly, .directory], at: parent.raw)
        try above.sync(root.path)
    }

    private func syncDirectory(_ path: [UInt8]) throws(PlatformError) {
        try root.open(path, [.readOnly, .directory]).sync(path)
    }

    private static func directory(of name: ObjectName) -> [UInt8] {
        PathBytes.parent(Array(name.path.utf8))
    }

    /// Makes a file of a temporary name, which a crash may leave.
    package func stage(_ kind: ObjectKind) throws(StorageError) -> any StagedObject {
        let name = host.uniqueName(".tmp-")
        let directory = kind == .config ? [] : Array(kind.rawValue.utf8)
        let path = PathBytes.join(directory, name)
        return try asStorage { () throws(PlatformError) in
            let descriptor = try root.open(path, [.readWrite, .create, .exclusive], mode: 0o400)
            return DirectoryStagedObject(self, path, descriptor)
        }
    }

    /// Syncs the directories of the names.
    package func syncNames(_ names: [ObjectName]) throws(StorageError) {
        try asStorage { () throws(PlatformError) in
            for directory in Set(names.map(Self.directory)) { try syncDirectory(directory) }
        }
    }

    /// Lists the directory of a kind; other names in it are left alone.
    package func list(_ kind: ObjectKind) throws(StorageError) -> [SHA256Digest] {
        do throws(PlatformError) {
            let top = Array(kind.rawValue.utf8)
            guard kind == .pack else { return try digests(in: top) }
            var found: [SHA256Digest] = []
            for shard in 0..<256 {
                let name = top + [PathBytes.separator] + Hex.encode([UInt8(shard)]).utf8
                found += try digests(in: name)
            }
            return found
        } catch {
            // A directory of a repository that is not there is no missing object.
            throw StorageError(.environment(error), kind.rawValue)
        }
    }

    /// Names that are not 64 hexadecimal digits are not ours, and left alone.
    private func digests(in directory: [UInt8]) throws(PlatformError) -> [SHA256Digest] {
        let names = try root.open(directory, [.readOnly, .directory]).names(directory)
        return names.compactMap { SHA256Digest(hex: String(decoding: $0, as: UTF8.self)) }
    }

    /// Throws `damaged` for what is not a regular file.
    package func open(_ name: ObjectName) throws(StorageError) -> any StoredObject {
        let path = Array(name.path.utf8)
        // A fifo in its place must not make the reader wait.
        let object = try asStorage { () throws(PlatformError) -> DirectoryStoredObject? in
            let descriptor = try root.open(path, [.readOnly, .nonBlocking])
            let status = try descriptor.status(path)
            guard status.type == .regular else { return nil }
            return DirectoryStoredObject(path, descriptor, size: status.size)
        }
        guard let object else { throw StorageError(.damaged, name, "not a regular file") }
        return object
    }

    /// Removes the file, not durably.
    package func remove(_ name: ObjectName) throws(StorageError) {
        do throws(PlatformError) {
            try FileOperations.remove(Array(name.path.utf8), at: root.descriptor.raw)
        } catch {
            guard error.errno != .noSuchFileOrDirectory else { return }
            throw StorageError(error)
        }
    }
}

/// It can be read back too, so that what came from elsewhere is checked before it is published.
private final class DirectoryStagedObject: StagedObject, StoredObject {
    private let storage: DirectoryStorage
    private let path: [UInt8]
    private let descriptor: Descriptor
    private let isPublished = Monitor(false)

    init(_ storage: DirectoryStorage, _ path: [UInt8], _ descriptor: consuming Descriptor) {
        self.storage = storage
        self.path = path
        self.descriptor = descriptor
    }

    deinit { discard() }

    func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(StorageError) {
        try asStorage { () throws(PlatformError) in
            try descriptor.write(bytes, at: offset, path)
        }
    }

    var content: (any StoredObject)? { self }

    func sync() throws(StorageError) {
        try asStorage { () throws(PlatformError) in try descriptor.sync(path) }
    }

    /// Zero, which no object has that could be published, when the system does not tell.
    var size: UInt64 { (try? descriptor.status(path).size) ?? 0 }

    func read(_ count: Int, at offset: UInt64) throws(StorageError) -> [UInt8] {
        try asStorage { () throws(PlatformError) in
            try descriptor.read(count, at: offset, path)
        }
    }

    func withBytes<Value>(
        _ range: Range<Int>, _ body: (Span<UInt8>) -> Value
    )
        throws(StorageError) -> Value
    {
        let bytes = try read(range.count, at: UInt64(range.lowerBound))
        guard bytes.count == range.count else { throw cutShort }
        return body(bytes.span)
    }

    private var cutShort: StorageError {
        StorageError(.damaged, PathBytes.printable(path), "ends before its size")
    }

    func publish(as name: ObjectName, replacing: Bool) throws(StorageError) {
        let target = Array(name.path.utf8)
        do throws(PlatformError) {
            try FileOperations.renameWithoutReplacing(
                path, to: target, at: storage.root.descriptor.raw)
        } catch {
            guard error.errno == .fileExists, name != .config else { throw StorageError(error) }
            guard try isDifferent(from: name) else { return }
            guard replacing else { throw StorageError(.exists, name) }
            try asStorage { () throws(PlatformError) in
                try FileOperations.rename(path, to: target, at: storage.root.descriptor.raw)
            }
        }
        isPublished.update { $0 = true }
    }

    /// Whether the published object does not hold the same bytes: it is damaged then.
    private func isDifferent(from name: ObjectName) throws(StorageError) -> Bool {
        let published = try storage.open(name)
        let size = try asStorage { () throws(PlatformError) in try descriptor.status(path).size }
        guard published.size == size else { return true }
        for offset in stride(from: 0, to: size, by: 1 << 20) {
            let ours = try read(1 << 20, at: offset)
            if try published.read(1 << 20, at: offset) != ours { return true }
        }
        return false
    }

    func discard() {
        guard !isPublished.withState({ $0 }) else { return }
        try? FileOperations.remove(path, at: storage.root.descriptor.raw)
    }
}

private final class DirectoryStoredObject: StoredObject {
    private let path: [UInt8]
    private let descriptor: Descriptor
    let size: UInt64
    /// Mapped at first use; packs never are.
    private let mapping = Monitor<MappedFile?>(nil)

    init(_ path: [UInt8], _ descriptor: consuming Descriptor, size: UInt64) {
        self.path = path
        self.descriptor = descriptor
        self.size = size
    }

    func read(_ count: Int, at offset: UInt64) throws(StorageError) -> [UInt8] {
        try asStorage { () throws(PlatformError) in
            try descriptor.read(count, at: offset, path)
        }
    }

    func withBytes<Value>(
        _ range: Range<Int>, _ body: (Span<UInt8>) -> Value
    )
        throws(StorageError) -> Value
    {
        try asStorage { () throws(PlatformError) in try map() }.withBytes(range, body)
    }

    private func map() throws(PlatformError) -> MappedFile {
        let made: Result<MappedFile, PlatformError> = mapping.withState { mapping in
            if let mapping { return .success(mapping) }
            do throws(PlatformError) {
                let file = try MappedFile(descriptor, path)
                file.adviseRandom()
                mapping = file
                return .success(file)
            } catch {
                return .failure(error)
            }
        }
        return try made.get()
    }
}
