internal import Hashing

/// Blocks of zeros in content, which a file need not hold.
enum ZeroBlocks {
    /// The block of nearly all file systems; a hole is no smaller.
    private static let blockSize = 4096
    private static let zeros = [UInt8](repeating: 0, count: blockSize)

    /// A whole piece of zeros, as a sender cuts them: known without being looked through.
    static let piece = ChunkID(of: [UInt8](repeating: 0, count: TwoWayLimits.piece).span)

    /// The parts of `bytes` that are to be written where they begin at `offset` of a file: all but
    /// whole blocks of zeros.
    static func runs(of bytes: [UInt8], at offset: UInt64) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var start = 0
        var position = 0
        while position < bytes.count {
            let place = Int((offset &+ UInt64(position)) % UInt64(blockSize))
            let end = min(position + blockSize - place, bytes.count)
            if end - position == blockSize, isZero(bytes, position..<end) {
                if start < position { runs.append(start..<position) }
                start = end
            }
            position = end
        }
        if start < bytes.count { runs.append(start..<bytes.count) }
        return runs
    }

    private static func isZero(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        // Nearly all that is not zero shows it at once.
        guard bytes[range.lowerBound] == 0, bytes[range.upperBound - 1] == 0 else { return false }
        return bytes[range] == zeros[...]
    }
}
