/// What is known about the values of a column in some rows, from statistics: enough to tell that
/// no row can match.
package struct ValueRange: Equatable, Sendable {
    /// No value is less; nil when not known.
    package var minimum: Scalar?
    /// No value is greater; nil when not known.
    package var maximum: Scalar?
    /// Nil when not known.
    package var nullCount: Int64?
    /// Whether there may be values that are no number, which no bound takes into account.
    package var mayHaveNaN: Bool
    /// Whether there is nothing but nulls for certain.
    package var isAllNull: Bool

    package init(
        minimum: Scalar?, maximum: Scalar?, nullCount: Int64?, mayHaveNaN: Bool, isAllNull: Bool
    ) {
        self.minimum = minimum
        self.maximum = maximum
        self.nullCount = nullCount
        self.mayHaveNaN = mayHaveNaN
        self.isAllNull = isAllNull
    }
}

/// What is known about a column in a page.
package struct PageRange: Equatable, Sendable {
    /// Counted from the beginning of the row group.
    package var rows: Range<Int64>
    package var values: ValueRange
}

extension ParquetFile {
    /// Whether bounds of a leaf are in the order of its type: without that being said, they may be
    /// in any.
    private func isOrdered(_ leaf: Leaf) -> Bool {
        footer.hasTypeOrder.indices.contains(leaf.index) && footer.hasTypeOrder[leaf.index]
            && leaf.order != nil
    }

    /// What the footer says about the values of a leaf in a row group.
    package func range(rowGroup: Int, leaf index: Int) -> ValueRange {
        let leaf = schema.leaves[index]
        let chunk = footer.rowGroups[rowGroup].columns[index]
        let statistics = chunk.statistics ?? Statistics()
        var (minimum, maximum): ([UInt8]?, [UInt8]?) = (nil, nil)
        if isOrdered(leaf) {
            (minimum, maximum) = (statistics.minimum, statistics.maximum)
        }
        if minimum == nil, maximum == nil, leaf.hasOldOrder {
            (minimum, maximum) = (statistics.oldMinimum, statistics.oldMaximum)
        }
        return Self.range(
            leaf, minimum, maximum, nullCount: statistics.nullCount,
            nanCount: statistics.nanCount, isAllNull: statistics.nullCount == chunk.valueCount)
    }

    private static func range(
        _ leaf: Leaf, _ minimum: [UInt8]?, _ maximum: [UInt8]?, nullCount: Int64?,
        nanCount: Int64?, isAllNull: Bool
    ) -> ValueRange {
        let bounds = [minimum, maximum].map { $0.flatMap { Scalar(stored: $0, for: leaf) } }
        var range = ValueRange(
            minimum: bounds[0], maximum: bounds[1], nullCount: nullCount,
            mayHaveNaN: leaf.order == .floating && nanCount != 0, isAllNull: isAllNull)
        if case .floating(let value) = range.minimum {
            range.minimum = value.isNaN ? nil : value == 0 ? .floating(-0.0) : range.minimum
        }
        if case .floating(let value) = range.maximum {
            range.maximum = value.isNaN ? nil : value == 0 ? .floating(0.0) : range.maximum
        }
        // Bounds that contradict each other say nothing.
        if let low = range.minimum, let high = range.maximum, high.precedes(low) {
            (range.minimum, range.maximum) = (nil, nil)
        }
        return range
    }

    /// What the column index says about the pages of a leaf; nil when there is none, or none that
    /// may be trusted.
    package func pageRanges(
        rowGroup: Int, leaf index: Int
    ) throws(ParquetError) -> [PageRange]? {
        let leaf = schema.leaves[index]
        guard isOrdered(leaf), let columns = try columnIndex(rowGroup: rowGroup, leaf: index),
            let offsets = try offsetIndex(rowGroup: rowGroup, leaf: index),
            columns.nullPages.count == offsets.locations.count
        else { return nil }
        let end = footer.rowGroups[rowGroup].rowCount
        // Without pages there are no rows, whatever an empty index says.
        guard !offsets.locations.isEmpty || end == 0 else { return nil }
        let starts = offsets.locations.map(\.firstRow) + [end]
        return columns.nullPages.indices.map { page in
            let isNull = columns.nullPages[page]
            return PageRange(
                rows: starts[page]..<starts[page + 1],
                values: Self.range(
                    leaf, isNull ? nil : columns.minima[page], isNull ? nil : columns.maxima[page],
                    nullCount: columns.nullCounts?[page], nanCount: columns.nanCounts?[page],
                    isAllNull: isNull))
        }
    }
}
