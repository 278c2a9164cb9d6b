package import Bytes

/// What stands in `--where`, understood but not yet compared with a schema.
///
///     or         = and { "OR" and }
///     and        = term { "AND" term }
///     term       = "NOT" term | "(" or ")" | comparison
///     comparison = column operator literal | column "IS" [ "NOT" ] "NULL"
///                | column [ "NOT" ] "IN" "(" literal { "," literal } ")"
///                | column [ "NOT" ] "BETWEEN" literal "AND" literal
///     operator   = "=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">="
///     literal    = number | 'text' | "text" | true | false
package indirect enum Filter: Equatable, Sendable {
    case compare(column: ExactText, Comparison, Literal)
    case isNull(column: ExactText, Bool)
    case and([Filter])
    case or([Filter])

    package enum Literal: Equatable, Sendable {
        case number(ExactText)
        case text(ExactText)
        case boolean(Bool)
    }

    package init(parsing text: String) throws(TableStoreError) {
        var parser = FilterParser(scanner: WordScanner(text, .filter))
        self = try parser.parse()
    }
}

package enum Comparison: Sendable {
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual

    /// What is true where this one is false, nulls left aside.
    var negated: Comparison {
        switch self {
        case .equal: .notEqual
        case .notEqual: .equal
        case .less: .greaterOrEqual
        case .lessOrEqual: .greater
        case .greater: .lessOrEqual
        case .greaterOrEqual: .less
        }
    }
}

extension Filter {
    /// The opposite; a row that is null in a column which is compared matches neither, as in SQL.
    var negated: Filter {
        switch self {
        case .compare(let column, let comparison, let literal):
            .compare(column: column, comparison.negated, literal)
        case .isNull(let column, let flag): .isNull(column: column, !flag)
        case .and(let parts): .or(parts.map(\.negated))
        case .or(let parts): .and(parts.map(\.negated))
        }
    }

    /// The columns that are named.
    var columns: [ExactText] {
        switch self {
        case .compare(let column, _, _), .isNull(let column, _): [column]
        case .and(let parts), .or(let parts): parts.flatMap(\.columns)
        }
    }
}

private struct FilterParser {
    var scanner: WordScanner
    private var depth = 0

    init(scanner: WordScanner) { self.scanner = scanner }

    mutating func parse() throws(TableStoreError) -> Filter {
        let filter = try disjunction()
        guard scanner.isAtEnd else { throw scanner.error("AND, OR or the end") }
        return filter
    }

    private mutating func disjunction() throws(TableStoreError) -> Filter {
        var parts = [try conjunction()]
        while scanner.takeKeyword("or") { parts.append(try conjunction()) }
        return parts.count == 1 ? parts[0] : .or(parts)
    }

    private mutating func conjunction() throws(TableStoreError) -> Filter {
        var parts = [try term()]
        while scanner.takeKeyword("and") { parts.append(try term()) }
        return parts.count == 1 ? parts[0] : .and(parts)
    }

    private mutating func term() throws(TableStoreError) -> Filter {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 200 else {
            throw TableStoreError(.filter, "", "the filter is nested too deep")
        }
        if scanner.takeKeyword("not") { return try term().negated }
        if scanner.take("(") {
            let filter = try disjunction()
            guard scanner.take(")") else { throw scanner.error("\")\"") }
            return filter
        }
        return try comparison(try scanner.name("the name of a column"))
    }

    private static let operators: [(String, Comparison)] = [
        ("==", .equal), ("=", .equal), ("!=", .notEqual), ("<>", .notEqual),
        ("<=", .lessOrEqual), ("<", .less), (">=", .greaterOrEqual), (">", .greater),
    ]

    private mutating func comparison(_ column: ExactText) throws(TableStoreError) -> Filter {
        if scanner.takeKeyword("is") {
            let isNot = scanner.takeKeyword("not")
            guard scanner.takeKeyword("null") else { throw scanner.error("NULL") }
            return .isNull(column: column, !isNot)
        }
        for (sign, comparison) in Self.operators where scanner.take(sign) {
            return .compare(column: column, comparison, try literal())
        }
        let isNot = scanner.takeKeyword("not")
        let filter: Filter
        if scanner.takeKeyword("in") {
            filter = try membership(column)
        } else if scanner.takeKeyword("between") {
            let low = try literal()
            guard scanner.takeKeyword("and") else { throw scanner.error("AND") }
            filter = .and([
                .compare(column: column, .greaterOrEqual, low),
                .compare(column: column, .lessOrEqual, try literal()),
            ])
        } else {
            throw scanner.error("a comparison of column \(column)")
        }
        return isNot ? filter.negated : filter
    }

    private mutating func membership(_ column: ExactText) throws(TableStoreError) -> Filter {
        guard scanner.take("(") else { throw scanner.error("\"(\"") }
        var parts: [Filter] = []
        repeat {
            parts.append(.compare(column: column, .equal, try literal()))
        } while scanner.take(",")
        guard scanner.take(")") else { throw scanner.error("\")\"") }
        return parts.count == 1 ? parts[0] : .or(parts)
    }

    private mutating func literal() throws(TableStoreError) -> Filter.Literal {
        if let next = scanner.next, next == UInt8(ascii: "'") || next == UInt8(ascii: "\"") {
            return .text(try scanner.quoted())
        }
        if let number = scanner.number() { return .number(ExactText(number)) }
        if scanner.takeKeyword("true") { return .boolean(true) }
        if scanner.takeKeyword("false") { return .boolean(false) }
        throw scanner.error("a number, a text in quotes, true or false")
    }
}
