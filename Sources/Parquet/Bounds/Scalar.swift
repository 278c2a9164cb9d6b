/// One value, for bounds and comparisons with them.
package enum Scalar: Equatable, Sendable {
    case boolean(Bool)
    case integer(Int64)
    /// Of columns of unsigned integers.
    case unsigned(UInt64)
    case wide(Int128)
    /// Of columns of floats and doubles.
    case floating(Double)
    case bytes([UInt8])

    /// Whether this is less than `other`, which is of the same case; otherwise never.
    package func precedes(_ other: Scalar) -> Bool {
        switch (self, other) {
        case (.boolean(let one), .boolean(let two)): !one && two
        case (.integer(let one), .integer(let two)): one < two
        case (.unsigned(let one), .unsigned(let two)): one < two
        case (.wide(let one), .wide(let two)): one < two
        case (.floating(let one), .floating(let two)): one < two
        case (.bytes(let one), .bytes(let two)): one.lexicographicallyPrecedes(two)
        default: false
        }
    }
}

/// How values of a leaf are compared for bounds (parquet.thrift, `ColumnOrder`).
enum ValueOrder {
    case boolean
    case signed
    case unsigned
    case wide
    case floating
    case bytes
}

extension Leaf {
    /// Nil where the format defines no order, or none that is the same for all writers.
    var order: ValueOrder? {
        if type == .int96 { return nil }
        switch logicalType {
        case .interval, .float16, .unknown, .other, .map, .list: return nil
        case .integer(_, isSigned: false): return .unsigned
        default: break
        }
        return switch storage {
        case .boolean: .boolean
        case .int32, .int64: .signed
        case .int128: .wide
        case .float, .double: .floating
        case .bytes: .bytes
        case .fixed(let width): width <= 64 ? .bytes : nil
        }
    }

    /// Whether old writers, which compared all values as if they were signed or byte by byte, had
    /// the order of the type: not with decimals in bytes.
    var hasOldOrder: Bool {
        switch type {
        case .int32, .int64: order == .signed
        case .float, .double: order == .floating
        default: false
        }
    }

    var isText: Bool {
        logicalType == .string || logicalType == .json || logicalType == .enumeration
    }
}

// MARK: - As it is stored: PLAIN, byte arrays without their length
extension Scalar {
    func stored(for leaf: Leaf) -> [UInt8] {
        var bytes: [UInt8] = []
        switch self {
        case .boolean(let flag): bytes = [flag ? 1 : 0]
        case .integer(let value):
            switch leaf.type {
            case .int32: bytes.appendLittleEndian(UInt64(bitPattern: value), size: 4)
            case .fixedLengthByteArray: bytes = Self.bigEndian(Int128(value), leaf.width)
            default: bytes.appendLittleEndian(UInt64(bitPattern: value), size: 8)
            }
        case .unsigned(let value):
            bytes.appendLittleEndian(value, size: leaf.type == .int32 ? 4 : 8)
        case .wide(let value): bytes = Self.bigEndian(value, leaf.width)
        case .floating(let value):
            if leaf.type == .float {
                bytes.appendLittleEndian(UInt64(Float(value).bitPattern), size: 4)
            } else {
                bytes.appendLittleEndian(value.bitPattern, size: 8)
            }
        case .bytes(let value): bytes = value
        }
        return bytes
    }

    private static func bigEndian(_ value: Int128, _ width: Int) -> [UInt8] {
        (0..<width).reversed().map {
            // Wider than the number itself: its sign goes on.
            UInt8(truncatingIfNeeded: value >> Int128(min(8 * $0, 127)))
        }
    }

    /// Nil when the bytes are no value of the leaf.
    init?(stored bytes: [UInt8], for leaf: Leaf) {
        guard let order = leaf.order else { return nil }
        if case .decimal = leaf.logicalType,
            leaf.type == .byteArray
                || leaf.type == .fixedLengthByteArray
        {
            var values = DenseValues(leaf.storage, byteLimit: .max)
            var raw = DenseValues(.bytes, byteLimit: .max)
            raw.data = bytes
            raw.offsets.append(Int32(clamping: bytes.count))
            guard (try? values.append(converting: raw, from: leaf.type)) != nil else { return nil }
            self = order == .wide ? .wide(values.int128s[0]) : .integer(values.int64s[0])
            return
        }
        if order == .bytes {
            self = .bytes(bytes)
            return
        }
        guard bytes.count == (leaf.rawStorage.plainWidth ?? 1) else { return nil }
        var word: UInt64 = 0
        for (index, byte) in bytes.prefix(8).enumerated() {
            word |= UInt64(byte) << UInt64(8 * index)
        }
        let isNarrow = bytes.count == 4
        switch order {
        case .boolean: self = .boolean(word != 0)
        case .unsigned: self = .unsigned(word)
        case .signed:
            self = .integer(
                isNarrow ? Int64(Int32(truncatingIfNeeded: word)) : Int64(bitPattern: word))
        case .wide:
            self = .wide(
                isNarrow
                    ? Int128(Int32(truncatingIfNeeded: word)) : Int128(Int64(bitPattern: word)))
        case .floating:
            self = .floating(
                isNarrow
                    ? Double(Float(bitPattern: UInt32(truncatingIfNeeded: word)))
                    : Double(bitPattern: word))
        case .bytes: return nil
        }
    }
}
