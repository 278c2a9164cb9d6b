/// How values are stored (parquet.thrift, `Type`).
package enum PhysicalType: Int32, Sendable {
    case boolean = 0
    case int32 = 1
    case int64 = 2
    /// Timestamps of old writers: nanoseconds of the day, then the Julian day.
    case int96 = 3
    case float = 4
    case double = 5
    case byteArray = 6
    case fixedLengthByteArray = 7
}

/// Whether a field must be there, may be missing, or comes any number of times.
package enum Repetition: Int32, Sendable {
    case required = 0
    case optional = 1
    case repeated = 2
}

/// How the values of a page, or its levels, are written.
package enum Encoding: Int32, Sendable {
    case plain = 0
    case plainDictionary = 2
    case rle = 3
    case bitPacked = 4
    case deltaBinaryPacked = 5
    case deltaLengthByteArray = 6
    case deltaByteArray = 7
    case rleDictionary = 8
    case byteStreamSplit = 9
    /// Adaptive lossless floating point; not read here.
    case alp = 10
}

/// How pages are compressed.
package enum CompressionCodec: Int32, Sendable {
    case uncompressed = 0
    case snappy = 1
    case gzip = 2
    case lzo = 3
    case brotli = 4
    /// Frames of Hadoop, which were never specified; not read here.
    case lz4 = 5
    case zstd = 6
    case lz4Raw = 7
}

/// What a page holds.
package enum PageType: Int32, Sendable {
    case data = 0
    case index = 1
    case dictionary = 2
    case dataV2 = 3
}

/// Whether the bounds of the pages of a column are in order.
package enum BoundaryOrder: Int32, Sendable {
    case unordered = 0
    case ascending = 1
    case descending = 2
}

extension CompactReader {
    /// Reads an enumeration whose unknown values are of no use to this reader.
    mutating func enumeration<Value: RawRepresentable<Int32>>(
        _ field: Field, _ name: StaticString
    ) throws(ParquetError) -> Value {
        let start = offset
        let raw = try int32(field)
        guard let value = Value(rawValue: raw) else {
            throw ParquetError(.unsupported, at: Int64(start), "\(name) \(raw)")
        }
        return value
    }

    /// Makes the error for a structure that lacks a field that must be there.
    func missing(_ name: StaticString) -> ParquetError { error(.invalid, "\(name)") }
}
