internal import Bytes
internal import Parquet
internal import TableLog

/// A filter whose columns and values are those of a table.
///
/// Comparisons with null are never true. NaN is greater than every other number and equal to
/// itself, as Spark and DuckDB have it.
indirect enum Predicate: Equatable, Sendable {
    /// The column by its place in the schema of the table.
    case compare(column: Int, Comparison, Scalar)
    case isNull(column: Int, Bool)
    case and([Predicate])
    case or([Predicate])
    case never

    /// Finds columns by name, and reads literals as values of their types.
    init(_ filter: Filter, _ schema: TableSchema) throws(TableStoreError) {
        switch filter {
        case .and(let parts):
            var bound: [Predicate] = []
            for part in parts { bound.append(try Predicate(part, schema)) }
            self = .and(bound)
        case .or(let parts):
            var bound: [Predicate] = []
            for part in parts { bound.append(try Predicate(part, schema)) }
            self = .or(bound)
        case .isNull(let name, let flag):
            self = .isNull(column: try schema.index(of: name), flag)
        case .compare(let name, let comparison, let literal):
            let column = try schema.index(of: name)
            let field = schema.fields[column]
            self = try Self.bind(column, field, comparison, literal)
        }
    }

    private static func bind(
        _ column: Int, _ field: TableField, _ comparison: Comparison, _ literal: Filter.Literal
    ) throws(TableStoreError) -> Predicate {
        let problem = TableStoreError.request(
            "column \(field.name) holds \(TypeWords.describe(field.type)), with which "
                + "\(literal.words) cannot be compared")
        switch (field.type, literal) {
        case (.structure, _), (.array, _), (.map, _): throw problem
        case (.boolean, .boolean(let flag)):
            return .compare(column: column, comparison, .boolean(flag))
        case (.boolean, _), (_, .boolean): throw problem
        case (.float, .number(let text)), (.double, .number(let text)),
            (.float, .text(let text)), (.double, .text(let text)):
            guard let number = FloatText.parse(Array(text.utf8)[...]) else { throw problem }
            return .compare(column: column, comparison, .floating(number))
        case (.byte, .number(let text)), (.short, .number(let text)),
            (.integer, .number(let text)), (.long, .number(let text)):
            return exact(column, comparison, text, scale: 0, isWide: false)
        case (.decimal(let precision, let scale), .number(let text)):
            return exact(column, comparison, text, scale: scale, isWide: precision > 18)
        case (_, .number): throw problem
        case (_, .text(let text)):
            if case .decimal = field.type { throw problem }
            guard let value = ValueText.parse(Array(text.utf8)[...], field.type) else {
                throw problem
            }
            return .compare(column: column, comparison, value)
        }
    }

    /// Compares with a number that the column may not be able to hold: 2.5, or one far too large.
    private static func exact(
        _ column: Int, _ comparison: Comparison, _ text: ExactText, scale: Int, isWide: Bool
    ) -> Predicate {
        let bytes = Array(text.utf8)
        let isNegative = bytes.first == UInt8(ascii: "-")
        var (value, isExact): (Int128, Bool) = (0, false)
        if let found = ExactNumber(bytes[...])?.floor(scale: scale) {
            (value, isExact) = found
        } else {
            value = isNegative ? Int128.min : Int128.max
        }
        let isInside = isWide || Int64(exactly: value) != nil
        if !isWide, !isInside {
            isExact = false
            value = isNegative ? Int128(Int64.min) - 1 : Int128(Int64.max)
        }
        let isBelowAll = !isWide && value < Int128(Int64.min)
        switch comparison {
        case .equal where !isExact: return .never
        case .notEqual where !isExact: return .isNull(column: column, false)
        case .less where !isExact, .lessOrEqual where isBelowAll:
            if isBelowAll { return .never }
            return .compare(column: column, .lessOrEqual, scalar(value, isWide))
        case .greaterOrEqual where !isExact, .greater where isBelowAll:
            if isBelowAll { return .isNull(column: column, false) }
            return .compare(column: column, .greater, scalar(value, isWide))
        default: return .compare(column: column, comparison, scalar(value, isWide))
        }
    }

    private static func scalar(_ value: Int128, _ isWide: Bool) -> Scalar {
        isWide ? .wide(value) : .integer(Int64(clamping: value))
    }

    /// The columns that are compared, by their places, sorted.
    var columns: [Int] { Set(allColumns).sorted() }

    private var allColumns: [Int] {
        switch self {
        case .compare(let column, _, _), .isNull(let column, _): [column]
        case .and(let parts), .or(let parts): parts.flatMap(\.allColumns)
        case .never: []
        }
    }
}

extension Filter.Literal {
    fileprivate var words: String {
        switch self {
        case .number(let text): text.string
        case .text(let text): "'\(text)'"
        case .boolean(let flag): "\(flag)"
        }
    }
}

extension TableSchema {
    /// The place of a column, by its name; another case will do when no name is the very same.
    ///
    /// Throws where several have the name in other cases: which is meant, nobody knows.
    func index(of name: ExactText) throws(TableStoreError) -> Int {
        if let exact = fields.firstIndex(where: { $0.name == name }) { return exact }
        let folded = name.folded
        let found = fields.indices.filter { fields[$0].name.folded == folded }
        if found.count > 1 {
            let several = found.map { fields[$0].name }.joined(separator: ", ")
            throw .request("column \"\(name)\" may be any of \(several): they differ in case only")
        }
        if let column = found.first { return column }
        let names = fields.map(\.name).joined(separator: ", ")
        throw .request("there is no column \"\(name)\"; the table has \(names)")
    }
}
