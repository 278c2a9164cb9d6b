@testable import Snapshots
import Bytes
import Hashing
import Platform
import Repository
import Testing
import TestSupport

/// Records of snapshots tell of tables since format version 2.
struct TableRecordTests {
    private static let fixture = "snapshots/v2/tables.snapshot"

    private static func record() -> SnapshotRecord {
        let digest = SHA256Digest(of: [1].span)
        let root = TreeRoot(
            id: NodeID(of: [2].span), level: 1, itemCount: 7, byteCount: 700)
        var record = NodeStore.record(root)
        var pinned = CapturedTable(
            Array("a/orders".utf8), .pinned, version: 12,
            id: "5fba94ed-9794-4965-ba6e-6ee3c0d22af9")
        pinned.seal = TableSeal(
            digest: digest, files: 5, directories: 2,
            watched: [[], Array("day=1".utf8), Array("README".utf8)])
        record.tables = [
            pinned,
            CapturedTable(
                Array("b".utf8), .unverified, version: 0, reason: "needs 'quantum'"),
            CapturedTable(Array("c".utf8), .damaged, reason: "a.parquet is gone"),
        ]
        return record
    }

    private static func decode(_ bytes: [UInt8]) throws(RepositoryError) -> SnapshotRecord {
        try SnapshotRecord(decoding: bytes, SnapshotID(SHA256Digest(of: bytes.span)))
    }

    @Test func `The record of version 2 tells what it told when it was written`() throws {
        let record = Self.record()
        if HostSystem.variable("VARVE_RECORD_FIXTURES") != nil,
            (try? Fixtures.bytes(Self.fixture)) == nil
        {
            try Fixtures.write(record.encoded(), Self.fixture)
        }
        let bytes = try Fixtures.bytes(Self.fixture)
        #expect(bytes[8] == 2)
        #expect(try Self.decode(bytes) == record)
        #expect(record.encoded() == bytes)
    }

    @Test func `A record without tables keeps version 1`() throws {
        var record = Self.record()
        record.tables = []
        #expect(record.encoded()[8] == 1)
        #expect(try Self.decode(record.encoded()) == record)
    }

    @Test func `A truncated record is refused at every length`() {
        let bytes = Self.record().encoded()
        for count in 0..<bytes.count {
            let error = failure(RepositoryError.self) { try Self.decode(Array(bytes[..<count])) }
            #expect(error != nil, "\(count) bytes")
        }
    }

    @Test func `A flipped byte gives another record or an error and never a trap`() throws {
        let record = Self.record()
        let bytes = record.encoded()
        for index in bytes.indices {
            for mask: UInt8 in [1, 0x80, 0xff] {
                do throws(RepositoryError) {
                    #expect(try Self.decode(bytes.flipped(index, mask)) != record)
                } catch {
                    let isKnown: Bool
                    if case .unsupported = error.kind {
                        isKnown = true
                    } else {
                        isKnown = error.isDamage
                    }
                    #expect(isKnown, "byte \(index): \(error)")
                }
            }
        }
    }

    @Test func `A newer version is refused by its number`() {
        var bytes = Self.record().encoded()
        bytes[8] = 3
        let error = failure(RepositoryError.self) { try Self.decode(bytes) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("snapshot format 3"))
    }

    @Test func `Tables that are too many for a record are left out from the end`() throws {
        var record = Self.record()
        let path = String(repeating: "x", count: 200)
        record.tables = SnapshotRecord.listed(
            (0..<50_000).map { number in
                var table = CapturedTable(
                    Array("\(path)/\(100_000 + number)".utf8), .pinned, version: 1)
                table.seal = TableSeal(
                    digest: SHA256Digest(of: [1].span), files: 1, directories: 1, watched: [[]])
                return table
            })
        let bytes = record.encoded()
        #expect(bytes.count < Repository.snapshotSizeLimit)
        #expect(try Self.decode(bytes).tables.count > 5000)
        #expect(record.tables.first?.seal != nil)
        #expect(record.tables.last?.seal == nil)
    }
}
