import Bytes
import Hashing
import Platform
import Remote
import Repository
import Testing
import TestSupport
import Wire

/// A service that digests what it takes, sends what it is asked for, and fails where it is told to.
private struct EchoService: StreamService {
    func receive(
        _ request: [UInt8], _ content: IncomingStream, _ served: ServedStorage
    ) throws -> [UInt8] {
        if request == Array("refuse".utf8) {
            throw RemoteFailure(.missing, "snapshot A is not here")
        }
        if request == Array("half".utf8) {
            _ = try content.read(1_000)
            return Array("enough".utf8)
        }
        if request == Array("slow".utf8) { HostSystem.sleep(.milliseconds(300)) }
        var hasher = SHA256Hasher()
        while let chunk = try content.next() { hasher.update(chunk.span) }
        return hasher.finish().bytes
    }

    func send(_ request: [UInt8], _ content: OutgoingStream, _ served: ServedStorage) throws {
        if request == Array("fail".utf8) {
            try content.write([UInt8](repeating: 1, count: 400_000))
            throw RemoteFailure(.damaged, "a pack is damaged")
        }
        var generator = SplitMix64(seed: 3)
        for _ in 0..<Int(String(decoding: request, as: UTF8.self), default: 0) {
            try content.write(generator.bytes(10_000))
        }
    }
}

extension Int {
    fileprivate init(_ text: String, default value: Int) { self = Int(text) ?? value }
}

struct StreamTests {
    private static func pair() throws -> ServedPair {
        try ServedPair(SimulatedStorage(), ServePolicy(), EchoService())
    }

    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test(arguments: [0, 1, 262_143, 262_144, 262_145, 30_000_000], ["", "slow"])
    func `An upload arrives as it was written`(count: Int, request: String) throws {
        let pair = try Self.pair()
        var generator = SplitMix64(seed: UInt64(count))
        let bytes = generator.bytes(count)
        let reply = try pair.connection.upload(Self.bytes(request)) { stream in
            for start in stride(from: 0, to: count, by: 700_001) {
                try stream.write(Array(bytes[start..<min(start + 700_001, count)]))
            }
        }
        #expect(reply == SHA256Digest(of: bytes.span).bytes)
    }

    @Test(arguments: [0, 1, 3_000])
    func `A download arrives as it was written`(pieces: Int) throws {
        let pair = try Self.pair()
        var generator = SplitMix64(seed: 3)
        let wanted = (0..<pieces).flatMap { _ in generator.bytes(10_000) }
        let bytes = try pair.connection.download(Self.bytes("\(pieces)")) { stream in
            try stream.read(100_000_000)
        }
        let isRight = bytes == wanted
        #expect(isRight)
    }

    @Test func `A download that is taken slowly lets other requests through`() throws {
        let pair = try Self.pair()
        let remote = RemoteStorage(pair.connection)
        let total = try pair.connection.download(Self.bytes("4000")) { stream in
            var total = 0
            while let chunk = try stream.next() {
                total += chunk.count
                if total < 20_000_000 { #expect(try remote.list(.pack).isEmpty) }
            }
            return total
        }
        #expect(total == 40_000_000)
    }

    private static func failure(_ body: () throws -> Void) -> ConnectionError? {
        do {
            try body()
            return nil
        } catch {
            return error as? ConnectionError
        }
    }

    @Test func `What a service refuses reaches the client by its kind`() throws {
        let pair = try Self.pair()
        let refused = Self.failure {
            _ = try pair.connection.upload(Self.bytes("refuse")) { stream in
                for _ in 0..<100 { try stream.write([UInt8](repeating: 0, count: 1 << 20)) }
            }
        }
        #expect(refused?.kind == .remote(RemoteFailure(.missing, "snapshot A is not here")))
        let failed = Self.failure {
            try pair.connection.download(Self.bytes("fail")) { while try $0.next() != nil {} }
        }
        #expect(failed?.kind == .remote(RemoteFailure(.damaged, "a pack is damaged")))
        // The conversation goes on.
        #expect(try pair.connection.upload([]) { _ in } == SHA256Digest(of: [UInt8]().span).bytes)
    }

    @Test func `A service may answer before the stream ends`() throws {
        let pair = try Self.pair()
        let reply = try pair.connection.upload(Self.bytes("half")) { stream in
            for _ in 0..<100 { try stream.write([UInt8](repeating: 0, count: 1 << 20)) }
        }
        #expect(reply == Array("enough".utf8))
    }

    @Test func `A stream that its user gives up ends on the other side too`() throws {
        struct Enough: Error {}
        let pair = try Self.pair()
        for _ in 0..<10 {
            #expect(throws: Enough.self) {
                try pair.connection.download(Self.bytes("4000")) { stream in
                    _ = try stream.next()
                    throw Enough()
                }
            }
            #expect(throws: Enough.self) {
                try pair.connection.upload([]) { stream in
                    try stream.write([UInt8](repeating: 0, count: 300_000))
                    throw Enough()
                }
            }
        }
        pair.connection.close()
        try pair.serverOutcome().get()
    }

    @Test func `A server that may not write takes no uploads`() throws {
        let pair = try ServedPair(
            SimulatedStorage(), ServePolicy(isReadOnly: true), EchoService())
        let refused = Self.failure { _ = try pair.connection.upload([]) { try $0.write([1]) } }
        guard case .remote(let failure)? = refused?.kind else {
            Issue.record("\(String(describing: refused))")
            return
        }
        #expect(failure.kind == .forbidden)
        #expect(
            try pair.connection.download(Self.bytes("1")) { try $0.read(10_000) }.count == 10_000)
    }
}
