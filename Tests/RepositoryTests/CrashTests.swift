import Bytes
import Chunking
import Compression
import Hashing
import Platform
import SystemPackage
import Testing
import TestSupport

@testable import Repository

/// What must hold whenever a run stops, at any step, for any reason (Design, "What we promise
/// under faults").
struct CrashTests {
    private static let old = TestBlob.some(14, seed: 101)
    private static let new = TestBlob.some(16, seed: 102)
    /// Half of what the next run needs is there already.
    private static let wanted = Array(old.prefix(7)) + new

    /// A repository with one snapshot.
    private static func base() throws -> SimulatedStorage {
        let storage = try SimulatedStorage.holding(old, .small)
        try Repository(storage).publishSnapshot(of: old)
        return storage.copy()
    }

    /// A run that ends with a snapshot; throws unless it reports success.
    private static func run(_ storage: SimulatedStorage) throws -> WriteStatistics {
        let repository = try Repository(storage)
        let statistics = try repository.write(wanted, .small)
        try repository.publishSnapshot(of: wanted)
        return statistics
    }

    /// Steps of a whole run: those that change something, or all.
    private static func stepCount(changesOnly: Bool) throws -> Int {
        let storage = try base()
        _ = try run(storage)
        return storage.steps.count { $0.isChange || !changesOnly }
    }

    /// Everything that is there is whole, and what was committed is there.
    private func expectSound(
        _ storage: SimulatedStorage,
        snapshots: ClosedRange<Int>,
        _ situation: Comment
    ) throws {
        let repository = try Repository(storage)
        let whole = try repository.readPacks()
        #expect(repository.index.damage.isEmpty, situation)
        #expect(try repository.index.missingPacks().isEmpty, situation)
        expectWhole(Self.old.map(\.id), whole, situation)
        let ids = try repository.snapshotIDs()
        #expect(snapshots.contains(ids.count), situation)
        for id in ids {
            let needs = try repository.needs(of: id)
            expectWhole(needs, whole, situation)
            #expect(try needs.allSatisfy { try !repository.places(of: $0).isEmpty }, situation)
        }
    }

    /// The next run succeeds and stores only what no complete pack holds.
    private func expectNextRun(_ storage: SimulatedStorage, _ situation: Comment) throws {
        var present: Set<BlobID> = []
        for case .pack(let pack) in storage.names {
            present.formUnion(try PackReader(pack, storage).entries().map(\.id))
        }
        let statistics = try Self.run(storage)
        let missing = Self.wanted.count { !present.contains($0.id) }
        #expect(statistics.newChunks + statistics.newNodes == missing, situation)
        try expectSound(storage, snapshots: 2...2, situation)
    }

    @Test(arguments: Seed.some(1))
    func `A power cut at any step loses at most the run`(seed: Seed) throws {
        let base = try Self.base()
        let count = try Self.stepCount(changesOnly: true)
        #expect(count > 30, "several packs, an index and a snapshot")
        var generator = SplitMix64(seed)
        for step in 0...count {
            let storage = base.copy()
            storage.plan(FaultPlan(at: step, .powerCut))
            let isReported = (try? Self.run(storage)) != nil
            #expect(isReported == (step == count))
            for crash in 0..<3 {
                let left = storage.crash(using: &generator)
                let situation: Comment = "step \(step) of \(count), crash \(crash)"
                try expectSound(left, snapshots: isReported ? 2...2 : 1...2, situation)
                if crash == 0 { try expectNextRun(left, situation) }
            }
        }
    }

    /// What a killed process leaves is visible but not durable: the next run must not rest on it
    /// before it made it so.
    @Test(arguments: Seed.some(1))
    func `A run after a killed one survives a power cut`(seed: Seed) throws {
        let base = try Self.base()
        let count = try Self.stepCount(changesOnly: true)
        var generator = SplitMix64(seed)
        for step in 0..<count {
            let storage = base.copy()
            storage.plan(FaultPlan(at: step, .powerCut))
            _ = try? Self.run(storage)
            let restarted = storage.restarted()
            let situation: Comment = "killed at step \(step) of \(count)"
            try expectSound(restarted, snapshots: 1...2, situation)
            try expectNextRun(restarted, situation)
            for _ in 0..<3 {
                try expectSound(
                    restarted.crash(using: &generator),
                    snapshots: 2...2,
                    situation
                )
            }
        }
    }

