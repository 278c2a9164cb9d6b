@testable import Capturing
@testable import Repository
@testable import Snapshots
@testable import Upkeep
import Bytes
import Hashing
import Platform
import Testing
import TestSupport

/// Each kind of damage is found, named, and told with the files of the snapshots that it affects.
struct RepositoryCheckTests {
    private let vault: Vault
    private let first: CaptureResult
    private let second: CaptureResult

    /// Two snapshots; the second has a pack of its own, with "new" in it.
    init() throws {
        vault = try Vault()
        var random = SplitMix64(seed: 12)
        try vault.directory.write(random.bytes(300_000), "source/large")
        try vault.directory.write(random.bytes(500), "source/small")
        try vault.directory.write([], "source/empty")
        first = try vault.capture()
        try vault.directory.write(random.bytes(400), "source/sub/new")
        second = try vault.capture()
    }

    private struct Affected: Hashable, CustomStringConvertible {
        var snapshot: SnapshotID
        var path: String
        var description: String { "\(snapshot.short):\(path)" }
    }

    private func affected(_ report: CheckReport) -> Set<Affected> {
        Set(
            report.damages.flatMap(\.affected).map {
                Affected(snapshot: $0.snapshot, path: PathBytes.printable($0.path))
            })
    }

    private func wanted(_ result: CaptureResult, _ paths: String...) throws -> Set<Affected> {
        let id = try #require(result.id)
        return Set(paths.map { Affected(snapshot: id, path: $0) })
    }

    private func chunk(_ path: String) throws -> BlobID {
        let entry = try #require(try vault.entry(path, of: second.record))
        guard case .file(_, let content) = entry.payload,
            case .chunk(let id, _)? = try NodeSource(vault.repository()).pieces(content).first
        else { throw RepositoryError(.missing, path) }
        return .chunk(id)
    }

