@testable import Snapshots
@testable import Targets
@testable import TwoWay
@testable import Wire
import Bytes
import Hashing
import Platform
import Repository
import TableLog
import Testing
import TestSupport

/// A peer that lies, on either side of a sync.
struct HostileSyncTests {
    private let pair: StorePair

    init() throws {
        pair = try StorePair()
        try pair.create("here/t")
        try pair.append("here/t", [1])
        try pair.write("1", "here/a")
        try pair.write("secret", "outside/secret")
        try FileOperations.makeSymlink(
            pair.path("here/way-out"), to: pair.path("outside"), at: Descriptor.workingDirectory)
        // What varve has of its own there is made by now.
        _ = try session()
    }

    private func session(_ options: TwoWayOptions = []) throws -> TwoWaySession {
        let session = TwoWaySession(try PinnedDirectory(pair.path("here")))
        try session.send(TwoWayRequest(.begin, options), GatheringSink())
        return session
    }

    private func upload(
        _ step: TwoWayStep, _ session: TwoWaySession, _ argument: [UInt8] = [],
        _ body: (inout RecordWriter) throws -> Void
    ) throws {
        let sink = GatheringSink()
        var writer = RecordWriter(sink)
        try body(&writer)
        try writer.end()
        _ = try session.receive(
            TwoWayRequest(step, [], argument), PieceSource(sink.bytes, 1000))
    }

    /// Expects that nothing but what varve has of its own is changed, whether it throws or not.
    private func expectNoChange(
        throwing: Bool = true, _ sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () throws -> Void
    ) throws {
        func listing() throws -> [String] {
            try TreeListing.of(pair.directory.path).filter { !$0.contains(".varve-replica") }
        }
        let before = try listing()
        if throwing {
            #expect(throws: (any Error).self, sourceLocation: sourceLocation) { try body() }
        } else {
            try body()
        }
        expectSame(before, try listing(), sourceLocation: sourceLocation)
    }

    private static let outside = [
        "../outside/secret", "/etc/passwd", "a/../../x", ".varve-replica/state", ".varve-replica",
        "a//b", "./a",
    ]

    private static let time = Timestamp(seconds: 1, nanoseconds: 0)

    @Test(arguments: outside)
    func `A path beyond the store is refused in every step`(path: String) throws {
        let bytes = Array(path.utf8)
        try expectNoChange {
            try upload(.ask, session()) { writer in
                try writer.write(4) { $0.string(bytes) }
            }
        }
        try expectNoChange {
            try upload(.want, session()) { writer in
                try writer.write(1) {
                    $0.u32(0)
                    $0.string(bytes)
                }
            }
        }
        try expectNoChange {
            let file = OfferedFile(path: bytes, size: 0, key: .zero, isTableFile: false)
            try upload(.offer, session()) { writer in
                try writer.write(1) { file.encode(into: &$0) }
            }
        }
        for change in [
            StoreChange.directory(bytes, mode: 0o755), .remove(bytes), .table(bytes, version: 0),
            .symlink(bytes, target: [0x78], mtime: Self.time, isReplacing: false),
        ] {
            try expectNoChange {
                let session = try session()
                try upload(.offer, session) { _ in }
                try upload(.apply, session) { try $0.write(change) }
            }
        }
    }

    /// Offers and sends files; returns the session.
    private func send(
        _ files: [(path: String, text: String, isTableFile: Bool)]
    ) throws -> TwoWaySession {
        let session = try session()
        try upload(.offer, session) { writer in
            for file in files {
                let offer = OfferedFile(
                    path: Array(file.path.utf8), size: UInt64(file.text.utf8.count),
                    key: SHA256Digest(of: HostSystem.randomBytes(8).span),
                    isTableFile: file.isTableFile)
                try writer.write(1) { offer.encode(into: &$0) }
            }
        }
        try session.send(TwoWayRequest(.needs), GatheringSink())
        try upload(.stage, session) { writer in
            for (number, file) in files.enumerated() {
                let bytes = Array(file.text.utf8)
                try writer.write(1) {
                    $0.u32(UInt32(number))
                    $0.u8(1)
                    $0.u64(UInt64(bytes.count))
                    $0.time(Self.time)
                }
                try writer.write(
                    2,
                    {
                        $0.u8(BlobCodec.stored.rawValue)
                        $0.count(bytes.count)
                        $0.fingerprint(ChunkID(of: bytes.span).fingerprint)
                    }, bytes)
                try writer.write(3) { $0.digest(SHA256Digest(of: bytes.span)) }
            }
        }
        return session
    }

