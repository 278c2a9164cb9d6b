@testable import Remote
@testable import Repository
@testable import Wire
import Bytes
import Hashing
import Platform
import SystemPackage
import Testing
import TestSupport

/// A client that writes what it likes, beside a server on a thread of its own.
final class RawClient {
    let pipes: PipePair
    private let outcome = Monitor<Result<Void, any Error>?>(nil)
    var encoder = FrameEncoder()
    private var decoder = FrameDecoder()

    static let salt: UInt64 = 77

    init(_ policy: ServePolicy = ServePolicy(), _ storage: any Storage = SimulatedStorage()) throws
    {
        let (here, there) = try PipePair.joined()
        pipes = here
        let server = WireServer(there, policy, NoStreams()) { _ in storage }
        let outcome = self.outcome
        WorkerThreads(count: 1) { _ in
            let result = Result { try server.run() }
            outcome.update { $0 = result }
        }.detach()
    }

    func write(_ bytes: [UInt8]) throws { try pipes.write(bytes, within: .seconds(20)) }

    func send(_ message: ClientMessage, _ number: UInt32 = 0) throws {
        try write(message.encode(&encoder, number))
    }

    /// Preface and hello.
    func greet(_ change: (inout ClientHello) -> Void = { _ in }) throws {
        try write(WireLimits.preface)
        var hello = ClientHello(salt: Self.salt, .use, Array("/repo".utf8))
        change(&hello)
        try send(.hello(hello))
        encoder.salt = hello.salt
        decoder.salt = hello.salt
    }

    /// Everything that the server says until it closes.
    func listen() throws -> [ServerMessage] {
        var messages: [ServerMessage] = []
        while case .bytes(let bytes) = try pipes.read(1 << 16, within: .seconds(20)) {
            decoder.feed(bytes)
            while let frame = try decoder.next() { messages.append(try ServerMessage(frame)) }
        }
        return messages
    }

    /// Closes, and returns the error that the server ended with.
    func failure() -> (any Error)? {
        pipes.closeOutput()
        switch outcome.wait({ $0 }) {
        case .success: return nil
        case .failure(let error): return error
        }
    }

    /// Expects that the server ends the conversation and says so in its last frame.
    func expectEnd(_ kind: WireError.Kind) throws {
        let messages = try listen()
        let error = failure() as? WireError
        #expect(error?.kind == kind, "\(String(describing: error))")
        guard case .farewell? = messages.last else {
            Issue.record("no farewell but \(String(describing: messages.last))")
            return
        }
    }
}

