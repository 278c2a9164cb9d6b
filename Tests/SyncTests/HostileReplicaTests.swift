@testable import Remote
@testable import Replicas
@testable import Serving
@testable import Snapshots
@testable import Targets
@testable import Wire
import Bytes
import Hashing
import Platform
import Repository
import Testing
import TestSupport

/// A peer that lies, on either side of a replication.
struct HostileReplicaTests {
    private let pair: ReplicaPair
    private let item: Depot.Item

    init() throws {
        pair = try ReplicaPair()
        var random = SplitMix64(seed: 8)
        try pair.directory.write(random.bytes(50_000), "source/a")
        try pair.directory.write([1, 2, 3], "outside/secret")
        try pair.replicate()
        item = try pair.depot.capture(pair.source)
    }

    /// A session of the target, begun.
    private func session(_ options: ReplicaOptions = []) throws -> ReplicaSession {
        let session = ReplicaSession(try PinnedDirectory(pair.target))
        try session.send(ReplicaRequest(.begin, options), GatheringSink())
        return session
    }

    private func upload(
        _ step: ReplicaStep, _ session: ReplicaSession,
        _ body: (inout RecordWriter) throws -> Void
    ) throws {
        let sink = GatheringSink()
        var writer = RecordWriter(sink)
        try body(&writer)
        try writer.end()
        _ = try session.receive(ReplicaRequest(step), PieceSource(sink.bytes, 1000))
    }

    private func head(_ writer: inout RecordWriter) throws {
        let origin = ReplicaOrigin(repository: try pair.depot.repository().config.id, item)
        try writer.write(1) {
            $0.u8(1)
            origin.encode(into: &$0)
        }
    }

    private func file(_ path: String, size: UInt64) -> ReplicaRecord {
        let time = Timestamp(seconds: 1, nanoseconds: 0)
        let content: Content = size == 0 ? .empty : .pieces([.hole(size: size)])
        let entry = ManifestEntry(
            path: Array(path.utf8), payload: .file(size: size, content), mode: 0o644, uid: 0,
            gid: 0, mtime: time, ctime: time, inode: 0, linkDevice: nil, attributes: [],
            isIncomplete: false)
        return ReplicaRecord(entry, key: SHA256Digest(of: Array(path.utf8).span))
    }

    private func expectRefusal(
        _ sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
    ) throws {
        let before = try TreeListing.of(pair.target).filter { !$0.hasPrefix(".varve-replica") }
        #expect(throws: (any Error).self, sourceLocation: sourceLocation) { try body() }
        let after = try TreeListing.of(pair.target).filter { !$0.hasPrefix(".varve-replica") }
        expectSame(before, after, sourceLocation: sourceLocation)
    }

    @Test(arguments: [".varve-replica/state", ".varve-replica", "b/../../x", "/etc/passwd", ""])
    func `A path that is not the store's is refused`(path: String) throws {
        try expectRefusal {
            try upload(.offer, session()) { writer in
                try head(&writer)
                try writer.write(2) { file(path, size: 0).encode(into: &$0) }
            }
        }
        try expectRefusal {
            try upload(.offer, session()) { writer in
                try head(&writer)
                try writer.write(3) { $0.string(Array(path.utf8)) }
            }
        }
    }

    @Test func `Paths out of order, without a head or twice are refused`() throws {
        for paths in [["b", "a"], ["a", "a"]] {
            try expectRefusal {
                try upload(.offer, session()) { writer in
                    try head(&writer)
                    for path in paths {
                        try writer.write(2) { file(path, size: 0).encode(into: &$0) }
                    }
                }
            }
        }
        try expectRefusal {
            try upload(.offer, session()) { writer in
                try writer.write(2) { file("a", size: 0).encode(into: &$0) }
            }
        }
        try expectRefusal {
            try upload(.offer, session()) { writer in
                try head(&writer)
                try head(&writer)
            }
        }
    }

    @Test func `Steps that are not due are refused`() throws {
        for step in [ReplicaStep.content, .supply] {
            try expectRefusal { try upload(step, session()) { _ in } }
        }
        for step in [ReplicaStep.wants, .lacking, .publish, .offer] {
            try expectRefusal {
                try session().send(ReplicaRequest(step), GatheringSink())
            }
        }
        let fresh = ReplicaSession(try PinnedDirectory(pair.target))
        try expectRefusal { try upload(.offer, fresh) { _ in } }
    }

    /// Offers one file, and sends what `body` writes for it.
    private func send(
        size: UInt64, _ body: (inout RecordWriter) throws -> Void
    ) throws -> ReplicaSession {
        let session = try session()
        try upload(.offer, session) { writer in
            try head(&writer)
            try writer.write(2) { file("new", size: size).encode(into: &$0) }
        }
        try upload(.content, session) { writer in
            try writer.write(1) { $0.u32(0) }
            try body(&writer)
        }
        return session
    }

    private func copy(
        _ writer: inout RecordWriter, _ bytes: [UInt8], _ path: String, offset: UInt64 = 0
    ) throws {
        try writer.write(2) { $0.string(Array(path.utf8)) }
        try writer.write(4) {
            $0.fingerprint(ChunkID(of: bytes.span).fingerprint)
            $0.varint(UInt64(bytes.count))
            ReplicaPlace.live(path: 0, offset: offset).encode(into: &$0)
        }
    }

