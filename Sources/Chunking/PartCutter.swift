/// Cuts a file where its parts end.
///
/// Parts are pages and whatever else a format names; a run of them, such as a column of a row
/// group, shares no chunk with others. A writer that copies a run, or makes a page of the same
/// values again, makes the same chunks, wherever in whatever file they come to lie.
///
///     run    | page | page | page | page     | page                                  |
///     chunks |    chunk    | chunk |  chunk  |  too large: FastCDC  |                |
///
/// A chunk takes whole parts until it has the least size and the part just taken says so: a gear
/// hash over its last 64 bytes is below a number that grows with its size, so that on average the
/// least size once more is taken, and a part of that size always ends the chunk. A chunk also ends
/// with its run, and before a part that would make it larger than the most. A part that is larger
/// itself is cut by FastCDC.
///
/// The least and the most are 16 KiB and 1 MiB where the first part is dense. Elsewhere small
/// chunks would cost compression, and they are what FastCDC keeps to. Design.md, chapter 5, tells
/// what they were measured with. All of this is part of the format.
package struct PartCutter: Sendable {
    private struct Sizes {
        var least: Int
        var most: Int
    }

    private static let dense = Sizes(least: 16 << 10, most: 1 << 20)
    private static let hashedBytes = 64

    private let parts: FileParts
    /// Sizes of chunks of dense parts, and of others.
    private let dense: Sizes
    private let others: Sizes
    /// Cuts parts that are larger than a chunk, and what is no part.
    private let whole: FastCDC
    private let gear = GearTable.values

    /// Chunks are no larger than `parameters` allow, and mostly far smaller.
    package init(_ parts: FileParts, _ parameters: ChunkingParameters) {
        self.parts = parts
        others = Sizes(least: parameters.minimum, most: parameters.maximum)
        dense = Sizes(
            least: min(Self.dense.least, others.least), most: min(Self.dense.most, others.most))
        whole = FastCDC(parameters)
    }

    /// Returns the length of the first chunk of `bytes`, which lie at `place` of the file, or nil
    /// when there are too few of them: see `FastCDC.cut`.
    package func cut(_ bytes: Span<UInt8>, at place: UInt64, isEnd: Bool) -> Int? {
        guard bytes.count > 0 else { return nil }
        guard let first = parts.index(at: place) else { return whole.cut(bytes, isEnd: isEnd) }
        let sizes = sizes(first)
        let left = parts[first].end - place
        guard left > UInt64(sizes.most) else {
            return cut(bytes, first, Int(left), sizes, isEnd)
        }
        let isWhole = UInt64(bytes.count) >= left
        let part = isWhole ? bytes.extracting(0..<Int(left)) : bytes
        return whole.cut(part, isEnd: isEnd || isWhole)
    }

    /// Takes parts from `index` on, of which `size` bytes are left.
    private func cut(
        _ bytes: Span<UInt8>, _ index: Int, _ size: Int, _ sizes: Sizes, _ isEnd: Bool
    ) -> Int? {
        var (index, size, taken) = (index, size, size)
        while true {
            guard taken <= bytes.count else { return isEnd ? bytes.count : nil }
            if parts[index].endsRun || index + 1 == parts.count { return taken }
            if taken >= sizes.least, endsChunk(bytes, taken, size, sizes.least) { return taken }
            index += 1
            let next = parts.size(index)
            guard next <= UInt64(sizes.most - taken) else { return taken }
            size = Int(next)
            taken += size
        }
    }

    private func sizes(_ index: Int) -> Sizes { parts[index].isDense ? dense : others }

    /// Whether a part of `size` bytes, the last of the first `count`, is where a chunk ends.
    private func endsChunk(
        _ bytes: Span<UInt8>, _ count: Int, _ size: Int, _ least: Int
    ) -> Bool {
        guard size < least else { return true }
        var hash: UInt64 = 0
        for offset in count - min(size, Self.hashedBytes)..<count {
            hash = (hash << 1) &+ UInt64(gear[Int(bytes[offset])])
        }
        return Int((hash >> 32) & 0xffff_ffff) < (size << 32) / least
    }
}

extension PartCutter {
    /// Runs of at least `least` bytes, spread over the file so that they are not all of the same
    /// column.
    package func sampleRuns(atMost limit: Int, least: Int) -> [Range<UInt64>] {
        let runs = runs().filter { $0.count >= least }
        guard runs.count > limit else { return runs }
        // Even steps alone may be in rhythm with the columns: each goes one further than the last.
        let step = runs.count / limit
        return (0..<limit).map { number in runs[number * runs.count / limit + number % step] }
    }

    private func runs() -> [Range<UInt64>] {
        var runs: [Range<UInt64>] = []
        var start: UInt64 = 0
        for index in 0..<parts.count where parts[index].endsRun || index + 1 == parts.count {
            runs.append(start..<parts[index].end)
            start = parts[index].end
        }
        return runs
    }

    /// Whether bytes that are a chunk elsewhere are what `cut` would make of them here.
    ///
    /// Also takes chunks that are larger than any of dense parts and that FastCDC can have cut: the
    /// repository may hold the file from before parts were known, and what it has is not stored
    /// again.
    package func accepts(_ chunk: Span<UInt8>, at place: UInt64, isEnd: Bool) -> Bool {
        guard let first = parts.index(at: place) else { return true }
        if chunk.count > dense.most, isEnd || whole.isCut(behind: chunk) { return true }
        let left = parts[first].end - place
        guard left > UInt64(sizes(first).most) else {
            return cut(chunk, at: place, isEnd: isEnd) == chunk.count
        }
        return UInt64(chunk.count) == left || whole.isCut(behind: chunk)
            || isEnd && UInt64(chunk.count) < left
    }
}
