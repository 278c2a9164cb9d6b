@testable import Repository
import Upkeep
@testable import Capturing
@testable import Snapshots
import Bytes
import Compression
import Hashing
import Platform
import Testing
import TestSupport

/// Files that change a little, night after night.
struct PatchedContentTests {
    private let vault: Vault

    init() throws { vault = try Vault() }

    @discardableResult
    private func night(_ content: [UInt8]) throws -> CaptureResult {
        try vault.directory.write(content, "source/table")
        let result = try vault.capture()
        try vault.settle(result.record)
        return result
    }

    private func codecs(of record: SnapshotRecord) throws -> [BlobCodec] {
        let repository = try vault.repository()
        let entry = try #require(try vault.entry("table", of: record))
        guard case .file(_, let content) = entry.payload else { return [] }
        return try NodeSource(repository).pieces(content).compactMap { piece in
            guard case .chunk(let id, _) = piece else { return nil }
            return try repository.places(of: .chunk(id)).first?.codec
        }
    }

    @Test func `Twelve nights of scattered edits cost little, and each comes back`() throws {
        var generator = SplitMix64(seed: 601)
        var content = generator.bytes(200_000)
        var contents: [[UInt8]] = []
        var records: [SnapshotRecord] = []
        var stored: UInt64 = 0
        for number in 0..<12 {
            let result = try night(content)
            if number > 0 { stored += result.write.storedBytes }
            contents.append(content)
            records.append(result.record)
            for _ in 0..<30 {
                let place = generator.below(content.count - 20)
                content.replaceSubrange(place..<place + 20, with: generator.bytes(20))
            }
        }
        // Eleven nights; in one of nine a chunk is stored whole.
        #expect(stored < 500_000)
        for (record, content) in zip(records, contents) {
            try vault.restore(record)
            #expect(try Fixtures.read(vault.directory.path("target/table")) == content)
        }
        #expect(try vault.check(readDataPercent: 100).damages.isEmpty)
    }

    /// Cuts move when bytes near them change, so a chunk may be made of parts of several.
    @Test(arguments: Seed.some(3))
    func `Insertions and deletions come back`(seed: Seed) throws {
        var generator = SplitMix64(seed)
        var content = generator.text(300_000)
        for _ in 0..<6 {
            let result = try night(content)
            try vault.restore(result.record)
            #expect(try Fixtures.read(vault.directory.path("target/table")) == content)
            for _ in 0..<5 {
                let place = generator.below(content.count)
                let end = min(content.count, place + generator.below(3_000))
                content.replaceSubrange(place..<end, with: generator.text(generator.below(3_000)))
            }
        }
        #expect(try vault.check(readDataPercent: 100).damages.isEmpty)
    }

    @Test func `Content that is all new is stored whole`() throws {
        var generator = SplitMix64(seed: 602)
        try night(generator.bytes(200_000))
        let result = try night(generator.bytes(200_000))
        #expect(result.write.patchedChunks == 0)
        #expect(try !codecs(of: result.record).contains(.patch))
    }

    @Test func `A check names the files whose patches lack their base`() throws {
        var generator = SplitMix64(seed: 603)
        var content = generator.bytes(12_000)
        try night(content)
        let packs = Set(vault.storage.names(.pack))
        content.replaceSubrange(5_000..<5_010, with: generator.bytes(10))
        let result = try night(content)
        #expect(try codecs(of: result.record) == [.patch])
        for pack in packs { vault.storage.damage(pack, nil) }
        let report = try vault.check()
        let affected = report.damages.flatMap(\.affected).filter { $0.path == [UInt8]("table") }
        #expect(affected.contains { $0.snapshot == result.id })
    }

    @Test func `A base that cannot be read costs space, not the snapshot`() throws {
        var generator = SplitMix64(seed: 604)
        var content = generator.bytes(12_000)
        try night(content)
        for pack in vault.storage.names(.pack) {
            guard let bytes = vault.storage.bytes(pack) else { continue }
            vault.storage.damage(pack, bytes.flipped(100))
        }
        content.replaceSubrange(5_000..<5_010, with: generator.bytes(10))
        let result = try night(content)
        try vault.restore(result.record)
        #expect(try Fixtures.read(vault.directory.path("target/table")) == content)
    }
}

/// New files that were made of old ones.
struct KinFilesTests {
    private let vault: Vault
    private let content: [UInt8]

    init() throws {
        vault = try Vault()
        var generator = SplitMix64(seed: 611)
        content = generator.bytes(200_000)
        try vault.directory.write(content, "source/dump-2026-11-20.sql")
        try vault.settle(try vault.capture().record)
    }

    private func edited(_ seed: UInt64) -> [UInt8] {
        var generator = SplitMix64(seed: seed)
        var edited = content
        for _ in 0..<30 {
            let place = generator.below(edited.count - 20)
            edited.replaceSubrange(place..<place + 20, with: generator.bytes(20))
        }
        return edited
    }

    private func expect(_ bytes: [UInt8], at path: String, storedBelow limit: UInt64) throws {
        let result = try vault.capture()
        #expect(result.write.storedBytes < limit)
        try vault.restore(result.record)
        #expect(try Fixtures.read(vault.directory.path("target/" + path)) == bytes)
    }

    @Test func `The dump of the next day is stored as what changed`() throws {
        let bytes = edited(612)
        try vault.directory.write(bytes, "source/dump-2026-11-21.sql")
        try expect(bytes, at: "dump-2026-11-21.sql", storedBelow: 20_000)
    }

    @Test func `A file that was renamed and changed is stored as what changed`() throws {
        let (before, after) = (
            vault.directory.path("source/dump-2026-11-20.sql"), vault.directory.path("source/b")
        )
        try FileOperations.rename(before, to: after, at: Descriptor.workingDirectory)
        let bytes = edited(613)
        let file = try Descriptor.open(after, .writeOnly)
        try file.write(bytes.span, at: 0, after)
        try expect(bytes, at: "b", storedBelow: 20_000)
    }

    @Test func `A like name with other content is stored whole`() throws {
        var generator = SplitMix64(seed: 614)
        let bytes = generator.bytes(200_000)
        try vault.directory.write(bytes, "source/dump-2026-11-22.sql")
        let result = try vault.capture()
        #expect(result.write.patchedChunks == 0)
        #expect(result.write.storedBytes > 200_000)
    }

    @Test func `Numbers do not matter in a name`() {
        for (one, other) in [
            ("dump-2026-11-20.sql", "dump-2027-01-02.sql"), ("a/log.1", "b/log.12"),
            ("part-00000-4f3a-11.bin", "part-1-9b2c-7.bin"),
            (
                "part-0-91bec904-5686-4070-8519-45ee13bff882.parquet",
                "part-0-5d8bbc3a-cafe-4b5a-bead-2bb14bd7d2ed.parquet"
            ),
        ] {
            #expect(KinFiles.stem([UInt8](one)) == KinFiles.stem([UInt8](other)))
        }
        #expect(KinFiles.stem([UInt8]("face")) != KinFiles.stem([UInt8]("bade")))
    }
}