/// A server with a client that breaks every rule, each in a test of its own.
@Suite(.endsWithin(minutes: 10)) struct HostileClientTests {
    @Test func `A client that says nothing is given up at the deadline`() throws {
        var policy = ServePolicy()
        policy.deadlines.handshake = .milliseconds(300)
        let client = try RawClient(policy)
        _ = try client.listen()
        #expect(client.failure() is RemoteFailure)
    }

    @Test func `A hello that drips is given up at the same deadline`() throws {
        var policy = ServePolicy()
        policy.deadlines.handshake = .milliseconds(500)
        let client = try RawClient(policy)
        let start = ContinuousClock.now
        for byte in WireLimits.preface + [UInt8](repeating: 0, count: 100) {
            guard (try? client.write([byte])) != nil else { break }
            HostSystem.sleep(.milliseconds(50))
        }
        #expect(client.failure() is RemoteFailure)
        #expect(ContinuousClock.now - start < .seconds(8))
    }

    @Test func `A client that stalls later is given up when it is idle for too long`() throws {
        var policy = ServePolicy()
        policy.deadlines.idle = .milliseconds(300)
        let client = try RawClient(policy)
        try client.greet()
        let messages = try client.listen()
        #expect(messages.count == 2)
        #expect(client.failure() is RemoteFailure)
    }

    @Test func `A client that takes no answers is given up`() throws {
        var policy = ServePolicy()
        policy.deadlines.stall = .milliseconds(300)
        let storage = SimulatedStorage()
        let name = ObjectName.pack(PackID(SHA256Digest(1, 2, 3, 4)))
        try storage.put(name, [UInt8](repeating: 1, count: 1 << 20))
        let client = try RawClient(policy, storage)
        try client.greet()
        try client.send(.open(name, head: 0), 1)
        for number in 2...20 as ClosedRange<UInt32> {
            try? client.send(.read(object: 1, offset: 0, count: 1 << 20), number)
        }
        HostSystem.sleep(.milliseconds(700))
        #expect((client.failure() as? PlatformError)?.errno == .timedOut)
    }

    @Test func `Other text in place of the protocol is refused`() throws {
        let client = try RawClient()
        try client.write(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8))
        try client.expectEnd(.noise)
    }

    @Test func `A frame before hello, and a second hello, are refused`() throws {
        let early = try RawClient()
        try early.write(WireLimits.preface)
        try early.send(.list(.pack), 1)
        try early.expectEnd(.unexpected)
        let twice = try RawClient()
        try twice.greet()
        try twice.send(.hello(ClientHello(salt: 1, .use, [])))
        try twice.expectEnd(.unexpected)
    }

    @Test func `An unknown version or mandatory feature is refused, an optional one is not`() throws
    {
        let newer = try RawClient()
        try newer.greet { ($0.oldest, $0.newest) = (2, 9) }
        try newer.expectEnd(.unsupported)
        let needy = try RawClient()
        try needy.greet { $0.mandatory = WireFeatures(rawValue: 1 << 31) }
        try needy.expectEnd(.unsupported)
        let modest = try RawClient()
        try modest.greet { $0.optional = WireFeatures(rawValue: 1 << 31) }
        #expect(modest.failure() == nil)
    }

    @Test func `A repeated frame is refused`() throws {
        let client = try RawClient()
        try client.greet()
        let frame = ClientMessage.ping.encode(&client.encoder, 0)
        try client.write(frame + frame)
        try client.expectEnd(.unexpected)
    }

    @Test func `Frames in another order are refused`() throws {
        let client = try RawClient()
        try client.greet()
        let first = ClientMessage.list(.pack).encode(&client.encoder, 1)
        let second = ClientMessage.list(.index).encode(&client.encoder, 2)
        try client.write(second + first)
        try client.expectEnd(.unexpected)
    }

    @Test func `A frame of another conversation is refused`() throws {
        let client = try RawClient()
        try client.greet()
        client.encoder.salt = RawClient.salt + 1
        try client.send(.list(.pack), 1)
        try client.expectEnd(.malformed)
    }

    @Test func `A number that was used is refused`() throws {
        let client = try RawClient()
        try client.greet()
        try client.send(.list(.pack), 5)
        try client.send(.list(.pack), 5)
        try client.expectEnd(.unexpected)
    }

    @Test(arguments: [0, 1, 15, 16, 17, 23])
    func `A frame that is cut short ends the session and publishes nothing`(count: Int) throws {
        let storage = SimulatedStorage()
        let client = try RawClient(ServePolicy(), storage)
        try client.greet()
        let name = ObjectName.snapshot(SnapshotID(SHA256Digest(1, 2, 3, 4)))
        let frame = ClientMessage.put(name, [1, 2, 3]).encode(&client.encoder, 1)
        try client.write(Array(frame[..<count]))
        let error = client.failure()
        #expect((error == nil) == (count == 0))
        #expect(storage.names.isEmpty)
    }

    @Test func `A frame that says it is huge is refused before it is read`() throws {
        for size in [UInt32(WireLimits.payload + 1), 1 << 30, .max] {
            let client = try RawClient()
            try client.greet()
            var header = ByteWriter()
            header.u32(size)
            header.raw([FrameType.put.rawValue, 0, 0, 0])
            header.u32(1)
            header.u32(1)
            try client.write(header.bytes)
            try client.expectEnd(.excessive)
        }
    }

    @Test func `Every byte of a frame is covered`() throws {
        for index in 0..<60 {
            let client = try RawClient()
            try client.greet()
            var frame = ClientMessage.list(.pack).encode(&client.encoder, 1)
            guard index < frame.count else { break }
            frame[index] ^= 0x40
            try client.write(frame + [UInt8](repeating: 0, count: 64))
            #expect(client.failure() is WireError, "byte \(index)")
        }
    }

    @Test func `What is not open, staged or begun cannot be used`() throws {
        let name = ObjectName.pack(PackID(SHA256Digest(1, 2, 3, 4)))
        let messages: [(ClientMessage, UInt32)] = [
            (.read(object: 7, offset: 0, count: 1), 9), (.close, 7), (.write(offset: 0, [1]), 7),
            (.sync(staged: 7), 9), (.publish(staged: 7, name), 9), (.discard, 7), (.data([1]), 7),
            (.end, 7), (.credit(1), 7),
        ]
        for (message, number) in messages {
            let client = try RawClient()
            try client.greet()
            try client.send(message, number)
            try client.expectEnd(.unexpected)
        }
    }

    @Test func `A published object cannot be written any more`() throws {
        let client = try RawClient()
        try client.greet()
        try client.send(.stage(.pack), 1)
        try client.send(.publish(staged: 1, .pack(PackID(SHA256Digest(1, 2, 3, 4)))), 2)
        try client.send(.write(offset: 0, [1]), 1)
        try client.expectEnd(.unexpected)
    }

    @Test func `Floods of objects and streams end at the limits`() throws {
        let limits = ServerLimits()
        let opens = try RawClient()
        try opens.greet()
        for number in 1...limits.objects + 1 {
            try opens.send(.open(.config, head: 0), number)
        }
        try opens.expectEnd(.excessive)
        let stages = try RawClient()
        try stages.greet()
        for number in 1...limits.staged + 1 { try stages.send(.stage(.pack), number) }
        try stages.expectEnd(.excessive)
        let streams = try RawClient()
        try streams.greet()
        for number in 1...limits.streams + 1 { try streams.send(.upload([]), number) }
        try streams.expectEnd(.excessive)
    }

    @Test func `More data than was granted is refused`() throws {
        let client = try RawClient()
        try client.greet()
        try client.send(.upload([]), 1)
        let content = [UInt8](repeating: 0, count: 1 << 20)[...]
        for _ in 0..<9 { try? client.send(.data(content), 1) }
        try client.expectEnd(.excessive)
    }

    @Test func `Sizes and places beyond all limits are refused`() throws {
        for (message, number) in [
            (ClientMessage.write(offset: .max, [1, 2]), UInt32(1)),
            (.write(offset: SizeLimits.pack, [1]), 1),
            (.read(object: 2, offset: 0, count: .max), 3),
        ] {
            let client = try RawClient()
            try client.greet()
            try client.send(.stage(.pack), 1)
            try client.send(.open(.config, head: 0), 2)
            try client.send(message, number)
            try client.expectEnd(.excessive)
        }
    }

    @Test func `A server takes no frames that only servers send`() throws {
        for type in FrameType.allCases where type.rawValue >= 64 {
            let client = try RawClient()
            try client.greet()
            try client.write(client.encoder.encode(type, 1) { $0.raw([0, 0, 0, 0]) })
            try client.expectEnd(.malformed)
        }
    }

    @Test(arguments: Seed.some(3))
    func `Random bytes end the session and nothing else`(seed: Seed) throws {
        var generator = SplitMix64(seed)
        for round in 0..<40 {
            let storage = SimulatedStorage()
            let client = try RawClient(ServePolicy(), storage)
            if round % 2 == 0 { try client.greet() }
            try? client.write(generator.bytes(generator.below(3_000) + 1))
            _ = client.failure()
            #expect(storage.names.isEmpty)
        }
    }

    @Test(arguments: Seed.some(3))
    func `Random payloads in right frames end the session or are answered`(seed: Seed) throws {
        var generator = SplitMix64(seed)
        for type in FrameType.allCases {
            for _ in 0..<10 {
                let storage = SimulatedStorage()
                let client = try RawClient(ServePolicy(), storage)
                try client.greet()
                let payload = generator.bytes(generator.below(200))
                let number = UInt32(generator.below(3))
                try client.write(client.encoder.encode(type, number) { $0.raw(payload) })
                _ = client.failure()
                #expect(storage.names.isEmpty)
            }
        }
    }
}
