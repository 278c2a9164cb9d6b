@testable import Wire
import Bytes
import Hashing
import Repository
import Testing
import TestSupport

/// Gathered columns in delta streams: they travel as they are stored.
struct GatheredStreamTests {
    private let directory: TemporaryDirectory
    private let source: Depot
    private let item: Depot.Item
    private let listing: [String]

    init() throws {
        directory = try TemporaryDirectory()
        source = try Depot()
        var generator = SplitMix64(seed: 861)
        let lines = (0..<400).map { "\($0),\(generator.below(100)),km,\(generator.below(9))\r\n" }
        try directory.write(Array(lines.joined().utf8), "source/table.csv")
        let path = directory.path("source")
        item = try source.capture(path, time: 1_700_000_000)
        listing = try TreeListing.of(path)
    }

    private func stream() throws -> HandmadeStream {
        try HandmadeStream(try source.send([item]))
    }

    @Test func `They are sent as they are stored, and stored as they came`() throws {
        #expect(try source.chunkCodecs().contains(.gathered))
        let target = try Depot()
        try target.receive(try stream().encoded())
        #expect(try target.chunkCodecs() == source.chunkCodecs())
        try target.expectRestores(item, listing)
        try target.expectSound()
    }

    @Test func `A stream whose header does not tell of them is refused`() throws {
        var stream = try stream()
        stream.header.features = []
        let target = try Depot()
        let error = target.refusal(of: stream.encoded()) as? StreamError
        guard case .damaged? = error?.kind else { throw UnexpectedOutcome(error) }
        #expect(try target.snapshotIDs().isEmpty)
    }

    @Test func `A feature that is not known is refused by its number`() throws {
        var stream = try stream()
        stream.header.features = [.gatheredBlobs, StreamFeatures(rawValue: 8)]
        let error = try Depot().refusal(of: stream.encoded()) as? StreamError
        guard case .unsupported(let what)? = error?.kind else { throw UnexpectedOutcome(error) }
        #expect(what.contains("features 9"))
    }

    @Test func `Columns that were changed on the way are refused`() throws {
        for place in [0, 1, 2, 3, 20, 200] {
            var stream = try stream()
            let index = try #require(
                stream.records.firstIndex { record in
                    guard case .blob(_, .gathered, _, _) = record.record else { return false }
                    return true
                })
            stream.records[index].bytes[place] ^= 0x40
            let target = try Depot()
            #expect(target.refusal(of: stream.encoded()) != nil, "byte \(place)")
            #expect(try target.snapshotIDs().isEmpty)
        }
    }

    /// An error of another kind than was due, or none.
    private struct UnexpectedOutcome: Error {
        var error: StreamError?

        init(_ error: StreamError?) { self.error = error }
    }
}
