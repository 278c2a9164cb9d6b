/// How a file is written.
package struct WriterOptions: Sendable {
    /// What the encodings of columns may be.
    package enum Profile: Sendable {
        /// Whatever makes a column smallest, of what all readers of today know.
        case standard
        /// Dictionaries and plain values only, for old readers.
        case compatible
    }

    package var profile = Profile.standard
    /// zstd's level, 1 to 19.
    package var compressionLevel = 3
    /// Whether floats may be split by bytes, which some readers do not know.
    package var splitsFloats = false
    /// Bytes of an encoded page, before compression.
    package var pageBytes = CutSizes(minimum: 32 << 10, average: 64 << 10, maximum: 128 << 10)
    /// Rows of a row group.
    package var groupRows = CutSizes(minimum: 64 << 10, average: 128 << 10, maximum: 256 << 10)
    /// Bytes of the values of a row group as they are in memory.
    package var groupBytes = CutSizes(minimum: 16 << 20, average: 32 << 20, maximum: 64 << 20)
    /// Values of a dictionary at most.
    package var dictionaryEntries = 32 << 10
    /// Bytes of a dictionary at most.
    package var dictionaryBytes = 1 << 20
    /// Bytes that a bound of strings and binary values of a column chunk may have.
    package var boundBytes = 64
    /// The same for pages, of which there are many.
    package var pageBoundBytes = 32
    /// The columns that the rows are sorted by, which is told to readers.
    package var sorting: [SortingColumn] = []
    /// What wrote the file.
    package var createdBy = "varve version 0.1.0 (build table-store)"

    package init() {}
}

/// How large the pieces are that content is cut into.
package struct CutSizes: Equatable, Sendable {
    package var minimum: Int
    package var average: Int
    package var maximum: Int

    package init(minimum: Int, average: Int, maximum: Int) {
        precondition(0 < minimum && minimum < average && average < maximum)
        self.minimum = minimum
        self.average = average
        self.maximum = maximum
    }
}
