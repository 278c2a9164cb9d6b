package import Chunking
package import Hashing
package import Platform

/// A piece of a file, as a capture would cut it.
package struct FilePiece: Equatable, Sendable {
    package var offset: UInt64
    package var size: Int
    package var id: ChunkID

    package init(offset: UInt64, size: Int, id: ChunkID) {
        self.offset = offset
        self.size = size
        self.id = id
    }

    private static let blockSize = 8 << 20

    /// Cuts an open file of `size` bytes; equal parts of two files become equal pieces.
    ///
    /// Nil where it is shorter by now. Memory is two blocks and the pieces.
    package static func cut(
        _ file: borrowing Descriptor, size: UInt64, _ path: [UInt8],
        _ parameters: ChunkingParameters = .standard
    ) throws(PlatformError) -> [Self]? {
        let parts = ParquetParts.find(file, size: size, path)
        let chunker =
            parts.map { FileChunker.parts(PartCutter($0, parameters)) }
            ?? .content(FastCDC(parameters))
        var pieces: [Self] = []
        var (bytes, start): ([UInt8], Int) = ([], 0)
        var (position, place): (UInt64, UInt64) = (0, 0)
        while place < size {
            if bytes.count - start < parameters.maximum, position < size {
                let count = Int(min(UInt64(blockSize), size - position))
                let block = try file.read(count, at: position, path)
                guard block.count == count else { return nil }
                bytes = Array(bytes[start...]) + block
                start = 0
                position += UInt64(count)
            }
            let rest = bytes.span.extracting(start..<bytes.count)
            let count =
                chunker.cut(rest, at: place, isEnd: position == size) ?? rest.count
            guard count > 0 else { return nil }
            let id = ChunkID(of: rest.extracting(0..<count))
            pieces.append(Self(offset: place, size: count, id: id))
            start += count
            place += UInt64(count)
        }
        return pieces
    }
}
