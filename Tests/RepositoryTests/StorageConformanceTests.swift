import Bytes
import Hashing
import Platform
import Repository
import SystemPackage
import TestSupport
import Testing

/// A conformer of `Storage`, empty.
enum StorageKind: String, CaseIterable, Sendable {
    case directory, simulated

    struct Place {
        let storage: any Storage
        /// Lives as long as the storage is used.
        let directory: TemporaryDirectory?
    }

    func make() throws -> Place {
        guard self == .directory else { return Place(storage: SimulatedStorage(), directory: nil) }
        let directory = try TemporaryDirectory()
        let storage = try DirectoryStorage.create(directory.path("repository"))
        return Place(storage: storage, directory: directory)
    }
}

private func name(_ kind: ObjectKind, _ number: UInt64) throws -> ObjectName {
    try #require(ObjectName(kind, SHA256Digest(number << 56, number, 0, 1)))
}

private func errno<Value>(of body: () throws -> Value) -> Errno? {
    do {
        _ = try body()
        return nil
    } catch {
        return (error as? PlatformError)?.errno
    }
}

/// The contract of `Storage`, for each conformer.
struct StorageConformanceTests {
    private static let kinds: [ObjectKind] = [.pack, .index, .snapshot]

    @Test(arguments: StorageKind.allCases, kinds)
    func `What is put is listed and read`(storage kind: StorageKind, object: ObjectKind) throws {
        let place = try kind.make()
        let storage = place.storage
        #expect(try storage.list(object).isEmpty)
        var digests: Set<SHA256Digest> = []
        for number in 1...20 as ClosedRange<UInt64> {
            let name = try name(object, number)
            try storage.put(name, [UInt8](repeating: UInt8(number), count: Int(number) * 100))
            digests.insert(SHA256Digest(number << 56, number, 0, 1))
        }
        let listed = try storage.list(object)
        #expect(listed.count == 20 && Set(listed) == digests)
        for other in Self.kinds where other != object {
            #expect(try storage.list(other).isEmpty)
        }
        let stored = try storage.open(try name(object, 7))
        #expect(stored.size == 700)
        #expect(try stored.read(700, at: 0) == [UInt8](repeating: 7, count: 700))
    }

    @Test(arguments: StorageKind.allCases)
    func `A read ends where the object ends`(kind: StorageKind) throws {
        let place = try kind.make()
        let name = try name(.pack, 1)
        try place.storage.put(name, [1, 2, 3, 4, 5])
        let object = try place.storage.open(name)
        #expect(try object.read(2, at: 3) == [4, 5])
        #expect(try object.read(9, at: 3) == [4, 5])
        #expect(try object.read(1, at: 5).isEmpty)
        #expect(try object.read(1, at: 1_000).isEmpty)
        #expect(try object.read(0, at: 0).isEmpty)
        #expect(try object.withBytes(1..<4) { [UInt8](copying: $0) } == [2, 3, 4])
        #expect(try object.withBytes(5..<5) { $0.count } == 0)
    }

    @Test(arguments: StorageKind.allCases)
    func `An empty object is an object`(kind: StorageKind) throws {
        let place = try kind.make()
        let name = try name(.snapshot, 1)
        try place.storage.put(name, [])
        let object = try place.storage.open(name)
        #expect(object.size == 0)
        #expect(try object.read(10, at: 0).isEmpty)
        #expect(try object.withBytes(0..<0) { $0.count } == 0)
    }

    @Test(arguments: StorageKind.allCases)
    func `An object that is not there is told by its own error`(kind: StorageKind) throws {
        let place = try kind.make()
        for name in [ObjectName.config, try name(.pack, 1), try name(.index, 1)] {
            #expect(errno { try place.storage.open(name) } == .noSuchFileOrDirectory)
            try place.storage.remove(name)
        }
    }

    @Test(arguments: StorageKind.allCases)
    func `A staged object is seen only once it is published`(kind: StorageKind) throws {
        let place = try kind.make()
        let name = try name(.pack, 1)
        let staged = try place.storage.stage(.pack)
        let bytes: [UInt8] = [1, 2, 3]
        try staged.write(bytes.span, at: 0)
        try staged.sync()
        #expect(try place.storage.list(.pack).isEmpty)
        #expect(errno { try place.storage.open(name) } == .noSuchFileOrDirectory)
        try staged.publish(as: name)
        try place.storage.syncNames([name])
        #expect(try place.storage.list(.pack).count == 1)
        staged.discard()
        #expect(try place.storage.open(name).read(9, at: 0) == bytes)
    }