    private func pack(_ id: BlobID) throws -> ObjectName {
        .pack(try #require(try vault.repository().places(of: id).first).pack)
    }

    private func damage(_ name: ObjectName, _ change: (inout [UInt8]) -> Void) throws {
        var bytes = try #require(vault.storage.bytes(name))
        change(&bytes)
        vault.storage.damage(name, bytes)
    }

    @Test(arguments: [nil, 1, 50, 100])
    func `A sound repository has no damage`(percent: Int?) throws {
        let report = try vault.check(readDataPercent: percent)
        #expect(report.damages.isEmpty)
        #expect(report.warnings.isEmpty)
        #expect(report.snapshots == 2)
        #expect(report.packs == 2)
        #expect(report.packsRead == [nil: 0, 1: 1, 50: 1, 100: 2][percent])
        #expect(report.blobs > 15)
    }

    @Test func `A changed byte of a chunk is found by reading`() throws {
        try vault.damage(chunk("small"))
        #expect(try vault.check().damages.isEmpty, "its bytes were not looked at")
        let report = try vault.check(readDataPercent: 100)
        #expect(report.damages.count == 1)
        #expect(report.damages[0].message.contains(try pack(chunk("small")).path))
        #expect(try affected(report) == wanted(first, "small").union(wanted(second, "small")))
    }

    @Test func `A chunk of one snapshot affects no other`() throws {
        try vault.damage(chunk("sub/new"))
        let report = try vault.check(readDataPercent: 100)
        #expect(try affected(report) == wanted(second, "sub/new"))
    }

    @Test func `A changed byte of a manifest is found without reading all`() throws {
        try vault.damage(.node(second.record.root.id))
        for percent in [nil, 100] {
            let report = try vault.check(readDataPercent: percent)
            #expect(report.damages.count == 1)
            #expect(try affected(report) == wanted(second, "(all of it)"))
        }
    }

    @Test func `A changed byte of a content list is found without reading all`() throws {
        let entry = try #require(try vault.entry("large", of: first.record))
        guard case .file(_, .tree(let root)) = entry.payload else {
            Issue.record("few pieces")
            return
        }
        try vault.damage(.node(root.id))
        for percent in [nil, 100] {
            let report = try vault.check(readDataPercent: percent)
            #expect(report.damages.count == 1)
            #expect(try affected(report) == wanted(first, "large").union(wanted(second, "large")))
        }
    }

    @Test func `A missing pack is named with what it held`() throws {
        let name = try pack(chunk("small"))
        vault.storage.damage(name, nil)
        let report = try vault.check()
        #expect(report.damages.map(\.message) == ["\(name): missing"])
        let all = try wanted(first, "(all of it)").union(wanted(second, "large", "small"))
        #expect(affected(report) == all)
    }

    @Test func `Any changed byte of a table of contents makes its pack known as damaged`() throws {
        let name = try pack(chunk("sub/new"))
        let good = try #require(vault.storage.bytes(name))
        let trailer = try PackTrailer(
            decoding: Array(good.suffix(PackFormat.trailerSize)), packSize: UInt64(good.count))
        for index in stride(from: Int(trailer.tableOffset), to: good.count, by: 7) {
            vault.storage.damage(name, good.flipped(index))
            let report = try vault.check()
            #expect(report.damages.count == 1, "byte \(index)")
            #expect(report.damages.first?.message.contains(name.path) == true)
            #expect(!report.damages.flatMap(\.affected).isEmpty)
        }
    }

    @Test func `A pack cut short is named`() throws {
        let name = try pack(chunk("sub/new"))
        let good = try #require(vault.storage.bytes(name))
        for count in stride(from: 0, to: good.count, by: 37) {
            vault.storage.damage(name, Array(good.prefix(count)))
            let report = try vault.check()
            #expect(report.damages.count == 1, "\(count) bytes")
            #expect(report.damages.first?.message.contains(name.path) == true)
        }
    }

    @Test func `A snapshot that is damaged anywhere is named and the others are not`() throws {
        let name = ObjectName.snapshot(try #require(first.id))
        let good = try #require(vault.storage.bytes(name))
        let wrong = good.indices.map { good.flipped($0) } + good.indices.map { Array(good[..<$0]) }
        for bytes in wrong {
            vault.storage.damage(name, bytes)
            let report = try vault.check()
            #expect(report.damages.count == 1)
            #expect(report.damages.first?.message.hasPrefix(name.path) == true)
            #expect(report.snapshots == 1)
            #expect(report.damages.flatMap(\.affected).isEmpty)
        }
    }

    @Test func `A damaged index is named and affects nothing`() throws {
        for name in vault.storage.names(.index) {
            let good = try #require(vault.storage.bytes(name))
            for index in stride(from: 0, to: good.count, by: 11) {
                vault.storage.damage(name, good.flipped(index))
                let report = try vault.check()
                #expect(!report.damages.isEmpty, "byte \(index)")
                #expect(report.damages.allSatisfy { $0.message.contains(name.path) })
                #expect(report.damages.allSatisfy { $0.message.contains("rebuilt") })
                #expect(report.damages.flatMap(\.affected).isEmpty)
            }
            vault.storage.damage(name, good)
        }
        #expect(try vault.check().damages.isEmpty)
    }

    @Test func `A missing index harms nothing and is told`() throws {
        for name in vault.storage.names(.index) { vault.storage.damage(name, nil) }
        let report = try vault.check(readDataPercent: 100)
        #expect(report.damages.isEmpty)
        #expect(report.warnings.contains { $0.contains("in no index") })
    }

    @Test func `A snapshot whose parent is gone is odd and not damaged`() throws {
        vault.storage.damage(.snapshot(try #require(first.id)), nil)
        let report = try vault.check(readDataPercent: 100)
        #expect(report.damages.isEmpty)
        #expect(report.warnings.contains { $0.contains("parent") })
    }

    @Test func `A file that claims another size than its chunk is found`() throws {
        let store = try NodeStore()
        let chunk = try store.putChunk([1, 2, 3])
        let entry = ManifestEntry([UInt8]("a"), .file(size: 4, .pieces([.chunk(chunk, size: 4)])))
        let root = try store.manifest([entry])
        try store.seal()
        _ = try store.repository.publishSnapshot(NodeStore.record(root).encoded())
        let report = try RepositoryCheck.run(
            store.repository, readDataPercent: nil, WorkProgress())
        #expect(report.damages.flatMap(\.affected).map(\.path) == [[UInt8]("a")])
    }

    @Test func `Many affected files are counted and the first are listed`() throws {
        let vault = try Vault()
        for number in 0..<150 { try vault.directory.write([1, 2, 3], "source/\(number)") }
        let record = try vault.capture().record
        let chunk = BlobID.chunk(ChunkID(of: [1, 2, 3].span))
        try vault.damage(chunk)
        let report = try vault.check(readDataPercent: 100)
        #expect(report.damages.count == 1)
        #expect(report.damages.first?.affected.count == CheckReport.Damage.listLimit)
        #expect(report.damages.first?.unlistedAffected == 50)
        #expect(record.root.itemCount == 151)
    }
}
