import Trees
@testable import Replicas
@testable import Targets
@testable import Wire
import Bytes
import Platform
import Repository
import SystemPackage
import Testing
import TestSupport

/// What a reader of the target sees while it is written, and after it was interrupted.
struct TargetOrderTests {
    @Test(arguments: [
        ("t/part-1.parquet", TargetOrder.data),
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
    func `Data comes before what points at it`(path: String, order: TargetOrder) {
        #expect(TargetOrder(Array(path.utf8)) == order)
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
        let versions = Monitor<[Int?]>([])
        for night in Self.nights {
            try night(pair)
            let item = try pair.depot.capture(pair.source)
            try pair.directory.makeDirectories(Array("target".utf8))
            let open = try pair.open()
            let journal = try pair.stage(item, open)
            let trace = try FileTrace(pair.target) { _, path in
                do {
                    let version = try pair.readTable()
                    versions.update { $0.append(version) }
                    return nil
                } catch {
                    return PlatformError("read the table", path, .noSuchFileOrDirectory)
                }
            }
            defer { trace.stop() }
            _ = try open.publish(new: journal)
            try pair.expectEqual()
        }
        #expect(versions.withState { $0.contains(4) })
    }

    @Test
    func `After a crash at any change a reader finds a whole version, and the next run ends it`()
        throws
    {
        let pair = try ReplicaPair()
        let nights = try Self.nights.map { night in
            try night(pair)
            let item = try pair.depot.capture(pair.source)
            return (item: item, listing: try ReplicaPair.listing(pair.source))
        }
        try CrashLaw("nights of a replica", points: 800).holds(kills: 0) { place in
            try place.makeDirectory("target")
        } run: { place, isDone in
            for night in nights {
                try pair.replicate(night.item, to: place.path("target"))
                isDone()
            }
        } law: { scene in
            let target = scene.place.path("target")
            _ = try pair.readTable(in: target)
            let next = nights[min(scene.done, nights.count - 1)]
            let changes = try pair.replicate(next.item, to: target).changes
            scene.expect(changes.isEmpty, "changes are found: \(changes)")
            scene.expectSame(
                try ReplicaPair.listing(target), next.listing, "it is not made equal")
        }
    }

    @Test func `A change that fails is told, and the next run does the rest`() throws {
        for stop in [0, 3, 6, 12] {
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
        let count = Monitor(0)
        let trace = try FileTrace(pair.target) { _, path in
            count.withState { count in
                count += 1
                return count == stop + 1 ? PlatformError("write", path, .noSpace) : nil
            }
        }
        defer { trace.stop() }
        #expect(throws: PlatformError.self, "call \(stop)") { try open.publish(new: journal) }
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