    @Test(arguments: StorageKind.allCases)
    func `A discarded object leaves nothing`(kind: StorageKind) throws {
        let place = try kind.make()
        let bytes: [UInt8] = [1]
        for object in Self.kinds {
            let staged = try place.storage.stage(object)
            try staged.write(bytes.span, at: 0)
            staged.discard()
            staged.discard()
            _ = try place.storage.stage(object)  // Dropped: the same.
            #expect(try place.storage.list(object).isEmpty)
        }
        guard let directory = place.directory else { return }
        let files = try filesBelow(directory.path("repository"))
        #expect(files.isEmpty, "\(files.map(PathBytes.printable))")
    }

    @Test(arguments: StorageKind.allCases)
    func `Pieces land at their places in any order`(kind: StorageKind) throws {
        let place = try kind.make()
        let name = try name(.pack, 1)
        let staged = try place.storage.stage(.pack)
        let (first, last): ([UInt8], [UInt8]) = ([1, 2], [5, 6])
        try staged.write(last.span, at: 4)
        try staged.write(first.span, at: 0)
        try staged.sync()
        try staged.publish(as: name)
        #expect(try place.storage.open(name).read(9, at: 0) == [1, 2, 0, 0, 5, 6])
    }

    @Test(arguments: StorageKind.allCases)
    func `Several threads write one object`(kind: StorageKind) throws {
        let place = try kind.make()
        let name = try name(.pack, 1)
        let staged = try place.storage.stage(.pack)
        let failures = Monitor(0)
        let threads = WorkerThreads(count: 4) { thread in
            for piece in stride(from: thread, to: 200, by: 4) {
                let bytes = [UInt8](repeating: UInt8(piece), count: 10)
                do { try staged.write(bytes.span, at: UInt64(piece * 10)) } catch {
                    failures.update { $0 += 1 }
                }
            }
        }
        threads.join()
        #expect(failures.read { $0 } == 0)
        try staged.publish(as: name)
        let bytes = try place.storage.open(name).read(3_000, at: 0)
        #expect(bytes == (0..<2_000).map { UInt8($0 / 10) })
    }

    @Test(arguments: StorageKind.allCases)
    func `Publishing again what is there is no error and leaves one object`(
        kind: StorageKind
    ) throws {
        let place = try kind.make()
        let name = try name(.index, 3)
        try place.storage.put(name, [1, 2, 3])
        let before = try place.storage.open(name)
        try place.storage.put(name, [1, 2, 3])
        #expect(try place.storage.list(.index).count == 1)
        #expect(try before.read(3, at: 0) == [1, 2, 3])
        #expect(try place.storage.open(name).read(9, at: 0) == [1, 2, 3])
    }

    /// Names are digests of what they name, so other bytes under the same name are damage.
    @Test(arguments: StorageKind.allCases, [[], [1], [1, 2, 4], [1, 2, 3, 4]] as [[UInt8]])
    func `Publishing over a damaged object makes it whole`(
        kind: StorageKind,
        damaged: [UInt8]
    ) throws {
        let place = try kind.make()
        for object in Self.kinds {
            let name = try name(object, 3)
            try place.storage.put(name, damaged)
            try place.storage.put(name, [1, 2, 3])
            #expect(try place.storage.open(name).read(9, at: 0) == [1, 2, 3])
            #expect(try place.storage.list(object).count == 1)
        }
    }

    @Test(arguments: StorageKind.allCases)
    func `The configuration is written once`(kind: StorageKind) throws {
        let place = try kind.make()
        try place.storage.put(.config, [1])
        #expect(errno { try place.storage.put(.config, [1]) } == .fileExists)
        #expect(errno { try place.storage.put(.config, [2]) } == .fileExists)
        #expect(try place.storage.open(.config).read(9, at: 0) == [1])
    }

    @Test(arguments: StorageKind.allCases)
    func `An object that is open outlives its name`(kind: StorageKind) throws {
        let place = try kind.make()
        let name = try name(.index, 1)
        try place.storage.put(name, [1, 2, 3])
        let object = try place.storage.open(name)
        try place.storage.remove(name)
        #expect(try place.storage.list(.index).isEmpty)
        #expect(try object.read(3, at: 0) == [1, 2, 3])
        #expect(try object.withBytes(0..<3) { $0[2] } == 3)
    }
}

/// The paths of all regular files below a directory.
func filesBelow(_ path: [UInt8]) throws -> [[UInt8]] {
    let directory = try Descriptor.open(path, [.readOnly, .directory])
    return try directory.list(path).flatMap { entry in
        let path = PathBytes.join(path, entry.name)
        return try entry.status.get().type == .directory ? try filesBelow(path) : [path]
    }
}
