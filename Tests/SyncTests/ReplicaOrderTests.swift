import Trees
@testable import Replicas
@testable import Targets
@testable import Wire
import Bytes
import Platform
import Repository
import TestSupport
import Testing

/// What a reader of the target sees while it is written, and after it was interrupted.
struct ReplicaOrderTests {
    private struct Stopped: Error {}

    @Test(arguments: [
        ("t/part-1.parquet", ReplicaOrder.data),
        ("t/p=1/deletion_vector_8a.bin", .deletionVector),
        ("t/_delta_log/_sidecars/x.parquet", .sidecar),
        ("t/_delta_log/00000000000000000010.checkpoint.parquet", .checkpoint),
        ("t/_delta_log/00000000000000000010.crc", .pointer),
        ("t/_delta_log/00000000000000000011.json", .commit),
        ("_delta_log/00000000000000000011.json", .commit),
        ("t/_delta_log/0.00000000000000000009.compacted.json", .pointer),
        ("t/_delta_log/_last_checkpoint", .pointer),
        ("t_delta_log/00000000000000000011.json", .data),
    ])
    func `Data comes before what points at it`(path: String, order: ReplicaOrder) {
        #expect(ReplicaOrder(Array(path.utf8)) == order)
    }

    /// Appends, a compaction, a vacuum, and a table that is dropped and made anew.
    private static let nights: [@Sendable (ReplicaPair) throws -> Void] = [
        { pair in
            try pair.commit(0, adding: ["a", "z"])
            try pair.directory.write([1], "source/kind/file")
        },
        { pair in
            try pair.commit(1, adding: ["b"])
            try pair.commit(2, adding: ["_c"])
            try TemporaryDirectory.remove(pair.directory.path("source/kind"))
            try pair.directory.write([2], "source/kind")
        },
        { pair in
            try pair.commit(3, adding: ["whole"], removing: ["a", "b", "_c", "z"])
            try FileOperations.remove(pair.directory.path("source/kind"))
            try pair.directory.write([3], "source/kind/file")
        },
        { pair in
            try pair.commit(4, adding: ["d"])
            for name in ["a", "b", "_c", "z"] {
                try FileOperations.remove(pair.directory.path("source/t/\(name)"))
            }
        },
        { pair in
            try TemporaryDirectory.remove(pair.directory.path("source/t"))
            try pair.commit(0, adding: ["new"])
        },
        { pair in try TemporaryDirectory.remove(pair.directory.path("source/t")) },
    ]

    @Test func `A reader finds a whole version at every step`() throws {
        let pair = try ReplicaPair()
        var versions: [Int?] = []
        for night in Self.nights {
            try night(pair)
            let item = try pair.depot.capture(pair.source)
            try pair.directory.makeDirectories(Array("target".utf8))
            let open = try pair.open()
            let journal = try pair.stage(item, open)
            open.tree.onChange = { versions.append(try pair.readTable()) }
            _ = try open.publish(new: journal)
            try pair.expectEqual()
        }
        #expect(versions.contains(4))
    }

    @Test func `Interrupted at any change it goes on where it was`() throws {
        var total = 0
        for stop in 0... {
            let pair = try ReplicaPair()
            var steps = 0
            for night in Self.nights {
                try night(pair)
                let item = try pair.depot.capture(pair.source)
                try pair.directory.makeDirectories(Array("target".utf8))
                try interrupt(pair, item, at: stop, &steps)
                _ = try pair.readTable()
                try pair.replicate(item)
                try pair.expectEqual("stopped at change \(stop)")
                #expect(try pair.open().status.changes.isEmpty)
            }
            total = steps
            if stop >= total { break }
        }
        #expect(total > 30)
    }

    /// Publishes, and stops as if the process were killed before change number `stop`.
    private func interrupt(
        _ pair: ReplicaPair, _ item: Depot.Item, at stop: Int, _ steps: inout Int
    ) throws {
        let open = try pair.open()
        let journal = try pair.stage(item, open)
        try ReplicaFile.write(
            journal.encoded(), to: ReplicaPlaces.journal, through: ReplicaPlaces.newJournal,
            open.tree.target.root)
        var count = steps
        open.tree.onChange = {
            if count == stop { throw Stopped() }
            count += 1
        }
        do {
            try ReplicaPublication(open.tree, open.state, journal).run()
        } catch is Stopped {}
        steps = count + (count == stop ? 1 : 0)
    }

    @Test func `A change that fails is told, and the next run does the rest`() throws {
        for stop in [0, 1, 2, 3, 4] {
            let pair = try ReplicaPair()
            try pair.commit(0, adding: ["a", "b"])
            try pair.replicate()
            try pair.commit(1, adding: ["c"])
            try pair.commit(2, adding: ["d"], removing: ["a"])
            let item = try pair.depot.capture(pair.source)
            try fail(pair, item, at: stop)
            _ = try pair.readTable()
            try pair.replicate(item)
            try pair.expectEqual("failed at change \(stop)")
        }
    }

    private func fail(_ pair: ReplicaPair, _ item: Depot.Item, at stop: Int) throws {
        let open = try pair.open()
        let journal = try pair.stage(item, open)
        var count = 0
        open.tree.onChange = {
            if count == stop { throw RemoteFailure(.other, "the disk is full") }
            count += 1
        }
        #expect(throws: RemoteFailure.self) { try open.publish(new: journal) }
    }

    @Test func `A damaged state or journal is refused and nothing is changed`() throws {
        for name in ["state", "journal"] {
            let pair = try ReplicaPair()
            try pair.directory.write([1], "source/a")
            try pair.replicate()
            let state = try pair.directory.read("target/.varve-replica/state")
            for byte in stride(from: 0, to: state.count, by: 7) {
                var damaged = state
                damaged[byte] ^= 0x41
                try pair.directory.write(damaged, "target/.varve-replica/\(name)")
                #expect(throws: RemoteFailure.self, "byte \(byte) of \(name)") {
                    try pair.open([.overwrite])
                }
            }
            #expect(try pair.directory.read("target/a") == [1])
        }
    }
}
