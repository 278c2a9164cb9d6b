internal import Bytes
internal import JSON
internal import Parquet
internal import TableLog

/// The statistics of a data file as they stand in the log (PROTOCOL.md, "Per-file Statistics").
enum FileStatistics {
    /// Columns that have statistics at most, as most writers have it.
    private static let columnLimit = 32

    static func text(_ file: ParquetFile, _ layout: TableLayout) -> ExactText {
        var (minima, maxima, nulls): ([JSONValue.Member], [JSONValue.Member], [JSONValue.Member]) =
            ([], [], [])
        for column in layout.storedColumns.prefix(columnLimit) {
            let field = layout.schema.fields[column]
            guard let stored = file.schema.field(named: field.physicalName),
                case .leaf(let leaf) = stored.content
            else { continue }
            let range = range(file, leaf)
            if let count = range.nullCount {
                nulls.append(.init(field.physicalName, .number(count)))
            }
            guard !range.mayHaveNaN, let low = range.minimum, let high = range.maximum,
                let minimum = json(low, field.type, isMaximum: false),
                let maximum = json(high, field.type, isMaximum: true)
            else { continue }
            minima.append(.init(field.physicalName, minimum))
            maxima.append(.init(field.physicalName, maximum))
        }
        let statistics = JSONValue.object([
            .init("numRecords", .number(file.footer.rowCount)),
            .init("minValues", .object(minima)), .init("maxValues", .object(maxima)),
            .init("nullCount", .object(nulls)),
        ])
        return ExactText(statistics.text)
    }

    /// The bounds over all row groups; where one group has none, the file has none.
    static func range(_ file: ParquetFile, _ leaf: Int) -> ValueRange {
        var all = ValueRange(
            minimum: nil, maximum: nil, nullCount: 0, mayHaveNaN: false, isAllNull: true)
        var hasBounds = true
        for group in file.footer.rowGroups.indices {
            let range = file.range(rowGroup: group, leaf: leaf)
            all.nullCount = all.nullCount.flatMap { sum in range.nullCount.map { sum + $0 } }
            all.mayHaveNaN = all.mayHaveNaN || range.mayHaveNaN
            if range.isAllNull { continue }
            all.isAllNull = false
            guard let low = range.minimum, let high = range.maximum else {
                hasBounds = false
                continue
            }
            if all.minimum.map({ low.precedes($0) }) ?? true { all.minimum = low }
            if all.maximum.map({ $0.precedes(high) }) ?? true { all.maximum = high }
        }
        if !hasBounds { (all.minimum, all.maximum) = (nil, nil) }
        return all
    }

    /// A bound as JSON; nil for types without bounds, and values that JSON or readers do not know.
    private static func json(
        _ bound: Scalar, _ type: TableType, isMaximum: Bool
    ) -> JSONValue? {
        var text: [UInt8] = []
        switch (bound, type) {
        case (_, .boolean), (_, .binary), (_, .structure), (_, .array), (_, .map): return nil
        case (.floating(let value), _):
            guard value.isFinite else { return nil }
            ValueText.append(bound, type, to: &text)
            return .number(ExactText(String(decoding: text, as: UTF8.self)))
        case (.integer(let days), .date):
            guard (-719_162...2_932_896).contains(days) else { return nil }
            ValueText.append(days, type, to: &text)
        case (.integer(let moment), .timestamp), (.integer(let moment), .timestampWithoutZone):
            guard let whole = milliseconds(moment, up: isMaximum) else { return nil }
            ValueText.append(whole, type, to: &text)
        case (.bytes(let bytes), .string):
            guard let string = ExactText(utf8: bytes) else { return nil }
            return .string(string)
        default:
            ValueText.append(bound, type, to: &text)
            return .number(ExactText(String(decoding: text, as: UTF8.self)))
        }
        return .string(ExactText(String(decoding: text, as: UTF8.self)))
    }

    /// Whole milliseconds, which all readers agree on; nil outside of the years 1 to 9999.
    private static func milliseconds(_ moment: Int64, up: Bool) -> Int64? {
        guard (-62_135_596_800_000_000...253_402_300_799_000_000).contains(moment) else {
            return nil
        }
        let rest = moment % 1000
        let floor = rest < 0 ? moment - rest - 1000 : moment - rest
        return up && floor < moment ? floor + 1000 : floor
    }
}
