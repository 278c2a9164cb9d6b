internal import Parquet

/// What is known of rows without looking at them.
enum Verdict: Equatable {
    /// No row matches.
    case none
    /// Every row matches.
    case all
    case some
}

extension Predicate {
    /// Judges rows by what is known of their columns; nil for a column of which nothing is.
    func judge(_ range: (Int) -> ValueRange?) -> Verdict {
        switch self {
        case .never: return .none
        case .and(let parts):
            let verdicts = parts.map { $0.judge(range) }
            if verdicts.contains(.none) { return .none }
            return verdicts.allSatisfy { $0 == .all } ? .all : .some
        case .or(let parts):
            let verdicts = parts.map { $0.judge(range) }
            if verdicts.contains(.all) { return .all }
            return verdicts.allSatisfy { $0 == .none } ? .none : .some
        case .isNull(let column, let flag):
            guard let known = range(column) else { return .some }
            if known.isAllNull { return flag ? .all : .none }
            guard known.nullCount == 0 else { return .some }
            return flag ? .none : .all
        case .compare(let column, let comparison, let value):
            guard let known = range(column) else { return .some }
            if known.isAllNull { return .none }
            let verdict = Self.judge(known, comparison, value)
            // A null is no match, even where every value is one.
            return verdict == .all && known.nullCount != 0 ? .some : verdict
        }
    }

    private static func judge(
        _ range: ValueRange, _ comparison: Comparison, _ value: Scalar
    ) -> Verdict {
        if case .floating(let number) = value, number.isNaN { return .some }
        // Values that are no number are greater than all bounds.
        let maximum = range.mayHaveNaN ? nil : range.maximum
        let minimum = range.minimum
        let isAbove = minimum.map { value.precedes($0) } ?? false
        let isBelow = maximum.map { $0.precedes(value) } ?? false
        let isAtLeast = minimum.map { sameKind($0, value) && !$0.precedes(value) } ?? false
        let isAtMost = maximum.map { sameKind($0, value) && !value.precedes($0) } ?? false
        switch comparison {
        case .equal:
            if isAbove || isBelow { return .none }
            return isAtLeast && isAtMost ? .all : .some
        case .notEqual:
            if isAbove || isBelow { return .all }
            return isAtLeast && isAtMost ? .none : .some
        case .less: return isAtLeast ? .none : isBelow ? .all : .some
        case .lessOrEqual: return isAbove ? .none : isAtMost ? .all : .some
        case .greater: return isAtMost ? .none : isAbove ? .all : .some
        case .greaterOrEqual: return isBelow ? .none : isAtLeast ? .all : .some
        }
    }

    /// Values of different kinds have no order.
    private static func sameKind(_ one: Scalar, _ other: Scalar) -> Bool {
        switch (one, other) {
        case (.boolean, .boolean), (.integer, .integer), (.unsigned, .unsigned), (.wide, .wide),
            (.floating, .floating), (.bytes, .bytes):
            true
        default: false
        }
    }
}
