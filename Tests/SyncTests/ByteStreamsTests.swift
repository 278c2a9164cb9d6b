@testable import Wire
import Platform
import Testing
import TestSupport

/// However bytes are gathered on their way, they arrive in order.
struct ByteStreamsTests {
    /// Sizes around those at which bytes are gathered, sent on alone or split.
    private static let edges = [0, 1, 60, 128 << 10, 256 << 10, 512 << 10]

    private final class Recorder: ByteSink {
        private(set) var bytes: [UInt8] = []
        func write(_ bytes: [UInt8]) { self.bytes += bytes }
    }

    private func pieces(_ seed: Seed) -> [[UInt8]] {
        var random = SplitMix64(seed)
        return (0..<60).map { _ in
            let edge = Self.edges[random.below(Self.edges.count)]
            let count = max(0, edge - 2 + random.below(5))
            return [UInt8](repeating: UInt8(random.below(256)), count: count)
        }
    }

    @Test(arguments: Seed.some(4))
    func `A buffered sink passes on what it gets, in order`(seed: Seed) throws {
        let recorder = Recorder()
        let sink = BufferedSink(recorder)
        let pieces = pieces(seed)
        for piece in pieces { try sink.write(piece) }
        try sink.flush()
        #expect(recorder.bytes == Array(pieces.joined()))
    }

    @Test(arguments: Seed.some(4))
    func `An outgoing stream sends what it gets, in order and in frames`(seed: Seed) throws {
        let sent = Monitor<[[UInt8]]>([])
        let stream = OutgoingStream(credit: .max) { content in
            sent.update { $0.append(Array(content)) }
            return .success(())
        }
        let pieces = pieces(seed)
        for piece in pieces { try stream.write(piece) }
        try stream.flush()
        let frames = sent.withState { $0 }
        #expect(Array(frames.joined()) == Array(pieces.joined()))
        #expect(frames.allSatisfy { (1...OutgoingStream.frameSize).contains($0.count) })
        #expect(stream.byteCount == UInt64(pieces.reduce(0) { $0 + $1.count }))
    }
}
