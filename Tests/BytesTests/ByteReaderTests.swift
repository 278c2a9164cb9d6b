import Bytes
import Testing
import TestSupport

/// One field as it is written and read; the laws hold for any sequence of them.
private enum Field: Equatable {
    case u8(UInt8)
    case u16(UInt16)
    case u32(UInt32)
    case u64(UInt64)
    case varint(UInt64)
    case signed(Int64)
    case string([UInt8])
    case fingerprint(Fingerprint)

    static func random(_ generator: inout SplitMix64) -> Field {
        let number = generator.next() >> UInt64(generator.below(64))
        switch generator.below(8) {
        case 0: return .u8(UInt8(truncatingIfNeeded: number))
        case 1: return .u16(UInt16(truncatingIfNeeded: number))
        case 2: return .u32(UInt32(truncatingIfNeeded: number))
        case 3: return .u64(number)
        case 4: return .varint(number)
        case 5: return .signed(Int64(bitPattern: number) * (generator.below(2) == 0 ? 1 : -1))
        case 6: return .string(generator.bytes(generator.below(40)))
        default:
            let xxh3 = XXH3Digest(high: generator.next(), low: number)
            let sha256 = SHA256Digest(generator.next(), 0, number, generator.next())
            return .fingerprint(Fingerprint(xxh3: xxh3, sha256: sha256))
        }
    }

    func write(_ writer: inout ByteWriter) {
        switch self {
        case .u8(let value): writer.u8(value)
        case .u16(let value): writer.u16(value)
        case .u32(let value): writer.u32(value)
        case .u64(let value): writer.u64(value)
        case .varint(let value): writer.varint(value)
        case .signed(let value): writer.signed(value)
        case .string(let value): writer.string(value)
        case .fingerprint(let value): writer.fingerprint(value)
        }
    }

    /// Reads a field of the same kind.
    func readAgain(_ reader: inout ByteReader) throws(MalformedBytes) -> Field {
        switch self {
        case .u8: .u8(try reader.u8())
        case .u16: .u16(try reader.u16())
        case .u32: .u32(try reader.u32())
        case .u64: .u64(try reader.u64())
        case .varint: .varint(try reader.varint())
        case .signed: .signed(try reader.signed())
        case .string: .string(try reader.string(limit: 40))
        case .fingerprint: .fingerprint(try reader.fingerprint())
        }
    }
}

struct ByteReaderTests {
    private func fields(_ seed: Seed) -> (fields: [Field], bytes: [UInt8]) {
        var generator = SplitMix64(seed)
        let fields = (0..<50).map { _ in Field.random(&generator) }
        var writer = ByteWriter()
        for field in fields { field.write(&writer) }
        return (fields, writer.bytes)
    }

    @Test(arguments: Seed.some(20))
    func `What is written is read again`(seed: Seed) throws {
        let (fields, bytes) = fields(seed)
        var reader = ByteReader(bytes)
        for field in fields { #expect(try field.readAgain(&reader) == field) }
        #expect(reader.isAtEnd && reader.remaining == 0)
        try reader.finish()
    }

    @Test(arguments: Seed.some(4))
    func `Bytes cut short at any place are refused as truncated`(seed: Seed) {
        let (fields, bytes) = fields(seed)
        for count in 0..<bytes.count {
            let error = #expect(throws: MalformedBytes.self) {
                var reader = ByteReader(Array(bytes.prefix(count)))
                for field in fields { _ = try field.readAgain(&reader) }
            }
            #expect(error?.kind == .truncated)
            #expect(error.map { $0.offset <= count } == true)
        }
    }

    @Test(arguments: Seed.some(20))
    func `Random bytes are read or refused but never trap`(seed: Seed) {
        var generator = SplitMix64(seed)
        for _ in 0..<200 {
            var reader = ByteReader(generator.bytes(generator.below(30)))
            while !reader.isAtEnd {
                guard (try? Field.random(&generator).readAgain(&reader)) != nil else { break }
            }
            #expect(reader.offset <= 30)
        }
    }

