/// Values as they come out of a reader, made into what the pages of a leaf hold; the opposite of
/// `append(converting:from:)`.
extension DenseValues {
    func stored(for leaf: Leaf) throws(ParquetError) -> DenseValues {
        guard leaf.isConverted else { return self }
        var stored = DenseValues(leaf.rawStorage, byteLimit: .max)
        switch leaf.type {
        case .int32 where kind == .int64:
            stored.int32s.reserveCapacity(int64s.count)
            for value in int64s {
                guard let narrow = Int32(exactly: value) else { throw Self.tooWide(leaf) }
                stored.int32s.append(narrow)
            }
        case .int64:
            for value in wide {
                guard let narrow = Int64(exactly: value) else { throw Self.tooWide(leaf) }
                stored.int64s.append(narrow)
            }
        case .fixedLengthByteArray where kind == .int64 && leaf.width <= 8:
            let limit = Int64.max >> Int64(64 - 8 * leaf.width)
            stored.data.reserveCapacity(int64s.count * leaf.width)
            for value in int64s {
                guard value <= limit, value >= -limit - 1 else { throw Self.tooWide(leaf) }
                var shift = Int64(8 * leaf.width)
                while shift > 0 {
                    shift -= 8
                    stored.data.append(UInt8(truncatingIfNeeded: value >> shift))
                }
            }
        case .fixedLengthByteArray:
            let width = leaf.width
            for value in wide {
                if width < 16 {
                    let limit = Int128(1) << Int128(8 * width - 1)
                    guard value >= -limit, value < limit else { throw Self.tooWide(leaf) }
                }
                for byte in (0..<width).reversed() {
                    stored.data.append(UInt8(truncatingIfNeeded: value >> Int128(8 * byte)))
                }
            }
        default:
            throw ParquetError(.unsupported, at: -1, "writing \(leaf.type) of \(leaf.storage)")
        }
        return stored
    }

    /// Integers of any kind.
    private var wide: [Int128] { kind == .int64 ? int64s.map { Int128($0) } : int128s }

    private static func tooWide(_ leaf: Leaf) -> ParquetError {
        ParquetError(.invalid, at: -1, "decimals that column \(leaf.path) can hold")
    }
}
