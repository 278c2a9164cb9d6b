import Testing

@testable import Chunking

/// Laws of cutting by parts.
///
/// What exactly is cut is in `GoldenPartCutsTests`.
struct PartCutterTests {
    @Test(arguments: GeneratedBytes.allCases, [Sizes.small, .standard])
    func `Chunks cover the bytes, keep to the sizes and never share runs`(
        kind: GeneratedBytes, sizes: Sizes
    ) throws {
        for seed in 1...3 as ClosedRange<UInt64> {
            let parts = GeneratedParts.make(seed: seed, count: 10)
            let bytes = kind.make(seed: seed, count: parts.size)
            let cutter = PartCutter(try parts.checked(), try sizes.parameters())
            let found = cutter.lengths(bytes)
            #expect(found.reduce(0, +) == bytes.count, "seed \(seed)")
            #expect(found.allSatisfy { $0 <= sizes.maximum })
            let ends = Set(cutEnds(found))
            #expect(parts.parts.filter(\.endsRun).allSatisfy { ends.contains(Int($0.end)) })
            let partEnds = Set(parts.parts.map { Int($0.end) })
            var start = 0
            for end in cutEnds(found) {
                // Between two ends of parts only what is too large for a chunk is cut.
                if !partEnds.contains(end) {
                    let part = try #require(parts.part(at: start))
                    let most = parts.isDense(at: start) ? 1 << 20 : sizes.maximum
                    #expect(part.count > min(most, sizes.maximum), "seed \(seed), \(end)")
                }
                start = end
            }
        }
    }

    @Test(arguments: [Sizes.small, .standard])
    func `Feeding in pieces gives the cuts of feeding whole`(sizes: Sizes) throws {
        for seed in 1...3 as ClosedRange<UInt64> {
            var generator = SplitMix64(state: seed)
            let parts = GeneratedParts.make(seed: seed, count: 10)
            let bytes = GeneratedBytes.random.make(seed: seed, count: parts.size)
            let cutter = PartCutter(try parts.checked(), try sizes.parameters())
            var (found, start, end): ([Int], Int, Int) = ([], 0, 0)
            while start < bytes.count {
                let view = bytes.span.extracting(start..<end)
                let isEnd = end == bytes.count
                if let length = cutter.cut(view, at: UInt64(start), isEnd: isEnd) {
                    found.append(length)
                    start += length
                } else {
                    try #require(!isEnd)
                    end = min(bytes.count, end + Int.random(in: 1...90_000, using: &generator))
                }
            }
            #expect(found == cutter.lengths(bytes), "seed \(seed)")
        }
    }

