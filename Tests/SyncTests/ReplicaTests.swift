import Operations
import Snapshots
import Targets
@testable import Replicas
@testable import Wire
import Bytes
import Platform
import Repository
import Testing
import TestSupport

/// A live directory that follows a store.
struct ReplicaTests {
    @Test(arguments: Seed.some(3))
    func `A replica equals its store after every night`(seed: Seed) throws {
        let pair = try ReplicaPair()
        var tree = TestTree(pair.source, seed)
        try tree.fill()
        try pair.replicate()
        try pair.expectEqual("\(seed)")
        for night in 1...5 {
            try tree.edit(12)
            try pair.replicate()
            try pair.expectEqual("\(seed), night \(night)")
            let status = try pair.open().status
            #expect(status.changes.isEmpty, "what was written is not taken for a local change")
        }
    }

    @Test func `With nothing to do nothing is sent`() throws {
        let pair = try ReplicaPair()
        var random = SplitMix64(seed: 1)
        try pair.directory.write(random.bytes(100_000), "source/a")
        let item = try pair.depot.capture(pair.source)
        #expect(try pair.replicate(item).outcome.files == 1)
        let again = try pair.replicate(item)
        #expect(again.wasEqual)
        #expect(again.streamBytes == 0)
        #expect(try pair.replicate().sentBytes == 0)
    }

    @Test func `A dry run tells and changes nothing`() throws {
        let pair = try ReplicaPair()
        try pair.directory.write([1, 2, 3], "source/a")
        try pair.directory.makeDirectories(Array("target".utf8))
        let summary = try pair.replicate([.dryRun])
        #expect(summary.wanted == 1)
        #expect(try TreeListing.of(pair.target).count == 1)
    }

