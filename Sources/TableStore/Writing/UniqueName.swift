internal import Bytes
internal import Platform
internal import TableLog

/// Names that nobody has given before.
enum UniqueName {
    /// A random UUID (RFC 9562, version 4).
    static func uuid() -> String { format(HostSystem.randomBytes(16), version: 4) }

    /// A UUID that begins with the time (RFC 9562, version 7): names sort as they were given.
    static func timeOrdered() -> String {
        var bytes = HostSystem.randomBytes(16)
        let time = UInt64(clamping: Timestamp.now().milliseconds)
        for index in 0..<6 {
            bytes[index] = UInt8(truncatingIfNeeded: time >> UInt64(40 - 8 * index))
        }
        return format(bytes, version: 7)
    }

    private static func format(_ random: [UInt8], version: UInt8) -> String {
        var bytes = random
        bytes[6] = bytes[6] & 0x0f | version << 4
        bytes[8] = bytes[8] & 0x3f | 0x80
        let digits = Array(Hex.encode(bytes))
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }
            .joined(separator: "-")
    }
}
