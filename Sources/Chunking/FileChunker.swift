/// Which chunker a file gets.
package enum FileChunker: Equatable, Sendable {
    /// The file is one chunk: it is no longer than the longest chunk. An empty file has none.
    case single
    /// The content decides, see `FastCDC`.
    case fastCDC

    /// Chooses from a file's size in bytes and its first and last bytes.
    ///
    /// `head` and `tail` may be shorter than the file, and empty. What they hold is a hint:
    /// whatever is chosen, the chunks together are the file's bytes. No choice depends on them
    /// yet; formats that say where their own parts begin will.
    package static func choose(
        size: Int, head: Span<UInt8>, tail: Span<UInt8>, parameters: ChunkingParameters
    ) -> FileChunker {
        size <= parameters.maximum ? .single : .fastCDC
    }
}
