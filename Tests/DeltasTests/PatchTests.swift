import Bytes
import Compression
import Deltas
import Hashing
import Testing
import TestSupport

/// Encoding against bases and decoding again.
struct PatchTests {
    @Test(arguments: Seed.some(4))
    func `A patch applied to its bases gives the bytes it was made from`(seed: Seed) throws {
        var generator = SplitMix64(seed)
        for size in [1, 63, 64, 65, 4_096, 65_535, 65_536, 65_537, 300_000] {
            let base = generator.text(size)
            for (name, plain) in Edits.all(of: base, &generator) {
                try Patching(base).expectRoundTrip(plain, "\(name) of \(size)")
            }
        }
    }

    @Test func `Equal bytes are copied, however many, for a few bytes`() throws {
        var generator = SplitMix64(seed: 401)
        let base = generator.bytes(1_000_000)
        let patch = try #require(Patching(base).encode(base))
        #expect(patch.count < Patching(base).header.size + 16)
    }

    /// The window of a unit is small, so that the prefix stays within reach of the match finder:
    /// with units of megabytes the same edits cost thirty times as much.
    @Test func `Scattered edits cost little more than what was edited`() throws {
        var generator = SplitMix64(seed: 402)
        let base = generator.text(2 << 20)
        var plain = base
        for _ in 0..<200 { Edits.overwrite(&plain, 20, &generator) }
        let patch = try #require(Patching(base).encode(plain))
        #expect(patch.count < 200 * 20 * 2)
    }

    @Test func `Content that moved is found by its anchors`() throws {
        var generator = SplitMix64(seed: 403)
        let base = generator.bytes(1 << 20)
        let inserted = generator.bytes(100_000)
        let plain = base[..<300_000] + inserted + base[300_000..<600_000] + base[700_000...]
        let patch = try #require(Patching(base).encode(Array(plain)))
        // What was inserted, and what shares a unit with it.
        #expect(patch.count < 100_000 + 3 * PatchEncoder.unitSize)
        try Patching(base).expectRoundTrip(Array(plain), "moved")
    }

    @Test func `A start that was expected elsewhere is found`() throws {
        var generator = SplitMix64(seed: 404)
        let base = generator.text(1 << 20)
        let plain = Array(base[500_000..<900_000])
        for place in [-200_000, 0, 123_456, 499_999, 500_000, 2 << 20, .max, .min] {
            let patch = try #require(Patching(base).encode(plain, place: place))
            #expect(patch.count < 8_000, "\(place)")
        }
    }

    @Test func `Unlike content gives no patch`() throws {
        var generator = SplitMix64(seed: 405)
        let base = generator.bytes(500_000)
        #expect(Patching(base).encode(generator.bytes(500_000)) == nil)
        #expect(Patching(base).encode([]) == nil)
        #expect(Patching(base).encode(base, limit: 10) == nil)
    }

    /// No eight bytes are equal, in place or elsewhere, so neither edits nor probes find anything.
    @Test(arguments: [0, 1_000, -1_000])
    func `Numbers that all grew a little are compressed against what they were`(
        moved: Int
    ) throws {
        var generator = SplitMix64(seed: 410)
        let prices = (0..<60_000).map { _ in 1 << 24 + UInt64(generator.below(1 << 24)) }
        func bytes(_ numbers: [UInt64]) -> [UInt8] {
            numbers.flatMap { number in
                (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
            }
        }
        let (base, plain) = (bytes(prices), bytes(prices.map { $0 + 100 }))
        var alone: [UInt8] = []
        #expect(
            ZstdEncoder(.standard).encode(plain.span, into: &alone, limit: plain.count))
        let patching = Patching(base)
        let patch = try #require(patching.encode(plain, place: moved))
        #expect(patch.count * 3 < alone.count * 2)
        try patching.expectRoundTrip(plain, "dearer")
    }

    @Test func `Several bases count as one run of bytes`() throws {
        var generator = SplitMix64(seed: 406)
        let bases = (0..<5).map { _ in generator.bytes(100_000) }
        let plain = Array(bases.reduce([], +)[50_000..<450_000])
        let patching = Patching(bases)
        let patch = try #require(patching.encode(plain, place: 50_000))
        #expect(patch.count < patching.header.size + 16)
        try patching.expectRoundTrip(plain, "five bases")
    }

    @Test func `Sketches tell like contents from others`() {
        var generator = SplitMix64(seed: 407)
        let one = generator.bytes(200_000)
        var edited = generator.bytes(333) + one
        for _ in 0..<20 { Edits.overwrite(&edited, 20, &generator) }
        let other = generator.bytes(200_000)
        let sketch = Sketch(one.span)
        let (like, unlike) = (Sketch(edited.span), Sketch(other.span))
        #expect(sketch.shared(with: like) >= 16)
        #expect(sketch.shared(with: unlike) == 0)
    }
}

/// Patches that are not what an encoder makes.
struct HostilePatchTests {
    private let base: [UInt8]
    private let patching: Patching
    private let plain: [UInt8]
    private let patch: [UInt8]

