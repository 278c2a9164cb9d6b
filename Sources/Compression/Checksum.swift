internal import CZlib

/// The CRC-32 of gzip and of Parquet's pages (polynomial 0x04c11db7, reflected).
package enum CRC32 {
    package static func of(_ bytes: Span<UInt8>) -> UInt32 {
        let sum = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe crc32_z(0, buffer.baseAddress, buffer.count)
        }
        return UInt32(truncatingIfNeeded: sum)
    }
}
