@testable import Remote
@testable import Wire
import Bytes
import Hashing
import Platform
import Repository
import SystemPackage
import Testing
import TestSupport

/// A server that says what it likes, on a thread of its own.
final class RawServer: Sendable {
    let client: PipePair

    /// Sends the bytes, then closes unless `stalls`.
    init(stalls: Bool = false, _ bytes: [UInt8]) throws {
        let (here, there) = try PipePair.joined()
        client = here
        WorkerThreads(count: 1) { _ in
            try? there.write(bytes, within: .seconds(5))
            if !stalls { there.closeOutput() }
            // Takes what the client says until it closes.
            while case .bytes? = try? there.read(1 << 16, within: .seconds(20)) {}
        }.detach()
    }

    func connect(_ deadlines: WireDeadlines = .standard) throws -> Connection {
        try Connection(client, location: "there", .use, path: [1], deadlines: deadlines)
    }
}

/// The client's session with a server that breaks every rule, each in a test of its own.
@Suite(.endsWithin(minutes: 10)) struct HostileServerTests {
    private static func kind(_ body: () throws -> Void) -> ConnectionError.Kind? {
        do {
            try body()
            return nil
        } catch {
            return (error as? ConnectionError)?.kind
        }
    }

    private static let hello = ServerHello(
        config: [1, 2, 3], mayWrite: true, mayRemove: true, limits: ServerLimits(), index: [],
        snapshots: [])

    /// A session that was greeted and sent these requests, numbered from 1.
    private static func session(_ messages: ClientMessage...) throws -> (ClientSession, FrameFeed) {
        var session = ClientSession()
        var feed = FrameFeed()
        _ = try session.receive(try feed.frame(.welcome(hello), 0))
        for message in messages { _ = try session.send(message) }
        return (session, feed)
    }

    /// Makes frames as they come out of a decoder.
    struct FrameFeed {
        private var encoder = FrameEncoder()
        private var decoder = FrameDecoder()
        private var isBegun = false

        mutating func frame(_ message: ServerMessage, _ number: UInt32) throws -> Frame {
            decoder.feed(
                (isBegun ? [] : WireLimits.preface) + message.encode(&encoder, number))
            isBegun = true
            return try #require(try decoder.next())
        }
    }

    private static func refusal(
        _ made: (ClientSession, FrameFeed), _ message: ServerMessage, _ number: UInt32 = 1
    ) throws -> WireError.Kind? {
        var (session, feed) = made
        let frame = try feed.frame(message, number)
        do throws(WireError) {
            _ = try session.receive(frame)
            return nil
        } catch {
            return error.kind
        }
    }

    @Test(arguments: [
        "Welcome!\n", "\u{1b}]0;title\u{7}motd\r\n", "bash: no such file\n", "varve-wire 2\n",
        "\0\0\0", "SSH-2.0-x\r\n",
    ])
    func `Text before the protocol is told, harmless on a terminal`(text: String) throws {
        let server = try RawServer(Array(text.utf8) + WireLimits.preface)
        do {
            _ = try server.connect()
            Issue.record("connected")
        } catch let error as ConnectionError {
            #expect(error.kind == .noise)
            #expect(error.detail.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f })
            #expect(error.detail.utf8.count <= 1_300)
            #expect(text != "Welcome!\n" || error.detail == "Welcome!")
        }
    }

    @Test func `Noise without end is told in part`() throws {
        let server = try RawServer([UInt8](repeating: 0x78, count: 5_000_000))
        #expect(Self.kind { _ = try server.connect() } == .noise)
    }

    @Test func `A server that closes at once, or says nothing, is given up`() throws {
        let closed = try RawServer([])
        #expect(Self.kind { _ = try closed.connect() } == .lost)
        var deadlines = WireDeadlines.standard
        (deadlines.ping, deadlines.stall) = (.milliseconds(50), .milliseconds(300))
        let silent = try RawServer(stalls: true, WireLimits.preface)
        #expect(Self.kind { _ = try silent.connect(deadlines) } == .lost)
    }

    @Test func `A server that stalls after its welcome is given up`() throws {
        var encoder = FrameEncoder()
        // The client's salt is its own, so only a server that read the hello can speak.
        let bytes = WireLimits.preface + ServerMessage.welcome(Self.hello).encode(&encoder, 0)
        let server = try RawServer(stalls: true, bytes)
        #expect(Self.kind { _ = try server.connect() } == .violation)
    }

    @Test func `An answer before the welcome, and a second welcome, are refused`() throws {
        var session = ClientSession()
        var feed = FrameFeed()
        let early = try feed.frame(.pong, 0)
        #expect(throws: WireError.self) { try session.receive(early) }
        #expect(try Self.refusal(try Self.session(), .welcome(Self.hello), 0) == .unexpected)
    }

    @Test func `An unknown version or feature is refused`() throws {
        for change in [
            { (hello: inout ServerHello) in hello.version = 2 },
            { (hello: inout ServerHello) in hello.features = WireFeatures(rawValue: 2) },
        ] {
            var (session, feed, hello) = (ClientSession(), FrameFeed(), Self.hello)
            change(&hello)
            let frame = try feed.frame(.welcome(hello), 0)
            do throws(WireError) {
                _ = try session.receive(frame)
                Issue.record("taken")
            } catch {
                #expect(error.kind == .unsupported)
            }
        }
    }

    @Test func `An answer to nothing, and a second answer, are refused`() throws {
        #expect(try Self.refusal(try Self.session(), .done([])) == .unexpected)
        #expect(try Self.refusal(try Self.session(.list(.pack)), .done([]), 2) == .unexpected)
        var (session, feed) = try Self.session(.sync(staged: 1))
        _ = try session.receive(try feed.frame(.done([]), 1))
        #expect(try Self.refusal((session, feed), .done([])) == .unexpected)
    }

    @Test func `An answer of another kind is refused`() throws {
        let name = ObjectName.pack(PackID(SHA256Digest(1, 2, 3, 4)))
        let made = try Self.session(.open(name, head: 0))
        for answer: ServerMessage in [.done([]), .names([], isLast: true), .bytes([]), .bitmap([])]
        {
            #expect(try Self.refusal(made, answer) == .unexpected)
        }
    }

    @Test func `Lies about sizes are refused`() throws {
        let name = ObjectName.pack(PackID(SHA256Digest(1, 2, 3, 4)))
        let read = try Self.session(.read(object: 1, offset: 0, count: 3))
        #expect(try Self.refusal(read, .bytes([1, 2, 3])) == nil)
        #expect(try Self.refusal(read, .bytes([1, 2, 3, 4])) == .excessive)
        let open = try Self.session(.open(name, head: 2))
        #expect(try Self.refusal(open, .opened(size: 9, head: [1, 2])) == nil)
        #expect(try Self.refusal(open, .opened(size: 9, head: [1, 2, 3])) == .excessive)
        #expect(try Self.refusal(open, .opened(size: 1, head: [1, 2])) == .excessive)
        let id = BlobID(
            .chunk, Fingerprint(xxh3: XXH3Digest(high: 1, low: 2), sha256: SHA256Digest(1, 2, 3, 4))
        )
        let have = try Self.session(.have([BlobID](repeating: id, count: 9)))
        #expect(try Self.refusal(have, .bitmap([1, 2])) == nil)
        #expect(try Self.refusal(have, .bitmap([1])) == .malformed)
        #expect(try Self.refusal(have, .bitmap([1, 2, 3])) == .malformed)
    }

    @Test func `Floods of names, data and credit end at the limits`() throws {
        let names = [SHA256Digest](repeating: SHA256Digest(1, 2, 3, 4), count: 16 << 10)
        var (session, feed) = try Self.session(.list(.pack))
        var refused: WireError?
        for _ in 0..<1_000 where refused == nil {
            let frame = try feed.frame(.names(names, isLast: false), 1)
            do throws(WireError) { _ = try session.receive(frame) } catch { refused = error }
        }
        #expect(refused?.kind == .excessive)
        let download = try Self.session(.download(credit: 10, []))
        #expect(try Self.refusal(download, .data([UInt8](repeating: 0, count: 10)[...])) == nil)
        #expect(
            try Self.refusal(download, .data([UInt8](repeating: 0, count: 11)[...])) == .excessive)
        #expect(try Self.refusal(try Self.session(.upload([])), .data([1])) == .unexpected)
        #expect(try Self.refusal(try Self.session(.upload([])), .credit(.max)) == .unexpected)
        #expect(try Self.refusal(try Self.session(), .credit(1), 5) == .unexpected)
    }

    @Test func `A server asks for nothing`() throws {
        for type in FrameType.allCases where type.rawValue < 32 {
            var encoder = FrameEncoder()
            var decoder = FrameDecoder()
            decoder.feed(WireLimits.preface + encoder.encode(type, 1) { $0.raw([0, 0, 0, 0]) })
            let frame = try #require(try decoder.next())
            var (session, _) = try Self.session(.list(.pack))
            #expect(throws: WireError.self) { try session.receive(frame) }
        }
    }

    @Test func `What a server says as it goes is short and harmless`() throws {
        let long = String(repeating: "\u{1b}[31mx", count: 100_000)
        var (session, feed) = try Self.session()
        let frame = try feed.frame(.farewell(RemoteFailure(.other, long)), 0)
        do throws(WireError) {
            _ = try session.receive(frame)
            Issue.record("taken")
        } catch {
            #expect(error.message.utf8.count < 8_000)
            #expect(error.message.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f })
        }
    }

    @Test(arguments: Seed.some(3))
    func `Random bytes and random payloads never do more than fail`(seed: Seed) throws {
        var generator = SplitMix64(seed)
        for _ in 0..<500 {
            var decoder = FrameDecoder()
            decoder.feed(WireLimits.preface + generator.bytes(generator.below(400)))
            while let frame = try? decoder.next() { _ = try? ServerMessage(frame) }
        }
        for type in FrameType.allCases {
            for _ in 0..<200 {
                var encoder = FrameEncoder()
                var decoder = FrameDecoder()
                let payload = generator.bytes(generator.below(200))
                decoder.feed(WireLimits.preface + encoder.encode(type, 1) { $0.raw(payload) })
                let frame = try #require(try decoder.next())
                var (session, _) = try Self.session(.list(.pack))
                _ = try? session.receive(frame)
            }
        }
    }
}