    init() throws {
        var generator = SplitMix64(seed: 408)
        base = generator.text(40_000)
        patching = Patching(base)
        var plain = base + generator.bytes(300) + generator.text(3_000)
        Edits.overwrite(&plain, 20, &generator)
        self.plain = plain
        patch = try #require(patching.encode(plain))
    }

    @Test func `A patch cut short anywhere is refused`() {
        for count in 0..<patch.count {
            #expect(throws: PatchError.self, "\(count)") {
                _ = try patching.decode(Array(patch.prefix(count)), size: plain.count)
            }
        }
    }

    @Test func `A flipped byte gives an error or bytes of the declared size`() {
        let size = plain.count
        for index in patch.indices {
            for mask in [UInt8(1), 0x80] {
                var bytes = patch
                bytes[index] ^= mask
                let decoded = try? patching.decode(bytes, size: size)
                #expect(decoded.map { $0.count == size } != false)
            }
        }
    }

    @Test(arguments: [-1, 1]) func `A patch of another size is refused`(difference: Int) {
        #expect(throws: PatchError.self) {
            _ = try patching.decode(patch, size: plain.count + difference)
        }
    }

    @Test func `Bases of another size are refused`() {
        #expect(throws: PatchError.self) {
            let short = Array(base.dropLast())
            _ = try PatchDecoder().decode(patch, bases: short.span, size: plain.count)
        }
    }

    /// Each is a section that no encoder writes: its bytes, after the header.
    @Test(
        arguments: [
            [0, 0, 0],  // A copy of nothing.
            [0, 2, 0xff, 0xff, 3],  // A copy from behind the bases.
            [0, 100, 0xd6, 0xb7, 2],  // A copy that ends behind them.
            [4, 1, 0],  // A kind that there is not.
            [3, 100, 1],  // Fewer stored bytes than it says.
            [1, 10, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0],  // A window larger than the bases.
            [2, 10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],  // A huge frame.
            [0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0],  // A huge copy.
        ] as [[UInt8]])
    func `A section that lies is refused`(section: [UInt8]) {
        var writer = ByteWriter()
        patching.header.encode(into: &writer)
        let bytes = writer.bytes + section
        #expect(throws: PatchError.self) { _ = try patching.decode(bytes, size: 1 << 20) }
    }

    @Test func `A header outside its limits is refused`() {
        var writer = ByteWriter()
        patching.header.encode(into: &writer)
        let lies: [(Int, UInt8)] = [(0, 2), (1, 0), (1, 9), (2, 0), (2, 17), (54, 0xff)]
        for (index, value) in lies {
            var bytes = writer.bytes
            bytes[index] = value
            #expect(throws: MalformedBytes.self, "\(index)") { try PatchHeader(decoding: bytes) }
        }
        #expect(throws: Never.self) { try PatchHeader(decoding: writer.bytes) }
    }
}

/// Bases with the encoder and decoder.
struct Patching {
    let header: PatchHeader
    let bytes: [UInt8]

    init(_ base: [UInt8]) { self.init([base]) }

    init(_ bases: [[UInt8]]) {
        bytes = bases.reduce([], +)
        header = PatchHeader(
            depth: 1,
            bases: bases.map {
                BaseChunk(fingerprint: ChunkID(of: $0.span).fingerprint, size: $0.count)
            })
    }

    func encode(_ plain: [UInt8], place: Int = 0, limit: Int = .max) -> [UInt8]? {
        let bases = bytes
        return PatchEncoder(.standard).encode(
            plain.span, header, bases: bases.span, place: place, limit: limit)
    }

    func decode(_ patch: [UInt8], size: Int) throws(PatchError) -> [UInt8] {
        try PatchDecoder().decode(patch, bases: bytes.span, size: size)
    }

    func expectRoundTrip(_ plain: [UInt8], _ what: String) throws {
        guard let patch = encode(plain) else { return }
        #expect(try PatchHeader(decoding: patch) == header)
        #expect(try decode(patch, size: plain.count) == plain, "\(what)")
    }
}

/// Ways in which content changes.
enum Edits {
    static func overwrite(_ bytes: inout [UInt8], _ count: Int, _ generator: inout SplitMix64) {
        let count = min(count, bytes.count)
        let start = generator.below(bytes.count - count + 1)
        bytes.replaceSubrange(start..<start + count, with: generator.bytes(count))
    }

    static func all(
        of base: [UInt8], _ generator: inout SplitMix64
    ) -> [(name: String, bytes: [UInt8])] {
        var edited = base
        for _ in 0..<5 { overwrite(&edited, 20, &generator) }
        let middle = generator.below(base.count + 1)
        let tail = generator.below(base.count) + 1
        let inserted = generator.text(777)
        let zeros = [UInt8](repeating: 0, count: base.count)
        return [
            ("nothing", base), ("edits", edited), ("an insertion at the front", inserted + base),
            ("an insertion", Array(base[..<middle]) + inserted + Array(base[middle...])),
            ("an end cut off", Array(base[..<tail])), ("a front cut off", Array(base[middle...])),
            ("an addition", base + generator.bytes(5_000)), ("all of it twice", base + base),
            ("zeros", zeros),
        ]
    }
}
