import Bytes
import Hashing
import Platform
import TableStore
import Testing
import TestSupport
import Trees

@testable import Migration

/// What is read of a journal when its bytes are not those that were written.
struct JournalTests {
    private static let stamp = FileStamp(
        size: 12, mtime: Timestamp(seconds: 1_700_000_000, nanoseconds: 5),
        ctime: Timestamp(seconds: 1_700_000_001, nanoseconds: 999_999_999), inode: 42)

    private static let identity = MigrationIdentity(
        id: String(repeating: "0f", count: 16), source: Array("/from".utf8), target: [0x2f, 0xff],
        sourceDevice: 1, sourceInode: 2, targetDevice: 3, targetInode: .max, scope: ["--exclude=a"],
        makesTables: true, begun: Timestamp(seconds: -1, nanoseconds: 1))

    private static func path(_ text: String) -> CopiedPath {
        CopiedPath(path: Array(text.utf8), stamp: stamp)
    }

    private static let digest = SHA256Digest(of: [1].span)

    private static let proof = ProvenPath(
        path: Array("dir/b".utf8), stamp: stamp, targetStamp: stamp,
        digest: FingerprintHasher().finish())
    private static let tables = [
        TableProof(path: [0xff], version: 7, rows: 3, digest: "00ff", isMade: false),
        TableProof(path: [], reason: "it has features", isMade: false),
    ]

    private static let records: [JournalRecord] = [
        .begin(identity), .backup(snapshot: "abc"), .strategy(.chunked),
        .copied([path("a"), CopiedPath(path: [0xff, 0x0a], stamp: stamp), path("dir/b")]),
        .made(MadeTable(path: Array("rows".utf8), format: .csv, files: [path("rows/1.csv")])),
        .gone([Array("a".utf8)]), .copied([]), .compared([proof], tables),
        .verified(receipt: digest), .cleaning(receipt: digest), .cleaned,
    ]

    private static func bytes(_ records: [JournalRecord]) -> [UInt8] {
        var bytes = JournalFormat.header + [JournalFormat.newline]
        var checksum = JournalFormat.header
        for record in records {
            let line = JournalFormat.line(record, after: checksum)
            bytes += line.bytes
            checksum = line.checksum
        }
        return bytes
    }

    @Test func `What was written is read`() throws {
        let contents = try JournalReader.read(Self.bytes(Self.records))
        #expect(contents.records == Self.records)
        #expect(!contents.hasLostTail)
        let state = try JournalState(contents.records)
        #expect(state.identity == Self.identity)
        #expect(state.isCleaned)
        #expect(state.copied.count == 2)
    }

    @Test func `A journal cut at any length is that of an earlier moment`() throws {
        let bytes = Self.bytes(Self.records)
        for count in 0..<bytes.count {
            let contents = try JournalReader.read(Array(bytes.prefix(count)))
            #expect(contents.records == Array(Self.records.prefix(contents.records.count)))
            #expect(contents.wholeSize <= count)
            #expect(contents.hasLostTail == (contents.wholeSize != count || count == 0))
            _ = try JournalState(contents.records)
        }
    }

    @Test func `A journal with any byte changed is refused, or loses its end`() throws {
        let bytes = Self.bytes(Self.records)
        let lastLine = bytes.dropLast().lastIndex(of: JournalFormat.newline) ?? 0
        for index in bytes.indices {
            for mask: UInt8 in [1, 0x20, 0x80, 0xff] {
                var damaged = bytes
                damaged[index] ^= mask
                do throws(JournalDamage) {
                    let contents = try JournalReader.read(damaged)
                    // Without the newline before it, the last line takes one more with it.
                    #expect(index >= lastLine, "byte \(index)")
                    let lost = index == lastLine ? 2 : 1
                    #expect(contents.records == Self.records.dropLast(lost), "byte \(index)")
                    #expect(contents.hasLostTail)
                } catch {
                    #expect(!error.detail.isEmpty)
                }
            }
        }
    }

    @Test func `Lines left out, put in, repeated or exchanged are damage`() throws {
        let bytes = Self.bytes(Self.records)
        let lines = bytes.split(separator: JournalFormat.newline).map { Array($0) }
        func joined(_ lines: [[UInt8]]) -> [UInt8] {
            lines.flatMap { $0 + [JournalFormat.newline] }
        }
        for index in 1..<(lines.count - 1) {
            var missing = lines
            missing.remove(at: index)
            var repeated = lines
            repeated.insert(lines[index], at: index)
            var exchanged = lines
            exchanged.swapAt(index, index + 1)
            #expect(throws: JournalDamage.self) { try JournalReader.read(joined(repeated)) }
            // At the end it is as if the last lines had not been written.
            guard index + 2 < lines.count else { continue }
            for damaged in [missing, exchanged] {
                #expect(throws: JournalDamage.self) { try JournalReader.read(joined(damaged)) }
            }
        }
    }