    @Test func `A reader of a range sees nothing beyond it`() throws {
        var reader = ByteReader([1, 2, 3, 4, 5], in: 1..<3)
        #expect(reader.remaining == 2)
        #expect(try reader.u16() == 0x0302)
        #expect(throws: MalformedBytes(.truncated, at: 3, expected: "a byte")) {
            _ = try reader.u8()
        }
        try reader.finish()
    }

    @Test func `Integers are little-endian and digests as printed`() throws {
        var reader = ByteReader([1, 2, 3, 4, 5, 6, 7, 8])
        #expect(try reader.u64() == 0x0807_0605_0403_0201)
        var digest = ByteReader(Array(0..<16))
        let xxh3 = try digest.xxh3()
        #expect(xxh3.high == 0x0001_0203_0405_0607 && xxh3.low == 0x0809_0a0b_0c0d_0e0f)
    }

    @Test func `Bytes after the last field are refused`() throws {
        var reader = ByteReader([1, 2])
        _ = try reader.u8()
        #expect(throws: MalformedBytes(.trailing, at: 1, expected: "the end")) {
            try reader.finish()
        }
    }

    @Test func `Another magic number is refused by name`() {
        let error = #expect(throws: MalformedBytes.self) {
            var reader = ByteReader(Array("varvepcX".utf8))
            try reader.magic("varvepck")
        }
        #expect(error.map { "\($0)".contains("'varvepck'") } == true)
    }

    @Test(arguments: [UInt64(0), 1, 39, 40, 41, 1 << 31, 1 << 63, .max])
    func `A declared length is held against the limit before anything is taken`(length: UInt64) {
        var writer = ByteWriter()
        writer.varint(length)
        writer.raw([UInt8](repeating: 7, count: 40))
        var reader = ByteReader(writer.bytes)
        let string = try? reader.string(limit: 40)
        #expect(string?.count == (length <= 40 ? Int(length) : nil))
    }

    @Test func `A count that is negative is refused as truncated`() {
        var reader = ByteReader([1, 2, 3])
        #expect(throws: MalformedBytes.self) { _ = try reader.take(-1) }
        #expect(throws: MalformedBytes.self) { _ = try reader.take(.max) }
        #expect(reader.offset == 0)
    }
}

struct VarintTests {
    @Test(
        arguments: [
            (0, [0]), (127, [0x7f]), (128, [0x80, 1]), (300, [0xac, 2]),
            (16_383, [0xff, 0x7f]), (16_384, [0x80, 0x80, 1]),
            (1 << 63, [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1]),
            (.max, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ] as [(UInt64, [UInt8])]
    )
    func `A varint has one form`(value: UInt64, bytes: [UInt8]) throws {
        var writer = ByteWriter()
        writer.varint(value)
        #expect(writer.bytes == bytes)
        var reader = ByteReader(bytes)
        #expect(try reader.varint() == value)
    }

    @Test func `Every edge between lengths goes there and back`() throws {
        for bit in 0..<64 as Range<UInt64> {
            let power = UInt64(1) << bit
            for value in [power - 1, power, power &+ 1] {
                var writer = ByteWriter()
                writer.varint(value)
                var reader = ByteReader(writer.bytes)
                #expect(try reader.varint() == value)
                try reader.finish()
            }
        }
    }

    @Test(
        arguments: [
            [0x80, 0], [0xff, 0], [0x80, 0x80, 0], [0x81, 0x80, 0],
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0],
            [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1],
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ] as [[UInt8]]
    )
    func `A form that is longer than need be or overflows is refused`(bytes: [UInt8]) {
        let error = #expect(throws: MalformedBytes.self) {
            var reader = ByteReader(bytes)
            _ = try reader.varint()
        }
        #expect(error?.kind == .invalid && error?.offset == 0)
    }

    @Test func `Every pair of bytes is refused or is what its value is written as`() {
        for first in 0...255 as ClosedRange<UInt8> {
            for second in 0...255 as ClosedRange<UInt8> {
                var reader = ByteReader([first, second])
                guard let value = try? reader.varint() else { continue }
                var writer = ByteWriter()
                writer.varint(value)
                let read = Array([first, second].prefix(reader.offset))
                guard writer.bytes != read else { continue }
                Issue.record("\(first), \(second) were read as \(value)")
            }
        }
    }

    @Test(arguments: [.min, -129, -128, -65, -64, -2, -1, 0, 1, 63, 64, 65, .max] as [Int64])
    func `Signed varints go there and back`(value: Int64) throws {
        var writer = ByteWriter()
        writer.signed(value)
        let isShort = value >= -64 && value < 64
        #expect((writer.count == 1) == isShort)
        var reader = ByteReader(writer.bytes)
        #expect(try reader.signed() == value)
    }
}
