/// A stretch of a file that its format names: a page of a table, an index.
package struct FilePart: Equatable, Sendable {
    /// Offset behind its last byte.
    package var end: UInt64
    /// No chunk goes on behind it.
    package var endsRun: Bool
    /// Its bytes hardly shrink any more, so that small chunks of them cost no compression.
    package var isDense: Bool

    package init(end: UInt64, endsRun: Bool, isDense: Bool) {
        self.end = end
        self.endsRun = endsRun
        self.isDense = isDense
    }
}

/// The parts of a file, one after the other from its first byte to its last.
package struct FileParts: Sendable {
    private let parts: [FilePart]

    /// Nil unless each part has a byte at least, and there is one.
    package init?(_ parts: [FilePart]) {
        guard let last = parts.last, last.end <= UInt64(Int64.max) else { return nil }
        var end: UInt64 = 0
        for part in parts {
            guard part.end > end else { return nil }
            end = part.end
        }
        self.parts = parts
    }

    var count: Int { parts.count }

    subscript(index: Int) -> FilePart { parts[index] }

    /// Bytes of a part.
    func size(_ index: Int) -> UInt64 {
        parts[index].end - (index == 0 ? 0 : parts[index - 1].end)
    }

    /// The part that has the byte at `place`; nil behind the last.
    func index(at place: UInt64) -> Int? {
        var (low, high) = (0, parts.count)
        while low < high {
            let middle = (low + high) / 2
            if parts[middle].end <= place { low = middle + 1 } else { high = middle }
        }
        return low < parts.count ? low : nil
    }
}
