/// Why three numbers cannot be chunking parameters.
package struct ChunkingError: Error, Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// A size is not a power of two.
        case notAPowerOfTwo
        /// The minimum is below, or the maximum above, what the format allows.
        case outOfRange
        /// Two neighbouring sizes are not at least a factor of two apart, in rising order.
        case tooClose
    }

    package let kind: Kind
    /// The sizes that were refused, in bytes.
    package let minimum: Int
    package let average: Int
    package let maximum: Int
}
