import Bytes
import Deltas
import Hashing
import Platform
import Testing
import TestSupport

/// Patches of the first version stay readable.
///
/// `VARVE_RECORD_FIXTURES=1` writes the fixture where there is none.
struct GoldenPatchTests {
    private static let directory = "patches/v1"

    /// A base, and content with every kind of section: equal units, edits in place, content that
    /// moved, and content that is new, both such that shrinks and such that does not.
    private static func contents() -> (base: [UInt8], plain: [UInt8]) {
        var generator = SplitMix64(seed: 701)
        let base = generator.bytes(4_000) + generator.text(200_000)
        var plain = Array(base[..<150_000])
        for _ in 0..<10 { Edits.overwrite(&plain, 20, &generator) }
        plain += generator.text(70_000) + generator.bytes(70_000)
        for _ in 0..<200 {
            let place = generator.below(60_000)
            plain += base[place..<place + 300] + generator.bytes(3)
        }
        return (base, plain)
    }

    @Test func `The patch of the first version gives what it was made from`() throws {
        let (base, plain) = Self.contents()
        let name = Self.directory + "/sections.patch"
        if HostSystem.variable("VARVE_RECORD_FIXTURES") != nil,
            (try? Fixtures.bytes(name)) == nil
        {
            try Fixtures.write(try #require(Patching(base).encode(plain)), name)
        }
        let patch = try Fixtures.bytes(name)
        #expect(try Patching(base).decode(patch, size: plain.count) == plain)
        #expect(try PatchHeader(decoding: patch) == Patching(base).header)
    }
}
