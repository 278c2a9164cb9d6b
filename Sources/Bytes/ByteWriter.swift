/// Appends fields in the encodings that `ByteReader` reads.
package struct ByteWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package init(capacity: Int) { bytes.reserveCapacity(capacity) }

    package var count: Int { bytes.count }

    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    package mutating func u8(_ value: UInt8) { bytes.append(value) }

    private mutating func integer(_ value: UInt64, size: Int) {
        for index in 0..<size {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index)))
        }
    }

    package mutating func u16(_ value: UInt16) { integer(UInt64(value), size: 2) }
    package mutating func u32(_ value: UInt32) { integer(UInt64(value), size: 4) }
    package mutating func u64(_ value: UInt64) { integer(value, size: 8) }

    /// Overwrites four bytes at `offset`, which were written before.
    package mutating func patch(u32 value: UInt32, at offset: Int) {
        for index in 0..<4 {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index))
        }
    }

    package mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Appends a count, which must not be negative, as a varint.
    package mutating func count(_ value: Int) {
        precondition(value >= 0)
        varint(UInt64(value))
    }

    /// Appends a signed integer as a zigzag varint.
    package mutating func signed(_ value: Int64) {
        varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    package mutating func raw(_ bytes: [UInt8]) { self.bytes += bytes }

    package mutating func raw(_ bytes: ArraySlice<UInt8>) { self.bytes += bytes }

    package mutating func raw(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe self.bytes.append(contentsOf: $0) }
    }

    /// Appends the bytes preceded by their count.
    package mutating func string(_ bytes: [UInt8]) { string(bytes[...]) }

    /// Appends the bytes preceded by their count.
    package mutating func string(_ bytes: ArraySlice<UInt8>) {
        count(bytes.count)
        self.bytes += bytes
    }

    private mutating func bigEndian(_ value: UInt64) {
        unsafe withUnsafeBytes(of: value.bigEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    package mutating func xxh3(_ digest: XXH3Digest) {
        bigEndian(digest.high)
        bigEndian(digest.low)
    }

    package mutating func digest(_ digest: SHA256Digest) {
        bigEndian(digest.word0)
        bigEndian(digest.word1)
        bigEndian(digest.word2)
        bigEndian(digest.word3)
    }

    package mutating func fingerprint(_ fingerprint: Fingerprint) {
        xxh3(fingerprint.xxh3)
        digest(fingerprint.sha256)
    }

    package mutating func magic(_ magic: StaticString) {
        magic.withUTF8Buffer { unsafe bytes += $0 }
    }
}
