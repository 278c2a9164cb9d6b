import Remote
@testable import Wire
import Bytes
import Hashing
import Platform
import Repository
import Snapshots
import SystemPackage
import Testing
import TestSupport

/// Streams that are cut or changed on the way.
struct StreamDamageTests {
    @Test func `A stream that is cut anywhere makes no snapshot and harms nothing`() throws {
        let delta = try SmallDelta()
        for length in 0..<delta.stream.count {
            let target = delta.target.copy()
            let error = target.refusal(of: Array(delta.stream.prefix(length)))
            guard case .cutShort? = (error as? StreamError)?.kind else {
                Issue.record("\(length): \(String(describing: error))")
                continue
            }
            let count = try target.snapshotIDs().count
            // The snapshot is committed once its record is there, before the end of the stream.
            #expect(count == 1 || length >= delta.stream.count - 49)
            if length % 16 == 0 || count == 2 { try delta.expectRecovers(target, "\(length)") }
        }
    }

    /// Frames have a few bits that mean nothing; all else is found.
    @Test func `No byte of a stream can be changed and change what it gives`() throws {
        let delta = try SmallDelta()
        var unnoticed = 0
        for index in delta.stream.indices {
            var changed = delta.stream
            changed[index] ^= [0x01, 0x80, 0xff][index % 3]
            let target = delta.target.copy()
            let error = target.refusal(of: changed)
            if error == nil { unnoticed += 1 }
            let count = try target.snapshotIDs().count
            #expect(count == 1 || error == nil || index >= delta.stream.count - 49)
            if index % 16 == 0 || count == 2 { try delta.expectRecovers(target, "\(index)") }
        }
        #expect(unnoticed < 8)
    }

    @Test func `Of a stream of several snapshots, those before a cut are kept`() throws {
        let directory = try TemporaryDirectory()
        let source = try Depot()
        var random = SplitMix64(seed: 812)
        var items: [Depot.Item] = []
        var listings: [[String]] = []
        for night in 0..<3 {
            for file in 0..<4 {
                try directory.write(random.bytes(30_000), "source/\(night) \(file)")
            }
            let path = directory.path("source")
            items.append(try source.capture(path, time: 1_700_000_000 + Int64(night)))
            listings.append(try TreeListing.of(path))
        }
        let stream = try source.send(items)
        for percent in stride(from: 5, to: 100, by: 5) {
            let target = try Depot()
            let cut = stream.count * percent / 100
            #expect(target.refusal(of: Array(stream.prefix(cut))) is StreamError)
            let kept = try Set(target.snapshotIDs())
            let blobs = try target.blobs().count
            for (item, listing) in zip(items, listings) where kept.contains(item.id) {
                try target.expectRestores(item, listing, "\(percent) %")
            }
            let summary = try target.receive(stream)
            #expect(summary.knownSnapshots.count == kept.count)
            #expect(summary.knownBlobs == UInt64(blobs), "what arrived is used")
            #expect(percent < 10 || blobs > 0)
            try target.expectSound()
        }
    }

    @Test(arguments: Seed.some(2))
    func `A power cut at any step of receiving loses nothing that was there`(seed: Seed) throws {
        let delta = try SmallDelta()
        var random = SplitMix64(seed)
        var step = 0
        while true {
            let target = delta.target.copy()
            target.storage.plan(FaultPlan(at: step, .powerCut))
            guard target.refusal(of: delta.stream) != nil else { break }
            let after = Depot(target.storage.crash(using: &random))
            try delta.expectRecovers(after, "step \(step)")
            step += 1
        }
        #expect(step > 8)
    }

    @Test func `A step that fails is told, and nothing is half done`() throws {
        let delta = try SmallDelta()
        var step = 0
        while true {
            let target = delta.target.copy()
            target.storage.plan(FaultPlan(at: step, .fail(.noSpace)))
            guard target.refusal(of: delta.stream) != nil else { break }
            target.storage.plan(nil)
            try delta.expectRecovers(target, "step \(step)")
            step += 1
        }
        #expect(step > 8)
    }

    @Test func `Damage at the sender is found by the receiver`() throws {
        let delta = try SmallDelta()
        for pack in delta.source.storage.names(.pack) {
            guard let bytes = delta.source.storage.bytes(pack) else { continue }
            for index in stride(from: 20, to: min(bytes.count, 400), by: 13) {
                let source = delta.source.copy()
                var changed = bytes
                changed[index] ^= 0x10
                source.storage.damage(pack, changed)
                let target = delta.target.copy()
                guard
                    let stream = try? source.send([delta.items[1]], known: [delta.items[0]])
                else { continue }
                _ = target.refusal(of: stream)
                try delta.expectRecovers(target, "\(index)")
            }
        }
    }
}
