/// Bytes that can be read from any place, by several threads at a time: a file, or memory.
package protocol ByteSource: Sendable {
    /// Bytes in all; does not change.
    var size: Int64 { get }

    /// Reads exactly `count` bytes from `offset`; asked only for ranges inside of `size`.
    ///
    /// Throws `.inputOutput` when they cannot be had.
    func read(_ count: Int, at offset: Int64) throws(ParquetError) -> [UInt8]
}

/// Where a writer puts bytes, one after the other.
package protocol ByteSink {
    mutating func write(_ bytes: [UInt8]) throws(ParquetError)

    /// Writes `count` bytes of a source; a sink that knows a shorter way than reading and writing
    /// takes it.
    mutating func copy(
        _ count: Int64, at offset: Int64, of source: any ByteSource
    ) throws(ParquetError)
}

extension ByteSink {
    package mutating func copy(
        _ count: Int64, at offset: Int64, of source: any ByteSource
    ) throws(ParquetError) {
        try copyPieces(count, at: offset, of: source)
    }

    /// Copies by reading and writing.
    package mutating func copyPieces(
        _ count: Int64, at offset: Int64, of source: any ByteSource
    ) throws(ParquetError) {
        var done: Int64 = 0
        while done < count {
            let piece = Int(min(count - done, 256 << 10))
            try write(try source.read(piece, at: offset + done))
            done += Int64(piece)
        }
    }
}

/// A file in memory.
package struct MemoryFile: ByteSource, ByteSink {
    package private(set) var bytes: [UInt8]

    package init(_ bytes: [UInt8] = []) { self.bytes = bytes }

    package var size: Int64 { Int64(bytes.count) }

    package func read(_ count: Int, at offset: Int64) throws(ParquetError) -> [UInt8] {
        guard count >= 0, offset >= 0, offset <= size - Int64(count) else {
            throw ParquetError(.truncated, at: offset, "\(count) bytes")
        }
        return Array(bytes[Int(offset)..<Int(offset) + count])
    }

    package mutating func write(_ bytes: [UInt8]) throws(ParquetError) { self.bytes += bytes }
}

/// What a reader allows a file to ask for; a file that asks for more is refused.
package struct ReaderLimits: Sendable {
    /// Bytes of the footer.
    package var footerBytes = 128 << 20
    /// Structures in one footer or index: row groups times columns, mostly.
    package var metadataItems = 8 << 20
    /// Bytes of one header of a page.
    package var pageHeaderBytes = 16 << 20
    /// Bytes of one page or dictionary, plain or compressed.
    package var pageBytes = 256 << 20
    /// Values of one page or dictionary, nulls included.
    package var pageValues = 16 << 20
    /// Bytes of the values of one column in one batch.
    package var batchBytes = 1 << 30
    /// Levels of one column in one batch: elements of lists, mostly.
    package var batchValues = 64 << 20
    /// How deep groups may lie in groups.
    package var depth = 64
    /// Bytes that are read at once where much is read in a row.
    package var readAhead = 1 << 20

    package init() {}
}