    /// Row groups of as many columns as there are samples would otherwise give the same column.
    @Test(arguments: 1...24)
    func `Samples of runs are of several columns`(columns: Int) throws {
        var parts: [FilePart] = []
        for run in 0..<columns * 8 {
            // The first column of each row group is small.
            let size: UInt64 = run % columns == 0 && columns > 1 ? 100 : 10_000
            let end = (parts.last?.end ?? 0) + size
            parts.append(FilePart(end: end, endsRun: true, isDense: true))
        }
        let cutter = PartCutter(try #require(FileParts(parts)), try Sizes.small.parameters())
        let samples = cutter.sampleRuns(atMost: 8, least: 4_096)
        #expect(samples.count == 8)
        #expect(samples.allSatisfy { $0.count == 10_000 })
        let starts = samples.compactMap { sample in
            parts.firstIndex { $0.end == sample.upperBound }.map { $0 % columns }
        }
        #expect(Set(starts).count >= min(4, columns - 1))
    }

    @Test(arguments: GeneratedBytes.allCases, [Sizes.small, .standard])
    func `Every chunk is accepted where it was cut, and other lengths are not`(
        kind: GeneratedBytes, sizes: Sizes
    ) throws {
        let parts = GeneratedParts.make(seed: 3, count: 10)
        let bytes = kind.make(seed: 3, count: parts.size)
        let cutter = PartCutter(try parts.checked(), try sizes.parameters())
        var start = 0
        for length in cutter.lengths(bytes) {
            let isEnd = start + length == bytes.count
            let range = start..<start + length
            #expect(cutter.accepts(bytes, range, isEnd: isEnd))
            if length > 1, !isEnd {
                #expect(!cutter.accepts(bytes, range.dropLast(), isEnd: false))
            }
            start += length
        }
    }

    @Test func `What FastCDC cut before parts were known is accepted`() throws {
        let parts = GeneratedParts.make(seed: 5, count: 20)
        let bytes = GeneratedBytes.random.make(seed: 5, count: parts.size)
        let cutter = PartCutter(try parts.checked(), .standard)
        let lengths = lengths(bytes) { FastCDC(.standard).cut($0, isEnd: true) }
        #expect(lengths.count > 2)
        var start = 0
        for length in lengths {
            let range = start..<start + length
            #expect(cutter.accepts(bytes, range, isEnd: range.upperBound == bytes.count))
            start += length
        }
    }

    @Test func `Data that ends within a part ends a chunk there`() throws {
        let parts = try #require(FileParts([FilePart(end: 100_000, endsRun: true, isDense: true)]))
        let cutter = PartCutter(parts, .standard)
        let bytes = GeneratedBytes.random.make(seed: 1, count: 50_000)
        #expect(cutter.first(bytes, at: 0, isEnd: true) == 50_000)
        #expect(cutter.first(bytes, at: 0, isEnd: false) == nil)
        #expect(cutter.first(bytes, at: 50_000, isEnd: false) == 50_000)
        #expect(cutter.first([], at: 0, isEnd: true) == nil)
    }

    @Test func `Behind the last part FastCDC goes on`() throws {
        let parts = try #require(FileParts([FilePart(end: 10, endsRun: true, isDense: true)]))
        let cutter = PartCutter(parts, .standard)
        let bytes = GeneratedBytes.random.make(seed: 1, count: 5_000_000)
        #expect(cutter.first(bytes, at: 0, isEnd: true) == 10)
        let expected = FastCDC(.standard).first(of: bytes, isEnd: true)
        #expect(cutter.first(bytes, at: 10, isEnd: true) == expected)
    }

    /// Small pages are gathered by their content: a page more moves few of the cuts behind it.
    @Test func `Cuts of small pages meet again behind a page that is new`() throws {
        var lost = 0
        for seed in 1...20 as ClosedRange<UInt64> {
            let page = 3_000
            let bytes = GeneratedBytes.random.make(seed: seed, count: 200 * page)
            let before = Self.pageEnds(bytes, page)
            let other = GeneratedBytes.random.make(seed: seed + 100, count: page)
            let after = Self.pageEnds(other + bytes, page).map { $0 - page }
            let common = try #require(after.first { before.contains($0) && $0 > 0 })
            #expect(after.filter { $0 >= common } == before.filter { $0 >= common })
            #expect(common < 300_000, "half of the file is cut anew with seed \(seed)")
            lost += common
        }
        #expect(lost < 20 * 80_000, "\(lost)")
    }

    private static func pageEnds(_ bytes: [UInt8], _ page: Int) -> [Int] {
        let count = bytes.count / page
        let parts = (1...count).map {
            FilePart(end: UInt64($0 * page), endsRun: $0 == count, isDense: true)
        }
        guard let parts = FileParts(parts) else { return [] }
        return cutEnds(PartCutter(parts, .standard).lengths(bytes))
    }

    @Test func `Parts without bytes, out of order, or none at all are refused`() {
        func part(_ end: UInt64) -> FilePart { FilePart(end: end, endsRun: false, isDense: true) }
        #expect(FileParts([]) == nil)
        #expect(FileParts([part(0)]) == nil)
        #expect(FileParts([part(1), part(1)]) == nil)
        #expect(FileParts([part(2), part(1)]) == nil)
        #expect(FileParts([part(UInt64.max)]) == nil)
        #expect(FileParts([part(1), part(UInt64(Int64.max))])?.count == 2)
    }

    @Test func `Parquet is told by both ends of a file`() {
        let (magic, other) = (Array("PAR1".utf8), Array("PARE".utf8))
        #expect(FileChunker.isParquet(head: magic, tail: magic))
        #expect(FileChunker.isParquet(head: magic + [0], tail: [0] + magic))
        #expect(!FileChunker.isParquet(head: magic, tail: other))
        #expect(!FileChunker.isParquet(head: other, tail: magic))
        #expect(!FileChunker.isParquet(head: [], tail: magic))
        #expect(!FileChunker.isParquet(head: magic, tail: Array(magic.dropLast())))
    }
}

/// What is cut by parts, pinned: part of the format.
///
/// The numbers come from an independent implementation in Python.
struct GoldenPartCutsTests {
    struct Golden: Sendable {
        let sizes: Sizes
        let seed: UInt64
        let parts: Int
        let bytes: GeneratedBytes
        let count: Int
        let lengths: [Int]
    }

    @Test(arguments: goldenPartCuts)
    func `Cuts of parts stay where they always were`(golden: Golden) throws {
        let parts = GeneratedParts.make(seed: golden.seed, count: golden.parts)
        #expect(parts.size == golden.count)
        let bytes = golden.bytes.make(seed: 7, count: golden.count)
        let cutter = PartCutter(try parts.checked(), try golden.sizes.parameters())
        #expect(cutter.lengths(bytes) == golden.lengths)
    }
}

/// Parts of sizes from tiny to larger than a chunk, the same on every machine.
struct GeneratedParts {
    let parts: [FilePart]

    var size: Int { Int(parts.last?.end ?? 0) }

    static func make(seed: UInt64, count: Int) -> GeneratedParts {
        var numbers = SplitMix64(state: seed)
        let limits: [UInt64] = [2_000, 20_000, 120_000, 1_500_000]
        var end: UInt64 = 0
        return GeneratedParts(
            parts: (0..<count).map { _ in
                let number = numbers.next()
                end += 1 + (number & 0xff_ffff) % limits[Int((number >> 32) & 3)]
                return FilePart(
                    end: end, endsRun: (number >> 40) % 6 == 0, isDense: (number >> 48) % 4 != 0)
            })
    }

