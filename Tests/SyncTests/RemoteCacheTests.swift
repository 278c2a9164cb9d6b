@testable import Repository
import Bytes
import Chunking
import Compression
import Hashing
import Platform
import Remote
import Testing
import TestSupport

/// The local cache only costs time when it is wrong.
struct RemoteCacheTests {
    private struct Scene {
        let storage: SimulatedStorage
        let directory: TemporaryDirectory
        let id: RepositoryID
        let blobs: [(BlobID, [UInt8])]

        init() throws {
            storage = SimulatedStorage()
            directory = try TemporaryDirectory()
            id = try Repository.create(storage, chunking: .standard).id
            let writer = try RepositoryWriter(try Repository(storage))
            let encoder = BlobEncoder(.standard)
            var generator = SplitMix64(seed: 8)
            blobs = (0..<40).map { number in
                let plain = generator.text(600 + number)
                return (BlobID(of: plain.span, number % 2 == 0 ? .node : .chunk), plain)
            }
            for (id, plain) in blobs { try writer.put(id, plain.span, encoder) }
            _ = try writer.commit()
        }

        /// Reads every blob through a connection of its own; how often each object was opened.
        func read() throws -> [ObjectKind: Int] {
            let before = storage.steps.count
            let pair = try ServedPair(storage)
            let cache = RemoteCache(id, below: directory.path("cache"))
            let repository = try Repository(
                RemoteStorage(pair.connection, cache: cache), nodeCache: cache?.nodes)
            let reader = BlobReader(repository)
            for (id, plain) in blobs {
                let isRight = try reader.read(id, checkingSHA256: true) == plain
                #expect(isRight)
            }
            var opened: [ObjectKind: Int] = [:]
            for case .open(let name) in storage.steps[before...] {
                opened[name.kind, default: 0] += 1
            }
            return opened
        }

        func files() throws -> [[UInt8]] {
            try Fixtures.files(below: directory.path("cache"))
        }
    }

    @Test func `Index segments and nodes are fetched once`() throws {
        let scene = try Scene()
        #expect(try scene.read()[.index] == 1)
        #expect(try scene.files().count == 1 + 20)
        #expect(try scene.read()[.index] == nil)
    }

    @Test func `Nodes that are here need no pack`() throws {
        let scene = try Scene()
        _ = try scene.read()
        for name in scene.storage.names(.pack) { scene.storage.damage(name, nil) }
        let pair = try ServedPair(scene.storage)
        let cache = RemoteCache(scene.id, below: scene.directory.path("cache"))
        let repository = try Repository(
            RemoteStorage(pair.connection, cache: cache), nodeCache: cache?.nodes)
        for (id, plain) in scene.blobs where id.kind == .node {
            let isRight = try BlobReader(repository).read(id) == plain
            #expect(isRight)
        }
    }

    @Test(arguments: ["flip", "cut", "empty", "other"])
    func `A damaged cache is as good as none and is put right`(damage: String) throws {
        let scene = try Scene()
        _ = try scene.read()
        let files = try scene.files()
        let other = try Fixtures.read(files[0])
        for path in files {
            var bytes = try Fixtures.read(path)
            switch damage {
            case "flip": bytes[bytes.count / 2] ^= 1
            case "cut": bytes.removeLast()
            case "empty": bytes = []
            default: bytes = path == files[0] ? [1, 2, 3] : other
            }
            try FileOperations.remove(path)
            let file = try Descriptor.open(path, [.writeOnly, .create, .exclusive])
            try file.write(bytes.span, at: 0, path)
        }
        #expect(try scene.read()[.index] == 1)
        #expect(try scene.read()[.index] == nil)
    }

    @Test func `A cache that cannot be made is done without`() throws {
        let scene = try Scene()
        try scene.directory.write([1], "cache")
        #expect(RemoteCache(scene.id, below: scene.directory.path("cache")) == nil)
        #expect(RemoteCache(scene.id, below: nil) == nil)
        #expect(try scene.read()[.index] == 1)
        #expect(try scene.read()[.index] == 1)
    }

    @Test func `What the repository does not list any more is removed`() throws {
        let scene = try Scene()
        _ = try scene.read()
        let stray = "cache/\(scene.id.hex)/index/" + String(repeating: "a", count: 64)
        try scene.directory.write([1], stray)
        _ = try scene.read()
        #expect(try scene.files().count == 1 + 20)
    }
}
