package import Chunking
internal import Parquet
package import Platform

/// Finds the parts of Parquet files for `PartCutter`: row groups, columns, pages, indexes, footer.
///
/// Footers are hostile: what asks for much memory or time has no parts, and neither has what is
/// odd in any way. Such a file is cut as any other.
package enum ParquetParts {
    /// Neighbouring columns of a row group that are smaller count as one run, and so do indexes.
    ///
    /// A chunk of its own for each would cost as much as it holds.
    private static let leastRun: Int64 = 8 << 10

    /// Pages of a file; more take the memory that others need.
    private static let pageLimit = 1 << 18

    private static let limits: ReaderLimits = {
        var limits = ReaderLimits()
        limits.footerBytes = 8 << 20
        limits.metadataItems = 1 << 18
        limits.pageHeaderBytes = 64 << 10
        return limits
    }()

    /// The parts of a file of `size` bytes; nil when it is no Parquet file, or odd.
    package static func find(
        _ file: borrowing Descriptor, size: UInt64, _ path: [UInt8]
    ) -> FileParts? {
        guard size >= FileChunker.leastSizeForParts, let size = Int64(exactly: size),
            let head = try? file.read(FileChunker.endSize, at: 0, path),
            let tail = try? file.read(
                FileChunker.endSize, at: UInt64(size) - UInt64(FileChunker.endSize), path),
            FileChunker.isParquet(head: head, tail: tail), let own = try? file.duplicate()
        else { return nil }
        return find(in: OpenFile(own, size: size, path))
    }

    static func find(in source: any ByteSource) -> FileParts? {
        let boundaries = ParquetFile.pageBoundaries(
            in: source, limits: limits, atMost: pageLimit)
        return boundaries.flatMap { FileParts(parts($0, size: source.size)) }
    }

    private static func parts(_ boundaries: [PageBoundary], size: Int64) -> [FilePart] {
        var parts: [FilePart] = []
        parts.reserveCapacity(boundaries.count + 1)
        if let first = boundaries.first {
            // The magic number alone, or the first chunk of every file would be its own.
            parts.append(FilePart(end: UInt64(first.offset), endsRun: true, isDense: true))
        }
        var run = RunSizes(boundaries, size: size)
        var isDense = false
        for (index, boundary) in boundaries.enumerated() {
            let next = index + 1 < boundaries.count ? boundaries[index + 1] : nil
            if boundary.kind != .page { isDense = boundary.isDense }
            parts.append(
                FilePart(
                    end: UInt64(next?.offset ?? size), endsRun: run.ends(before: index + 1),
                    isDense: isDense))
        }
        return parts
    }

    /// Where runs end, asked for one boundary after the other.
    private struct RunSizes {
        private let boundaries: [PageBoundary]
        private let size: Int64
        /// The column or index under way.
        private var start = 0
        private var startSize: Int64

        init(_ boundaries: [PageBoundary], size: Int64) {
            self.boundaries = boundaries
            self.size = size
            startSize = Self.bytes(boundaries, from: 0, size)
        }

        /// Bytes of the column or index that begins at the boundary.
        private static func bytes(
            _ boundaries: [PageBoundary], from index: Int, _ size: Int64
        ) -> Int64 {
            var end = index + 1
            while end < boundaries.count, boundaries[end].kind == .page { end += 1 }
            let last = end < boundaries.count ? boundaries[end].offset : size
            return last - boundaries[index].offset
        }

        mutating func ends(before index: Int) -> Bool {
            guard index < boundaries.count else { return true }
            guard boundaries[index].kind != .page else { return false }
            let nextSize = Self.bytes(boundaries, from: index, size)
            let isLike =
                boundaries[index].kind == boundaries[start].kind
                || boundaries[index].kind == .column && boundaries[start].kind == .rowGroup
            let joins =
                isLike && boundaries[index].kind != .rowGroup && startSize < leastRun
                && nextSize < leastRun
            (start, startSize) = (index, nextSize)
            return !joins
        }
    }
}

/// A file that is open already, for reading from any place.
private final class OpenFile: ByteSource {
    private let file: Descriptor
    private let path: [UInt8]
    let size: Int64

    init(_ file: consuming Descriptor, size: Int64, _ path: [UInt8]) {
        self.file = file
        self.size = size
        self.path = path
    }

    func read(_ count: Int, at offset: Int64) throws(ParquetError) -> [UInt8] {
        guard let bytes = try? file.read(count, at: UInt64(clamping: offset), path),
            bytes.count == count
        else { throw ParquetError(.inputOutput, at: offset, "\(count) bytes") }
        return bytes
    }
}