    func checked() throws -> FileParts { try #require(FileParts(parts)) }

    func isDense(at place: Int) -> Bool {
        parts.first { Int($0.end) > place }?.isDense ?? false
    }

    /// The bytes of the part that has the byte at `place`.
    func part(at place: Int) -> Range<Int>? {
        guard let index = parts.firstIndex(where: { Int($0.end) > place }) else { return nil }
        return (index == 0 ? 0 : Int(parts[index - 1].end))..<Int(parts[index].end)
    }
}

extension Sizes {
    static let standard = Sizes(minimum: 512 << 10, average: 2 << 20, maximum: 4 << 20)
}

extension PartCutter {
    func first(_ bytes: [UInt8], at place: UInt64, isEnd: Bool) -> Int? {
        cut(bytes.span, at: place, isEnd: isEnd)
    }

    /// Whether these bytes of a file may be a chunk of it.
    func accepts(_ bytes: [UInt8], _ range: Range<Int>, isEnd: Bool) -> Bool {
        accepts(
            bytes.span.extracting(range), at: UInt64(range.lowerBound), isEnd: isEnd)
    }

    /// The lengths of all chunks of a file.
    func lengths(_ bytes: [UInt8]) -> [Int] {
        var (found, offset): ([Int], Int) = ([], 0)
        while let length = cut(
            bytes.span.extracting(offset..<bytes.count), at: UInt64(offset), isEnd: true)
        {
            found.append(length)
            offset += length
        }
        return found
    }
}

/// Where chunks of these lengths end.
private func cutEnds(_ lengths: [Int]) -> [Int] {
    var end = 0
    return lengths.map { length in
        end += length
        return end
    }
}

private let goldenPartCuts: [GoldenPartCutsTests.Golden] = [
    .init(
        sizes: .standard, seed: 1, parts: 20, bytes: .random, count: 5_376_908,
        lengths: [
            66_105, 902, 1_376_897, 470, 1_090_070, 113_321, 23_511, 1_156_418, 1_791,
            96_972, 83_177, 448_860, 918_414,
        ]),
    .init(
        sizes: .standard, seed: 1, parts: 20, bytes: .zeros, count: 5_376_908,
        lengths: [
            66_105, 902, 1_376_897, 470, 1_090_070, 113_321, 23_511, 1_156_418, 1_791,
            96_972, 83_177, 448_860, 918_414,
        ]),
    .init(
        sizes: .standard, seed: 4, parts: 20, bytes: .random, count: 6_065_659,
        lengths: [
            17_867, 48_506, 119_492, 18_083, 55_738, 1_413_814, 2_922, 1_472_594,
            1_497_857, 1_399_655, 19_131,
        ]),
    .init(
        sizes: .small, seed: 1, parts: 6, bytes: .random, count: 1_443_904,
        lengths: [
            7_450, 5_546, 6_194, 6_437, 6_552, 8_258, 9_870, 15_798, 902, 6_409,
            10_081, 8_775, 9_994, 6_185, 12_875, 8_744, 13_770, 6_378, 6_227, 8_059,
            9_288, 6_901, 5_919, 9_732, 8_501, 6_223, 6_826, 11_508, 8_797, 8_637,
            7_826, 6_296, 7_043, 6_851, 8_327, 6_987, 6_193, 6_966, 6_674, 7_655,
            8_145, 6_280, 7_188, 10_983, 9_093, 6_967, 8_700, 8_849, 15_804, 6_171,
            6_808, 8_649, 7_738, 5_663, 6_851, 7_164, 12_790, 6_652, 8_565, 8_635,
            7_109, 5_043, 5_522, 6_951, 6_000, 7_009, 7_863, 10_307, 10_857, 6_226,
            7_104, 9_730, 9_465, 9_072, 7_402, 6_333, 8_898, 10_751, 7_350, 4_847,
            6_969, 7_705, 10_633, 6_725, 6_674, 6_220, 7_969, 8_187, 9_894, 6_979,
            8_646, 6_805, 7_046, 7_608, 6_221, 7_605, 10_069, 6_908, 6_453, 4_337,
            6_334, 7_197, 4_643, 7_055, 6_346, 7_777, 7_458, 8_462, 7_599, 11_351,
            6_388, 12_063, 7_129, 4_617, 9_759, 9_515, 9_036, 7_774, 7_375, 7_026,
            7_625, 8_797, 7_958, 7_960, 7_635, 7_226, 6_228, 8_188, 6_845, 7_932,
            8_168, 14_717, 7_193, 11_869, 6_762, 12_409, 6_687, 6_816, 6_331, 6_759,
            5_727, 4_391, 6_580, 9_231, 8_336, 5_769, 8_987, 8_249, 7_507, 10_332,
            11_412, 11_175, 8_901, 5_393, 6_291, 6_877, 8_628, 7_296, 8_239, 6_622,
            6_708, 6_336, 7_955, 7_614, 8_187, 9_588, 8_911, 6_433, 4_991, 7_934,
            6_899, 5_483, 8_194, 11_834, 8_756, 6_184, 8_211, 6_304, 9_188, 6_922,
            6_279, 7_484, 13_716,
        ]),
]
