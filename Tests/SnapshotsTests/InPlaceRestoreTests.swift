import Capturing
@testable import Restoring
@testable import Snapshots
import Bytes
import Chunking
import Platform
import Testing
import TestSupport

/// Files that are there are compared by hash, and only regions that differ are written.
struct InPlaceRestoreTests {
    private let vault: Vault
    private let record: SnapshotRecord
    private let content: [UInt8]

    init() throws {
        vault = try Vault()
        var random = SplitMix64(seed: 3)
        content = random.bytes(3_000_000)
        try vault.directory.write(content, "source/large")
        record = try vault.capture().record
    }

    private func restoreOver(_ bytes: [UInt8]) throws -> RestoreResult {
        try vault.directory.write(bytes, "target/large")
        let result = try vault.restore(record)
        #expect(result.failures.isEmpty)
        expectSame(try vault.listing("source"), try vault.listing("target"))
        #expect(result.bytesWritten + result.bytesKept == UInt64(content.count))
        return result
    }

    @Test(arguments: Seed.some(3))
    func `Only chunks with changed bytes are written`(seed: Seed) throws {
        var random = SplitMix64(seed)
        var changed = content
        for _ in 0..<5 { changed[random.below(changed.count)] ^= 1 }
        let inode = try FileStatus.of(try vault.directory.write([], "target/large")).inode
        let result = try restoreOver(changed)
        #expect(result.filesWritten == 1)
        #expect((1...5 * UInt64(Vault.chunking.maximum)).contains(result.bytesWritten))
        #expect(try FileStatus.of(vault.directory.path("target/large")).inode == inode)
    }

    @Test func `A file that is right is read and not written`() throws {
        #expect(try restoreOver(content).bytesWritten == 0)
    }

    @Test(arguments: [1, 100_000, 2_999_999])
    func `A file cut short is written from there on`(count: Int) throws {
        let result = try restoreOver(Array(content.prefix(count)))
        let missing = UInt64(content.count - count)
        #expect(result.bytesWritten >= missing)
        #expect(result.bytesWritten < missing + UInt64(Vault.chunking.maximum))
    }

    @Test func `A file that is too long is cut`() throws {
        #expect(try restoreOver(content + [1, 2, 3]).bytesWritten == 0)
    }

    @Test func `A file with nothing right is written whole`() throws {
        let zeros = [UInt8](repeating: 0, count: content.count)
        #expect(try restoreOver(zeros).bytesKept == 0)
    }

    @Test func `Data where the snapshot has holes becomes holes again`() throws {
        let path = try vault.directory.write([1], "source/sparse")
        let file = try Descriptor.open(path, [.writeOnly])
        try file.write([UInt8](repeating: 7, count: 70_000).span, at: 1 << 20, path)
        try file.truncate(to: 3 << 20, path)
        let record = try vault.capture().record
        try vault.directory.write([UInt8](repeating: 9, count: 4 << 20), "target/sparse")
        let result = try vault.restore(record)
        #expect(result.failures.isEmpty)
        expectSame(try vault.listing("source"), try vault.listing("target"))
    }

    /// What a killed restore leaves: some files whole, some begun, some not there.
    @Test func `A restore that was cut off does only the rest`() throws {
        var random = SplitMix64(seed: 4)
        for number in 0..<20 {
            try vault.directory.write(random.bytes(50_000), "source/\(number)")
        }
        let record = try vault.capture().record
        try vault.restore(record)
        for number in 0..<5 {
            try FileOperations.remove(
                vault.directory.path("target/\(number)"), at: Descriptor.workingDirectory)
        }
        let begun = Array(try vault.directory.read("source/7").prefix(40_000))
        try vault.directory.write(begun, "target/7")
        for policy in [OverwritePolicy.ifChanged, .always] {
            var options = RestoreOptions()
            options.overwrite = policy
            let result = try vault.restore(record, options)
            #expect(result.failures.isEmpty)
            #expect(result.filesWritten == (policy == .ifChanged ? 6 : 0))
            expectSame(try vault.listing("source"), try vault.listing("target"))
        }
    }

    /// Between two files that are one in the snapshot and two in the target, or the reverse.
    @Test func `Names are joined and parted as in the snapshot`() throws {
        let place = Descriptor.workingDirectory
        for (one, other) in [("source/a", "source/b"), ("target/c", "target/d")] {
            try vault.directory.write([UInt8]("\(one)"), one)
            try FileOperations.link(
                vault.directory.path(one), to: vault.directory.path(other), at: place)
        }
        for path in ["source/c", "source/d", "target/a", "target/b"] {
            try vault.directory.write([UInt8](path), path)
        }
        let record = try vault.capture().record
        for _ in 0..<2 {
            #expect(try vault.restore(record).failures.isEmpty)
            expectSame(try vault.listing("source"), try vault.listing("target"))
        }
    }

    @Test func `Symlinks and fifos with several names stay one`() throws {
        let place = Descriptor.workingDirectory
        try FileOperations.makeSymlink(
            vault.directory.path("source/s1"), to: [UInt8]("x"), at: place)
        try FileOperations.makeSpecial(
            vault.directory.path("source/f1"), .fifo, device: 0, at: place)
        for (one, other) in [("source/s1", "source/s2"), ("source/f1", "source/f2")] {
            try FileOperations.link(
                vault.directory.path(one), to: vault.directory.path(other), at: place)
        }
        let record = try vault.capture().record
        #expect(try vault.restore(record).failures.isEmpty)
        expectSame(try vault.listing("source"), try vault.listing("target"))
    }
}
