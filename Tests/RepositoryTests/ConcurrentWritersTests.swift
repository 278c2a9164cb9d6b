import Bytes
import Chunking
import Compression
import Hashing
import Platform
import SystemPackage
import Testing
import TestSupport

@testable import Repository

/// Several threads, several writers, one repository.
struct ConcurrentWritersTests {
    private static let blobs = TestBlob.some(240, seed: 81, size: 200)

    @Test(arguments: StorageKind.allCases, Seed.some(1))
    func `Threads that store the same blobs store each once`(
        kind: StorageKind,
        seed: Seed
    ) throws {
        let place = try kind.make()
        _ = try Repository.create(place.storage, chunking: .standard)
        let writer = try RepositoryWriter(try Repository(place.storage), limits: .small)
        let failures = Monitor<[String]>([])
        let threads = WorkerThreads(count: 4) { thread in
            var generator = SplitMix64(seed: seed.value &+ UInt64(thread))
            let encoder = BlobEncoder(.standard)
            do {
                for blob in Self.blobs.shuffled(using: &generator) {
                    try writer.put(blob.id, blob.plain.span, encoder)
                }
            } catch { failures.update { $0.append("\(error)") } }
        }
        threads.join()
        #expect(failures.withState { $0 } == [])
        let statistics = try writer.commit()
        #expect(statistics.newChunks + statistics.newNodes == Self.blobs.count)
        #expect(statistics.newBytes == Self.blobs.reduce(0) { $0 + UInt64($1.plain.count) })
        try expectHolds(Repository(place.storage), Self.blobs)
    }

    @Test(arguments: StorageKind.allCases, Seed.some(1))
    func `Writers that do not know of each other lose nothing`(
        kind: StorageKind,
        seed: Seed
    ) throws {
        let place = try kind.make()
        let storage = place.storage
        _ = try Repository.create(storage, chunking: .standard)
        let failures = Monitor<[String]>([])
        var limits = WriterLimits.small
        limits.packSize = 8_000
        limits.looseBlobs = 40
        let threads = WorkerThreads(count: 3) { [limits] thread in
            var generator = SplitMix64(seed: seed.value &+ UInt64(thread))
            do {
                for _ in 0..<4 {
                    // Many shared, some not.
                    let mine = Self.blobs.shuffled(using: &generator).prefix(100)
                    let repository = try Repository(storage)
                    try repository.write(Array(mine), limits)
                    try repository.publishSnapshot(of: Array(mine))
                }
            } catch { failures.update { $0.append("\(error)") } }
        }
        threads.join()
        #expect(failures.withState { $0 } == [])
        let repository = try Repository(storage)
        #expect(repository.index.damage.isEmpty)
        #expect(try repository.index.isComplete())
        let snapshots = try repository.snapshotIDs()
        #expect(snapshots.count == 12)
        let whole = try repository.readPacks()
        for id in snapshots { expectWhole(try repository.needs(of: id), whole) }
    }

    @Test func `Threads may read while another writes and segments are merged`() throws {
        let storage = try SimulatedStorage.holding(Self.blobs)
        let repository = try Repository(storage)
        let isDone = Monitor(false)
        let wrong = Monitor(0)
        let readers = WorkerThreads(count: 2) { _ in
            while !isDone.withState({ $0 }) {
                if !repository.holds(Array(Self.blobs.prefix(20))) { wrong.update { $0 += 1 } }
            }
        }
        for run in 0..<12 as Range<UInt64> {
            try repository.write(TestBlob.some(3, seed: 200 + run))
        }
        isDone.update { $0 = true }
        readers.join()
        #expect(wrong.withState { $0 } == 0)
    }

    @Test func `Threads that read without an index all find their blobs`() throws {
        let storage = try SimulatedStorage.holding(Self.blobs, .small)
        for name in storage.names(.index) { storage.damage(name, nil) }
        for _ in 0..<5 {
            let repository = try Repository(storage)
            let missing = Monitor(0)
            let readers = WorkerThreads(count: 4) { thread in
                let mine = Array(Self.blobs[(thread * 60)..<(thread * 60 + 2)])
                if !repository.holds(mine) { missing.update { $0 += 1 } }
            }
            readers.join()
            #expect(missing.withState { $0 } == 0)
        }
    }

    @Test func `A failure to read tables of contents is not forgotten`() throws {
        let storage = try SimulatedStorage.holding(Self.blobs, .small)
        for name in storage.names(.index) { storage.damage(name, nil) }
        let repository = try Repository(storage)
        storage.plan(FaultPlan(at: 5, .fail(.ioError), countingChangesOnly: false))
        #expect(failure { try repository.index.listPacks() } != nil)
        expectHolds(repository, Self.blobs)
    }

    @Test func `A dry run counts the same and writes nothing`() throws {
        let storage = try SimulatedStorage.holding(Array(Self.blobs.prefix(30)))
        let before = storage.names
        let changes = storage.steps.filter(\.isChange)
        let repository = try Repository(storage)
        let writer = try RepositoryWriter(repository, isDryRun: true, limits: .small)
        let encoder = BlobEncoder(.standard)
        for blob in Self.blobs { try writer.put(blob.id, blob.plain.span, encoder) }
        let counted = try writer.commit()
        #expect(storage.names == before)
        #expect(storage.steps.filter(\.isChange) == changes)
        let written = try Repository(storage).write(Self.blobs, .small)
        #expect(counted.newChunks == written.newChunks && counted.newNodes == written.newNodes)
        #expect(counted.newBytes == written.newBytes)
    }
}
