import Bytes
import Chunking
import Compression
import Hashing
import Platform
import Remote
import Repository
import Testing
import TestSupport
import Wire

/// A storage that another varve serves, through the pipes of one process.
struct RemoteStorageTests {
    @Test(arguments: [true, false], StorageRule.allCases)
    func `A storage that is served keeps the contract`(isDirectory: Bool, rule: StorageRule) throws
    {
        let directory = try TemporaryDirectory()
        let path = directory.path("repository")
        let served: any Storage =
            isDirectory ? try DirectoryStorage.create(path) : SimulatedStorage()
        let pair = try ServedPair(served, verifies: false)
        let storage = RemoteStorage(pair.connection)
        try rule.check(storage, directory: nil)
        pair.connection.close()
        try pair.serverOutcome().get()
        guard isDirectory else { return }
        // What was discarded, or never published, is gone once the server is.
        let left = try Fixtures.files(below: path).filter { file in
            PathBytes.name(file).starts(with: ".tmp-".utf8)
        }
        #expect(left.isEmpty)
    }

    private static func blobs(_ count: Int, seed: UInt64) -> [(BlobID, [UInt8])] {
        var generator = SplitMix64(seed: seed)
        return (0..<count).map { number in
            let plain = number % 2 == 0 ? generator.bytes(5_000) : generator.text(9_000)
            return (BlobID(of: plain.span, number % 5 == 4 ? .node : .chunk), plain)
        }
    }

    private static func write(_ blobs: [(BlobID, [UInt8])], _ repository: Repository) throws {
        let writer = try RepositoryWriter(repository)
        let encoder = BlobEncoder(.standard)
        for (id, plain) in blobs { try writer.put(id, plain.span, encoder) }
        _ = try writer.commit()
    }

    @Test func `A repository is made, written and read through a server that verifies`() throws {
        let storage = SimulatedStorage()
        let blobs = Self.blobs(200, seed: 1)
        do {
            let pair = try ServedPair(storage)
            let remote = RemoteStorage(pair.connection)
            _ = try Repository.create(remote, chunking: .standard)
            try Self.write(blobs, try Repository(remote))
        }
        let pair = try ServedPair(storage)
        #expect(pair.connection.hello.config != nil)
        let repository = try Repository(RemoteStorage(pair.connection))
        let reader = BlobReader(repository)
        for (id, plain) in blobs {
            let isRight = try reader.read(id, checkingSHA256: true) == plain
            #expect(isRight)
        }
        let unknown = Self.blobs(10, seed: 2).map(\.0)
        let have = try pair.connection.have(blobs.map(\.0) + unknown)
        #expect(have == blobs.map { _ in true } + unknown.map { _ in false })
    }

    @Test func `Several threads read and write through one connection`() throws {
        let storage = SimulatedStorage()
        let pair = try ServedPair(storage, verifies: false)
        let remote = RemoteStorage(pair.connection)
        let failures = Monitor<[String]>([])
        let threads = WorkerThreads(count: 4) { thread in
            do {
                for number in 0..<20 {
                    let name = ObjectName.pack(
                        PackID(SHA256Digest(UInt64(thread), UInt64(number), 0, 1)))
                    let bytes = [UInt8](repeating: UInt8(number), count: 100_000 + thread)
                    try remote.put(name, bytes)
                    let object = try remote.open(name)
                    if try object.read(200_000, at: 0) != bytes {
                        failures.update { $0 += ["bytes"] }
                    }
                }
            } catch {
                failures.update { $0.append("\(error)") }
            }
        }
        threads.join()
        #expect(failures.withState { $0 } == [])
        #expect(storage.names(.pack).count == 80)
    }
}
