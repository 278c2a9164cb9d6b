/// How a file is cut into chunks.
///
/// Where a chunk ends depends on bytes of the chunk and, with parts, on where the file's parts end;
/// never on what came before the chunk.
package enum FileChunker: Sendable {
    /// The content decides.
    case content(FastCDC)
    /// So do parts that the file's format names.
    case parts(PartCutter)

    /// Files shorter than this many bytes gain less by parts than their many chunks cost.
    package static let leastSizeForParts: UInt64 = 64 << 10

    private static let parquetMagic = Array("PAR1".utf8)
    /// How many bytes of each end `isParquet` asks for.
    package static let endSize = 4

    /// Tells Parquet by the first and the last bytes of a file.
    ///
    /// A hint: whatever is chosen, the chunks together are the file's bytes.
    package static func isParquet(head: [UInt8], tail: [UInt8]) -> Bool {
        head.prefix(endSize) == parquetMagic[...] && tail.suffix(endSize) == parquetMagic[...]
    }

    /// Returns the length of the first chunk of `bytes`, which lie at `place` of the file, or nil
    /// when there are too few of them: see `FastCDC.cut`.
    package func cut(_ bytes: Span<UInt8>, at place: UInt64, isEnd: Bool) -> Int? {
        switch self {
        case .content(let chunker): chunker.cut(bytes, isEnd: isEnd)
        case .parts(let cutter): cutter.cut(bytes, at: place, isEnd: isEnd)
        }
    }

    /// Whether bytes that are known to be a chunk elsewhere may be one at `place`, found without
    /// the search for a cut.
    ///
    /// `isEnd`: the data ends behind them.
    package func accepts(_ chunk: Span<UInt8>, at place: UInt64, isEnd: Bool) -> Bool {
        switch self {
        case .content: true
        case .parts(let cutter): cutter.accepts(chunk, at: place, isEnd: isEnd)
        }
    }
}
