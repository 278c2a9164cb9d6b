extension FixedWidthInteger {
    /// The sum, or the end of the range that it lies beyond.
    ///
    /// For totals of numbers that others wrote down: one that wraps is a lie, one that traps ends a
    /// restore.
    package func addingClamped(_ other: Self) -> Self {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    /// The difference, or the end of the range that it lies beyond.
    package func subtractingClamped(_ other: Self) -> Self {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other > 0 ? .min : .max) : difference
    }
}