    @Test(
        arguments: [
            (.fail(.ioError), false), (.fail(.noSpace), true), (.shortWrite, true),
        ] as [(FaultPlan.Effect, Bool)]
    )
    func `A failure at any step fails the run and spoils nothing`(
        effect: FaultPlan.Effect,
        changesOnly: Bool
    ) throws {
        let base = try Self.base()
        let count = try Self.stepCount(changesOnly: changesOnly)
        var generator = SplitMix64(seed: 5)
        for step in 0..<count {
            let storage = base.copy()
            storage.plan(FaultPlan(at: step, effect, countingChangesOnly: changesOnly))
            let error = failure { try Self.run(storage) }
            guard case .environment? = error?.kind else {
                Issue.record("step \(step): \(String(describing: error))")
                continue
            }
            storage.plan(nil)
            let situation: Comment = "\(effect) at step \(step) of \(count)"
            try expectSound(storage.crash(using: &generator), snapshots: 1...2, situation)
            try expectNextRun(storage, situation)
        }
    }

    @Test func `Making a repository stops at any step without leaving half a one`() throws {
        var generator = SplitMix64(seed: 6)
        for step in 0...5 {
            let storage = SimulatedStorage()
            storage.plan(FaultPlan(at: step, .powerCut))
            let config = try? Repository.create(storage, chunking: .standard)
            #expect((config != nil) == (step == 5))
            for _ in 0..<10 {
                let left = storage.crash(using: &generator)
                if left.names.isEmpty, config == nil {
                    _ = try Repository.create(left, chunking: .standard)
                }
                let opened = try Repository(left).config
                if let config { #expect(opened == config) }
            }
        }
    }

    @Test(arguments: Seed.some(1))
    func `A power cut while segments are merged loses no blob`(seed: Seed) throws {
        let storage = try SimulatedStorage.withRepository()
        var all: [TestBlob] = []
        for run in 0..<8 as Range<UInt64> {
            all += TestBlob.some(2, seed: 120 + run)
            try Repository(storage).write(all)
        }
        try Repository(storage).publishSnapshot(of: all)
        let base = storage.copy()
        let more = TestBlob.some(2, seed: 130)
        try Repository(storage).write(more)
        #expect(storage.names(.index).count == 1)
        var generator = SplitMix64(seed)
        for step in 0..<30 {
            let storage = base.copy()
            storage.plan(FaultPlan(at: step, .powerCut))
            let isReported = (try? Repository(storage).write(more)) != nil
            for _ in 0..<5 {
                let repository = try Repository(storage.crash(using: &generator))
                expectHolds(repository, isReported ? all + more : all, "step \(step)")
                #expect(repository.index.damage.isEmpty, "step \(step)")
            }
        }
    }

    /// A directory, so that temporary files can be seen.
    @Test func `A run that is abandoned leaves no temporary file`() throws {
        let place = try StorageKind.directory.make()
        _ = try Repository.create(place.storage, chunking: .standard)
        let writer = try RepositoryWriter(try Repository(place.storage), limits: .small)
        let encoder = BlobEncoder(.standard)
        for blob in Self.new { try writer.put(blob.id, blob.plain.span, encoder) }
        writer.abandon()
        let directory = try #require(place.directory)
        let files = try Fixtures.files(below: directory.path("repository"))
        #expect(!files.contains { PathBytes.name($0).starts(with: Array(".tmp".utf8)) })
        #expect(try place.storage.list(.index).isEmpty)
        let again = try Repository(place.storage).write(Self.new, .small)
        #expect(again.newChunks + again.newNodes <= Self.new.count, "complete packs are used")
        try expectHolds(Repository(place.storage), Self.new)
    }

    @Test(arguments: 0..<12)
    func `After a failure every write fails and so does the commit`(step: Int) throws {
        let storage = try SimulatedStorage.withRepository()
        let writer = try RepositoryWriter(try Repository(storage), limits: .small)
        let encoder = BlobEncoder(.standard)
        storage.plan(FaultPlan(at: step, .fail(.noSpace)))
        var hasFailed = false
        for blob in Self.new {
            let error = failure { try writer.put(blob.id, blob.plain.span, encoder) }
            #expect(!hasFailed || error != nil)
            hasFailed = error != nil
        }
        #expect(failure { try writer.commit() } != nil)
        #expect(failure { try writer.commit() } != nil)
        writer.abandon()
        #expect(storage.names(.index).isEmpty)
    }

    /// Large blobs are written by the thread that brings them, small ones are gathered before: a
    /// failure of either must not leave another thread waiting for the rest.
    @Test(.endsWithin(minutes: 5))
    func `A failure in one of several threads ends the run`() throws {
        let small = TestBlob.some(40, seed: 140, size: 4_000)
        let large = TestBlob.some(12, seed: 141, size: PackFormat.gatherLimit * 2)
        let blobs = small + large
        var limits = WriterLimits()
        limits.packSize = 200_000
        for step in 0..<30 {
            let storage = try SimulatedStorage.withRepository()
            let writer = try RepositoryWriter(try Repository(storage), limits: limits)
            storage.plan(FaultPlan(at: step, .fail(.ioError)))
            let failures = Monitor(0)
            let threads = WorkerThreads(count: 3) { thread in
                var generator = SplitMix64(seed: UInt64(step * 3 + thread))
                let encoder = BlobEncoder(.standard)
                do {
                    for blob in blobs.shuffled(using: &generator) {
                        try writer.put(blob.id, blob.plain.span, encoder)
                    }
                } catch { failures.update { $0 += 1 } }
            }
            threads.join()
            let error = failure { try writer.commit() }
            #expect(error != nil, "step \(step)")
            writer.abandon()
            #expect(storage.names(.index).isEmpty, "step \(step)")
        }
    }
}

/// Snapshots as objects; what is in them is for the module above.
struct SnapshotObjectTests {
    @Test func `A snapshot that is not what its name says is refused`() throws {
        let storage = try SimulatedStorage.withRepository()
        let repository = try Repository(storage)
        let ids = try (1...2).map { seed in
            try repository.publishSnapshot(of: TestBlob.some(2, seed: UInt64(seed)))
        }
        let bytes = try ids.map { try repository.snapshotBytes($0) }
        for index in bytes[0].indices {
            storage.damage(.snapshot(ids[0]), bytes[0].flipped(index))
            #expect(failure { try repository.snapshotBytes(ids[0]) }?.isDamage == true)
            storage.damage(.snapshot(ids[0]), Array(bytes[0].prefix(index)))
            #expect(failure { try repository.snapshotBytes(ids[0]) }?.isDamage == true)
        }
        storage.damage(.snapshot(ids[0]), bytes[1])
        #expect(failure { try repository.snapshotBytes(ids[0]) }?.isDamage == true)
        #expect(try repository.snapshotBytes(ids[1]) == bytes[1])
        storage.damage(.snapshot(ids[0]), nil)
        #expect(failure { try repository.snapshotBytes(ids[0]) }?.isMissing == true)
        #expect(try repository.snapshotIDs() == [ids[1]])
    }

    @Test func `A snapshot far too large is not read`() throws {
        let storage = try SimulatedStorage.withRepository()
        let id = SnapshotID(SHA256Digest(1, 2, 3, 4))
        let bytes = [UInt8](repeating: 0, count: Repository.snapshotSizeLimit + 1)
        storage.damage(.snapshot(id), bytes)
        #expect(failure { try Repository(storage).snapshotBytes(id) }?.isDamage == true)
    }
}
