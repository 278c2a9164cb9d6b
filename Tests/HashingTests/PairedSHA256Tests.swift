import Bytes
import Hashing
import Testing
import TestSupport

struct PairedSHA256Tests {
    /// Round the size of a block, of what libcrypto gathers, and of the padding.
    private static let sizes = [0, 1, 55, 56, 63, 64, 65, 127, 128, 129, 191, 192, 4_096, 100_003]

    @Test(arguments: Seed.some(4))
    func `Hashing several messages at once is hashing each`(seed: Seed) {
        var generator = SplitMix64(seed)
        for count in 0...5 {
            let messages = (0..<count).map { _ in
                generator.bytes(Self.sizes[generator.below(Self.sizes.count)])
            }
            let each = messages.map { SHA256Digest(of: $0.span) }
            #expect(SHA256Digest.digests(of: messages) == each)
        }
    }

    @Test func `Messages of any two lengths are hashed together`() {
        var generator = SplitMix64(seed: 1)
        for one in Self.sizes {
            for other in Self.sizes {
                let messages = [generator.bytes(one), generator.bytes(other)]
                let each = messages.map { SHA256Digest(of: $0.span) }
                #expect(SHA256Digest.digests(of: messages) == each, "\(one), \(other)")
            }
        }
    }

    @Test(arguments: Seed.some(4))
    func `Pieces of one buffer may overlap, touch and lie anywhere`(seed: Seed) {
        var generator = SplitMix64(seed)
        let bytes = generator.bytes(10_000)
        let ranges = (0..<20).map { _ in
            let start = generator.below(bytes.count)
            return start..<start + generator.below(bytes.count - start + 1)
        }
        let each = ranges.map { SHA256Digest(of: bytes.span.extracting($0)) }
        #expect(SHA256Digest.digests(of: ranges, in: bytes.span) == each)
    }

    /// Longer than 512 MiB, where the number of bits leaves the lower word of the context.
    @Test func `Long messages are counted right`() {
        let bytes = [UInt8](repeating: 3, count: (512 << 20) + 100)
        let ranges = [0..<bytes.count, 36..<bytes.count]
        let each = ranges.map { SHA256Digest(of: bytes.span.extracting($0)) }
        #expect(SHA256Digest.digests(of: ranges, in: bytes.span) == each)
    }
}
