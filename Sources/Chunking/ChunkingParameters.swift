/// The chunk sizes of a repository, in bytes: fixed when it is made, and part of its format.
package struct ChunkingParameters: Equatable, Sendable {
    /// The smallest and the largest size that the format allows: 4 KiB and 16 MiB.
    package static let allowedSizes = 4 << 10...16 << 20

    /// Minimum 512 KiB, average 2 MiB, maximum 4 MiB.
    ///
    /// Measured on 1.84 GB of TPC-H: stored bytes are 2.4 % more with 256 KiB, 0.35 % more with
    /// 1 MiB, because each chunk is compressed alone. Finer differences are the work of patches.
    package static let standard = ChunkingParameters(
        uncheckedMinimum: 512 << 10, average: 2 << 20, maximum: 4 << 20)

    /// No chunk is shorter, except the last of a file.
    package let minimum: Int
    /// What the lengths of chunks lie around.
    package let average: Int
    /// No chunk is longer.
    package let maximum: Int

    /// Checks three sizes in bytes.
    ///
    /// Throws unless all are powers of two within `allowedSizes`, each at least twice the one
    /// before it.
    package init(minimum: Int, average: Int, maximum: Int) throws(ChunkingError) {
        if let kind = Self.fault(minimum, average, maximum) {
            throw ChunkingError(
                kind: kind, minimum: minimum, average: average, maximum: maximum)
        }
        self.init(uncheckedMinimum: minimum, average: average, maximum: maximum)
    }

    /// Derives minimum and maximum from the average as `standard` does: a quarter, and twice.
    package init(average: Int) throws(ChunkingError) {
        guard Self.allowedSizes.contains(average) else {
            throw ChunkingError(
                kind: .outOfRange, minimum: average, average: average, maximum: average)
        }
        try self.init(minimum: average / 4, average: average, maximum: average * 2)
    }

    private init(uncheckedMinimum minimum: Int, average: Int, maximum: Int) {
        self.minimum = minimum
        self.average = average
        self.maximum = maximum
    }

    private static func fault(
        _ minimum: Int, _ average: Int, _ maximum: Int
    ) -> ChunkingError.Kind? {
        let sizes = [minimum, average, maximum]
        guard sizes.allSatisfy(allowedSizes.contains) else { return .outOfRange }
        guard sizes.allSatisfy({ $0.nonzeroBitCount == 1 }) else { return .notAPowerOfTwo }
        guard minimum * 2 <= average, average * 2 <= maximum else { return .tooClose }
        return nil
    }
}