    @Test func `Nothing is copied from what no replication left`() throws {
        try FileOperations.makeSymlink(
            pair.directory.path("source/link"), to: pair.directory.path("outside"),
            at: Descriptor.workingDirectory)
        try pair.replicate()
        let paths = ["../outside/secret", "link/secret", ".varve-replica/state", "nowhere"]
        for path in paths {
            try expectRefusal {
                _ = try send(size: 3) { try copy(&$0, [1, 2, 3], path) }
            }
        }
    }

    @Test func `What is not as it should be is lacking, and not published`() throws {
        let bytes = try pair.directory.read("target/a")
        let session = try send(size: 4) { try copy(&$0, [0, 0, 0, 0], "a", offset: 1 << 40) }
        let lacking = GatheringSink()
        try session.send(ReplicaRequest(.lacking), lacking)
        #expect(lacking.bytes.count > 13)
        try expectRefusal { try session.send(ReplicaRequest(.publish), GatheringSink()) }
        let whole = Array(bytes.prefix(4))
        let good = try send(size: 4) { try copy(&$0, whole, "a") }
        try good.send(ReplicaRequest(.publish), GatheringSink())
        #expect(try pair.directory.read("target/new") == whole)
    }

    @Test func `Content that is not what its id says is refused`() throws {
        try expectRefusal {
            _ = try send(size: 3) { writer in
                try writer.write(5) {
                    $0.fingerprint(ChunkID(of: [9, 9, 9].span).fingerprint)
                    $0.u8(0)
                    $0.count(3)
                    $0.raw([1, 2, 3])
                }
            }
        }
    }

    @Test func `More or less content than a file has is refused`() throws {
        try expectRefusal { _ = try send(size: 3) { try $0.write(3) { $0.varint(4) } } }
        try expectRefusal { _ = try send(size: 3) { try $0.write(3) { $0.varint(2) } } }
        try expectRefusal {
            _ = try send(size: 3) { writer in
                try writer.write(3) { $0.varint(3) }
                try writer.write(3) { $0.varint(3) }
            }
        }
        try expectRefusal { _ = try send(size: 3) { try $0.write(3) { $0.varint(0) } } }
        try expectRefusal { _ = try send(size: 3) { try $0.write(77) { $0.u8(0) } } }
    }

    @Test func `A stream that is cut anywhere publishes nothing`() throws {
        try pair.directory.write([4, 5, 6], "source/b")
        let item = try pair.depot.capture(pair.source)
        let sender = ReplicaSender(
            try pair.depot.repository(), item, known: nil, WorkProgress())
        let offer = GatheringSink()
        try sender.offer(to: offer)
        for count in stride(from: 0, to: offer.bytes.count, by: 11) {
            try expectRefusal {
                _ = try session().receive(
                    ReplicaRequest(.offer), PieceSource(Array(offer.bytes.prefix(count)), 1000))
            }
        }
    }

    @Test func `A target that asks for what was not offered gets nothing`() throws {
        let sender = ReplicaSender(
            try pair.depot.repository(), item, known: nil, WorkProgress())
        try sender.offer(to: GatheringSink())
        for lacking in [
            LackingPiece(file: 7, piece: 0, offset: 0),
            LackingPiece(file: 0, piece: 9999, offset: 0),
        ] {
            #expect(throws: RemoteFailure.self) {
                try sender.supply([lacking], to: GatheringSink())
            }
        }
        #expect(throws: RemoteFailure.self, "an answer that is too short") {
            try sender.content([], to: GatheringSink())
        }
    }

    @Test func `A key for a replica makes no devices and no set-id files`() throws {
        let session = ReplicaSession(try PinnedDirectory(pair.target), isTrusted: false)
        try session.send(ReplicaRequest(.begin, [.setID]), GatheringSink())
        try expectRefusal {
            try upload(.offer, session) { writer in
                try head(&writer)
                var device = file("device", size: 0)
                device.entry.payload = .characterDevice(0x103)
                try writer.write(2) { device.encode(into: &$0) }
            }
        }
        try upload(.offer, session) { writer in
            try head(&writer)
            var program = file("program", size: 0)
            program.entry.mode = 0o4755
            try writer.write(2) { program.encode(into: &$0) }
        }
        try upload(.content, session) { try $0.write(1) { $0.u32(0) } }
        try session.send(ReplicaRequest(.publish), GatheringSink())
        #expect(try FileStatus.of(pair.directory.path("target/program")).mode == 0o755)
    }

    @Test func `The server's arguments say who may write a replica`() throws {
        let place = try ServedPlace(root: pair.target)
        func open(_ policy: ServePolicy, _ purpose: ClientHello.Purpose, _ path: String) throws {
            let hello = ClientHello(salt: 1, purpose, Array(path.utf8))
            _ = try SessionService().open(hello, place, policy)
        }
        for policy in [ServePolicy(isReadOnly: true), ServePolicy(isAppendOnly: true)] {
            #expect(throws: RemoteFailure.self) { try open(policy, .replica, "") }
        }
        let only = ServePolicy(isReplicaOnly: true)
        for purpose in [ClientHello.Purpose.use, .create] {
            #expect(throws: RemoteFailure.self) { try open(only, purpose, "") }
        }
        for path in ["..", "../source", "x/../../source", "/etc"] {
            #expect(throws: RemoteFailure.self) { try open(only, .replica, path) }
        }
        try open(only, .replica, "")
        try open(only, .replica, "below")
    }
}
