import Testing

@testable import Chunking

struct ChunkingParametersTests {
    @Test func `The standard sizes are 512 KiB, 2 MiB and 4 MiB and pass the check`() throws {
        let checked = try ChunkingParameters(
            minimum: 524_288, average: 2_097_152, maximum: 4_194_304)
        #expect(ChunkingParameters.standard == checked)
    }

    @Test(arguments: [
        [4_096, 8_192, 16_384], [4_096, 8_192, 16 << 20], [4 << 20, 8 << 20, 16 << 20],
        [4_096, 8 << 20, 16 << 20],
    ])
    func `Sizes at the edges of what is allowed are taken`(sizes: [Int]) throws {
        let parameters = try ChunkingParameters(
            minimum: sizes[0], average: sizes[1], maximum: sizes[2])
        #expect([parameters.minimum, parameters.average, parameters.maximum] == sizes)
    }

    @Test(arguments: [
        ([2_048, 8_192, 16_384], ChunkingError.Kind.outOfRange),
        ([4_096, 8_192, 32 << 20], .outOfRange),
        ([0, 8_192, 16_384], .outOfRange),
        ([-4_096, 8_192, 16_384], .outOfRange),
        ([4_096, Int.max, 16_384], .outOfRange),
        ([Int.min, Int.min, Int.min], .outOfRange),
        ([4_097, 16_384, 65_536], .notAPowerOfTwo),
        ([4_096, 12_288, 65_536], .notAPowerOfTwo),
        ([4_096, 8_192, 65_535], .notAPowerOfTwo),
        ([8_192, 8_192, 16_384], .tooClose),
        ([4_096, 8_192, 8_192], .tooClose),
        ([16_384, 8_192, 65_536], .tooClose),
    ])
    func `Sizes outside of the format are refused by name`(
        sizes: [Int], kind: ChunkingError.Kind
    ) {
        let expected = ChunkingError(
            kind: kind, minimum: sizes[0], average: sizes[1], maximum: sizes[2])
        #expect(throws: expected) {
            try ChunkingParameters(minimum: sizes[0], average: sizes[1], maximum: sizes[2])
        }
    }
}