    @Test func `Logs are changed by commits alone, and tables by files of their own`() throws {
        let log = "t/_delta_log/00000000000000000009.json"
        try expectNoChange {
            try upload(.apply, send([(log, "{}", false)])) {
                try $0.write(StoreChange.put(0, isReplacing: false))
            }
        }
        try expectNoChange {
            try upload(.apply, send([(log, "{}", true)])) {
                try $0.write(StoreChange.table(Array("t".utf8), version: 1))
                try $0.write(StoreChange.data(0, isNeeded: true))
            }
        }
        try expectNoChange {
            try upload(.apply, send([("b", "x", true)])) {
                try $0.write(StoreChange.table(Array("t".utf8), version: 1))
                try $0.write(StoreChange.data(0, isNeeded: true))
            }
        }
        for change in [StoreChange.remove(Array("t/_delta_log".utf8)), .remove(Array(log.utf8))] {
            try expectNoChange {
                try upload(.apply, send([])) { try $0.write(change) }
            }
        }
        // A log of a table that is there is not replaced by another.
        try expectNoChange(throwing: false) {
            try upload(.apply, send([(log, "{}", true)])) {
                try $0.write(StoreChange.table(Array("t".utf8), version: nil))
                let name = Array("00000000000000000009.json".utf8)
                try $0.write(StoreChange.log(0, name: name))
            }
        }
    }

    @Test(arguments: [0, 1, 3, 9, Int64.max - (1 << 33)] as [Int64])
    func `A commit has its number or is not published`(version: Int64) throws {
        let commit = StoreChange.commit(
            TableCommit(version: version, modified: Self.time, bytes: [0x7b, 0x7d]))
        for base in [0, 1, 8] as [Int64] {
            // At another version than the table, it is taken for a writer that was faster.
            try expectNoChange(throwing: base == 1) {
                try upload(.apply, send([])) {
                    try $0.write(StoreChange.table(Array("t".utf8), version: base))
                    try $0.write(commit)
                }
            }
        }
    }

    @Test func `Nothing is read or written through a symlink`() throws {
        let session = try session()
        try upload(.want, session) { writer in
            try writer.write(1) {
                $0.u32(0)
                $0.string(Array("way-out/secret".utf8))
            }
        }
        let sink = GatheringSink()
        try session.send(TwoWayRequest(.content), sink)
        let secret = Array("secret".utf8)
        try session.send(TwoWayRequest(.release), GatheringSink())
        let isLeaked = sink.bytes.indices.contains { sink.bytes[$0...].starts(with: secret) }
        #expect(!isLeaked)
        try expectNoChange(throwing: false) {
            try upload(.apply, send([("way-out/new", "x", false)])) {
                try $0.write(StoreChange.put(0, isReplacing: false))
            }
        }
        try expectNoChange(throwing: false) {
            try upload(.apply, send([])) {
                try $0.write(StoreChange.remove(Array("way-out/secret".utf8)))
            }
        }
    }

    @Test func `What was not looked at is not replaced`() throws {
        let session = try send([("a", "theirs", false)])
        try pair.write("changed", "here/a")
        try expectNoChange(throwing: false) {
            try upload(.apply, session) {
                try $0.write(StoreChange.put(0, isReplacing: true))
            }
        }
        let outcome = GatheringSink()
        try session.send(TwoWayRequest(.outcome), outcome)
        let told = try StoreOutcome(reading: PieceSource(outcome.bytes, 100))
        #expect(told.failures.map(\.path) == [Array("a".utf8)])
        try session.send(TwoWayRequest(.release), GatheringSink())
        #expect(pair.read("here/a") == "changed")
        try expectNoChange(throwing: false) {
            try upload(.apply, send([("a", "theirs", false)])) {
                try $0.write(StoreChange.put(0, isReplacing: false))
            }
        }
    }