    @Test func `Random bytes are damage, and never a trap`() {
        var random = SplitMix64(seed: 3)
        for _ in 0..<2_000 {
            var bytes = random.bytes(random.below(300))
            if random.below(2) == 0 { bytes = JournalFormat.header + [0x0a] + bytes }
            do throws(JournalDamage) {
                let contents = try JournalReader.read(bytes)
                #expect(contents.records.isEmpty)
            } catch {
                #expect(!error.detail.isEmpty)
            }
        }
    }

    @Test func `Another version is named and refused`() {
        let newer = Array("VARVE-MIGRATION 2\n".utf8)
        do throws(JournalDamage) {
            _ = try JournalReader.read(newer)
            Issue.record("it was read")
        } catch {
            #expect(error.detail == "it has version 2, not 1")
        }
    }

    @Test(arguments: ["..", "a/../b", "/a", "a//b", "a/", ".", "a/.", "a\0b"])
    func `A path that leads elsewhere is no record, whatever its checksum`(text: String) throws {
        let record = JournalRecord.copied([Self.path(text)])
        #expect(JournalRecord(record.json) == nil)
        #expect(JournalRecord(JournalRecord.gone([Array(text.utf8)]).json) == nil)
    }

    @Test func `Records in an order that cannot be are damage`() {
        let impossible: [[JournalRecord]] = [
            [.strategy(.parallel)], [.begin(Self.identity), .begin(Self.identity)],
            [.begin(Self.identity), .cleaning(receipt: Self.digest)],
            [.begin(Self.identity), .cleaned],
            [
                .begin(Self.identity), .verified(receipt: Self.digest), .copied([]),
                .cleaning(receipt: Self.digest),
            ],
            [
                .begin(Self.identity), .verified(receipt: Self.digest),
                .cleaning(receipt: Self.digest), .copied([]),
            ],
            Self.records + [.copied([])],
            [.begin(Self.identity), .compared([Self.proof], [])],
            [
                .begin(Self.identity), .verified(receipt: Self.digest),
                .cleaning(receipt: Self.digest), .compared([], Self.tables),
            ],
        ]
        for records in impossible {
            #expect(throws: JournalDamage.self) { try JournalState(records) }
        }
    }

    @Test func `What was compared is forgotten once it is copied, removed or verified`() throws {
        let (stamp, path) = (Self.stamp, Array("t/b".utf8))
        let proof = ProvenPath(path: path, stamp: stamp, targetStamp: stamp)
        let start: [JournalRecord] = [
            .begin(Self.identity), .copied([CopiedPath(path: path, stamp: stamp), Self.path("c")]),
            .compared(
                [proof],
                ["t", "u"].map { TableProof(path: Array($0.utf8), rows: 1, isMade: false) }),
        ]
        let state = try JournalState(start)
        #expect(state.proven == [path: proof])
        #expect(state.provenTables.count == 2)
        let other = try JournalState(start + [.copied([Self.path("c")])])
        #expect(other.proven == state.proven && other.provenTables == state.provenTables)
        let made = MadeTable(path: path, format: .csv, files: [])
        for record in [.copied([CopiedPath(path: path, stamp: stamp)]), .gone([path]), .made(made)]
            as [JournalRecord]
        {
            let later = try JournalState(start + [record])
            #expect(later.proven.isEmpty)
            #expect(later.provenTables.keys.map { $0 } == [Array("u".utf8)])
        }
        let verified = try JournalState(start + [.verified(receipt: Self.digest)])
        #expect(verified.proven.isEmpty && verified.provenTables.isEmpty)
    }

    @Test func `Journal and receipt of the first version are read`() throws {
        let contents = try JournalReader.read(Fixtures.bytes("migrations/v1/journal"))
        #expect(!contents.hasLostTail)
        let state = try JournalState(contents.records)
        #expect(state.identity?.source == Array("/srv/store".utf8))
        #expect(state.copied.count == 10)
        #expect(state.proven.isEmpty)
        let compared = contents.records.compactMap { record -> [ProvenPath]? in
            if case .compared(let paths, _) = record { paths } else { nil }
        }
        #expect(compared.joined().count == 10)
        let bytes = try Fixtures.bytes("migrations/v1/receipt.jsonl")
        #expect(state.receipt == SHA256Digest(of: bytes.span))
        let receipt = try Receipt(parsing: bytes)
        #expect(receipt.paths.count == 10)
        #expect(receipt.tables.first?.rows == 2)
    }
}

extension FileStamp {
    init(size: UInt64, mtime: Timestamp, ctime: Timestamp, inode: UInt64) {
        var status = try? FileStatus.of([0x2e])
        status?.type = .regular
        status?.size = size
        status?.mtime = mtime
        status?.ctime = ctime
        status?.inode = inode
        guard let status else { preconditionFailure("no working directory") }
        self.init(status)
    }
}
