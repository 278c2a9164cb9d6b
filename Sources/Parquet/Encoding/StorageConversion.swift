/// Values as they are stored, made into what they come out as: decimals of any form into integers,
/// timestamps of 96 bits into microseconds since 1970.
extension Leaf {
    /// How the pages of the leaf hold its values.
    var rawStorage: StorageKind {
        switch type {
        case .boolean: .boolean
        case .int32: .int32
        case .int64: .int64
        case .int96: .fixed(12)
        case .float: .float
        case .double: .double
        case .byteArray: .bytes
        case .fixedLengthByteArray: .fixed(width)
        }
    }

    var isConverted: Bool { rawStorage != storage }
}

extension DenseValues {
    /// Appends the values of `raw`, which are stored as `type` and have another kind.
    mutating func append(
        converting raw: DenseValues, from type: PhysicalType
    ) throws(ParquetError) {
        switch (raw.kind, kind) {
        case (.int32, .int64):
            int64s.reserveCapacity(int64s.count + raw.int32s.count)
            for value in raw.int32s { int64s.append(Int64(value)) }
        case (.int32, .int128): int128s += raw.int32s.map { Int128($0) }
        case (.int64, .int128): int128s += raw.int64s.map { Int128($0) }
        case (.fixed, .int64) where type == .int96: appendTimestamps(raw.data)
        case (.fixed(let width), .int64) where width <= 8:
            appendNarrowDecimals(raw.data, width)
        case (.fixed(let width), _):
            for index in 0..<raw.count {
                try appendDecimal(raw.data[index * width..<(index + 1) * width])
            }
        case (.bytes, _):
            for index in 0..<raw.count {
                let (start, end) = (Int(raw.offsets[index]), Int(raw.offsets[index + 1]))
                try appendDecimal(raw.data[start..<end])
            }
        default: preconditionFailure("kinds that have no conversion")
        }
    }

    /// Big-endian two's complement of at most 64 bits: what most decimals are.
    private mutating func appendNarrowDecimals(_ data: [UInt8], _ width: Int) {
        int64s.reserveCapacity(int64s.count + data.count / width)
        let unused = Int64(64 - 8 * width)
        var start = 0
        while start < data.count {
            var value: Int64 = 0
            for index in start..<start + width { value = value << 8 | Int64(data[index]) }
            int64s.append((value << unused) >> unused)
            start += width
        }
    }

    /// Big-endian two's complement.
    private mutating func appendDecimal(_ bytes: ArraySlice<UInt8>) throws(ParquetError) {
        var value: Int128 = bytes.first.map { $0 >= 0x80 } ?? false ? -1 : 0
        var significant = bytes
        // A decimal may be stored wider than its precision needs.
        while significant.count > 16, significant.first == UInt8(truncatingIfNeeded: value) {
            significant = significant.dropFirst()
        }
        guard significant.count <= 16 else {
            throw ParquetError(.invalid, at: -1, "a decimal of at most 128 bits")
        }
        let isNegative = value < 0
        for byte in significant { value = value << 8 | Int128(byte) }
        guard value == 0 || (value < 0) == isNegative else {
            throw ParquetError(.invalid, at: -1, "a decimal of at most 128 bits")
        }
        if kind == .int128 {
            int128s.append(value)
        } else {
            guard let narrow = Int64(exactly: value) else {
                throw ParquetError(.invalid, at: -1, "a decimal of at most 18 digits")
            }
            int64s.append(narrow)
        }
    }

    /// Nanoseconds of the day in eight bytes, the Julian day in four.
    ///
    /// Spark wraps when it writes days far from today, and wraps back when it reads them.
    private mutating func appendTimestamps(_ data: [UInt8]) {
        for start in stride(from: 0, to: data.count, by: 12) {
            var (nanoseconds, day): (UInt64, UInt32) = (0, 0)
            for index in 0..<8 { nanoseconds |= UInt64(data[start + index]) << UInt64(8 * index) }
            for index in 0..<4 { day |= UInt32(data[start + 8 + index]) << UInt32(8 * index) }
            let days = Int64(Int32(bitPattern: day)) - 2_440_588
            let inside = Int64(bitPattern: nanoseconds)
            let microseconds = inside / 1000 - (inside % 1000 < 0 ? 1 : 0)
            int64s.append(days &* 86_400_000_000 &+ microseconds)
        }
    }
}