    @Test func `A replica follows snapshots back and forth, and without a common one`() throws {
        let pair = try ReplicaPair()
        var random = SplitMix64(seed: 2)
        try pair.directory.write(random.bytes(50_000), "source/a")
        let first = try pair.depot.capture(pair.source)
        try pair.replicate(first)
        try pair.directory.write(random.bytes(40_000), "source/b")
        try pair.replicate()
        try pair.replicate(first)
        #expect(throws: PlatformError.self) {
            try FileStatus.of(pair.directory.path("target/b"))
        }
        // Another repository: nothing is known, yet what is right is not sent.
        let other = try Depot()
        let item = try other.capture(pair.source)
        let replication = Replication(try Replication.local(pair.target))
        let summary = try replication.run(
            item, of: [item], in: try other.repository(), WorkProgress())
        #expect(summary.isWhole)
        #expect(summary.wanted == 1, "only b")
        try pair.expectEqual()
    }

    @Test func `A compaction ships almost nothing`() throws {
        let pair = try ReplicaPair()
        var random = SplitMix64(seed: 3)
        var names: [String] = []
        var all: [UInt8] = []
        for number in 0..<8 {
            let bytes = random.bytes(1_000_000)
            all += bytes
            names.append("part-\(number).parquet")
            try pair.directory.write(bytes, "source/t/\(names[number])")
        }
        try pair.writeCommit(0, adding: names)
        try pair.replicate()
        try pair.directory.write(all, "source/t/whole.parquet")
        try pair.writeCommit(1, adding: ["whole.parquet"], removing: names)
        let summary = try pair.replicate()
        try pair.expectEqual()
        #expect(summary.streamBytes < 800_000, "\(summary.streamBytes) of 8 MB")
        #expect(summary.copiedBytes > 7_200_000)
    }

    @Test func `A few bytes in a large file ship as a patch`() throws {
        let pair = try ReplicaPair()
        var random = SplitMix64(seed: 4)
        var bytes = random.bytes(2_000_000)
        try pair.directory.write(bytes, "source/file")
        try pair.replicate()
        for place in stride(from: 1000, to: bytes.count, by: 100_000) { bytes[place] ^= 0xff }
        try pair.directory.write(bytes, "source/file")
        let summary = try pair.replicate()
        try pair.expectEqual()
        #expect(summary.streamBytes < 20_000, "\(summary.streamBytes)")
    }

    // MARK: What others change

    @Test func `Changes of others are named and refused, and replaced on request`() throws {
        let pair = try ReplicaPair()
        for name in ["a", "b", "c"] { try pair.directory.write([1, 2, 3], "source/\(name)") }
        try pair.commit(0, adding: ["p0"])
        try pair.replicate()
        try pair.directory.write([9], "target/a")
        try FileOperations.remove(pair.directory.path("target/b"))
        try pair.directory.write([7], "target/new")
        let log = "t/_delta_log/\(ReplicaPair.name(1))"
        try pair.directory.write(Array("add nothing".utf8), "target/\(log)")
        let before = try TreeListing.of(pair.target)
        let error = #expect(throws: ReplicaError.self) { try pair.replicate() }
        guard case .changedThere(let count, let changes, _)? = error else {
            Issue.record("another error")
            return
        }
        #expect(count == 4)
        let told = changes.map { "\($0.kind) \(PathBytes.printable($0.path))" }
        #expect(Set(told) == ["changed a", "removed b", "added new", "added \(log)"])
        expectSame(before, try TreeListing.of(pair.target), "nothing was changed")
        let summary = try pair.replicate([.overwrite])
        #expect(summary.outcome.setAside == [Array(log.utf8)])
        #expect(try pair.readTable() == 0)
        #expect(try pair.directory.read("target/a") == [1, 2, 3])
        #expect(try pair.directory.read("target/b") == [1, 2, 3])
        #expect(try pair.directory.read("target/new") == [7], "never removed")
    }

    @Test func `A target with other files is refused, and adopted on request`() throws {
        let pair = try ReplicaPair()
        var random = SplitMix64(seed: 5)
        let bytes = random.bytes(300_000)
        try pair.directory.write(bytes, "source/big")
        try pair.directory.write(bytes, "target/big")
        try pair.directory.write([1], "target/other")
        #expect(throws: ReplicaError.self) { try pair.replicate() }
        let summary = try pair.replicate([.overwrite])
        #expect(summary.sentBytes == 0, "what is there and right is not sent")
        #expect(try pair.directory.read("target/big") == bytes)
        #expect(try pair.directory.read("target/other") == [1])
        #expect(try pair.replicate().outcome.removed == 0)
    }

    @Test func `What changed in nothing but its change time is no change of others`() throws {
        let pair = try ReplicaPair()
        try pair.directory.write([1, 2, 3], "source/a")
        try pair.replicate()
        let path = pair.directory.path("target/a")
        try FileOperations.link(
            path, to: pair.directory.path("other-name"), at: Descriptor.workingDirectory)
        #expect(try pair.replicate().sentBytes == 0)
    }

    @Test func `A replica of one store is not made one of another by accident`() throws {
        let pair = try ReplicaPair()
        try pair.directory.write([1], "source/a")
        try pair.replicate()
        try pair.directory.write([2], "elsewhere/b")
        let other = try pair.depot.capture(pair.directory.path("elsewhere"))
        #expect(throws: ReplicaError.self) { try pair.replicate(other) }
        #expect(try pair.directory.read("target/a") == [1])
        try pair.replicate(other, [.overwrite])
        #expect(try pair.directory.read("target/b") == [2])
        #expect(throws: PlatformError.self) {
            try FileStatus.of(pair.directory.path("target/a"))
        }
    }

    @Test func `Two replications to one target exclude each other`() throws {
        let pair = try ReplicaPair()
        try pair.replicate()
        let held = try pair.open()
        let error = #expect(throws: ConnectionError.self) { try pair.replicate() }
        guard case .remote(let failure)? = error?.kind else {
            Issue.record("another error")
            return
        }
        #expect(failure.kind == .held)
        _ = held.status
    }

    @Test func `The directory of a replica is in no snapshot`() throws {
        let pair = try ReplicaPair()
        try pair.directory.write([1], "source/a")
        try pair.replicate()
        let item = try pair.depot.capture(pair.target)
        #expect(item.record.root.itemCount == 2)
    }
}
