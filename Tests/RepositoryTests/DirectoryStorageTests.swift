@testable import Repository
import Bytes
import Hashing
import Platform
import SystemPackage
import Testing
import TestSupport

/// What only the storage in a directory does.
struct DirectoryStorageTests {
    private let directory: TemporaryDirectory
    private let path: [UInt8]

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path("repository")
    }

    @Test func `Objects lie where the format says, for the owner only`() throws {
        let storage = try DirectoryStorage.create(path)
        let digest = SHA256Digest(0x3f9a << 48, 0, 0, 0)
        let zeros = String(repeating: "0", count: 60)
        for (name, place) in [
            (ObjectName.config, "config"),
            (.pack(PackID(digest)), "packs/3f/3f9a\(zeros)"),
            (.index(IndexID(digest)), "index/3f9a\(zeros)"),
            (.snapshot(SnapshotID(digest)), "snapshots/3f9a\(zeros)"),
        ] {
            try storage.put(name, [1])
            let status = try FileStatus.of(directory.path("repository/" + place))
            #expect(status.size == 1 && status.mode == 0o400)
        }
        #expect(try FileStatus.of(path).mode == 0o700)
    }

    @Test func `A repository is made in an empty directory but not in another`() throws {
        try FileOperations.makeDirectory(path)
        _ = try DirectoryStorage.create(path)
        let taken = #expect(throws: StorageError.self) { _ = try DirectoryStorage.create(path) }
        #expect(taken?.kind == .exists)
        try directory.write([1], "other/file")
        #expect(throws: StorageError.self) {
            _ = try DirectoryStorage.create(directory.path("other"))
        }
        #expect(try directory.read("other/file") == [1])
        let lost = #expect(throws: StorageError.self) {
            _ = try DirectoryStorage.create(directory.path("missing/parent"))
        }
        guard case .environment(let cause)? = lost?.kind else {
            Issue.record("\(String(describing: lost))")
            return
        }
        #expect(cause.isNotFound)
    }

    @Test func `Names that are not ours are left alone`() throws {
        let storage = try DirectoryStorage.create(path)
        let name = ObjectName.index(IndexID(SHA256Digest(1, 2, 3, 4)))
        try storage.put(name, [1])
        for stray in [".tmp-0011", "README", "0123", String(repeating: "g", count: 64)] {
            try directory.write([1], "repository/index/\(stray)")
        }
        #expect(try storage.list(.index) == [SHA256Digest(1, 2, 3, 4)])
    }

    @Test(arguments: ["packs", "packs/7f", "index", "snapshots"])
    func `A directory that is gone is an error and never an empty list`(part: String) throws {
        let storage = try DirectoryStorage.create(path)
        try TemporaryDirectory.remove(directory.path("repository/" + part))
        let kind = ObjectKind(rawValue: String(part.prefix { $0 != "/" }))
        #expect(throws: StorageError.self) { _ = try storage.list(try #require(kind)) }
    }

    @Test func `A symlink in place of an object is refused`() throws {
        let storage = try DirectoryStorage.create(path)
        let name = ObjectName.snapshot(SnapshotID(SHA256Digest(1, 2, 3, 4)))
        try directory.write([1], "elsewhere")
        let root = try Descriptor.open(path, [.readOnly, .directory])
        try FileOperations.makeSymlink(
            Array(name.path.utf8),
            to: directory.path("elsewhere"),
            at: root.raw
        )
        #expect(throws: StorageError.self) { _ = try storage.open(name) }
    }

    @Test func `A symlink in place of a directory is refused`() throws {
        let storage = try DirectoryStorage.create(path)
        try TemporaryDirectory.remove(directory.path("repository/snapshots"))
        try directory.makeDirectories(Array("elsewhere".utf8))
        let root = try Descriptor.open(path, [.readOnly, .directory])
        try FileOperations.makeSymlink(
            Array("snapshots".utf8),
            to: directory.path("elsewhere"),
            at: root.raw
        )
        let name = ObjectName.snapshot(SnapshotID(SHA256Digest(1, 2, 3, 4)))
        #expect(throws: StorageError.self) { _ = try storage.list(.snapshot) }
        #expect(throws: StorageError.self) { try storage.put(name, [1]) }
        #expect(try Fixtures.files(below: directory.path("elsewhere")).isEmpty)
    }

    @Test(.endsWithin(minutes: 5), arguments: [true, false])
    func `What is not a file is refused at once in place of an object`(isFifo: Bool) throws {
        let storage = try DirectoryStorage.create(path)
        let name = ObjectName.index(IndexID(SHA256Digest(1, 2, 3, 4)))
        let root = try Descriptor.open(path, [.readOnly, .directory])
        if isFifo {
            try FileOperations.makeSpecial(Array(name.path.utf8), .fifo, device: 0, at: root.raw)
        } else {
            try FileOperations.makeDirectory(Array(name.path.utf8), at: root.raw)
        }
        #expect(throws: StorageError.self) { _ = try storage.open(name) }
    }

    @Test func `A directory that is no repository is told as such`() throws {
        let storage = try DirectoryStorage.create(path)
        let error = failure { try Repository(storage) }
        guard case .notARepository? = error?.kind else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.object == PathBytes.printable(path))
    }
}