    @Test func `Content that is not what it says is refused`() throws {
        let offer = OfferedFile(
            path: Array("b".utf8), size: 3, key: .zero, isTableFile: false)
        func stage(_ body: (inout RecordWriter) throws -> Void) throws {
            let session = try session()
            try upload(.offer, session) { try $0.write(1) { offer.encode(into: &$0) } }
            try session.send(TwoWayRequest(.needs), GatheringSink())
            try upload(.stage, session, [], body)
        }
        func begin(_ writer: inout RecordWriter, number: UInt32, size: UInt64) throws {
            try writer.write(1) {
                $0.u32(number)
                $0.u8(1)
                $0.u64(size)
                $0.time(Self.time)
            }
        }
        func piece(
            _ writer: inout RecordWriter, _ bytes: [UInt8], count: Int, id: [UInt8]
        ) throws {
            try writer.write(
                2,
                {
                    $0.u8(BlobCodec.stored.rawValue)
                    $0.count(count)
                    $0.fingerprint(ChunkID(of: id.span).fingerprint)
                }, bytes)
        }
        try expectNoChange { try stage { try begin(&$0, number: 1, size: 3) } }
        try expectNoChange { try stage { try begin(&$0, number: 0, size: 3) } }
        try expectNoChange {
            try stage {
                try begin(&$0, number: 0, size: 3)
                try piece(&$0, [1, 2, 3], count: 3, id: [1, 2, 4])
            }
        }
        try expectNoChange {
            try stage {
                try begin(&$0, number: 0, size: 3)
                try piece(&$0, [1, 2, 3, 4], count: 4, id: [1, 2, 3, 4])
            }
        }
        try expectNoChange {
            try stage {
                try begin(&$0, number: 0, size: .max)
                try piece(&$0, [1, 2, 3], count: 1 << 40, id: [1, 2, 3])
            }
        }
        try expectNoChange {
            try stage {
                try begin(&$0, number: 0, size: 3)
                try piece(&$0, [1, 2, 3], count: 3, id: [1, 2, 3])
                try $0.write(3) { $0.digest(.zero) }
            }
        }
    }

    @Test func `Pieces come from files of the store, and only if they are what they should be`()
        throws
    {
        try pair.write("1234", "here/known")
        let known = Array("1234".utf8)
        func stage(_ path: String, place: UInt64, _ count: Int = 4) throws -> TwoWaySession {
            let session = try session()
            let offer = OfferedFile(
                path: Array("new".utf8), size: 4, key: .zero, isTableFile: false)
            try upload(.offer, session) { try $0.write(1) { offer.encode(into: &$0) } }
            try session.send(TwoWayRequest(.needs), GatheringSink())
            try upload(.stage, session) { writer in
                try writer.write(1) {
                    $0.u32(0)
                    $0.u8(1)
                    $0.u64(4)
                    $0.time(Self.time)
                }
                try writer.write(4) {
                    $0.count(count)
                    $0.fingerprint(ChunkID(of: known.span).fingerprint)
                    $0.string(Array(path.utf8))
                    $0.varint(place)
                }
                try writer.write(3) { $0.digest(SHA256Digest(of: known.span)) }
            }
            return session
        }
        func put(_ session: TwoWaySession) throws {
            try upload(.apply, session) {
                try $0.write(StoreChange.put(0, isReplacing: false))
            }
            try session.send(TwoWayRequest(.release), GatheringSink())
        }
        for path in Self.outside { try expectNoChange { _ = try stage(path, place: 0) } }
        try expectNoChange { _ = try stage("known", place: 0, 5) }
        try expectNoChange { _ = try stage("known", place: 0, 1 << 30) }
        for (path, place) in [
            ("known", 1), ("known", .max), ("nowhere", 0), ("way-out/secret", 0), ("t", 0),
        ] as [(String, UInt64)] {
            try expectNoChange(throwing: false) { try put(try stage(path, place: place)) }
        }
        try put(try stage("known", place: 0))
        #expect(pair.read("here/new") == "1234")
        let copy = PieceCopy(offset: 2, size: 2, path: Array("known".utf8), place: 0)
        for copies in [[copy, copy], [PieceCopy(offset: 3, size: 9, path: copy.path, place: 0)]] {
            try expectNoChange {
                let session = try session()
                defer { try? session.send(TwoWayRequest(.release), GatheringSink()) }
                try upload(.want, session) { writer in
                    try writer.write(1) {
                        $0.u32(0)
                        $0.string(Array("known".utf8))
                    }
                    for copy in copies { try writer.write(2) { copy.encode(into: &$0) } }
                }
                try session.send(TwoWayRequest(.content), GatheringSink())
            }
        }
    }

