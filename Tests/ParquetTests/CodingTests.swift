import Bytes
import Testing
import TestSupport

@testable import Parquet

/// Encodings by themselves: what was encoded is decoded, at all edges.
struct CodingTests {
    @Test(arguments: [0, 1, 2, 31, 32, 33, 127, 128, 129, 130, 1_000])
    func `Differences come back`(count: Int) throws {
        var random = SplitMix64(seed: UInt64(count))
        let kinds: [[Int64]] = [
            (0..<count).map { Int64($0) }, (0..<count).map { _ in Int64(random.below(100)) - 50 },
            (0..<count).map { _ in Int64(bitPattern: random.next()) },
            (0..<count).map { $0 % 2 == 0 ? .min : .max }, .init(repeating: -7, count: count),
        ]
        for values in kinds {
            var bytes: [UInt8] = []
            DeltaEncoder.encode(values[...], into: &bytes)
            var decoded: [Int64] = []
            let page = PageBytes(bytes)
            var decoder = try DeltaDecoder(page, page.all, expected: count)
            try decoder.decode(into: &decoded)
            #expect(decoded == values && decoder.offset == bytes.count)
            let narrow = values.map { Int32(truncatingIfNeeded: $0) }
            var narrowBytes: [UInt8] = []
            DeltaEncoder.encode(narrow[...], into: &narrowBytes)
            var narrowDecoded: [Int32] = []
            let narrowPage = PageBytes(narrowBytes)
            var narrowDecoder = try DeltaDecoder(narrowPage, narrowPage.all, expected: count)
            try narrowDecoder.decode(into: &narrowDecoded)
            #expect(narrowDecoded == narrow)
        }
    }

    @Test(arguments: [1, 2, 3, 7, 8, 9, 15, 17, 24, 31, 32])
    func `Runs and packed groups come back`(width: Int) throws {
        var random = SplitMix64(seed: UInt64(width))
        let mask = UInt32(truncatingIfNeeded: UInt64(1) << UInt64(width) - 1)
        for count in [0, 1, 7, 8, 9, 16, 17, 100, 1_000] {
            for share in [0, 50, 95, 100] {
                var (values, value): ([UInt32], UInt32) = ([], 0)
                for _ in 0..<count {
                    if random.below(100) >= share {
                        value = UInt32(truncatingIfNeeded: random.next()) & mask
                    }
                    values.append(value)
                }
                var bytes: [UInt8] = []
                HybridEncoder.encode(indices: values[...], width: width, into: &bytes)
                var decoded = [UInt32](repeating: 0, count: count)
                let page = PageBytes(bytes)
                try HybridRuns.indices(page, page.all, width: width, into: &decoded)
                #expect(decoded == values)
            }
        }
    }

    @Test(arguments: Encoding.allTested)
    func `Values of each kind come back`(encoding: Encoding) throws {
        var random = SplitMix64(seed: 8)
        for kind in [
            StorageKind.boolean, .int32, .int64, .float, .double, .bytes, .fixed(1), .fixed(7),
        ] where encoding.isWritten(for: kind) {
            for count in [0, 1, 9, 300] {
                var values = DenseValues(kind, byteLimit: 1 << 20)
                values.booleans = (0..<count).map { _ in UInt8(random.below(2)) }
                values.int32s = (0..<count).map { _ in Int32(random.below(1_000)) }
                values.int64s = (0..<count).map { _ in Int64(bitPattern: random.next()) }
                values.floats = values.int32s.map { Float($0) / 3 }
                values.doubles = values.int32s.map { Double($0) / 3 }
                if case .fixed(let width) = kind { values.data = random.bytes(width * count) }
                if kind == .bytes {
                    for _ in 0..<count {
                        values.data += random.text(random.below(30))
                        values.offsets.append(Int32(values.data.count))
                    }
                }
                var bytes: [UInt8] = []
                values.encode(0..<count, encoding, into: &bytes)
                var decoded = DenseValues(kind, byteLimit: 1 << 20)
                let page = PageBytes(bytes)
                try decoded.append(page, page.all, encoding, count: count)
                #expect(decoded.values() == values.values(), "\(kind) \(encoding) \(count)")
            }
        }
    }

    @Test func `A list that declares more elements than bytes is refused`() {
        for header: [UInt8] in [
            [0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07], [0x29, 0xfc, 0x80, 0x80, 0x80, 0x80, 0x08],
        ] {
            var reader = CompactReader(header, limits: ReaderLimits())
            #expect(throws: ParquetError.self) { _ = try Footer.read(&reader) }
        }
    }

    @Test func `Structures in structures without end are refused`() {
        let bomb = [UInt8](repeating: 0xfc, count: 100_000)
        var reader = CompactReader(bomb, limits: ReaderLimits())
        #expect(throws: ParquetError.self) { _ = try Footer.read(&reader) }
        let lists = [UInt8](repeating: 0xf9, count: 1) + .init(repeating: 0x19, count: 100_000)
        var second = CompactReader(lists, limits: ReaderLimits())
        #expect(throws: ParquetError.self) { _ = try PageHeader.read(&second) }
    }

    @Test func `Schemas deeper than the limit are refused`() {
        var elements = [SchemaElement.group("root", 1, nil, .required)]
        elements += (0..<100).map { SchemaElement.group("g\($0)", 1) }
        elements.append(.leaf("a", .int32))
        #expect(throws: ParquetError.self) { _ = try Schema(elements, depth: 64) }
    }
}

extension Encoding {
    static let allTested: [Encoding] = [
        .plain, .deltaBinaryPacked, .deltaLengthByteArray, .deltaByteArray, .byteStreamSplit,
    ]

    func isWritten(for kind: StorageKind) -> Bool {
        switch self {
        case .plain: true
        case .deltaBinaryPacked: kind == .int32 || kind == .int64
        case .deltaLengthByteArray, .deltaByteArray: kind == .bytes
        case .byteStreamSplit: kind != .boolean && kind != .bytes
        default: false
        }
    }
}
