import Targets
@testable import Trees
@testable import TwoWay
@testable import Wire
import Bytes
import Hashing
import Platform
import Testing
import TestSupport

/// What two stores remember of each other, as bytes.
struct TwoWayStateTests {
    private static let fixture = "sync/v1/state.sync"

    /// The state in the fixture.
    private static func sample() throws -> TwoWayState {
        var reader = ByteReader(Array(1...16) + [1])
        var state = TwoWayState(try PairEnd(decoding: &reader))
        let kinds: [(String, PlainEntry.Kind)] = [
            ("a", .directory), ("a/file", .file), ("link", .symlink),
        ]
        for (number, (path, kind)) in kinds.enumerated() {
            let digest = kind == .directory ? .zero : SHA256Digest(of: Array(path.utf8).span)
            var stamp = FileStamp.unknown
            if kind == .file {
                var bytes = ByteWriter()
                bytes.varint(300)
                for seconds in [1_700_000_000, 1_700_000_001] as [Int64] {
                    bytes.time(Timestamp(seconds: seconds, nanoseconds: 5))
                }
                bytes.varint(UInt64(number) + 1000)
                var reader = ByteReader(bytes.bytes)
                stamp = try FileStamp(decoding: &reader)
            }
            state.plain.append(
                TwoWayState.Plain(
                    fact: PlainFact(path: Array(path.utf8), kind: kind, digest: digest),
                    stamp: stamp))
        }
        for (path, here, there) in [("orders", 7, 7), ("t/u", 1000, 3)] as [(String, Int64, Int64)]
        {
            func point(_ version: Int64) -> LogPoint {
                LogPoint(version: version, digest: SHA256Digest(of: Array("\(version)".utf8).span))
            }
            state.tables.append(
                TableFact(path: Array(path.utf8), here: point(here), there: point(there)))
        }
        return state
    }

    @Test func `A state of the first version stays readable, byte for byte`() throws {
        if HostSystem.variable("VARVE_RECORD_FIXTURES") != nil,
            (try? Fixtures.bytes(Self.fixture)) == nil
        {
            try Fixtures.write(try Self.sample().encoded(), Self.fixture)
        }
        let bytes = try Fixtures.bytes(Self.fixture)
        #expect(try TwoWayState(decoding: bytes) == Self.sample())
        #expect(try Self.sample().encoded() == bytes)
    }

    @Test func `A state that is cut or changed anywhere is refused`() throws {
        let bytes = try Self.sample().encoded()
        for length in bytes.indices {
            #expect(throws: MalformedBytes.self) {
                try TwoWayState(decoding: Array(bytes.prefix(length)))
            }
            var changed = bytes
            changed[length] ^= [0x01, 0x80, 0xff][length % 3]
            #expect(throws: MalformedBytes.self) { try TwoWayState(decoding: changed) }
        }
    }

    /// Whoever can write the file can write its check, too.
    @Test func `No byte makes a trap, whatever the check says`() throws {
        let bytes = try Self.sample().encoded()
        for index in 0..<bytes.count - 8 {
            for flip in [0x01, 0x7f, 0x80, 0xff] as [UInt8] {
                var changed = Array(bytes.dropLast(8))
                changed[index] ^= flip
                var writer = ByteWriter()
                writer.raw(changed)
                writer.u64(XXH3Digest(of: changed.span).low)
                guard let state = try? TwoWayState(decoding: writer.bytes) else { continue }
                let paths = state.plain.map(\.fact.path)
                let tables = state.tables.map(\.path)
                for list in [paths, tables] {
                    #expect(list.allSatisfy(TwoWayPath.isAllowed))
                    #expect(
                        zip(list, list.dropFirst()).allSatisfy(PathBytes.isBefore),
                        "in order, each once")
                }
                let again = try? TwoWayState(decoding: state.encoded())
                #expect(again == state, "what was read is what is written")
            }
        }
    }

    @Test func `A damaged state stops a sync before anything is changed`() throws {
        let pair = try StorePair()
        try pair.write("1", "here/a")
        try pair.sync()
        let state = try #require(
            try Fixtures.files(below: pair.path("there/.varve-replica")).first {
                String(decoding: $0, as: UTF8.self).contains("/sync-")
            })
        var bytes = try Fixtures.read(state)
        bytes[40] ^= 1
        try TestFiles.write(bytes, state)
        try pair.write("2", "here/a")
        let error = #expect(throws: ConnectionError.self) { try pair.sync() }
        guard case .remote(let failure)? = error?.kind else {
            Issue.record("another error")
            return
        }
        #expect(failure.kind == .damaged)
        #expect(pair.read("there/a") == "1")
    }
}