    @Test func `Steps that are not due are refused, and a dry run changes nothing`() throws {
        let fresh = TwoWaySession(try PinnedDirectory(pair.path("here")))
        for step in [TwoWayStep.ask, .offer, .want, .stage, .apply, .remember] {
            try expectNoChange { try upload(step, fresh) { _ in } }
        }
        for step in [TwoWayStep.facts, .answers, .needs, .content, .outcome] {
            try expectNoChange { try fresh.send(TwoWayRequest(step), GatheringSink()) }
        }
        try expectNoChange { try upload(.stage, session()) { _ in } }
        try expectNoChange {
            try upload(.apply, session()) {
                try $0.write(StoreChange.put(0, isReplacing: false))
            }
        }
        for step in [TwoWayStep.offer, .stage, .apply, .remember] {
            try expectNoChange { try upload(step, session([.dryRun])) { _ in } }
        }
    }

    @Test func `Answers of a peer are refused where they do not fit`() throws {
        func source(_ body: (inout RecordWriter) throws -> Void) throws -> PieceSource {
            let sink = GatheringSink()
            var writer = RecordWriter(sink)
            try body(&writer)
            try writer.end()
            return PieceSource(sink.bytes, 1000)
        }
        func head(_ writer: inout RecordWriter) throws {
            try writer.write(1) {
                $0.u8(1)
                $0.string([])
                $0.string([])
            }
        }
        let table = Array("t".utf8)
        let base = LogPoint(version: 0, digest: .zero)
        let question = StoreQuestion.history(table, since: base)
        let none = try source { _ in }
        #expect(throws: RemoteFailure.self) { try StoreAnswer.read(none, to: [question]) }
        let two = try source {
            try head(&$0)
            try head(&$0)
        }
        #expect(throws: RemoteFailure.self) { try StoreAnswer.read(two, to: [question]) }
        let point = try source {
            try $0.write(3) {
                $0.u64(1)
                $0.digest(.zero)
            }
        }
        #expect(throws: RemoteFailure.self) { try StoreAnswer.read(point, to: [question]) }
        let version = try source {
            try head(&$0)
            try $0.write(3) {
                $0.u64(.max)
                $0.digest(.zero)
            }
        }
        #expect(throws: MalformedBytes.self) { try StoreAnswer.read(version, to: [question]) }
        let strange = try source {
            try head(&$0)
            try $0.write(2) {
                $0.u64(1)
                $0.time(Self.time)
                $0.raw(Array(#"{"add":{"path":"../../x","size":1,"modificationTime":1}}"#.utf8))
            }
        }
        let answer = try #require(try StoreAnswer.read(strange, to: [question]).first)
        guard case .history(let commits, nil) = answer else {
            return #expect(Bool(false), "an answer of another kind")
        }
        #expect(throws: TableLogError.self, "a commit that names a file outside of the table") {
            try TableHistory(base: base, reading: commits, refusal: nil)
        }
        for paths in [["b", "a"], ["a", "a"], [""]] {
            let inventory = try source { writer in
                for path in paths {
                    let entry = PlainEntry(
                        path: Array(path.utf8), kind: .file, mode: 0o644, mtime: Self.time,
                        size: 1, digest: .zero)
                    try writer.write(2) { entry.encode(into: &$0) }
                }
            }
            #expect(throws: (any Error).self) { try StoreInventory(reading: inventory) }
        }
    }

    /// What a store says that it was synced with counts only where its log proves it.
    @Test func `A state that lies about versions merges nothing`() throws {
        try pair.sync()
        let state = try #require(
            try Fixtures.files(below: pair.path("there/.varve-replica")).first {
                String(decoding: $0, as: UTF8.self).contains("/sync-")
            })
        var lie = try TwoWayState(decoding: try Fixtures.read(state))
        lie.tables[0].here.version = 1 << 40
        try TestFiles.write(lie.encoded(), state)
        try pair.append("here/t", [2])
        try pair.append("there/t", [3])
        #expect(try pair.sync().isComplete)
        #expect(try pair.rows("here/t") == [1, 2, 3])
        #expect(try pair.rows("there/t") == [1, 2, 3])
    }
}
